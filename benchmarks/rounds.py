"""Two or more ways timed in turn, round after round, so that what else the machine does falls on all of them alike."""

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count


@dataclass(frozen=True, slots=True)
class Rounds:
    """Seconds of every round, by way; the first way is the floor.

    Attributes:
        seconds: as many entries for each way as there were rounds.
    """

    seconds: Mapping[str, tuple[float, ...]]

    @property
    def n(self) -> int:
        """How many rounds were timed."""
        return len(next(iter(self.seconds.values())))

    def median_s(self, way: str) -> float:
        """Return the median of one way."""
        return statistics.median(self.seconds[way])

    def ratio(self, way: str) -> float:
        """Return the median over the rounds of this way's time to the floor's of the same round."""
        floor = next(iter(self.seconds.values()))
        return statistics.median(own / bare for own, bare in zip(self.seconds[way], floor, strict=True))


def alternate(ways: Mapping[str, Callable[[], float]], n: int, seconds: float) -> Rounds:
    """Run every way once a round and return what each said it took.

    The order turns from round to round. The first round warms caches and is not counted.

    Args:
        ways: each does its work once and returns the seconds that count.
        n: rounds.
        seconds: no further round begins after this time; one is always counted.
    """
    names = list(ways)
    taken: dict[str, list[float]] = {name: [] for name in names}
    end_s = time.monotonic() + seconds
    for number in count():
        for name in names if number % 2 == 0 else reversed(names):
            spent_s = ways[name]()
            if number:
                taken[name].append(spent_s)
        if number >= n or (number and time.monotonic() > end_s):
            return Rounds({name: tuple(values) for name, values in taken.items()})
    raise AssertionError("unreachable")


def timed(work: Callable[[], object]) -> Callable[[], float]:
    """Return a way whose whole run counts."""

    def run() -> float:
        start_s = time.perf_counter()
        work()
        return time.perf_counter() - start_s

    return run


def table(title: str, rounds: Rounds, notes: Mapping[str, str] | None = None) -> str:
    """Return the medians and ratios in words a person can read."""
    lines = [f"{title}; median of {rounds.n} rounds"]
    for way in rounds.seconds:
        note = (notes or {}).get(way, "")
        lines.append(f"{way:34} {rounds.median_s(way) * 1000:9.1f} ms   {rounds.ratio(way):6.3f}   {note}".rstrip())
    return "\n".join(lines)
