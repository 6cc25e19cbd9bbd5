"""All that a screen may ask of a station, and the snapshots it gets. Screens hold no state that matters.

Snapshots carry keys and numbers, never sentences: the words live in the translations of ``web_ui``.
"""

from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Protocol

from appliance.jobs.copies import BatchView, Found, SeenCode
from appliance.places import GapView, LeavesView, SlotView
from appliance.preflight import LooksAhead
from appliance.training.view import TrainingView
from wire.documents import AnsweredGap, Condition, FindingEntry, ItemRef, Mark, Numbering, PagePart, PageType, Side


class SessionState(Enum):
    """Where the session is. A verdict never blocks: attention belongs to a capture, not to the session."""

    CLOSED = "closed"
    READY = "ready"
    CAPTURING = "capturing"
    PAUSED = "paused"
    FAULT = "fault"


class Verdict(Enum):
    """What the station says of one capture. PENDING is not a verdict: it is still being judged."""

    PENDING = "pending"
    OK = "ok"
    WARN = "warn"
    BAD = "bad"
    UNSURE = "unsure"


class Delivery(Enum):
    """How far a capture is on its way to the centre."""

    SAFE = "safe"
    PROCESSED = "processed"
    RECEIVED = "received"
    RELEASED = "released"
    REJECTED = "rejected"
    DAMAGED = "damaged"


@dataclass(frozen=True, slots=True)
class PersonView:
    """Somebody who works at this station. The name never leaves it."""

    person_id: str
    name: str


@dataclass(frozen=True, slots=True)
class PageView:
    """One page of a capture as a screen shows it. `outline` is in pixels of the frame."""

    side: Side
    outline: tuple[tuple[float, float], ...]
    width_px: int
    height_px: int
    findings: tuple[FindingEntry, ...]


@dataclass(frozen=True, slots=True)
class CaptureView:
    """One capture as a screen shows it."""

    capture_id: str
    sequence: int
    number: int
    """Place in the list, from 1; 0 where it is not in the list."""
    page_type: PageType
    marks: tuple[Mark, ...]
    verdict: Verdict
    delivery: Delivery
    frame_width_px: int
    frame_height_px: int
    pages: tuple[PageView, ...]
    findings: tuple[FindingEntry, ...]
    label: str = ""
    """The number on its first page, where a person has said it."""
    replaced: int = 0
    """How many captures stood in its place before."""
    part: PagePart | None = None
    """Of which large page it shows which part, where a page takes several captures."""


@dataclass(frozen=True, slots=True)
class JobView:
    """The open job and the end of its list. Its pace is told where it is known, never kept, and is nobody's."""

    job_id: str
    item: ItemRef
    revision: int
    entries: int
    pages: int
    to_fix: int
    """Captures in the list whose verdict is bad."""
    latest: tuple[CaptureView, ...]
    """The last captures of the list, newest last."""
    can_undo: bool
    pages_expected: int | None = None
    leaves: LeavesView | None = None
    """How rectos and versos stand, in that layout."""
    mute_offer: str = ""
    """The warning that was kept so often that it may be muted for this book."""
    muted: tuple[str, ...] = ()
    condition: tuple[Condition, ...] = ()
    condition_note: str = ""
    shift_note: str = ""
    """What the person before left for the one who sits here now."""
    pages_per_hour: int | None = None
    minutes_left: int | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """The whole list of the open job, for looking it through.

    Attributes:
        captures: in order; those whose files have left this disk are left out.
        labels: for each capture, the numbers that are printed on its pages, as far as they are known.
        read: the same, as they were read or said, before neighbours outvoted them.
        gaps: in the order of the list.
        unread: pages whose printed numbers have not been looked for yet, or that are still to be compared.
        again: for each capture that shows an earlier one's pages again, by look and number, that one.
    """

    captures: tuple[CaptureView, ...]
    labels: dict[str, tuple[str, ...]] = field(default_factory=dict)
    gaps: tuple[GapView, ...] = ()
    unread: int = 0
    read: dict[str, tuple[str, ...]] = field(default_factory=dict)
    again: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HandedOverView:
    """A job that was handed over, and how far its pages are."""

    job_id: str
    title: str
    captures: int
    confirmed: int
    complete: bool
    barcode: str = ""
    call_number: str = ""
    part: str = ""


@dataclass(frozen=True, slots=True)
class LinkView:
    """The line to the centre, as the publisher last reported it."""

    state: str
    """``online``, ``waiting_for_hours`` (pictures go later), ``no_server`` (broker reached, nobody takes offers),
    ``offline``, ``refused`` or ``unknown``."""
    waiting: int
    rejected: int
    damaged: int


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to say once: a key of the translations and its numbers."""

    key: str
    number: int
    """Grows with every notice, so that a screen says each once."""
    values: dict[str, str | int | float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FaultView:
    """A named part that does not work: its code, and a key for the sentence."""

    code: str
    part: str
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class StationSnapshot:
    """Everything a screen shows, at one moment. `number` grows with every change."""

    number: int
    station: str
    state: SessionState
    job: JobView | None
    last: CaptureView | None
    """The capture that was judged last (or is being judged): what the verdict banner is about."""
    notice: Notice | None
    fault: FaultView | None
    link: LinkView
    safe_captures: int
    queue_length: int
    queue_limit: int
    disk_free_bytes: int
    disk_total_bytes: int
    room_for_captures: int
    refused_presses: int
    clock_synchronised: bool
    handed_over: tuple[HandedOverView, ...]
    batches: tuple[BatchView, ...] = ()
    is_reviewing: bool = False
    """The list is being looked through: the pedal walks."""
    slot: SlotView | None = None
    """Where the next press shoots while it is."""
    walk: tuple[int, int] = (0, 0)
    """How often the pedal said "next" and "open" to a list; what counts is the change."""
    people: tuple[PersonView, ...] = ()
    """Everybody who may sign in, by name."""
    person: PersonView | None = None
    """Who is signed in. Nobody need be for the pedal to work."""
    hot_c: int | None = None
    """The processor's temperature in degrees Celsius, where it is so hot that it slows down."""
    is_power_low: bool = False
    """The supply has given too little voltage since the machine was started."""
    training: TrainingView | None = None
    """Where the training is: while there is one, all of this is about it and not about a real book."""


@dataclass(frozen=True, slots=True)
class NewJob:
    """What is needed to start: any attribute may be missing, the id is made here.

    `like` names a job of this station whose copy this is, too: the next part of it, say; `adds` says that more captures
    of what another station digitised come. An exercise is not for the archive. `parts` captures show one large page.
    """

    title: str = ""
    barcode: str = ""
    author: str = ""
    year: str = ""
    part: str = ""
    profile: str = ""
    right_to_left: bool = False
    pages_expected: int | None = None
    rights: str = ""
    numbering: Numbering = "pages"
    condition: tuple[Condition, ...] = ()
    like: str = ""
    record_id: str = ""
    call_number: str = ""
    is_exercise: bool = False
    height_cm: float | None = None
    adds: bool = False
    parts: int = 0


class StationApi(LooksAhead, Protocol):
    """The station as its screens see it. Commands raise `appliance.errors.NotNow` where the state forbids them."""

    def snapshot(self) -> StationSnapshot:
        """Return the present state."""
        ...

    def wait_for_change(self, after: int, timeout_s: float) -> StationSnapshot:
        """Return as soon as the snapshot's number is greater than `after`, or when `timeout_s` has passed."""
        ...

    def preview(self) -> tuple[bytes, int]:
        """Return a recent small picture as JPEG and its number; raises `HardwareError` when there is none."""
        ...

    def frame_file(self, capture_id: str) -> Path:
        """Return the first frame's file of a capture still on this disk; raises `KeyError`."""
        ...

    def page_file(self, capture_id: str, side: Side) -> Path:
        """Return the file of one page of a capture still on this disk; raises `KeyError`."""
        ...

    def add_person(self, name: str, pin: str) -> None:
        """Take in somebody new and sign them in where nobody is; raises `NotNow` where name or PIN will not do."""
        ...

    def sign_in(self, person_id: str, pin: str) -> None:
        """Let this person work here from now on; raises `NotNow`, `KeyError`."""
        ...

    def check_pin(self, person_id: str, pin: str) -> None:
        """Return where this is the person's PIN, and let nobody in; raises `NotNow`, `KeyError`."""
        ...

    def sign_out(self, note: str = "") -> None:
        """Nobody works here from now on; `note` is for whoever comes next to the open job."""
        ...

    def set_pin(self, person_id: str, pin: str) -> None:
        """Give somebody a new PIN; raises `NotNow`, `KeyError`."""
        ...

    def look_up(self, barcode: str, *, in_catalogue: bool = False) -> Found:
        """Return what is known of a barcode, as it was scanned or typed; ask the library's catalogue only on demand."""
        ...

    def read_barcode(self) -> SeenCode:
        """Return what code is seen before the cameras now, keeping no picture; raises `NotNow`, `HardwareError`."""
        ...

    def next_part(self, job_id: str) -> Found:
        """Return what is known of the copy of a job, with the part that follows; raises `KeyError`."""
        ...

    def open_job(self, new: NewJob) -> str:
        """Open a job for an item and return the job's id."""
        ...

    def reopen_job(self, job_id: str) -> None:
        """Go on with a job that has ended; raises `KeyError`."""
        ...

    def note_condition(self, condition: tuple[Condition, ...], note: str) -> None:
        """Say how the copy of the open job is; takes the place of what was said before."""
        ...

    def stop_for_conservation(self, note: str) -> None:
        """End the open job because the copy is too fragile to go on, and send what there is."""
        ...

    def press(self) -> None:
        """The foot goes down: the same as the pedal's contact closing."""
        ...

    def release(self) -> None:
        """The foot goes up."""
        ...

    def retake(self) -> None:
        """Take a shot that replaces the last one of the list."""
        ...

    def keep(self, capture_id: str) -> None:
        """Keep a capture in spite of its verdict."""
        ...

    def delete(self, capture_id: str) -> None:
        """Take a capture out of the list (never off the disk)."""
        ...

    def move(self, capture_id: str, before: str | None) -> None:
        """Put a capture before another one of the list, or last."""
        ...

    def set_page_type(self, capture_id: str, page_type: PageType) -> None:
        """Say what kind of page a capture shows."""
        ...

    def set_label(self, capture_id: str, label: str) -> None:
        """Say which number is printed on a capture's first page; raises `NotNow` where it is not in the list."""
        ...

    def mute(self, code: str) -> None:
        """Let a warning interrupt no more for this book; raises `NotNow` where that is not offered."""
        ...

    def listing(self) -> Listing:
        """Return the whole list of the open job."""
        ...

    def review(self, slot: SlotView | None = None) -> None:
        """Look the list through: the pedal walks, or shoots into `slot`."""
        ...

    def end_review(self) -> None:
        """Go on capturing."""
        ...

    def answer_gap(self, gap: AnsweredGap) -> None:
        """Say why printed numbers are not there."""
        ...

    def begin_versos(self) -> None:
        """Say that the rectos are done: from the next capture on, versos come."""
        ...

    def interleave(self, without: tuple[int, ...]) -> None:
        """Put rectos and versos in turn; the leaves `without`, from 0, have no verso."""
        ...

    def undo(self) -> None:
        """Take back the last change of the list, up to twenty."""
        ...

    def pause(self) -> None:
        """Stop taking presses."""
        ...

    def resume(self) -> None:
        """Take presses again."""
        ...

    def hand_over(self) -> None:
        """Close the list and send it."""
        ...
