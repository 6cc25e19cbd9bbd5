"""How the status light says each signal: by rhythm, so that neither colour nor hearing is needed."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from firmware.interfaces import Signal


@dataclass(frozen=True, slots=True)
class Pattern:
    """Flashes in a row.

    Attributes:
        flashes: each on and then off for so many seconds.
        rounds: how often the row is shown; None until another signal comes.
    """

    flashes: tuple[tuple[float, float], ...]
    rounds: int | None = 1


_SHORT = (0.15, 0.15)

PATTERNS: Final[Mapping[Signal, Pattern]] = MappingProxyType(
    {
        Signal.TICK: Pattern(((0.03, 0.05),)),
        Signal.OK: Pattern(((0.40, 0.10),)),
        Signal.WARN: Pattern(((0.30, 0.20), (0.30, 0.20))),
        Signal.BAD: Pattern((_SHORT, _SHORT, _SHORT)),
        Signal.REFUSED: Pattern(((0.05, 0.05),) * 5),
        Signal.HOLD: Pattern(((0.80, 0.10),)),
        Signal.PAUSED: Pattern(((0.10, 1.90),), rounds=None),
        Signal.DONE: Pattern(((0.15, 0.10), (0.15, 0.10), (0.60, 0.10))),
        Signal.LOCATE: Pattern(((0.25, 0.25),), rounds=40),
        Signal.FAULT: Pattern((_SHORT, _SHORT, (0.15, 1.10)), rounds=None),
    }
)
