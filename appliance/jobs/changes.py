"""What can be done to a job's list: one frozen structure a change, one line of JSON each.

Lines are only ever appended; undoing something is one more line.
"""

from typing import Final, Literal

import msgspec
from msgspec import Struct

from appliance.errors import SpoolError
from wire.documents import (
    AnsweredGap,
    Condition,
    ItemRef,
    Layout,
    Mark,
    Numbering,
    OcrLanguages,
    PageType,
    ReadingDirection,
)
from wire.messages import Instant

ReplaceReason = Literal["hold", "retake", "auto"]


class Change(Struct, frozen=True, kw_only=True, tag_field="change"):
    """One line of a job's history.

    Attributes:
        after_sequence: the last capture of the station that was safe when this happened; 0 before the first.
        at: wall time, for people; order never depends on it.
    """

    after_sequence: int
    at: Instant


class JobOpened(Change, frozen=True, kw_only=True, tag="job_opened"):
    """The first line of every job."""

    item: ItemRef
    profile: str
    layout: Layout = "spread"
    numbering: Numbering = "pages"
    ocr: OcrLanguages = "vie+eng"
    reading_direction: ReadingDirection = "left-to-right"
    pages_expected: int | None = None
    height_cm: float | None = None
    rights: str | None = None
    parts: int = 0
    training: bool = False


class SittingStarted(Change, frozen=True, kw_only=True, tag="sitting_started"):
    """A person sits down to this job. `person`, an id, stays on the station; it is empty where nobody signed in."""

    sitting_id: str
    person: str = ""


class SittingEnded(Change, frozen=True, kw_only=True, tag="sitting_ended"):
    """The person got up, and perhaps left a note for whoever comes next."""

    sitting_id: str
    note: str = ""


class Replaced(Change, frozen=True, kw_only=True, tag="replaced"):
    """`new` takes the place of `old`, which stays on record. A replacement nobody asked for is marked for review."""

    new: str
    old: str
    reason: ReplaceReason


class Kept(Change, frozen=True, kw_only=True, tag="kept"):
    """A person keeps a capture in spite of its verdict."""

    capture: str


class Deleted(Change, frozen=True, kw_only=True, tag="deleted"):
    """A capture leaves the list (never the disk)."""

    capture: str


class Moved(Change, frozen=True, kw_only=True, tag="moved"):
    """A capture goes before another one, or last."""

    capture: str
    before: str | None = None


class Typed(Change, frozen=True, kw_only=True, tag="typed"):
    """A person says what kind of page a capture shows."""

    capture: str
    page_type: PageType


class Labelled(Change, frozen=True, kw_only=True, tag="labelled"):
    """A person says which number is printed on the page."""

    capture: str
    label: str | None


class Marked(Change, frozen=True, kw_only=True, tag="marked"):
    """The station marks a capture for review."""

    capture: str
    mark: Mark


class HandedOver(Change, frozen=True, kw_only=True, tag="handed_over"):
    """The list is closed and sent."""


class Reopened(Change, frozen=True, kw_only=True, tag="reopened"):
    """The job takes captures again."""


class StoppedForConservation(Change, frozen=True, kw_only=True, tag="stopped_for_conservation"):
    """The copy is too fragile to go on: an honest end."""

    note: str = ""


class ConditionNoted(Change, frozen=True, kw_only=True, tag="condition_noted"):
    """What a person sees of the copy's condition; takes the place of what was noted before."""

    condition: tuple[Condition, ...] = ()
    note: str = ""


class Muted(Change, frozen=True, kw_only=True, tag="muted"):
    """This warning interrupts no more for this book; it is still found, kept and shown."""

    code: str


class GapAnswered(Change, frozen=True, kw_only=True, tag="gap_answered"):
    """A person says why these numbers are not there."""

    gap: AnsweredGap


class Undone(Change, frozen=True, kw_only=True, tag="undone"):
    """The change with this number (from 1) counts as never made."""

    number: int


EntryChange = Replaced | Kept | Deleted | Moved | Typed | Labelled | Marked
"""What is done to single places of the list."""


class VersosBegan(Change, frozen=True, kw_only=True, tag="versos_began"):
    """On a cradle that shows one page: the rectos are done, from here on come the versos of the same leaves."""


class Interleaved(Change, frozen=True, kw_only=True, tag="interleaved"):
    """Rectos and versos are put in turn. `without` names the leaves, from 0, that have no verso yet."""

    without: tuple[int, ...] = ()


BookChange = ConditionNoted | Muted | GapAnswered
"""What is said of the book as a whole."""

AnyChange = (
    JobOpened
    | SittingStarted
    | SittingEnded
    | HandedOver
    | Reopened
    | StoppedForConservation
    | Undone
    | EntryChange
    | BookChange
    | VersosBegan
    | Interleaved
)

_encoder: Final = msgspec.json.Encoder()
_decoder: Final[msgspec.json.Decoder[AnyChange]] = msgspec.json.Decoder(AnyChange)


def encode(change: AnyChange) -> bytes:
    """Return a change as one line of JSON, without the line's end."""
    return _encoder.encode(change)


def decode(line: bytes) -> AnyChange:
    """Return the change in `line`; raises `SpoolError` where it cannot be trusted."""
    try:
        return _decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SpoolError(
            "SPOOL-10",
            f"A line of a job's history cannot be read ({error}).",
            "Keep the disk as it is and run `lattrang station recover`.",
        ) from error
