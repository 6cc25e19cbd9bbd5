"""Whose turn it is while more stations knock than there are places: nobody starves. Pure; time is an input.

Without turns, whoever has just been served knocks first for the place that it has left, and wins it again and again.
"""

from typing import Final

SHORTEST_WAIT_S: Final = 0.25
LONGEST_WAIT_S: Final = 5.0
"""What a station is asked to wait, from the head of the queue to its end."""
FORGOTTEN_AFTER_S: Final = 15.0
"""A station that has not knocked for so long has gone, or another worker serves it: it holds nobody up."""
HEADS: Final = 8
"""For each free place so many of those who have waited longest may take it: the first may be a moment away."""
_SMOOTHING: Final = 0.2


class Turns:
    """The stations that were told "busy", in the order in which they first were."""

    def __init__(self) -> None:
        self._seen_s: dict[str, float] = {}
        self._last_s: float | None = None
        self._interval_s = 1.0

    def __len__(self) -> int:
        return len(self._seen_s)

    def may_go(self, station: str, free: int, now_s: float) -> bool:
        """Tell whether one of `free` places is this station's; if not, it is in the queue afterwards."""
        for name in [name for name, seen_s in self._seen_s.items() if now_s - seen_s > FORGOTTEN_AFTER_S]:
            del self._seen_s[name]
        if self._rank(station) < free * HEADS:
            self._seen_s.pop(station, None)
            self._served(now_s)
            return True
        self._seen_s[station] = now_s
        return False

    def wait_s(self, station: str) -> float:
        """Return how long a station is asked to wait: about until its turn, as fast as turns come now."""
        return min(LONGEST_WAIT_S, max(SHORTEST_WAIT_S, self._rank(station) * self._interval_s))

    def _rank(self, station: str) -> int:
        return next((rank for rank, name in enumerate(self._seen_s) if name == station), len(self._seen_s))

    def _served(self, now_s: float) -> None:
        if self._last_s is not None:
            past_s = min(LONGEST_WAIT_S, now_s - self._last_s)
            self._interval_s += _SMOOTHING * (past_s - self._interval_s)
        self._last_s = now_s
