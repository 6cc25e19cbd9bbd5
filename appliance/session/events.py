"""What can happen to a session, and what it wants done."""

from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

from appliance.jobs.changes import ReplaceReason
from appliance.session.data import Judgement, Slot
from firmware.interfaces import Signal
from wire.documents import Mark


class Refusal(Enum):
    """Why a press is not honoured. The value ends the key of its notice."""

    NO_JOB = "no-job"
    CAPTURING = "capturing"
    PAUSED = "paused"
    QUEUE = "queue"
    DISK = "disk"
    PLATEN = "platen"
    CAMERA = "camera"


@dataclass(frozen=True, slots=True)
class Guards:
    """What else must hold for a press to be honoured."""

    queue_full: bool = False
    platen_up: bool = False


@dataclass(frozen=True, slots=True)
class JobOpened:
    """A job is open."""


@dataclass(frozen=True, slots=True)
class JobClosed:
    """The job was handed over."""


@dataclass(frozen=True, slots=True)
class Pressed:
    """The pedal, or a screen. `replaces` names what a person wants replaced, `before` what it shall stand before."""

    capture_id: str
    at_ns: int
    guards: Guards = field(default_factory=Guards)
    replaces: str | None = None
    before: str | None = None


@dataclass(frozen=True, slots=True)
class HeldOn:
    """The foot of this press is still down; `long` after the long time."""

    capture_id: str
    long: bool = False


@dataclass(frozen=True, slots=True)
class Released:
    """The foot of this press went up."""

    capture_id: str


@dataclass(frozen=True, slots=True)
class CaptureSafe:
    """All frames of a capture are durable; `previous` was the last one of the list until now."""

    capture_id: str
    previous: str | None


@dataclass(frozen=True, slots=True)
class CaptureFailed:
    """A press made no capture: a part failed. `transient`: trying the part again may help."""

    capture_id: str
    code: str
    part: str
    transient: bool
    now_ns: int


@dataclass(frozen=True, slots=True)
class CaptureHadNoRoom:
    """A press made no capture: the disk is full."""

    capture_id: str


@dataclass(frozen=True, slots=True)
class Judged:
    """The worker is done with a capture, and its pages are durable."""

    capture_id: str
    judgement: Judgement


@dataclass(frozen=True, slots=True)
class PauseAsked:
    """A person wants a pause."""


@dataclass(frozen=True, slots=True)
class ResumeAsked:
    """A person wants to go on."""


@dataclass(frozen=True, slots=True)
class ReviewAsked:
    """A person wants to look the list through, with this slot open (None: none); or (`over`) to go on capturing."""

    slot: Slot | None = None
    over: bool = False


@dataclass(frozen=True, slots=True)
class RoomChanged:
    """So many captures still fit on the disk."""

    captures_left: int


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed."""

    now_ns: int


@dataclass(frozen=True, slots=True)
class Recovered:
    """The part that had failed answers again."""


@dataclass(frozen=True, slots=True)
class RecoveryFailed:
    """It still does not."""

    code: str
    now_ns: int


Event: TypeAlias = (
    JobOpened
    | JobClosed
    | Pressed
    | HeldOn
    | Released
    | CaptureSafe
    | CaptureFailed
    | CaptureHadNoRoom
    | Judged
    | PauseAsked
    | ResumeAsked
    | ReviewAsked
    | RoomChanged
    | Tick
    | Recovered
    | RecoveryFailed
)


@dataclass(frozen=True, slots=True)
class TakeFrames:
    """Take a frame with every camera and make them safe."""

    capture_id: str
    pressed_at_ns: int


@dataclass(frozen=True, slots=True)
class Play:
    """Say something by sound and by the status light."""

    signal: Signal


@dataclass(frozen=True, slots=True)
class Say:
    """Say something in words: the key of a notice and its numbers."""

    key: str
    values: tuple[tuple[str, str | int], ...] = ()


@dataclass(frozen=True, slots=True)
class Replace:
    """Put one capture in the place of another, and say so; nothing where that one has left the list meanwhile."""

    new: str
    old: str
    reason: ReplaceReason


@dataclass(frozen=True, slots=True)
class Insert:
    """Put a capture before another one; nothing where one of them has left the list meanwhile."""

    new: str
    before: str


@dataclass(frozen=True, slots=True)
class TakeBack:
    """Put the list as it was before a capture was shot into its place; the capture stays on record alone."""

    capture_id: str


@dataclass(frozen=True, slots=True)
class MarkCapture:
    """Mark a capture for review."""

    capture_id: str
    mark: Mark


@dataclass(frozen=True, slots=True)
class Recover:
    """Try the failed part again."""

    part: str


Effect: TypeAlias = TakeFrames | Play | Say | Replace | Insert | TakeBack | MarkCapture | Recover
