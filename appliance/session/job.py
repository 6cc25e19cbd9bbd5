"""The open job: its history in memory and on disk, and the list they fold into. Used by the session's thread alone."""

from collections import Counter
from collections.abc import Callable
from typing import Final, Self

from appliance.api import NewJob, Verdict
from appliance.jobs import changes as ch
from appliance.jobs.joblist import JobList, Taken, document, fold, next_undo
from appliance.model import SOFTWARE, UNSURE_CODES, CaptureSetup, findings_of, verdict_of
from appliance.session.faults import unknown_capture
from appliance.spool.store import Spool
from wire.documents import (
    AnsweredGap,
    CaptureDocument,
    Condition,
    ItemRef,
    JobListDocument,
    Mark,
    PagesDocument,
    PageType,
)
from wire.ids import new_id

FEWEST_PARTS: Final = 2
"""Captures that show one large page at a station for nothing else, where nobody says how many."""
KEPT_TO_MUTE: Final = 3
"""Warnings of one kind that a person has looked at and kept: the fourth is likely to be kept, too."""


class Job:
    """One job between its opening and its hand-over.

    Attributes:
        job_id: opaque.
        sitting_id: of the person at the station now.
        list: the present revision.
        facts: of every capture of this job that is still on this disk.
        pages: what was made of them, as far as they are processed.
    """

    def __init__(self, spool: Spool, job_id: str, station: str, now: Callable[[], str]) -> None:
        """Read the job from the spool; use `open_new` for one that is not there yet."""
        self._spool = spool
        self._station = station
        self._now = now
        self.job_id = job_id
        self._changes = [ch.decode(line) for line in spool.changes(job_id)]
        self._taken: list[Taken] = []
        self.facts: dict[str, CaptureDocument] = {}
        self.pages: dict[str, PagesDocument] = {}
        for row in spool.captures_of(job_id):
            self._taken.append(Taken(row.capture_id, row.sequence))
            self._load(row.capture_id)
        self.list: JobList = self._fold()

    @classmethod
    def open_new(
        cls, spool: Spool, setup: CaptureSetup, new: NewJob, item: ItemRef, now: Callable[[], str], person: str = ""
    ) -> Self:
        """Open a job for `item`."""
        job_id = new_id()
        # Two cameras look at two pages: what they see together is no part of one.
        parts = 0 if setup.layout == "two-camera" else new.parts or (FEWEST_PARTS if setup.layout == "parts" else 0)
        opened = ch.JobOpened(
            after_sequence=0,
            at=now(),
            item=item,
            profile=new.profile or setup.profile,
            layout="parts" if parts else setup.layout,
            parts=parts,
            numbering=new.numbering,
            reading_direction="right-to-left" if new.right_to_left else "left-to-right",
            pages_expected=new.pages_expected,
            height_cm=new.height_cm,
            rights=new.rights or None,
            training=new.is_exercise,
        )
        spool.append_change(job_id, ch.encode(opened))
        job = cls(spool, job_id, setup.station, now)
        job.sit_down(person)
        if new.condition:
            job.note_condition(new.condition, "")
        return job

    @property
    def sitting_id(self) -> str:
        """The sitting that is going on."""
        return self.list.sittings[-1].sitting_id

    @property
    def person(self) -> str:
        """Who sits at this job, by id; empty where nobody has signed in."""
        return next((change.person for change in reversed(self._changes) if isinstance(change, ch.SittingStarted)), "")

    @property
    def shift_note(self) -> str:
        """What the person before left for the one who sits here now."""
        return next((sitting.note for sitting in reversed(self.list.sittings[:-1]) if sitting.note), "")

    @property
    def last(self) -> str | None:
        """The last capture of the list."""
        return self.list.entries[-1].capture_id if self.list.entries else None

    @property
    def can_undo(self) -> bool:
        """Whether there is a change to take back."""
        return next_undo(self._changes) is not None

    def verdict(self, capture_id: str | None) -> Verdict:
        """Return the verdict on a capture; PENDING where it has none yet. What is muted does not count."""
        return verdict_of(self.pages.get(capture_id or ""), self.list.muted)

    def standing(self, capture_id: str | None) -> Verdict:
        """Return the verdict on a capture as far as it still asks for something: one that a person keeps is OK."""
        entry = self.list.find(capture_id) if capture_id else None
        return Verdict.OK if entry and "bad-kept" in entry.marks else self.verdict(capture_id)

    def sit_down(self, person: str = "") -> None:
        """Begin a sitting where none is going on: the last run may have ended before it could."""
        if self.list.sittings and self.list.sittings[-1].ended_at is None:
            return
        at = self._now()
        self._append(ch.SittingStarted(after_sequence=self._after, at=at, sitting_id=new_id(), person=person))

    def change_person(self, person: str, note: str = "") -> None:
        """Let another person, or nobody, sit here from now on; nothing happens where they sit here already."""
        if person == self.person and not note:
            return
        at, sitting = self._now(), self.sitting_id
        self._append(ch.SittingEnded(after_sequence=self._after, at=at, sitting_id=sitting, note=note))
        self.sit_down(person)

    def add(self, facts: CaptureDocument) -> str | None:
        """Append a capture that is safe; return what was the last of the list until now."""
        previous = self.last
        self.facts[facts.capture_id] = facts
        self._taken.append(Taken(facts.capture_id, facts.sequence, facts.page_type))
        self.list = self._fold()
        return previous

    def require(self, capture_id: str) -> None:
        """Raise `NotNow` where a capture is not in the list."""
        if self.list.find(capture_id) is None:
            raise unknown_capture()

    def replace(self, new: str, old: str, reason: ch.ReplaceReason) -> bool:
        """Put `new` in the place of `old`; False where one of them has left the list meanwhile."""
        if self.list.find(new) is None or self.list.find(old) is None:
            return False
        self._append(ch.Replaced(after_sequence=self._after, at=self._now(), new=new, old=old, reason=reason))
        return True

    def mark(self, capture_id: str, mark: Mark) -> None:
        """Mark a capture for review."""
        self._append(ch.Marked(after_sequence=self._after, at=self._now(), capture=capture_id, mark=mark))

    def keep(self, capture_id: str) -> None:
        """Keep a capture in spite of its verdict."""
        self._append(ch.Kept(after_sequence=self._after, at=self._now(), capture=capture_id))

    def delete(self, capture_id: str) -> None:
        """Take a capture out of the list."""
        self._append(ch.Deleted(after_sequence=self._after, at=self._now(), capture=capture_id))

    def move(self, capture_id: str, before: str | None) -> None:
        """Put a capture before another one, or last."""
        self._append(ch.Moved(after_sequence=self._after, at=self._now(), capture=capture_id, before=before))

    def take_back(self, capture_id: str) -> None:
        """Undo what put a capture into its place, and take it out of the list."""
        for number, change in reversed(list(enumerate(self._changes, start=1))):
            if (isinstance(change, ch.Replaced) and change.new == capture_id) or (
                isinstance(change, ch.Moved) and change.capture == capture_id
            ):
                self._append(ch.Undone(after_sequence=self._after, at=self._now(), number=number))
                break
        self.delete(capture_id)

    def set_page_type(self, capture_id: str, page_type: PageType) -> None:
        """Say what kind of page a capture shows."""
        self._append(ch.Typed(after_sequence=self._after, at=self._now(), capture=capture_id, page_type=page_type))

    def note_condition(self, condition: tuple[Condition, ...], note: str) -> None:
        """Say how the copy is."""
        at = self._now()
        self._append(ch.ConditionNoted(after_sequence=self._after, at=at, condition=condition, note=note))

    def mute(self, code: str) -> None:
        """Let this warning interrupt no more for this book."""
        self._append(ch.Muted(after_sequence=self._after, at=self._now(), code=code))

    @property
    def mute_offer(self) -> str:
        """The warning that a person has kept so often that it may be muted for this book; never one that was bad."""
        kept: Counter[str] = Counter()
        for entry in self.list.entries:
            if "bad-kept" in entry.marks and self.verdict(entry.capture_id) is Verdict.WARN:
                found = findings_of(self.pages[entry.capture_id])
                kept.update({one.code for one in found if one.severity == "warn" and one.code not in UNSURE_CODES})
        often = [code for code, times in kept.items() if times >= KEPT_TO_MUTE and code not in self.list.muted]
        return often[0] if often else ""

    def set_label(self, capture_id: str, label: str) -> None:
        """Say which number is printed on a capture's first page; an empty one says that none is."""
        at = self._now()
        self._append(ch.Labelled(after_sequence=self._after, at=at, capture=capture_id, label=label or None))

    def answer_gap(self, gap: AnsweredGap) -> None:
        """Say why numbers are not there."""
        self._append(ch.GapAnswered(after_sequence=self._after, at=self._now(), gap=gap))

    def begin_versos(self) -> None:
        """From the next capture on, versos come."""
        self._append(ch.VersosBegan(after_sequence=self._after, at=self._now()))

    def interleave(self, without: tuple[int, ...]) -> None:
        """Put rectos and versos in turn."""
        self._append(ch.Interleaved(after_sequence=self._after, at=self._now(), without=without))

    def undo(self) -> bool:
        """Take back the last change of the list; False where there is none."""
        number = next_undo(self._changes)
        if number is not None:
            self._append(ch.Undone(after_sequence=self._after, at=self._now(), number=number))
        return number is not None

    def hand_over(self) -> None:
        """Close the list and send it. After a crash in between, the next start or the next try sends it."""
        self._end(ch.HandedOver(after_sequence=self._after, at=self._now()))

    def stop_for_conservation(self, note: str) -> None:
        """End here because the copy is too fragile, and send what there is."""
        self._end(ch.StoppedForConservation(after_sequence=self._after, at=self._now(), note=note))

    def reopen(self, person: str) -> None:
        """Take captures again after an end."""
        self._append(ch.Reopened(after_sequence=self._after, at=self._now()))
        self.sit_down(person)

    def send(self) -> None:
        """Queue the present revision for the centre."""
        self._spool.queue_list(self.document())

    def document(self) -> JobListDocument:
        """Return the present revision as it travels to the centre."""
        return document(self.list, job_id=self.job_id, station=self._station, software=SOFTWARE)

    def _end(self, how: ch.HandedOver | ch.StoppedForConservation) -> None:
        if self.list.state == "open":
            self._append(ch.SittingEnded(after_sequence=self._after, at=how.at, sitting_id=self.sitting_id))
            self._append(how)
        self.send()

    @property
    def _after(self) -> int:
        return self._taken[-1].sequence if self._taken else 0

    def _append(self, change: ch.AnyChange) -> None:
        self._spool.append_change(self.job_id, ch.encode(change))
        self._changes.append(change)
        self.list = self._fold()

    def _fold(self) -> JobList:
        return fold(self._changes, self._taken, station=self._station)

    def _load(self, capture_id: str) -> None:
        try:
            self.facts[capture_id] = self._spool.capture(capture_id)
            pages = self._spool.pages(capture_id)
        except KeyError:
            return  # received and released: the list still names it
        if pages is not None:
            self.pages[capture_id] = pages
