"""All that the set-up screens may ask of a station beyond `appliance.api`. Keys and numbers, no sentences."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Literal, Protocol

from appliance.setup.gauge import Reading, Row

PairingStep = Literal["idle", "looking", "asked", "asking", "comparing", "approving", "paired", "failed"]
CarryStep = Literal["idle", "asked", "opening", "copying", "proving", "done", "failed"]
Way = Literal["off", "restart"]
PowerStep = Literal["idle", "asked", "going", "failed"]
Tone = Literal["ok", "warn", "bad"]


@dataclass(frozen=True, slots=True)
class PairingView:
    """How far this station is with its centre.

    Attributes:
        step: of the pairing that is under way or was the last one.
        station: our name, by which the centre must invite us.
        centre: with which one we are paired; empty where with none.
        asking: whom we ask now.
        shown: the code to compare.
        code: of what went wrong.
        is_possible: False where nobody on this machine can pair it but an administrator by hand.
    """

    step: PairingStep
    station: str
    centre: str = ""
    asking: str = ""
    shown: str = ""
    code: str = ""
    is_possible: bool = True


@dataclass(frozen=True, slots=True)
class FeetView:
    """How often each gesture was felt since the counting began; `number` grows with each of them."""

    number: int
    presses: int
    holds: int
    long_holds: int

    @property
    def is_complete(self) -> bool:
        """Whether everything that a foot can say was felt."""
        return bool(self.presses and self.holds and self.long_holds)


CERTIFICATE_DAYS: Final = 30
"""After so many days lamps have aged and stands were bumped against: the screen asks to measure again."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """What was measured when a person signed the station off: when (UTC, ISO 8601), on what width of frame, what."""

    at: str
    frame_width_px: int
    rows: tuple[Row, ...]

    @property
    def is_good(self) -> bool:
        """Whether everything reached its limit that can be measured without a printed target."""
        return all(row.standing == "good" for row in self.rows if row.check != "colour")

    def days_old(self, now: datetime) -> int:
        """Return how many whole days ago that was; a clock that was set back makes it no younger than today."""
        return max(0, (now - datetime.strptime(self.at, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)).days)


@dataclass(frozen=True, slots=True)
class Progress:
    """What of the set-up was done: a step's name, and when (UTC, ISO 8601); and which parts a person found to work."""

    done: dict[str, str] = field(default_factory=dict)
    parts: dict[str, bool] = field(default_factory=dict)
    certificate: Certificate | None = None
    is_put_off: bool = False
    """Somebody wants to work first: the screen no longer begins with the set-up."""


@dataclass(frozen=True, slots=True)
class DiskView:
    """A disk that was plugged in. `name` is the system's, `label` its owner's."""

    name: str
    label: str
    size_bytes: int
    kind: str


@dataclass(frozen=True, slots=True)
class CarryView:
    """How far a hand-over by disk is."""

    step: CarryStep
    disk: str = ""
    done_bytes: int = 0
    total_bytes: int = 0
    captures: int = 0
    receipts: int = 0
    complete: int = 0
    already: int = 0
    left: int = 0
    unprocessed: int = 0
    codes: tuple[str, ...] = ()
    code: str = ""


@dataclass(frozen=True, slots=True)
class PowerView:
    """How far the machine is with being switched off, or off and on again."""

    step: PowerStep
    way: Way = "off"
    code: str = ""


@dataclass(frozen=True, slots=True)
class HealthRow:
    """One part of the station and how it is; `value` is a number, a name or empty, as the part's words need it."""

    part: str
    tone: Tone
    code: str = ""
    value: str | float | None = None


@dataclass(frozen=True, slots=True)
class InterfaceView:
    """A socket or a radio of the machine, and its address (IPv4) where it has one."""

    name: str
    kind: Literal["cable", "wifi"]
    is_plugged: bool
    address: str = ""


@dataclass(frozen=True, slots=True)
class WifiView:
    """A Wi-Fi network within reach; `strength` is in percent."""

    name: str
    strength: int
    is_used: bool = False


@dataclass(frozen=True, slots=True)
class NetworkView:
    """What the machine knows of its network.

    Attributes:
        addresses: by which others reach it.
        has_way_out: whether a way leads out of its own network.
        interfaces: those that could be used, the working ones first.
        wifi: what is within reach; None where nobody on this machine can tell.
    """

    addresses: tuple[str, ...]
    has_way_out: bool
    interfaces: tuple[InterfaceView, ...] = ()
    wifi: tuple[WifiView, ...] | None = None


class SetUpApi(Protocol):
    """The station as its set-up screens see it. Commands raise `appliance.errors.SetUpError` where they cannot be."""

    def progress(self) -> Progress:
        """Return what of the set-up was done."""
        ...

    def mark_done(self, step: str) -> None:
        """Remember that a step was done, durably."""
        ...

    def mark_part(self, part: str, *, works: bool) -> None:
        """Remember what a person said of a part, durably."""
        ...

    def put_off(self) -> None:
        """Remember that the set-up is to wait, durably."""
        ...

    def network(self) -> NetworkView:
        """Return what the machine knows of its network."""
        ...

    def pairing(self) -> PairingView:
        """Return how far the pairing is."""
        ...

    def look_for_code(self) -> None:
        """Look through the camera for the centre's code, and pair by it."""
        ...

    def pair_at(self, address: str) -> None:
        """Ask the centre at this host or host:port; codes are compared."""
        ...

    def compare(self, code: str) -> None:
        """Give the code that the centre shows; an empty one refuses."""
        ...

    def give_up(self) -> None:
        """End a search for the code, or refuse to compare."""
        ...

    def feet(self) -> FeetView:
        """Return what the pedals have said since `count_feet`."""
        ...

    def wait_for_foot(self, after: int, timeout_s: float) -> FeetView:
        """Return as soon as a pedal has said something since `after`, or when `timeout_s` has passed."""
        ...

    def count_feet(self) -> None:
        """Begin to count anew."""
        ...

    def try_part(self, part: Literal["lamp", "sounder", "light"]) -> None:
        """Let a part show that it works: the lamp goes off and on, the others give a signal."""
        ...

    def measure(self) -> Reading:
        """Look once through the camera at what lies there to be measured, and remember what it showed."""
        ...

    def reading(self) -> Reading | None:
        """Return what the last look since the station's start showed."""
        ...

    def watch(self) -> Reading | None:
        """Look at the live picture, and measure where something was moved and has lain still for a second.

        Returns what `reading` does. Refuses nothing: where nothing can be measured, the last reading stays.
        """
        ...

    def certify(self) -> None:
        """Keep the last reading as the station's certificate, durably, with what it does not know."""
        ...

    def open_trial(self, title: str) -> None:
        """Open a job that is an exercise, and spoil its third picture so that a red screen is seen."""
        ...

    def disks(self) -> tuple[DiskView, ...]:
        """Return the disks that captures could be carried on."""
        ...

    def carry(self, disk: str) -> None:
        """Hand over by this disk."""
        ...

    def carried(self) -> CarryView:
        """Return how far the hand-over by disk is."""
        ...

    def switch(self, way: Way) -> None:
        """Switch the machine off, or off and on again; not while a picture or a disk is being written."""
        ...

    def switching(self) -> PowerView:
        """Return how far that is."""
        ...

    def health(self) -> tuple[HealthRow, ...]:
        """Return how every part is, the bad ones first."""
        ...

    def support_file(self) -> bytes:
        """Return everything that helps somebody far away to see what is wrong, as a ZIP archive without secrets."""
        ...
