"""Fingers and hands over a page: something crosses the paper's edge and looks the same on both sides of it.

Skin is not asked for its colour: gloves and lamps have any. Each free side of a page is rolled out, row by row
parallel to it. Where the paper's edge is plain to see nearly everywhere, a short piece without it, unlike the paper
beside it and with sharp flanks of its own, is an intruder: pictures end with their page, shadows change both sides.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.imaging.geometry import Polygon, points
from appliance.imaging.outline import CHROMA_WEIGHT
from appliance.imaging.view import View

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]
Tone = tuple[float, float, float]
"""Luma, blue and red difference."""

_UNITS: Final = 205
"""Steps along a page's longer side: a millimetre of a common book."""
NARROWEST_SHARE: Final = 6 / 205
"""Of a page's longer side: fingertips are wider, a bookmark's ribbon is not."""
_LEAST_STEP_PX: Final = 0.5
_OUTSIDE, _DEEPEST = 7, 34
"""How far the strip reaches, in the same steps, beyond the edge and into the page."""
_SEARCHED: Final = 60
_PAPER_TONE: Final = 9.0
_PAPER_DARKEST: Final = 0.7
_OUTER, _INNER = slice(1, 5), slice(_OUTSIDE + 2, _OUTSIDE + 8)
_MOST: Final = 0.7
_UNLIKE_PAPER: Final = 13.0
_DARKER: Final = 0.55
_SHADE: Final = 0.14
"""Luma of paper may differ by this much along a side without anything lying on it."""
_LEANS: Final = (-6, -3, 0, 3, 6)
_ALIKE: Final = 35.0
_EDGE_LOST: Final = 0.45
_EDGE: Final = 60.0
_SEEN: Final = 0.6
_OTHER_COLOUR: Final = 6.0
_BLACK_SHARE: Final = 0.4
_FLANK: Final = 15.0
_FULL: Final = 200.0
_NARROWEST: Final = round(NARROWEST_SHARE * _UNITS)
_NEAR: Final = 2.0
_MOST_OF_SIDE: Final = 0.4
_PLAIN: Final = 6.0
"""Paper along an edge differs by less; measured: paper 1 to 4, pictures 8 and more."""
_WIDEST_SHARE: Final = 0.5
_ENDS: Final = 3


@dataclass(frozen=True, slots=True)
class Intruder:
    """Something that lies over the edge of a page.

    Attributes:
        width_share: along the edge, as a share of the page's longer side.
        corners: of the piece of page around it, four, in pixels of the view.
    """

    width_share: float
    corners: Polygon


@dataclass(frozen=True, slots=True, eq=False)
class _Strip:
    """A side rolled out: row = distance from the edge (outside first), column = place along it."""

    grid: Floats
    y: Floats
    u: Floats
    v: Floats


def find_intruders(clean: View, polygon: Polygon, corners: Polygon, gutter: Polygon | None) -> list[Intruder]:
    """Return what lies over the free sides of a page.

    Args:
        clean: the frame made small, without print.
        polygon: the page's edge, clockwise, in pixels of the view.
        corners: the four points of it that are corners.
        gutter: two points of the spine, in pixels of the view, or None; nothing is looked for along it.
    """
    lengths = np.linalg.norm(np.roll(corners, -1, axis=0) - corners, axis=1)
    step = float(lengths.max()) / _UNITS
    if step < _LEAST_STEP_PX:
        return []
    places = [int(np.argmin(np.linalg.norm(polygon - corner, axis=1))) for corner in corners]
    spine = _side_along(corners, gutter) if gutter is not None else None
    paper = _paper(clean, polygon)
    found = []
    for index in range(4):
        if index == spine:
            continue
        first, last = places[index], places[(index + 1) % 4]
        piece = np.roll(polygon, -first, axis=0)[: (last - first) % len(polygon) + 1]
        base, inward = _base(piece, step)
        base = _straightened(clean, base, inward, step, paper)
        found += _along(_rolled_out(clean, base, inward, step))
    return found


def _side_along(corners: Polygon, line: Polygon) -> int:
    """Return which side runs beside a line."""
    way = (line[1] - line[0]) / max(float(np.linalg.norm(line[1] - line[0])), 1e-6)
    away = np.abs((corners - line[0]) @ np.array([-way[1], way[0]]))
    return int(np.argmin(away + np.roll(away, -1)))


def _paper(clean: View, polygon: Polygon) -> Tone:
    """Return the luma and colour of the brighter part of a page: its paper, whatever pictures it carries."""
    mask = np.zeros(clean.y.shape, np.uint8)
    cv2.fillPoly(mask, [np.rint(polygon).astype(np.int32)], 1)
    inside = mask[::2, ::2] > 0
    y, u, v = (values[::2, ::2][inside] for values in (clean.y, clean.u, clean.v))
    if not y.size:
        return 255.0, 128.0, 128.0
    bright = y >= np.percentile(y, 75)
    return float(np.median(y[bright])), float(np.median(u[bright])), float(np.median(v[bright]))


def _base(piece: Polygon, step: float) -> tuple[Polygon, Polygon]:
    """Return points `step` pixels apart along a side, and the direction into the page."""
    lengths = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(piece, axis=0), axis=1))])
    along = np.linspace(0.0, lengths[-1], max(2, round(lengths[-1] / step)))
    base = np.column_stack([np.interp(along, lengths, piece[:, axis]) for axis in (0, 1)])
    way = (piece[-1] - piece[0]) / max(float(np.linalg.norm(piece[-1] - piece[0])), 1e-6)
    return base, np.array([-way[1], way[0]])


def _straightened(clean: View, base: Polygon, inward: Polygon, step: float, tone: Tone) -> Polygon:
    """Return the side moved to where most of its paper begins: an arm can bend an outline far out of the page."""
    grid = (base[None] + step * np.arange(-_OUTSIDE, _SEARCHED)[:, None, None] * inward).astype(np.float32)
    y, u, v = (_sampled(each, grid) for each in (clean.y, clean.u, clean.v))
    unlike = np.abs(u - tone[1]) + np.abs(v - tone[2])
    paper = (unlike < _PAPER_TONE) & (y > _PAPER_DARKEST * tone[0])
    paper = paper[:-2] & paper[1:-1] & paper[2:]
    begins = np.where(paper.any(axis=0), paper.argmax(axis=0) - _OUTSIDE, 0).astype(np.float64)
    weight = np.where(paper.any(axis=0), 1.0, 1e-3)
    moved = _fitted(begins, weight)
    agreeing = float(np.mean(paper.any(axis=0) & (np.abs(begins - moved) < _NEAR)))
    if agreeing < _MOST_OF_SIDE or float(np.abs(moved).max()) < _NEAR:
        return base
    return base + step * moved[:, None] * inward


def _fitted(values: NDArray[np.float64], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the cubic that most of the values lie on; what stands far off bends it little."""
    basis = np.polynomial.legendre.legvander(np.linspace(-1.0, 1.0, len(values)), 3)
    robust, found = weight, np.full(len(values), float(np.median(values)))
    for width in (8.0, 4.0, 2.0, 1.5, 1.5):
        robust = weight / (1.0 + ((values - found) / width) ** 2)
        weighted = basis * robust[:, None]
        found = basis @ np.linalg.lstsq(weighted.T @ basis, weighted.T @ values, rcond=None)[0]
    return np.asarray(found, np.float64)


def _rolled_out(clean: View, base: Polygon, inward: Polygon, step: float) -> _Strip:
    """Return the strip along one side, sampled every `step` pixels both ways."""
    offsets = step * np.arange(-_OUTSIDE, _DEEPEST + 1)
    grid = (base[None] + offsets[:, None, None] * inward).astype(np.float32)
    y, u, v = (_sampled(each, grid) for each in (clean.y, clean.u, clean.v))
    return _Strip(grid, y, u, v)


def _sampled(values: NDArray[np.uint8], grid: Floats) -> Floats:
    found = cv2.remap(values, grid, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]
    return np.asarray(found, np.float32)


def _along(strip: _Strip) -> list[Intruder]:
    """Return the intruders over one side."""
    columns = strip.y.shape[1]
    if columns < 4 * _NARROWEST:
        return []
    unlike = _unlike_rest(strip)
    if float(np.percentile(unlike[_INNER], 40)) > _PLAIN:
        return []  # a picture runs off this side: nothing can be told from it
    across = _across(strip)
    usual = float(np.median(across))
    if usual < _EDGE or float(np.mean(across > _SEEN * usual)) < _MOST_OF_SIDE:
        return []
    inside = (unlike[_INNER] > _UNLIKE_PAPER).mean(axis=0) >= _MOST
    leaning = np.minimum.reduce([_across(strip, lean) for lean in _LEANS])
    crossing = inside & (leaning < min(_EDGE_LOST * usual, _ALIKE))
    crossing[:_ENDS] = crossing[-_ENDS:] = False
    crossing = cv2.morphologyEx(crossing.astype(np.uint8)[None], cv2.MORPH_CLOSE, np.ones((1, 5), np.uint8))[0] > 0
    found = []
    for start, end in _runs(crossing):
        if start <= _ENDS + 1 or end >= columns - _ENDS - 1:
            continue  # where two sides meet, what lies beyond the corner is in view as well
        if _NARROWEST <= end - start <= _WIDEST_SHARE * columns and _is_solid(strip, start, end):
            found.append(_intruder(strip, unlike > _UNLIKE_PAPER, start, end))
    return found


def _unlike_rest(strip: _Strip) -> Floats:
    """Return how far each place is from the brighter part of its row, in levels: inside the edge that is paper."""
    bright = np.argsort(strip.y, axis=1)[:, int(_DARKER * strip.y.shape[1]) :]
    total = np.zeros_like(strip.y)
    for values in (strip.u, strip.v):
        usual = np.median(np.take_along_axis(values, bright, axis=1), axis=1, keepdims=True)
        total += CHROMA_WEIGHT * np.abs(values - usual)
    usual = np.median(np.take_along_axis(strip.y, bright, axis=1), axis=1, keepdims=True)
    return np.asarray(total + np.maximum(np.abs(strip.y - usual) - _SHADE * usual, 0), np.float32)


def _across(strip: _Strip, lean: int = 0) -> Floats:
    """Return how unlike both sides of the edge are at each place along it; light and shadow make no difference.

    Args:
        strip: the side.
        lean: by how many places to the right what is compared lies outside.
    """
    inner = [np.median(values[_INNER], axis=0) for values in (strip.y, strip.u, strip.v)]
    outer = [np.roll(np.median(values[_OUTER], axis=0), -lean) for values in (strip.y, strip.u, strip.v)]
    total = _FULL * np.abs(outer[0] - inner[0]) / np.maximum(np.maximum(outer[0], inner[0]), _FULL / 4)
    total += CHROMA_WEIGHT * (np.abs(outer[1] - inner[1]) + np.abs(outer[2] - inner[2]))
    return np.asarray(total, np.float32)


def _is_solid(strip: _Strip, start: int, end: int) -> bool:
    """Tell a thing from a shadow, which has soft ends and leaves paper its colour."""
    middle = slice(start + (end - start) // 4, end - (end - start) // 4)
    y, u, v = (float(np.median(values[_INNER, middle])) for values in (strip.y, strip.u, strip.v))
    paper = [float(np.median(values[_INNER])) for values in (strip.y, strip.u, strip.v)]
    if abs(u - paper[1]) + abs(v - paper[2]) < _OTHER_COLOUR and y > _BLACK_SHARE * paper[0]:
        return False
    change = np.zeros(strip.y.shape[1], np.float32)
    for values, weight in ((strip.y, 1.0), (strip.u, CHROMA_WEIGHT), (strip.v, CHROMA_WEIGHT)):
        rows = values[_INNER].astype(np.float32)
        change[2:-2] += np.float32(weight) * np.median(np.abs(rows[:, 4:] - rows[:, :-4]), axis=0)
    flanks = (change[max(0, at - 4) : at + 5] for at in (start, end))
    return all(flank.size and float(flank.max()) > _FLANK for flank in flanks)


def _runs(flags: Flags) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    return [(int(start), int(end)) for start, end in edges.reshape(-1, 2)]


def _intruder(strip: _Strip, unlike: Flags, start: int, end: int) -> Intruder:
    around = slice(max(0, start - (end - start)), end + (end - start))
    present = unlike[_OUTSIDE:, around].sum(axis=1) >= 0.5 * (end - start)
    gaps = np.flatnonzero(~present[2:])
    depth = 2 + (int(gaps[0]) if gaps.size else len(present) - 2)
    low, high = strip.grid[_OUTSIDE], strip.grid[min(_OUTSIDE + depth, len(strip.grid) - 1)]
    place = points([low[start], low[end - 1], high[end - 1], high[start]])
    return Intruder((end - start) / _UNITS, place)
