"""What is known of a barcode without any network: from the centre's batches and from what was done here. Pure."""

import dataclasses
import re
from collections.abc import Sequence

import msgspec

from appliance.api import NewJob
from appliance.jobs import barcodes
from appliance.jobs.changes import JobOpened
from appliance.jobs.copies import BatchView, DoneBefore, DoneElsewhere, Found
from wire.documents import BatchDocument, BatchItem, ItemRef
from wire.ids import new_id


@dataclasses.dataclass(frozen=True, slots=True)
class Past:
    """A job of this station that has ended: with a hand-over, or with the book sent to conservation."""

    job_id: str
    opened: JobOpened
    ended_at: str
    captures: int
    to_conservation: bool = False

    @property
    def item(self) -> ItemRef:
        """Of which item."""
        return self.opened.item


def look_up(text: str, batches: Sequence[BatchDocument], past: Sequence[Past], opened: ItemRef | None = None) -> Found:
    """Return what is known of a code as it was scanned or typed; `opened` is the item of the open job."""
    code = barcodes.cleaned(text)
    listed = {item.item.barcode: (batch, item) for batch in batches for item in batch.items if item.item.barcode}
    done = {one.item.barcode for one in past if one.item.barcode}
    if opened is not None and opened.barcode:
        is_typed_of_it = barcodes.has_marks(code) and barcodes.as_typed(code, listed.keys() | done | {opened.barcode})
        if opened.barcode in (code, is_typed_of_it):
            return Found(opened.barcode, item=opened, is_open=True)
    if code not in listed and code not in done and barcodes.has_marks(code):
        typed = barcodes.as_typed(code, listed.keys() | done)
        if typed is None:
            return Found(code, problem="unikey")
        code = typed
    before = tuple(_done(one) for one in reversed(past) if code and one.item.barcode == code)
    if code in listed:
        batch, item = listed[code]
        elsewhere = None if before else _this_copy(item) or other_copy(item.item, batches, past)
        return _found(code, batch, item, before, elsewhere)
    if barcodes.cannot_be_a_copys(code) and not before:
        return Found(code, problem="wrong-code")
    latest = next((one.item for one in reversed(past) if code and one.item.barcode == code), None)
    return Found(code, item=latest, before=before)


def other_copy(item: ItemRef, batches: Sequence[BatchDocument], past: Sequence[Past]) -> DoneElsewhere | None:
    """Return when another copy of the same record, and of the same part of it, was digitised; the last time known."""
    if not item.record_id:
        return None
    told = [
        (one.item, DoneElsewhere(one.digitised.at, one.digitised.station, barcode=one.item.barcode or ""))
        for batch in batches
        for one in batch.items
        if one.digitised and not one.digitised.to_conservation
    ]
    here = [
        (one.item, DoneElsewhere(one.ended_at, barcode=one.item.barcode or ""))
        for one in past
        if not one.to_conservation
    ]
    same = (item.record_id, item.part)
    found = [
        done
        for other, done in (*told, *here)
        if (other.record_id, other.part) == same and other.barcode and other.barcode != item.barcode
    ]
    return max(found, key=lambda done: done.ended_at, default=None)


def next_part(part: str) -> str:
    """Return the part (volume, issue) that follows: the last number in it plus one, as wide as it was."""
    found = list(re.finditer(r"\d+", part))
    if not found:
        return ""
    last = found[-1]
    return part[: last.start()] + str(int(last[0]) + 1).zfill(len(last[0])) + part[last.end() :]


def part_after(past: Past, batches: Sequence[BatchDocument]) -> Found:
    """Return what is known of the copy of a job, with the part that follows: opened as this one was."""
    found = look_up(past.item.barcode or "", batches, (past,))
    item = msgspec.structs.replace(past.item, part=next_part(past.item.part or "") or None)
    return dataclasses.replace(
        found,
        item=item,
        rights=found.rights or past.opened.rights or "",
        height_cm=found.height_cm or past.opened.height_cm,
        numbering=past.opened.numbering,
        right_to_left=past.opened.reading_direction == "right-to-left",
        parts=past.opened.parts,
    )


def item_of(new: NewJob, known: ItemRef | None, past: Sequence[Past], done: DoneElsewhere | None = None) -> ItemRef:
    """Return the item of a new job: what a person typed, over what is known of the copy.

    A list's item keeps its id for the first time; another part of the same copy, or the copy once more, is a new item.
    What was `done` of this copy elsewhere gets the job's captures where the person said so.
    """
    is_done = done is not None and not done.barcode
    is_new = known is None or is_done or any(one.item.item_id == known.item_id for one in past)
    item_id = done.item_id if done and is_done and new.adds else new_id() if is_new else None
    return msgspec.structs.replace(
        known or ItemRef(item_id=""),
        **({"item_id": item_id} if item_id else {}),
        barcode=new.barcode or None,
        part=new.part or None,
        **({"record_id": new.record_id, "provisional": False} if new.record_id else {}),
        **({"call_number": new.call_number} if new.call_number else {}),
        title=new.title or None,
        author=new.author or None,
        year=new.year or None,
    )


def batch_views(batches: Sequence[BatchDocument], past: Sequence[Past]) -> tuple[BatchView, ...]:
    """Return how far each batch is, as far as this station knows."""
    done = {one.item.barcode for one in past}
    return tuple(
        BatchView(
            batch.name,
            sum(item.item.barcode in done or item.digitised is not None for item in batch.items),
            len(batch.items),
        )
        for batch in batches
    )


def _found(
    code: str, batch: BatchDocument, item: BatchItem, before: tuple[DoneBefore, ...], elsewhere: DoneElsewhere | None
) -> Found:
    return Found(
        code,
        item=item.item,
        batch=batch.name,
        pages_expected=item.pages_expected,
        height_cm=item.height_cm,
        profile=item.profile or "",
        rights=item.rights or "",
        before=before,
        elsewhere=elsewhere,
    )


def _this_copy(item: BatchItem) -> DoneElsewhere | None:
    told = item.digitised
    if told is None:
        return None
    return DoneElsewhere(told.at, told.station, told.item_id, told.part or "", told.to_conservation)


def _done(one: Past) -> DoneBefore:
    return DoneBefore(one.job_id, one.item.part or "", one.ended_at, one.captures, one.to_conservation)
