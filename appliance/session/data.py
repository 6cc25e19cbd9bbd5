"""What the session remembers between two events."""

from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

from appliance.api import SessionState, Verdict
from appliance.imaging.judging.similarity import Match


class PauseReason(Enum):
    """Why no presses are taken. A pause for want of room ends by itself."""

    PERSON = "person"
    DISK = "disk"


@dataclass(frozen=True, slots=True)
class Closed:
    """No job is open."""


@dataclass(frozen=True, slots=True)
class Ready:
    """The next press takes a picture, whatever the last verdict was."""


@dataclass(frozen=True, slots=True)
class Capturing:
    """A picture is being taken and made safe. `then_pause`: the foot stayed down for the long hold meanwhile."""

    capture_id: str
    then_pause: bool = False


@dataclass(frozen=True, slots=True)
class Paused:
    """Presses are not taken."""

    reason: PauseReason


@dataclass(frozen=True, slots=True)
class Faulted:
    """A part does not work.

    Attributes:
        code: what a person can read aloud.
        part: which one: ``camera:{port}`` or ``spool``.
        attempts: how often it was tried again in vain.
        retry_at_ns: when to try it again; None while trying, or where only a person can help.
    """

    code: str
    part: str
    attempts: int = 0
    retry_at_ns: int | None = None


State: TypeAlias = Closed | Ready | Capturing | Paused | Faulted


class Held(Enum):
    """How long the foot stayed down on one press."""

    NO = "no"
    HOLD = "hold"
    LONG = "long"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the worker made of a capture, and what is known of the one before it in the list."""

    verdict: Verdict
    match: Match
    previous_verdict: Verdict


@dataclass(frozen=True, slots=True)
class Slot:
    """A place of the list into which the next press shoots: instead of a capture, or before one (None: at the end)."""

    replaces: str | None = None
    before: str | None = None


@dataclass(frozen=True, slots=True)
class Review:
    """The list is being looked through: a press walks, unless a slot is open."""

    slot: Slot | None = None


@dataclass(frozen=True, slots=True)
class Walk:
    """How often the pedal said "next" and "open" while there was nothing to photograph. Screens follow the change."""

    steps: int = 0
    opens: int = 0


@dataclass(frozen=True, slots=True)
class Shot:
    """One capture from its press until nothing about its place in the list is open any more.

    Attributes:
        capture_id: made at the press.
        replaces: what a person asked it to replace, None for a press of the pedal.
        before: the capture that it was shot to stand before.
        previous: the last capture of the list when this one came, None when it was the first.
        foot_down: whether the foot is still on the pedal.
        held: how long it has stayed there.
        safe: whether the capture is durable.
        judged: what the worker said, None until then.
    """

    capture_id: str
    replaces: str | None = None
    before: str | None = None
    previous: str | None = None
    foot_down: bool = True
    held: Held = Held.NO
    safe: bool = False
    judged: Judgement | None = None

    @property
    def in_slot(self) -> bool:
        """Whether it was shot into a place of the list."""
        return self.replaces is not None or self.before is not None


@dataclass(frozen=True, slots=True)
class SessionData:
    """All that the session remembers between two events.

    Attributes:
        state: where it is.
        shots: captures whose place in the list is still open; at most one of them is not safe yet.
        refused_presses: presses that made no capture.
        captures_left: how many captures still fit on the disk.
        review: the looking through, while it goes on.
        walk: what the pedal said to lists.
        walking: the press that is walking; whether it says "next" or "open" is known when it ends.
        resumed_by: the press that ended a pause: held on, it does not begin the next one.
    """

    state: State = field(default_factory=Closed)
    shots: tuple[Shot, ...] = ()
    refused_presses: int = 0
    captures_left: int = 1_000_000
    resumed_by: str | None = None
    review: Review | None = None
    walk: Walk = Walk()
    walking: str | None = None

    @property
    def name(self) -> SessionState:
        """The state as screens know it."""
        return _NAMES[type(self.state)]


_NAMES = {
    Closed: SessionState.CLOSED,
    Ready: SessionState.READY,
    Capturing: SessionState.CAPTURING,
    Paused: SessionState.PAUSED,
    Faulted: SessionState.FAULT,
}
