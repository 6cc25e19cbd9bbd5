"""A live picture that never rests, and what the memory of a browser did in the course of hours."""

import itertools
import math
import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

import psutil

from appliance.api import StationApi

_MIB: Final = 2**20
_HOUR_S: Final = 3600.0


class Moving:
    """A station whose live picture is a new one each time it is asked for, as before a real camera."""

    def __init__(self, station: StationApi) -> None:
        self._station = station
        self._number = itertools.count(1)
        self.pictures = 0

    def preview(self) -> tuple[bytes, int]:
        """Return the station's picture under a number of its own."""
        jpeg, _ = self._station.preview()
        self.pictures += 1
        return jpeg, next(self._number)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._station, name)


@dataclass(frozen=True, slots=True)
class Slope:
    """A straight line: how much more an hour, and how far the scatter of the samples lets that be wrong (two sigma)."""

    an_hour: float
    doubt: float


def slope_of(at_s: Sequence[float], values: Sequence[float]) -> Slope:
    """Return the slope of the second half of the samples; without doubt where there are too few to tell."""
    half = len(at_s) // 2
    times, levels = at_s[half:], values[half:]
    if len(times) < 3:
        return Slope(0.0, 0.0)
    line = statistics.linear_regression(times, levels)
    middle = statistics.fmean(times)
    rest = sum((level - line.intercept - line.slope * at) ** 2 for at, level in zip(times, levels, strict=True))
    error = math.sqrt(rest / (len(times) - 2) / sum((at - middle) ** 2 for at in times))
    return Slope(line.slope * _HOUR_S, 2 * error * _HOUR_S)


@dataclass
class Course:
    """What was seen, sample by sample."""

    browser: Callable[[], Sequence[psutil.Process]]
    """The browser's processes as they are now: helpers of its come and go."""
    at_s: list[float] = field(default_factory=list)
    pss: list[float] = field(default_factory=list)
    heap: list[float] = field(default_factory=list)
    nodes: list[float] = field(default_factory=list)
    listeners: list[float] = field(default_factory=list)
    fps: float = 0.0
    cpu_percent: float = 0.0

    def __post_init__(self) -> None:
        self._cpu_of: dict[int, float] = {}
        self._weigh()
        self._cpu_s, self._began_s, self._first_picture = self._cpu(), time.monotonic(), 0

    def look(self, at_s: float, heap_bytes: int, nodes: int, listeners: int, pictures: int) -> None:
        """Weigh the browser; the other numbers come from inside it."""
        self.at_s.append(at_s)
        self.pss.append(self._weigh() / _MIB)
        self.heap.append(heap_bytes / _MIB)
        self.nodes.append(nodes)
        self.listeners.append(listeners)
        if len(self.at_s) == 1:
            self._first_picture = pictures
        elif at_s > self.at_s[0]:
            self.fps = (pictures - self._first_picture) / (at_s - self.at_s[0])
        self.cpu_percent = 100 * (self._cpu() - self._cpu_s) / max(1e-9, time.monotonic() - self._began_s)

    def lines(self, goal_mib: float) -> list[str]:
        """Return a table: level at the beginning and at the end, slope."""
        out = [f"{'':12} {'first':>8} {'last':>8}   slope of the second half, an hour"]
        for name, values, goal in (
            ("PSS, MiB", self.pss, f"   goal: <= {goal_mib:g}"),
            ("heap, MiB", self.heap, f"   goal: <= {goal_mib:g}"),
            ("nodes", self.nodes, ""),
            ("listeners", self.listeners, ""),
        ):
            slope = slope_of(self.at_s, values)
            out.append(f"{name:12} {values[0]:8.1f} {values[-1]:8.1f}   {slope.an_hour:+.1f} ± {slope.doubt:.1f}{goal}")
        return out

    def has_grown(self, goal_mib: float) -> bool:
        """Tell whether memory grew by more than `goal_mib` an hour, beyond what the scatter may be."""
        slopes = (slope_of(self.at_s, values) for values in (self.pss, self.heap))
        return any(slope.an_hour - slope.doubt > goal_mib for slope in slopes)

    def _weigh(self) -> int:
        """Return the PSS of all that lives, in bytes; note the processor time of each."""
        pss = 0
        for process in self.browser():
            # One that ended since it was listed weighs nothing; the time it took stays counted.
            with suppress(psutil.NoSuchProcess):
                pss += process.memory_full_info().pss
                self._cpu_of[process.pid] = sum(process.cpu_times()[:2])
        return pss

    def _cpu(self) -> float:
        return sum(self._cpu_of.values())
