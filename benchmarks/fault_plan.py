"""Which fault comes next, drawn from a seed. Pure: the same seed draws the same faults in the same order."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

Side = Literal["station", "centre"]

BROKER: Final = "broker"
VICTIMS: Final = {"station": 2, "publisher": 6, "central-work-w1": 5, "central-work-w2": 5, "central-run": 1, BROKER: 2}
"""Processes and how often each is chosen."""
KILL_SHARE: Final = 0.7
"""Of all that is drawn; the rest are faults that last a while."""
DAY_S: Final = 86_400


@dataclass(frozen=True, slots=True)
class Weather:
    """What a line does to the bytes on it.

    Attributes:
        cut: connections end and none can be made.
        hole: connections stay, and nothing comes through.
        delay_s: how late everything is.
        jitter_s: how much later than that, drawn anew for each piece: connections overtake one another.
        bytes_per_s: of each connection and direction; 0 for as fast as it goes.
    """

    cut: bool = False
    hole: bool = False
    delay_s: float = 0.0
    jitter_s: float = 0.0
    bytes_per_s: int = 0


FAIR: Final = Weather()


@dataclass(frozen=True, slots=True)
class Kill:
    """SIGKILL, and a new start after a moment."""

    victim: str
    pause_s: float

    name = "kill"


@dataclass(frozen=True, slots=True)
class Storm:
    """Bad weather on the line of one side."""

    side: Side
    weather: Weather
    seconds: float
    name: str


@dataclass(frozen=True, slots=True)
class Jump:
    """The station's wall clock is somewhere else from now on; its monotonic clock goes on."""

    offset_s: int

    name = "clock jump"


@dataclass(frozen=True, slots=True)
class Full:
    """Something else fills a side's disk to the last byte."""

    side: Side
    seconds: float

    name = "disk full"


@dataclass(frozen=True, slots=True)
class ReadOnly:
    """A side's disk has an error and refuses writing from then on; later the machine is switched off and on."""

    side: Side
    seconds: float

    name = "disk read-only"


@dataclass(frozen=True, slots=True)
class PowerCut:
    """A side's machine loses its power: what was not flushed is gone."""

    side: Side

    name = "power cut"


@dataclass(frozen=True, slots=True)
class Busy:
    """Another process holds the write lock of a side's database."""

    side: Side
    seconds: float

    name = "database busy"


Fault = Kill | Storm | Jump | Full | ReadOnly | PowerCut | Busy


@dataclass(frozen=True, slots=True)
class Abilities:
    """What this machine lets us do.

    Attributes:
        disks: small disks of our own may be mounted.
        clock: the wall clock of a process may be faked.
    """

    disks: bool
    clock: bool


@dataclass(frozen=True, slots=True)
class Step:
    """A fault, and how long after the one before it comes."""

    after_s: float
    fault: Fault


def draw(seed: int, mean_s: float, abilities: Abilities) -> Iterator[Step]:
    """Yield faults without end, so that kills come every `mean_s` on average."""
    chance = random.Random(seed)
    kinds = _kinds(abilities)
    while True:
        after_s = chance.uniform(0.2, 1.8) * mean_s * KILL_SHARE
        if chance.random() < KILL_SHARE:
            victim = chance.choices(list(VICTIMS), list(VICTIMS.values()))[0]
            yield Step(after_s, Kill(victim, chance.choice((0.0, 0.0, 0.2, 0.6))))
        else:
            yield Step(after_s, _draw(chance, chance.choices(list(kinds), list(kinds.values()))[0]))


def _kinds(abilities: Abilities) -> dict[str, int]:
    kinds = {"cut": 4, "hole": 3, "slow": 3, "late": 2, "shuffle": 3, "busy": 5}
    if abilities.clock:
        kinds["jump"] = 3
    if abilities.disks:
        kinds |= {"full": 5, "read-only": 2, "power": 3}
    return kinds


def _draw(chance: random.Random, kind: str) -> Fault:
    side: Side = chance.choice(("station", "centre"))
    match kind:
        case "jump":
            return Jump(chance.choice((-1, 1)) * int(chance.choice((30, 3600, DAY_S, 400 * DAY_S)) * chance.random()))
        case "full":
            return Full(side, chance.uniform(1.0, 6.0))
        case "read-only":
            return ReadOnly(side, chance.uniform(0.5, 3.0))
        case "power":
            return PowerCut(side)
        case "busy":
            return Busy(side, chance.uniform(0.5, 8.0))
        case _:
            return _storm(chance, kind)


def _storm(chance: random.Random, kind: str) -> Storm:
    # Most lines that fail are the long ones, the stations'.
    side: Side = chance.choices(("station", "centre"), (3, 1))[0]
    weather = {
        "cut": Weather(cut=True),
        "hole": Weather(hole=True),
        "slow": Weather(bytes_per_s=chance.choice((16_384, 65_536, 262_144))),
        "late": Weather(delay_s=chance.uniform(0.05, 0.8)),
        "shuffle": Weather(jitter_s=chance.uniform(0.1, 1.0)),
    }[kind]
    return Storm(side, weather, chance.uniform(0.3, 6.0), f"line {kind}")


def skipped(abilities: Abilities) -> Sequence[str]:
    """Return in words what is left out on this machine."""
    words = []
    if not abilities.disks:
        words.append("disk full, disk read-only, power cut: this user may not mount disks")
    if not abilities.clock:
        words.append("clock jump: Debian's libfaketime is not installed")
    return words
