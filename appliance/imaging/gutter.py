"""Where the spine of an open book runs: a shadow that goes from one edge of the paper to the other."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.imaging.geometry import Polygon, apply, homography, points
from appliance.imaging.planes import Plane, plane
from appliance.imaging.view import View

Floats = NDArray[np.float32]

_ACROSS: Final = 256
_ALONG: Final = 192
_BANDS: Final = 24
_DEEP: Final = 40.0
"""A dip of so many levels (of paper at 200) is as good as any deeper one."""
_WORST: Final = _BANDS // 5
_REACHES: Final = (5, 9, 15)
_MARGIN: Final = 20
_APART: Final = 12
_CANDIDATES: Final = 4
_LEANS: Final = tuple(range(-24, 25, 2))
_STEP_WEIGHT: Final = 0.25
_COLOUR_LIMIT: Final = 16.0


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


def find_gutters(view: View, quad: Polygon, mask: Plane) -> list[Gutter]:
    """Return lines that may divide the paper within `quad` (clockwise from its top left)."""
    return [*_lines(view, quad, mask, upright=True), *_lines(view, np.roll(quad, 1, axis=0), mask, upright=False)]


def _lines(view: View, quad: Polygon, mask: Plane, *, upright: bool) -> list[Gutter]:
    flat = points([(0, 0), (_ACROSS - 1, 0), (_ACROSS - 1, _ALONG - 1), (0, _ALONG - 1)])
    back = homography(flat, quad)
    y, u, v, paper = (_flattened(values, back) for values in (view.y, view.u, view.v, mask))
    # The lighter fifth of each band is paper between lines of print.
    evidence = _valley(_bands(y, 80), _bands(u, 50), _bands(v, 50), _bands(paper, 50) > 127)
    return [
        Gutter(apply(back, points([(top, 0), (bottom, _ALONG - 1)])), strength, upright)
        for top, bottom, strength in _strongest(evidence)
    ]


def _flattened(values: Plane, back: NDArray[np.float64]) -> Plane:
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return plane(cv2.warpPerspective(values, back, (_ACROSS, _ALONG), flags=flags, borderMode=cv2.BORDER_REPLICATE))


def _bands(values: Plane, percent: int) -> Floats:
    """Return a percentile of each column of each band along the spine, shape (bands, across)."""
    bands = values.reshape(_BANDS, -1, _ACROSS)
    rank = bands.shape[1] * percent // 100
    return np.asarray(np.partition(bands, rank, axis=1)[:, rank], np.float32)


def _valley(y: Floats, u: Floats, v: Floats, paper: NDArray[np.bool_]) -> Floats:
    """Return how far each place lies below the paper on both of its sides, 0 to 1."""
    level = max(float(np.percentile(y[paper], 75)) if paper.any() else 0.0, 40.0) / 200.0
    bottom, sides = cv2.blur(y, (3, 1)), [cv2.blur(values, (5, 1)) for values in (y, u, v)]
    solid = cv2.erode(paper.astype(np.uint8), np.ones((1, 3), np.uint8)) > 0
    best = np.zeros_like(y)
    for reach in _REACHES:
        left, right = ([np.roll(values, shift, axis=1) for values in sides] for shift in (reach, -reach))
        dip = np.maximum(np.minimum(left[0], right[0]) - bottom, 0) + _STEP_WEIGHT / 2 * np.abs(left[0] - right[0])
        unlike = np.abs(left[1] - right[1]) + np.abs(left[2] - right[2])
        both = np.roll(solid, reach, axis=1) & np.roll(solid, -reach, axis=1)
        best = np.maximum(best, dip * both * np.clip(1.5 - unlike / _COLOUR_LIMIT, 0, 1))
    return np.asarray(np.sqrt(np.clip(best / (_DEEP * level), 0, 1)), np.float32)


def _strongest(evidence: Floats) -> list[tuple[float, float, float]]:
    """Return top, bottom and strength of the straight lines with the most evidence in most bands."""
    wide = cv2.dilate(evidence, np.ones((1, 3), np.uint8))
    rows, columns = np.arange(_BANDS)[:, None], np.arange(_ACROSS)
    table = np.zeros((len(_LEANS), _ACROSS), np.float32)
    for index, lean in enumerate(_LEANS):
        shift = np.rint((rows / (_BANDS - 1) - 0.5) * lean).astype(int)
        lined = np.take_along_axis(wide, (columns + shift) % _ACROSS, axis=1)
        ends = np.minimum(lined[:3].mean(axis=0), lined[-3:].mean(axis=0))
        # Rules and boxes of print stop short of the paper's edge, shadows fade: both ends and the worst fifth count.
        table[index] = 0.4 * lined.mean(axis=0) + 0.3 * np.partition(lined, _WORST, axis=0)[_WORST] + 0.3 * ends
    table[:, :_MARGIN] = table[:, -_MARGIN:] = 0
    return _peaks(table)


def _peaks(table: Floats) -> list[tuple[float, float, float]]:
    """Return the best places well apart; many alike are lines of print and weaken each other."""
    best = table.max(axis=0)
    found: list[tuple[float, float, float]] = []
    while len(found) < _CANDIDATES and float(best.max()) >= 0.2:
        place = int(best.argmax())
        lean = float(_LEANS[int(table[:, place].argmax())])
        found.append((place - lean / 2, place + lean / 2, float(best[place])))
        best[max(0, place - _APART) : place + _APART + 1] = 0
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
    length = max(float(np.linalg.norm(line[1] - line[0])), 1.0)
    along = (line[1] - line[0]) / length
    reach, step = 0.035 * length, max(length / 2000, 0.5)
    offsets = np.arange(-reach, reach + step / 2, step)
    shares = np.linspace(0.03, 0.97, 96)
    grid = (
        line[0] + shares[:, None, None] * (line[1] - line[0]) + offsets[None, :, None] * np.array([-along[1], along[0]])
    )
    rolled = cv2.remap(luma, grid.astype(np.float32), None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]
    dark = cv2.GaussianBlur(np.asarray(rolled, np.float32), (0, 0), sigmaX=2.0, sigmaY=1.5)
    dark = np.minimum(dark - np.median(dark, axis=1, keepdims=True), 0)
    first, last = _darkest_line(np.asarray(dark, np.float32), shares)
    normal = np.array([-along[1], along[0]])
    return points([line[0] + offsets[first] * normal, line[1] + offsets[last] * normal])


def _darkest_line(dark: Floats, shares: NDArray[np.float64]) -> tuple[int, int]:
    """Return the columns at both ends of the straight line through the darkest places; coarse first, then exact."""
    count = dark.shape[1]
    best, spacing = (count // 2, count // 2), 4
    ends = np.arange(0, count, spacing)
    candidates = (ends, ends)
    for _ in range(2):
        first, last = np.meshgrid(*candidates, indexing="ij")
        columns = np.rint(first[..., None] * (1 - shares) + last[..., None] * shares).astype(np.intp)
        depth = dark[np.arange(len(shares)), columns].mean(axis=-1)
        i, j = np.unravel_index(int(depth.argmin()), depth.shape)
        best = (int(candidates[0][i]), int(candidates[1][j]))
        candidates = tuple(np.arange(max(0, b - spacing), min(count, b + spacing + 1)) for b in best)  # type: ignore[assignment]
    return best
