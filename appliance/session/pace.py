"""How fast a book goes, from its own presses: how long the rest of it takes. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil
from statistics import median
from typing import Final

LATEST: Final = 30
"""Presses that count: the pace of now, not of this morning."""
_ENOUGH: Final = 5
_BREAK_S: Final = 90.0
"""A longer wait is a break, or a fault that was mended: it says nothing of the pace."""
_NS: Final = 1e9


@dataclass(frozen=True, slots=True)
class Pace:
    """Pages an hour, and minutes that the rest of the book takes; None where nobody said how many pages it has."""

    pages_per_hour: int
    minutes_left: int | None


def pace_of(presses: Sequence[tuple[str, int]], pages: int, captures: int, pages_expected: int | None) -> Pace | None:
    """Return the pace, or None where too little was captured to tell.

    Args:
        presses: boot id and monotonic time in nanoseconds of the job's latest presses, in order.
        pages: of the job so far.
        captures: that they are on.
        pages_expected: of the whole book.
    """
    waits_s = [(after - before) / _NS for (one, before), (other, after) in pairwise(presses) if one == other]
    waits_s = [wait_s for wait_s in waits_s if 0 < wait_s <= _BREAK_S]
    if len(waits_s) < _ENOUGH or not pages or not captures:
        return None
    pages_per_hour = 3600 / median(waits_s) * pages / captures
    left = max(0, pages_expected - pages) if pages_expected else 0
    return Pace(round(pages_per_hour), ceil(60 * left / pages_per_hour) if left else None)
