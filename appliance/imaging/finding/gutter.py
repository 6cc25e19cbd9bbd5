"""Where the spine of an open book runs: a shadow that goes from one edge of the paper to the other."""

from dataclasses import dataclass
from functools import cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.imaging.geometry import Polygon, apply, homography, points
from appliance.imaging.planes import Plane, plane
from appliance.imaging.ranks import ranked
from appliance.imaging.view import View

Floats = NDArray[np.float32]

_ACROSS: Final = 256
_ALONG: Final = 192
_BANDS: Final = 24
_DEEP: Final = 40.0
"""A dip of so many levels (of paper at 200) is as good as any deeper one."""
_BOTTOM: Final = 0.01
_WORST: Final = _BANDS // 5
_REACHES: Final = (5, 9, 15)
_MARGIN: Final = 20
_APART: Final = 12
_CANDIDATES: Final = 4
_LEANS: Final = tuple(range(-24, 25, 2))
_STEP_WEIGHT: Final = 0.25
_COLOUR_LIMIT: Final = 16.0
_REACH: Final = 0.035
"""Of a line's length: how far to either side its exact place is looked for."""
_ROWS: Final = 96
_ENDS: Final = 0.03
_STEPS_A_LENGTH: Final = 2000
_COARSE: Final = 4
_NEAR: Final = (8, 4, 2)
_STRAY: Final = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Gutter:
    """A line that may divide paper in two facing pages.

    Attributes:
        line: two points where it meets the paper's edges, in pixels of the view.
        strength: how dark and unbroken the shadow along it is, 0 to 1.
        upright: whether it runs up and down in the view.
    """

    line: Polygon
    strength: float
    upright: bool


def find_gutters(view: View, quad: Polygon, mask: Plane, *, upright: bool) -> list[Gutter]:
    """Return lines that may divide the paper within a quad, the strongest first.

    Args:
        view: where to look.
        quad: corners of the paper, clockwise from its top left, in pixels of the view.
        mask: 255 on paper, the view's shape.
        upright: whether to look for lines that run up and down in the view, or from side to side.
    """
    quad = quad if upright else np.roll(quad, 1, axis=0)
    flat = points([(0, 0), (_ACROSS - 1, 0), (_ACROSS - 1, _ALONG - 1), (0, _ALONG - 1)])
    back = homography(flat, quad)
    y, (u, v, paper) = _flattened(view.y, back, 1), (_banded(values, back) for values in (view.u, view.v, mask))
    evidence = _valley(_between_lines(y), u, v, paper > 127)
    return [
        Gutter(apply(back, points([(top, 0), (bottom, _ALONG - 1)])), strength, upright)
        for top, bottom, strength in _strongest(evidence)
    ]


def _flattened(values: Plane, back: NDArray[np.float64], apart: int) -> Plane:
    """Return paper made flat, one row of so many."""
    to_view = back @ np.array([[1, 0, 0], [0, apart, (apart - 1) / 2], [0, 0, 1]])
    flags, size = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, (_ACROSS, _ALONG // apart)
    return plane(cv2.warpPerspective(values, to_view, size, flags=flags, borderMode=cv2.BORDER_REPLICATE))


def _banded(values: Plane, back: NDArray[np.float64]) -> Floats:
    """Return the mean of each column of each band along the spine, shape (bands, across)."""
    few = _flattened(values, back, _ALONG // _BANDS // 2)
    return np.asarray((few[::2].astype(np.float32) + few[1::2]) / 2, np.float32)


def _between_lines(luma: Plane) -> Floats:
    """Return the same for luma, but the second lightest place: paper between lines of print."""
    rows = luma.reshape(_BANDS, -1, _ACROSS)
    lightest, second = np.maximum(rows[:, 0], rows[:, 1]), np.minimum(rows[:, 0], rows[:, 1])
    for index in range(2, rows.shape[1]):
        second = np.maximum(second, np.minimum(lightest, rows[:, index]))
        lightest = np.maximum(lightest, rows[:, index])
    return np.asarray(second, np.float32)


def _valley(y: Floats, u: Floats, v: Floats, paper: NDArray[np.bool_]) -> Floats:
    """Return how far each place lies below the paper on both of its sides, 0 to 1."""
    level = max(ranked(y[paper], 0.75) if paper.any() else 0.0, 40.0) / 200.0
    bottom, sides = cv2.blur(y, (3, 1)), [cv2.blur(values, (5, 1)) for values in (y, u, v)]
    solid = cv2.erode(paper.astype(np.uint8), np.ones((1, 3), np.uint8)) > 0
    best = np.zeros_like(y)
    for reach in _REACHES:
        # Near the ends there is no other side; nothing is looked for there.
        middle, left, right = slice(reach, -reach), slice(0, -2 * reach), slice(2 * reach, None)
        lower, higher = (choose(sides[0][:, left], sides[0][:, right]) for choose in (np.minimum, np.maximum))
        dip = np.maximum(lower - bottom[:, middle], 0) + _STEP_WEIGHT / 2 * (higher - lower)
        unlike = sum(np.abs(values[:, left] - values[:, right]) for values in sides[1:])
        dip *= (solid[:, left] & solid[:, right]) * np.clip(1.5 - unlike / _COLOUR_LIMIT, 0, 1)
        np.maximum(best[:, middle], dip, out=best[:, middle])
    depth = best / np.float32(_DEEP * level)
    # What is deeper still is no surer a spine, but in a wide shadow it tells where the spine is.
    return np.asarray(np.sqrt(np.minimum(depth, 1)) + _BOTTOM * np.minimum(depth, 5), np.float32)


@cache
def _sheared() -> NDArray[np.intp]:
    """Return where in a flat (bands, across) array the lines of every lean lie, shape (leans, bands, across)."""
    rows, columns = np.arange(_BANDS)[:, None], np.arange(_ACROSS)
    shifts = np.rint((rows / (_BANDS - 1) - 0.5) * np.array(_LEANS)[:, None, None]).astype(np.intp)
    return np.asarray(rows * _ACROSS + (columns + shifts) % _ACROSS, np.intp)


def _strongest(evidence: Floats) -> list[tuple[float, float, float]]:
    """Return top, bottom and strength of the straight lines with the most evidence in most bands."""
    wide = cv2.dilate(evidence, np.ones((1, 3), np.uint8)).ravel()
    lined = wide.take(_sheared())
    ends = np.minimum(lined[:, :3].mean(axis=1), lined[:, -3:].mean(axis=1))
    lean = (0.7 * lined.mean(axis=1) + 0.3 * ends).argmax(axis=0)
    columns = np.arange(_ACROSS)
    best = lined[lean, :, columns]
    # Rules and boxes of print stop short of the paper's edge, shadows fade: both ends and the worst fifth count.
    strength = 0.4 * best.mean(axis=1) + 0.3 * np.partition(best, _WORST, axis=1)[:, _WORST] + 0.3 * ends[lean, columns]
    strength[:_MARGIN] = strength[-_MARGIN:] = 0
    return _peaks(strength, lean)


def _peaks(strength: Floats, lean: NDArray[np.intp]) -> list[tuple[float, float, float]]:
    """Return the best places well apart; many alike are lines of print and weaken each other."""
    found: list[tuple[float, float, float]] = []
    while len(found) < _CANDIDATES and float(strength.max()) >= 0.2:
        place = int(strength.argmax())
        half = _LEANS[int(lean[place])] / 2
        found.append((place - half, place + half, min(1.0, float(strength[place]))))
        strength[max(0, place - _APART) : place + _APART + 1] = 0
    if len(found) < 2:
        return found
    alone = float(np.clip(1.6 - 0.8 * found[1][2] / found[0][2], 0, 1))
    return [(top, bottom, s * (alone if rank == 0 else 0.8)) for rank, (top, bottom, s) in enumerate(found)]


def bend(contour: Polygon, line: Polygon) -> float:
    """Return how sharply the paper's edges bend at both ends of the line (the lesser of the two); 0 = a flat sheet."""
    length = max(float(np.linalg.norm(line[1] - line[0])), 1.0)
    along = (line[1] - line[0]) / length
    across, up = (contour - line[0]) @ np.array([-along[1], along[0]]), (contour - line[0]) @ along
    return min(_bend(across, sign * up, length) for sign in (1.0, -1.0))


def _bend(across: NDArray[np.float64], up: NDArray[np.float64], length: float) -> float:
    deepest = 0.0
    for reach in (0.05 * length, 0.1 * length):
        near = [np.abs(across - place) < max(1.5, 0.015 * length) for place in (-reach, 0.0, reach)]
        if all(where.any() for where in near):
            left, middle, right = (float(up[where].max()) for where in near)
            deepest = max(deepest, abs(left + right - 2 * middle) / 2 / reach)
    return deepest


def refined(luma: Plane, line: Polygon) -> Polygon:
    """Move a line (in pixels of the frame) to the bottom of the shadow it lies in, at the frame's full resolution."""
    span = line[1] - line[0]
    length = max(float(np.linalg.norm(span)), 1.0)
    normal, step = np.array([-span[1], span[0]]) / length, max(length / _STEPS_A_LENGTH, 0.5)
    half = round(_REACH * length / step)
    down = span * (1 - 2 * _ENDS) / (_ROWS - 1)
    matrix = np.column_stack([normal * step, down, line[0] + _ENDS * span - half * step * normal])
    flags, size = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, (2 * half + 1, _ROWS)
    rolled = cv2.warpAffine(luma, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    dark = cv2.GaussianBlur(np.asarray(rolled, np.float32), (0, 0), sigmaX=2.0, sigmaY=1.5)
    dark = np.minimum(dark - np.partition(dark, half, axis=1)[:, half, None], 0)
    first, last = _darkest_line(np.asarray(dark, np.float32))
    shares = (np.array([[0.0], [1.0]]) - _ENDS) / (1 - 2 * _ENDS)
    offsets = (first + shares * (last - first) - half) * step
    return points(line + offsets * normal)


@cache
def _straight_lines(rows: int, columns: int) -> NDArray[np.intp]:
    """Return where in a flat array the lines from every place of its first row to every one of its last lie."""
    row, first, last = np.ogrid[:rows, :columns, :columns]
    return np.asarray(row * columns + np.rint(first + row / max(rows - 1, 1) * (last - first)).astype(np.intp))


def _darkest_line(dark: Floats) -> tuple[float, float]:
    """Return the columns at the first and the last row of the straight line through the darkest places.

    Coarse first: what is so narrow that a coarse line would miss it is made as wide as the lines are apart. Then the
    darkest place near the line in each row, and the line that most of them are on, ever nearer.
    """
    rows, count = dark.shape
    along = np.linspace(0.0, 1.0, rows)
    wide = cv2.erode(dark, np.ones((1, _COARSE + 1), np.uint8))[::_COARSE, ::_COARSE]
    depth = wide.take(_straight_lines(*wide.shape)).sum(axis=0)
    line = np.array(np.unravel_index(int(depth.argmin()), depth.shape), np.float64) * _COARSE
    line[1] = line[0] + (line[1] - line[0]) / along[::_COARSE][-1]
    basis = np.column_stack([1 - along, along])
    for near in _NEAR:
        place = basis @ line
        columns = np.clip(np.rint(place).astype(np.intp)[:, None] + np.arange(-near, near + 1), 0, count - 1)
        values = np.take_along_axis(dark, columns, axis=1)
        darkest = columns[np.arange(rows), values.argmin(axis=1)]
        weight = -values.min(axis=1)
        for _ in range(3):
            robust = weight / (1 + ((darkest - basis @ line) / _STRAY) ** 2) + 1e-6
            line = np.linalg.solve((basis * robust[:, None]).T @ basis, (basis * robust[:, None]).T @ darkest)
    return float(line[0]), float(line[1])
