"""What is known of a barcode without any network: from the centre's batches and from what was done here. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from appliance.api import NewJob
from appliance.jobs import barcodes
from appliance.jobs.copies import BatchView, DoneBefore, Found
from wire.documents import BatchDocument, BatchItem, ItemRef
from wire.ids import new_id


@dataclass(frozen=True, slots=True)
class Past:
    """A job of this station that has ended: with a hand-over, or with the book sent to conservation."""

    job_id: str
    item: ItemRef
    ended_at: str
    captures: int
    to_conservation: bool = False


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
        return _found(code, batch, item, before)
    if barcodes.cannot_be_a_copys(code) and not before:
        return Found(code, problem="wrong-code")
    latest = next((one.item for one in reversed(past) if code and one.item.barcode == code), None)
    return Found(code, item=latest, before=before)


def next_part(part: str) -> str:
    """Return the part (volume, issue) that follows: the last number in it plus one, as wide as it was."""
    found = list(re.finditer(r"\d+", part))
    if not found:
        return ""
    last = found[-1]
    return part[: last.start()] + str(int(last[0]) + 1).zfill(len(last[0])) + part[last.end() :]


def item_of(new: NewJob, known: ItemRef | None, past: Sequence[Past]) -> ItemRef:
    """Return the item of a new job: what a person typed, over what is known of the copy.

    A list's item keeps its id for the first time; another part of the same copy, or the copy once more, is a new item.
    """
    is_new = known is None or any(one.item.item_id == known.item_id for one in past)
    return msgspec.structs.replace(
        known or ItemRef(item_id=""),
        **({"item_id": new_id()} if is_new else {}),
        barcode=new.barcode or None,
        part=new.part or None,
        **({"record_id": new.record_id, "provisional": False} if new.record_id else {}),
        **({"call_number": new.call_number} if new.call_number else {}),
        title=new.title or None,
        author=new.author or None,
        year=new.year or None,
    )


def batch_views(batches: Sequence[BatchDocument], past: Sequence[Past]) -> tuple[BatchView, ...]:
    """Return how far each batch is at this station."""
    done = {one.item.barcode for one in past}
    return tuple(
        BatchView(batch.name, sum(item.item.barcode in done for item in batch.items), len(batch.items))
        for batch in batches
    )


def _found(code: str, batch: BatchDocument, item: BatchItem, before: tuple[DoneBefore, ...]) -> Found:
    return Found(
        code,
        item=item.item,
        batch=batch.name,
        pages_expected=item.pages_expected,
        height_cm=item.height_cm,
        profile=item.profile or "",
        rights=item.rights or "",
        before=before,
    )


def _done(one: Past) -> DoneBefore:
    return DoneBefore(one.job_id, one.item.part or "", one.ended_at, one.captures, one.to_conservation)
