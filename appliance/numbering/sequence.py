"""Which numbers a run of pages bears, and where leaves are missing, doubled or reversed.

One misread number is outvoted by its neighbours; two that agree are believed. So the numbers of all pages are found
together (Viterbi): on each page the count is at some distance from the page's place in the list. To keep that distance
is free, to change it costs more than one wrong reading and less than two; a wrong reading costs its confidence.
Pages that look the same are a second witness: what is seen again is not counted again, read or not.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final, TypeAlias

import numpy as np

from appliance.numbering.labels import Reading, Style

_CHANGE: Final = 1.1
"""Cost of a jump in the count; one wrong reading costs at most 1."""
_LEAST: Final = 0.3
"""Readings less sure than this are not heard."""
_NEAR: Final = 4
"""How far apart two pages may lie that were put in each other's place."""

_Count: TypeAlias = tuple[Style, int]


@dataclass(frozen=True, slots=True)
class Gap:
    """Numbers that no page bears: `first` to `last`, between page `after` of the list and the next (from 0)."""

    after: int
    style: Style
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Double:
    """A number that two pages bear: `page` repeats `earlier` (places in the list, from 0)."""

    earlier: int
    page: int
    style: Style
    place: int


@dataclass(frozen=True, slots=True)
class Run:
    """What the numbers of a list of pages tell.

    Attributes:
        numbers: style and place of every page, None where nothing tells; unnumbered pages are filled in.
        gaps: in the order of the list.
        doubles: in the order of the list.
        reversed_pairs: two pages, by their places in the list, of which each bears the other's number.
        uncounted: unread pages that the count passes over: plates, or a leaf taken twice of which too little was read.
        outvoted: pages whose reading was not believed.
        seen_again: pages that show an earlier one again, by their look: (earlier, page); numbered or not.
        doubtful: pages by whose count a number would be borne twice, and too little was read: (earlier, page).
    """

    numbers: tuple[tuple[Style, int] | None, ...]
    gaps: tuple[Gap, ...]
    doubles: tuple[Double, ...]
    reversed_pairs: tuple[tuple[int, int], ...]
    uncounted: tuple[int, ...]
    outvoted: tuple[int, ...]
    seen_again: tuple[tuple[int, int], ...] = ()
    doubtful: tuple[tuple[int, int], ...] = ()


def find_gaps(readings: Sequence[Reading | None], alike: Iterable[tuple[int, int]] = ()) -> Run:
    """Return what is missing, doubled or reversed in a list of pages.

    Args:
        readings: what was read on each page in the order of the list; None where nothing was, or nothing sure.
        alike: pairs of pages, by their places in the list, that look the same, next to each other or not. Pages that
            surely bear different numbers are not believed to be the same, however they look.
    """
    alone = _found(readings)
    believed = [None if page in alone.outvoted else each for page, each in enumerate(readings)]
    earlier_of = _seen_again(believed, alike)
    if not earlier_of:
        return alone
    pooled = list(readings)
    for page, earlier in sorted(earlier_of.items()):
        pooled[earlier] = _surer(believed[earlier], believed[page])
    kept = [page for page in range(len(readings)) if page not in earlier_of]
    return _spread(_found([pooled[page] for page in kept]), kept, earlier_of)


def _seen_again(readings: Sequence[Reading | None], alike: Iterable[tuple[int, int]]) -> dict[int, int]:
    """Return the earliest page that each page shows again."""
    earlier_of: dict[int, int] = {}
    for one, other in sorted((min(pair), max(pair)) for pair in alike):
        earlier = earlier_of.get(one, one)
        first, again = readings[earlier], readings[other]
        differ = first is not None and again is not None and (first.style, first.place) != (again.style, again.place)
        if earlier != other and not differ:
            earlier_of.setdefault(other, earlier)
    return earlier_of


def _surer(one: Reading | None, other: Reading | None) -> Reading | None:
    read = [each for each in (one, other) if each is not None]
    return max(read, key=lambda each: each.confidence, default=None)


def _spread(run: Run, kept: list[int], earlier_of: dict[int, int]) -> Run:
    """Return a run over some pages as one over all of them, with those that were seen again."""
    numbers: dict[int, _Count | None] = dict(zip(kept, run.numbers, strict=True))
    doubles = [replace(each, earlier=kept[each.earlier], page=kept[each.page]) for each in run.doubles]
    for page, earlier in sorted(earlier_of.items()):
        number = numbers[page] = numbers[earlier]
        if number is not None:
            doubles.append(Double(earlier, page, *number))
    return Run(
        tuple(numbers[page] for page in range(len(numbers))),
        tuple(replace(gap, after=kept[gap.after]) for gap in run.gaps),
        tuple(sorted(doubles, key=lambda each: each.page)),
        tuple((kept[one], kept[other]) for one, other in run.reversed_pairs),
        tuple(kept[page] for page in run.uncounted),
        tuple(kept[page] for page in run.outvoted),
        tuple((earlier, page) for page, earlier in sorted(earlier_of.items())),
        tuple((kept[one], kept[other]) for one, other in run.doubtful),
    )


def _found(readings: Sequence[Reading | None]) -> Run:
    """Return what the numbers alone tell."""
    heard = [each if each is not None and each.confidence >= _LEAST else None for each in readings]
    counts = _counts(heard)
    numbers: list[_Count | None] = [
        None if count is None or count[1] + index < 0 else (count[0], count[1] + index)
        for index, count in enumerate(counts)
    ]
    pairs = _reversed(heard, numbers)
    for one, other in pairs:
        numbers[one], numbers[other] = numbers[other], numbers[one]
    outvoted = tuple(
        index
        for index, (each, number) in enumerate(zip(heard, numbers, strict=True))
        if each is not None and (each.style, each.place) != number
    )
    doubles, doubtful = _doubles(heard, numbers)
    uncounted = tuple(each.page if heard[each.page] is None else each.earlier for each in doubtful)
    for index in uncounted:
        numbers[index] = None
    unsure = tuple((each.earlier, each.page) for each in doubtful)
    return Run(tuple(numbers), _gaps(numbers), doubles, pairs, uncounted, outvoted, doubtful=unsure)


def _counts(heard: Sequence[Reading | None]) -> list[_Count | None]:
    """Return for each page how far the count is ahead of the list, the cheapest way through all of them."""
    states = sorted({(each.style, each.place - index) for index, each in enumerate(heard) if each is not None})
    if not states:
        return [None] * len(heard)
    number_of = {state: number for number, state in enumerate(states)}
    cost = np.zeros(len(states))
    came_from = np.zeros((len(heard), len(states)), int)
    for index, each in enumerate(heard):
        best = int(cost.argmin())
        stay = cost <= cost[best] + _CHANGE
        came_from[index] = np.where(stay, np.arange(len(states)), best)
        cost = np.where(stay, cost, cost[best] + _CHANGE)
        if each is not None:
            agrees = np.arange(len(states)) == number_of[each.style, each.place - index]
            cost = cost + np.where(agrees, 0.0, each.confidence)
    state = int(cost.argmin())
    path: list[_Count | None] = []
    for index in range(len(heard) - 1, -1, -1):
        path.append(states[state])
        state = int(came_from[index, state])
    return path[::-1]


def _reversed(heard: Sequence[Reading | None], numbers: Sequence[_Count | None]) -> tuple[tuple[int, int], ...]:
    """Find two pages of which each was read as the other's number."""
    read = [None if each is None else (each.style, each.place) for each in heard]
    return tuple(
        (one, other)
        for one in range(len(read))
        for other in range(one + 1, min(one + _NEAR, len(read)))
        if read[one] is not None
        and read[one] != read[other]
        and read[one] == numbers[other]
        and read[other] == numbers[one]
    )


def _gaps(numbers: Sequence[_Count | None]) -> tuple[Gap, ...]:
    """Find the numbers between the lowest and the highest of a style that no page bears."""
    gaps = []
    for style in sorted({number[0] for number in numbers if number is not None}):
        page_of = {
            number[1]: index for index, number in enumerate(numbers) if number is not None and number[0] == style
        }
        borne = sorted(page_of)
        for below, above in pairwise(borne):
            if above > below + 1:
                gaps.append(Gap(page_of[below], style, below + 1, above - 1))
    return tuple(sorted(gaps, key=lambda gap: gap.after))


def _doubles(
    heard: Sequence[Reading | None], numbers: Sequence[_Count | None]
) -> tuple[tuple[Double, ...], tuple[Double, ...]]:
    """Find the numbers that are borne twice, and those that only seem to be because a page bears none."""
    seen: dict[_Count, int] = {}
    repeats = []
    for index, number in enumerate(numbers):
        earlier = index if number is None else seen.setdefault(number, index)
        if number is not None and earlier != index:
            repeats.append(Double(earlier, index, *number))
    certain = [each for each in repeats if any(_both_read(heard, near) for near in repeats if _next(each, near))]
    return tuple(certain), tuple(each for each in repeats if each not in certain)


def _next(one: Double, other: Double) -> bool:
    """Tell whether two doubled numbers may be the two sides of one leaf, or two pages of one opening."""
    return abs(one.page - other.page) <= 1 and one.page - one.earlier == other.page - other.earlier


def _both_read(heard: Sequence[Reading | None], double: Double) -> bool:
    return heard[double.earlier] is not None and heard[double.page] is not None
