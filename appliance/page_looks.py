"""Which pages of a list look the same: told while capturing for the last few, and asked where numbers leave a doubt."""

from collections.abc import Iterator, Sequence
from itertools import product

from appliance.api import CaptureView
from appliance.numbering.labels import Reading
from appliance.numbering.sequence import Run
from wire.documents import Side

Page = tuple[CaptureView, Side]
Pair = tuple[int, int]


def seen_while_capturing(pages: Sequence[Page]) -> set[Pair]:
    """Return the pairs of pages, by their places, whose captures were found to show the same spread."""
    place_of = {(capture.sequence, side): place for place, (capture, side) in enumerate(pages)}
    pairs = set()
    for place, (capture, side) in enumerate(pages):
        for finding in capture.findings:
            if finding.code == "duplicate" and finding.value:
                earlier = place_of.get((capture.sequence - round(finding.value), side))
                pairs |= {(earlier, place)} if earlier is not None else set()
    return pairs


def worth_a_look(pages: Sequence[Page], readings: Sequence[Reading | None], run: Run) -> set[Pair]:
    """Return the pairs of pages that the numbers say may be the same: a number borne twice, or an unsure count.

    Both pages of a capture are asked about, and where little was read also those of the captures beside it: the count
    does not tell there which one was taken twice.
    """
    captures = list(dict.fromkeys(capture.capture_id for capture, _ in pages))
    number_of = {capture_id: number for number, capture_id in enumerate(captures)}
    at = {(number_of[capture.capture_id], side): place for place, (capture, side) in enumerate(pages)}
    pairs = set()
    for (one, other), beside in [
        *((pair, 0) for pair in _borne_twice(readings, run)),
        *((pair, 1) for pair in run.doubtful),
    ]:
        first, again = (number_of[pages[place][0].capture_id] for place in (one, other))
        for back, on in product(range(-beside, beside + 1), repeat=2):
            for side in ("left", "right", "single"):
                pair = at.get((first + back, side)), at.get((again + on, side))
                if pair[0] is not None and pair[1] is not None and pair[0] < pair[1]:
                    pairs.add((pair[0], pair[1]))
    return pairs


def _borne_twice(readings: Sequence[Reading | None], run: Run) -> Iterator[Pair]:
    """Yield the pages on which a number was read that an earlier or later page bears, believed or not."""
    bearer: dict[tuple[str, int], int] = {}
    for place, number in enumerate(run.numbers):
        if number is not None:
            bearer.setdefault(number, place)
    for place, reading in enumerate(readings):
        if reading is not None:
            other = bearer.setdefault((reading.style, reading.place), place)
            if other != place:
                yield min(other, place), max(other, place)
