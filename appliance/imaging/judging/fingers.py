"""Fingers and hands over a page: something crosses the paper's edge and looks the same on both sides of it.

Skin is not asked for its colour: gloves and lamps have any. Each free side of a page is rolled out, row by row
parallel to it, and what paper and ground look like is told from the whole side, place by place: light may fall off
along it. Where the paper's edge is missing and what lies there is unlike the paper, has sharp flanks of its own and is
no shadow, something lies over the page: pictures end with their page, shadows change both sides alike. Fingers lean,
so that both sides of the edge are compared along several slants.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.imaging.geometry import Polygon, points
from appliance.imaging.judging.crossing import NARROWEST, OUTSIDE, Flags, Strip, apart, crossing, legendre, solved
from appliance.imaging.planes import Plane, plane
from appliance.imaging.ranks import median, percentile
from appliance.imaging.view import View

_UNITS: Final = 205
"""Steps along a page's longer side: a millimetre of a common book."""
NARROWEST_SHARE: Final = NARROWEST / _UNITS
"""Of a page's longer side."""
_LEAST_STEP_PX: Final = 0.5
_DEEPEST: Final = 34
_SEARCHED: Final = 60
"""How many steps into the page a finger, and where paper begins, is followed."""
_BEFORE: Final = 7
"""How many steps outside paper may begin."""
_FORE_EDGE: Final = 10.0
"""Steps; what lies all along a side between its outline and its paper, and is no wider, is the book's own edge."""
_PAPER_TONE: Final = 9.0
_PAPER_DARKEST: Final = 0.7
_NEAR, _FAR = 2.0, 4.0
_NO_GROUND: Final = 80.0
_NO_PAPER: Final = 60.0
"""What is left out of an outline is unlike the paper by so much; pale ground in coloured light is not."""
_MOST_OF_SIDE, _NEARLY_ALL = 0.4, 0.75
_SOME_PAPER: Final = 0.25
"""Of the places where a side is moved; beside pictures that run off a page there is none."""
_ASKED: Final = 16
"""Places that lines through two of them are tried with."""
_OFF_LINE, _HELD = 6.0, 0.03
"""Steps from that line that count for nothing; there the line itself counts this much, so that the cubic stays near."""


@dataclass(frozen=True, slots=True)
class Intruder:
    """Something that lies over the edge of a page.

    Attributes:
        width_share: along the edge, as a share of the page's longer side.
        corners: of the piece of page around it, four, in pixels of the view.
    """

    width_share: float
    corners: Polygon


def find_intruders(
    clean: View, polygon: Polygon, corners: Polygon, gutter: Polygon | None, *, one_page: bool = False
) -> list[Intruder]:
    """Return what lies over the sides of a page.

    Args:
        clean: the frame made small, without print.
        polygon: the page's edge, clockwise, in pixels of the view.
        corners: the four points of it that are corners.
        gutter: two points of the spine, in pixels of the view, or None; what lies over it comes over another side too.
        one_page: the facing page is left out, so that hands may come across the spine alone.
    """
    lengths = np.linalg.norm(np.roll(corners, -1, axis=0) - corners, axis=1)
    step = float(lengths.max()) / _UNITS
    if step < _LEAST_STEP_PX:
        return []
    places = [int(np.argmin(np.linalg.norm(polygon - corner, axis=1))) for corner in corners]
    spine = _side_along(corners, gutter) if gutter is not None else None
    paper = _paper(clean, polygon)
    tones = plane(cv2.merge([clean.y, clean.u, clean.v, clean.v]))
    found = []
    for index in range(4):
        if index == spine and not one_page:
            continue
        first, last = places[index], places[(index + 1) % 4]
        piece = np.roll(polygon, -first, axis=0)[: (last - first) % len(polygon) + 1]
        base, inward = _base(piece, step)
        if index != spine:
            base = _straightened(tones, base, step * inward, paper)
        strip = _rolled_out(tones, base, step * inward, -OUTSIDE, _DEEPEST + 1)
        found += [_intruder(strip, *seen) for seen in crossing(strip, at_spine=index == spine)]
    return found


def _side_along(corners: Polygon, line: Polygon) -> int:
    """Return which side runs beside a line."""
    way = (line[1] - line[0]) / max(float(np.linalg.norm(line[1] - line[0])), 1e-6)
    away = np.abs((corners - line[0]) @ np.array([-way[1], way[0]]))
    return int(np.argmin(away + np.roll(away, -1)))


def _paper(clean: View, polygon: Polygon) -> NDArray[np.float64]:
    """Return the luma and colour of the brighter part of a page: its paper, whatever pictures it carries."""
    mask = np.zeros(clean.y[::4, ::4].shape, np.uint8)
    cv2.fillPoly(mask, [np.rint(polygon / 4).astype(np.int32)], 1)
    inside = mask > 0
    tones = np.stack([values[::4, ::4][inside] for values in (clean.y, clean.u, clean.v)])
    if not tones.size:
        return np.array([255.0, 128.0, 128.0])
    return np.array([median(each) for each in tones[:, tones[0] >= percentile(tones[0], 75)]])


def _base(piece: Polygon, step: float) -> tuple[Polygon, Polygon]:
    """Return points `step` pixels apart along a side, and the direction into the page."""
    lengths = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(piece, axis=0), axis=1))])
    along = np.linspace(0.0, lengths[-1], max(2, round(lengths[-1] / step)))
    base = np.column_stack([np.interp(along, lengths, piece[:, axis]) for axis in (0, 1)])
    way = (piece[-1] - piece[0]) / max(float(np.linalg.norm(piece[-1] - piece[0])), 1e-6)
    return base, np.array([-way[1], way[0]])


def _straightened(tones: Plane, base: Polygon, inward: Polygon, tone: NDArray[np.float64]) -> Polygon:
    """Return the side moved to where most of its paper begins: an arm can bend an outline far out of the page."""
    chord = base[0] + np.linspace(0.0, 1.0, len(base))[:, None] * (base[-1] - base[0])
    start, moved, agreeing = base, np.zeros(len(base)), np.zeros(len(base), np.bool_)
    for line in (base, chord):
        begins, agree = _paper_begins(_rolled_out(tones, line, inward, -_BEFORE, _SEARCHED), tone)
        if np.count_nonzero(agree) > np.count_nonzero(agreeing):
            start, moved, agreeing = line, begins, agree
        if np.mean(agreeing) >= _NEARLY_ALL:
            break
    if np.mean(agreeing) < _MOST_OF_SIDE:
        return base
    side = start + moved[:, None] * inward
    within = (side - base) @ inward / float(inward @ inward)
    if float(np.abs(within).max()) < _NEAR:
        return base
    far = within > _FAR
    fore_edge = float(np.mean(within > _NEAR)) >= _NEARLY_ALL and float(within.max()) <= _FORE_EDGE
    if not far.any() or fore_edge:
        return side
    if np.mean(agreeing[far]) < _SOME_PAPER:
        return base  # no paper was seen where the side is to go
    return side if _leaves_out_ground(tones, (base + side)[far] / 2, (base - 4 * inward)[far], tone) else base


def _leaves_out_ground(tones: Plane, between: Polygon, outside: Polygon, tone: NDArray[np.float64]) -> bool:
    """Tell whether what lies between an outline and its paper is ground: neither paper, nor paper in a shadow."""
    left_out, ground = (_rolled_out(tones, line, np.zeros(2), 0, 1).tones for line in (between, outside))
    unlike_paper = float(np.median(apart(left_out, tone[:, None, None]))) >= _NO_PAPER
    return unlike_paper and float(np.median(apart(left_out, ground))) <= _NO_GROUND


def _paper_begins(strip: Strip, tone: NDArray[np.float64]) -> tuple[NDArray[np.float64], Flags]:
    """Return how many steps inside each place of a side its paper begins, smoothed, and which places agree."""
    y, u, v = strip.tones
    paper = (np.abs(u - tone[1]) + np.abs(v - tone[2]) < _PAPER_TONE) & (y > _PAPER_DARKEST * tone[0])
    first = (paper[:-2] & paper[1:-1] & paper[2:]).argmax(axis=0)
    begun = first > 0  # what is paper from the outermost row on may have begun anywhere
    begins = np.where(begun, first - _BEFORE, 0).astype(np.float64)
    moved = _smooth(begins, np.where(begun, 1.0, 1e-3))
    return moved, begun & (np.abs(begins - moved) < _NEAR)


def _smooth(values: NDArray[np.float64], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the cubic near a straight line that most of the values lie on, however far off the others stand."""
    basis, line = legendre(len(values), 3), _line(values, weight)
    stands_off = np.abs(values - line) > _OFF_LINE
    values, weight = np.where(stands_off, line, values), np.where(stands_off, _HELD, weight)
    found = line
    for stray in (4.0, 2.0, 1.5, 1.5):
        weighted = basis * (weight / (1.0 + ((values - found) / stray) ** 2))[:, None]
        found = (basis @ solved(weighted.T @ basis, weighted.T @ values[:, None]))[:, 0]
    return np.asarray(found, np.float64)


def _line(values: NDArray[np.float64], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the straight line through two of the values that most of them lie on: a hand may hide nearly half."""
    asked = np.unique(np.linspace(0, len(values) - 1, _ASKED).astype(int))
    if len(asked) < 2:
        return values
    first, last = (asked[each] for each in np.triu_indices(len(asked), 1))
    slopes = (values[last] - values[first]) / (last - first)
    lines = values[first][:, None] + slopes[:, None] * (np.arange(len(values)) - first[:, None])
    return np.asarray(lines[int(((np.abs(lines - values) < _NEAR) @ weight).argmax())])


def _rolled_out(tones: Plane, base: Polygon, inward: Polygon, first: int, last: int) -> Strip:
    """Return rows `first` to `last` (excluded) beside a side; `inward` is one step into the page, in pixels.

    Args:
        tones: luma, blue and red difference of the view, shape (height, width, 3).
        base: points of the side.
        inward: see above.
        first: may be negative: outside.
        last: see above.
    """
    steps = np.arange(first, last, dtype=np.float32)[:, None, None] * inward.astype(np.float32)
    grid = base.astype(np.float32)[None] + steps
    seen = cv2.remap(tones, grid, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]
    return Strip(grid, np.array(seen.transpose(2, 0, 1)[:3], np.float32, order="C"), (tones.shape[1], tones.shape[0]))


def _intruder(strip: Strip, start: int, end: int, depth: int) -> Intruder:
    low, high = strip.grid[OUTSIDE], strip.grid[min(OUTSIDE + depth, len(strip.grid) - 1)]
    return Intruder((end - start) / _UNITS, points([low[start], low[end - 1], high[end - 1], high[start]]))
