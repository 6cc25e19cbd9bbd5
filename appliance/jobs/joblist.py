"""The job list: what a copy's capture consists of, in order. Pure; captures themselves are never touched.

A job's history has two sources: captures, which append themselves by their sequence, and changes, which say after which
sequence they happened. `fold` merges both into the list; the same history gives the same list anywhere, any time.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal, assert_never

import msgspec

from appliance.jobs.changes import (
    AnyChange,
    BookChange,
    ConditionNoted,
    Deleted,
    EntryChange,
    GapAnswered,
    HandedOver,
    Interleaved,
    JobOpened,
    Kept,
    Labelled,
    Marked,
    Moved,
    Muted,
    Reopened,
    Replaced,
    SittingEnded,
    SittingStarted,
    StoppedForConservation,
    Typed,
    Undone,
    VersosBegan,
)
from wire.documents import AnsweredGap, Condition, JobListDocument, ListEntry, Mark, PagePart, PageType, Sitting

UNDO_LIMIT: Final = 20
JobState = Literal["open", "handed_over", "to_conservation"]

_WHOLE: Final = frozenset({"cover", "spine", "endpaper", "insert", "target"})
"""Page types that one capture shows whole, also where it takes several for a page."""
_UNDOABLE: Final = (Replaced, Kept, Deleted, Moved, Typed, Labelled, Muted, GapAnswered, Interleaved)


@dataclass(frozen=True, slots=True)
class Taken:
    """What the list needs to know of a capture."""

    capture_id: str
    sequence: int
    page_type: PageType = "page"


@dataclass(frozen=True, slots=True)
class Entry:
    """One place of the list. `supersedes` names what stood here before, oldest first."""

    capture_id: str
    page_type: PageType = "page"
    label: str | None = None
    marks: tuple[Mark, ...] = ()
    supersedes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class JobList:
    """One revision of a job list.

    Attributes:
        opened: how the job was opened.
        revision: number of captures and changes folded; grows with each of them.
        state: open, or how it ended.
        sittings: stretches of work, in order.
        entries: the captures that count, in reading order.
        removed: what was taken out; each still carries what it had superseded.
        condition: what was noted of the copy last.
        gaps: numbers that a person has explained.
        muted: warnings that interrupt no more.
        versos: captures that show the back of a leaf; None while rectos are captured, or in any other layout.
        without: leaves, from 0, that have no verso; None until rectos and versos were put in turn.
    """

    opened: JobOpened
    revision: int
    state: JobState
    sittings: tuple[Sitting, ...]
    entries: tuple[Entry, ...]
    removed: tuple[Entry, ...]
    condition: tuple[Condition, ...] = ()
    condition_note: str = ""
    gaps: tuple[AnsweredGap, ...] = ()
    muted: tuple[str, ...] = ()
    versos: frozenset[str] | None = None
    without: tuple[int, ...] | None = None

    def find(self, capture_id: str) -> Entry | None:
        """Return the capture's place in the list, or None where it has none."""
        return next((entry for entry in self.entries if entry.capture_id == capture_id), None)


def fold(changes: Sequence[AnyChange], captures: Iterable[Taken], *, station: str) -> JobList:
    """Return the list that this history makes.

    Args:
        changes: in the order they were written; the first is `JobOpened`.
        captures: of this job, in any order.
        station: whose history this is, for the sittings.

    Raises:
        ValueError: the history does not begin with `JobOpened`.
    """
    if not changes or not isinstance(changes[0], JobOpened):
        raise ValueError("A job's history begins with its opening.")
    undone = {change.number for change in changes if isinstance(change, Undone)}
    waiting = sorted(captures, key=lambda taken: taken.sequence, reverse=True)
    draft = _Draft(station=station, revision=len(changes) + len(waiting))
    for number, change in enumerate(changes, start=1):
        while waiting and waiting[-1].sequence <= change.after_sequence:
            draft.append(waiting.pop())
        if number not in undone:
            draft.apply(change)
    while waiting:
        draft.append(waiting.pop())
    return JobList(
        opened=changes[0],
        revision=draft.revision,
        state=draft.state,
        sittings=tuple(draft.sittings),
        entries=tuple(draft.entries),
        removed=tuple(draft.removed),
        condition=draft.condition,
        condition_note=draft.condition_note,
        gaps=tuple(draft.gaps),
        muted=tuple(draft.muted),
        versos=None if draft.versos is None else frozenset(draft.versos),
        without=draft.without,
    )


def leaves_of(
    entries: Sequence[Entry], versos: frozenset[str], without: tuple[int, ...]
) -> list[tuple[Entry | None, Entry | None]]:
    """Return recto and verso of every leaf, in order; None where there is none.

    Args:
        entries: the list, rectos first or in turn: only the order among rectos and among versos counts.
        versos: which of them show the back.
        without: leaves, from 0, without a verso.
    """
    rectos = [entry for entry in entries if entry.capture_id not in versos]
    backs = iter([entry for entry in entries if entry.capture_id in versos])
    leaves: list[tuple[Entry | None, Entry | None]] = [
        (recto, None if leaf in without else next(backs, None)) for leaf, recto in enumerate(rectos)
    ]
    return leaves + [(None, verso) for verso in backs]


def parts_of(entries: Sequence[Entry], of: int) -> dict[str, PagePart]:
    """Return which part of which large page each capture shows, `of` captures a page; empty where `of` is 0.

    What is photographed whole (a cover, the ruler) shows no part, and ends the page before it.
    """
    found: dict[str, PagePart] = {}
    page, part = 0, of
    for entry in entries if of else ():
        if entry.page_type in _WHOLE:
            part = of
            continue
        page, part = (page + 1, 1) if part == of else (page, part + 1)
        found[entry.capture_id] = PagePart(page=page, part=part, of=of)
    return found


def next_undo(changes: Sequence[AnyChange]) -> int | None:
    """Return the number of the change that undo takes back next, or None.

    Only what a person would call a change of the list can be undone, and only the last twenty of those.
    """
    undone = {change.number for change in changes if isinstance(change, Undone)}
    undoable = [number for number, change in enumerate(changes, start=1) if isinstance(change, _UNDOABLE)]
    return next((number for number in reversed(undoable[-UNDO_LIMIT:]) if number not in undone), None)


def document(job_list: JobList, *, job_id: str, station: str, software: str) -> JobListDocument:
    """Return the list as it travels to the centre."""
    opened = job_list.opened
    parts = parts_of(job_list.entries, opened.parts)
    return JobListDocument(
        job_id=job_id,
        revision=job_list.revision,
        station=station,
        state=job_list.state,
        item=opened.item,
        layout=opened.layout,
        numbering=opened.numbering,
        ocr=opened.ocr,
        reading_direction=opened.reading_direction,
        profile=opened.profile,
        sittings=job_list.sittings,
        entries=tuple(
            ListEntry(
                capture_id=entry.capture_id,
                page_type=entry.page_type,
                marks=entry.marks,
                label=entry.label,
                supersedes=entry.supersedes,
                part=parts.get(entry.capture_id),
            )
            for entry in job_list.entries
        ),
        removed=tuple(name for entry in job_list.removed for name in (*entry.supersedes, entry.capture_id)),
        pages_expected=opened.pages_expected,
        rights=opened.rights,
        condition=job_list.condition,
        condition_note=job_list.condition_note,
        gaps=job_list.gaps,
        muted=job_list.muted,
        training=opened.training,
        software=software,
    )


@dataclass(slots=True)
class _Draft:
    """The list while it is being folded. A change that names what is not there changes nothing."""

    station: str
    revision: int
    state: JobState = "open"
    sittings: list[Sitting] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    removed: list[Entry] = field(default_factory=list)
    condition: tuple[Condition, ...] = ()
    condition_note: str = ""
    gaps: list[AnsweredGap] = field(default_factory=list)
    muted: list[str] = field(default_factory=list)
    versos: set[str] | None = None
    without: tuple[int, ...] | None = None

    def append(self, taken: Taken) -> None:
        if self.versos is not None:
            self.versos.add(taken.capture_id)
        self.entries.append(Entry(capture_id=taken.capture_id, page_type=taken.page_type))

    def apply(self, change: AnyChange) -> None:
        match change:
            case JobOpened() | Undone():
                pass
            case SittingStarted() | SittingEnded():
                self._sit(change)
            case HandedOver():
                self.state = "handed_over"
            case Reopened():
                self.state = "open"
            case StoppedForConservation(note=note):
                self.state = "to_conservation"
                self.condition_note = note or self.condition_note
            case VersosBegan():
                self.versos = set() if self.versos is None else self.versos
            case Interleaved(without=without):
                self._interleave(without)
            case ConditionNoted() | Muted() | GapAnswered():
                self._note(change)
            case _:
                self._edit(change)

    def _note(self, change: BookChange) -> None:
        match change:
            case ConditionNoted(condition=condition, note=note):
                self.condition, self.condition_note = condition, note
            case Muted(code=code):
                self.muted += [code] if code not in self.muted else []
            case GapAnswered(gap=gap):
                self.gaps.append(gap)
            case _:
                assert_never(change)

    def _edit(self, change: EntryChange) -> None:
        match change:
            case Replaced():
                self._replace(change)
            case Moved(capture=capture, before=before):
                self._move(capture, before)
            case Deleted(capture=capture):
                if (at := self._index(capture)) is not None:
                    self.removed.append(self.entries.pop(at))
            case Kept(capture=capture):
                self._mark(capture, "bad-kept")
            case Marked(capture=capture, mark=mark):
                self._mark(capture, mark)
            case Typed(capture=capture, page_type=page_type):
                self._update(capture, lambda entry: replace(entry, page_type=page_type))
            case Labelled(capture=capture, label=label):
                self._update(capture, lambda entry: replace(entry, label=label))
            case _:
                assert_never(change)

    def _interleave(self, without: tuple[int, ...]) -> None:
        leaves = leaves_of(self.entries, frozenset(self.versos or ()), without)
        self.entries = [entry for leaf in leaves for entry in leaf if entry is not None]
        self.without = without

    def _index(self, capture_id: str) -> int | None:
        # Nearly every change is about the end of the list, so it is searched from there.
        for at in range(len(self.entries) - 1, -1, -1):
            if self.entries[at].capture_id == capture_id:
                return at
        return None

    def _update(self, capture_id: str, change: Callable[[Entry], Entry]) -> None:
        if (at := self._index(capture_id)) is not None:
            self.entries[at] = change(self.entries[at])

    def _sit(self, change: SittingStarted | SittingEnded) -> None:
        if isinstance(change, SittingStarted):
            self.sittings.append(Sitting(sitting_id=change.sitting_id, station=self.station, started_at=change.at))
            return
        for at, sitting in enumerate(self.sittings):
            if sitting.sitting_id == change.sitting_id:
                self.sittings[at] = msgspec.structs.replace(sitting, ended_at=change.at, note=change.note)

    def _mark(self, capture_id: str, mark: Mark) -> None:
        self._update(capture_id, lambda entry: replace(entry, marks=(*(m for m in entry.marks if m != mark), mark)))

    def _replace(self, change: Replaced) -> None:
        source, target = self._index(change.new), self._index(change.old)
        if source is None or target is None or source == target:
            return
        new, old = self.entries[source], self.entries[target]
        if self.versos is not None and old.capture_id not in self.versos:
            self.versos.discard(new.capture_id)
        # The place keeps its kind and its printed number; what the picture earned itself goes with the picture.
        self.entries[target] = replace(
            new,
            page_type=old.page_type,
            label=old.label if new.label is None else new.label,
            supersedes=(*old.supersedes, old.capture_id, *new.supersedes),
        )
        del self.entries[source]
        if change.reason == "auto":
            self._mark(change.new, "look-again")

    def _move(self, capture_id: str, before: str | None) -> None:
        source = self._index(capture_id)
        if source is None or capture_id == before or (before is not None and self._index(before) is None):
            return
        entry = self.entries.pop(source)
        target = None if before is None else self._index(before)
        self.entries.insert(len(self.entries) if target is None else target, entry)
