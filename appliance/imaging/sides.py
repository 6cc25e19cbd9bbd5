"""The exact edge of a page: a strip along each rough side is rolled out and the best path through it followed."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.imaging.geometry import Polygon
from appliance.imaging.view import View

Floats = NDArray[np.float32]
Path = NDArray[np.intp]

_SAMPLES: Final = 96
_CHROMA_WEIGHT: Final = 1.5
_WRONG_WAY: Final = 0.7
"""Paper is mostly lighter than what lies under it; a change the other way counts for less."""
_ENOUGH_CHANGE: Final = 60.0
_STIFFNESS: Final = 0.35
_STEPS: Final = 2
_SEEN: Final = 10.0
"""Levels that luma or colour must change across an edge to say that it was seen."""
_NEAR_PX: Final = 2.5
_DEGREE: Final = 3
_AT_FRAME_PX: Final = 1.6
_AT_FRAME_SHARE: Final = 0.7
_FRAME_CONTRAST: Final = 20.0
_UNLIKE_PAPER: Final = 12.0
_PRINTED: Final = 21.0
"""Change along a strip (not across it) that covers and fore-edges do not have, but print does."""
_MIN_SUPPORT: Final = 0.6
_MIN_CONTRAST: Final = 6.0


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One edge of a page, followed along its length.

    Attributes:
        curve: points from corner to corner, in pixels of the view, float64, shape (n, 2).
        support: share of the length where something changes across the edge, or where the frame ends.
        contrast: middle strength of that change, in levels.
        at_frame: whether it is no edge of paper but the end of the frame.
    """

    curve: Polygon
    support: float
    contrast: float
    at_frame: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class _Strip:
    """What lies along a rough side: row = place along it, column = distance across it, outside first."""

    base: Polygon
    inward: Polygon
    offsets: NDArray[np.float64]
    y: Floats
    u: Floats
    v: Floats
    printed: Floats
    beyond: NDArray[np.bool_]


def follow(view: View, clean: View, start: Polygon, end: Polygon, *, reach_px: float, deep_px: float) -> Side:
    """Return the edge of paper near the straight line from `start` to `end`, the page lying to its right.

    Args:
        view: where to look.
        clean: the same without print.
        start: a corner, shape (2,).
        end: the next corner, clockwise.
        reach_px: how far to either side the strongest edge is looked for.
        deep_px: how wide a cover or fore-edge inside that edge may be.
    """
    strip = _unroll(view, clean, start, end, reach_px, deep_px)
    if _ends_with_frame(view, strip.base):
        return Side(strip.base, 1.0, _FRAME_CONTRAST, at_frame=True)
    change = _change(strip)
    path = _best_path(np.where(np.abs(strip.offsets) <= reach_px, change, np.float32(0)))
    side = _smoothed(strip, change, path)
    width = _cover_width(strip, path, int(deep_px))
    if width:
        near = np.abs(np.arange(change.shape[1]) - (path + width)[:, None]) <= 4
        inner = _smoothed(strip, change, _best_path(np.where(near, change, np.float32(0))))
        if inner.support >= _MIN_SUPPORT and inner.contrast >= _MIN_CONTRAST:
            return inner
    return side


def _ends_with_frame(view: View, base: Polygon) -> bool:
    """Tell whether a rough side is where the frame cuts the paper off: then there is no edge to look for."""
    limit = np.array([view.width_px - 1 - _AT_FRAME_PX, view.height_px - 1 - _AT_FRAME_PX])
    return float(((base < _AT_FRAME_PX) | (base > limit)).any(axis=1).mean()) > _AT_FRAME_SHARE


def _unroll(view: View, clean: View, start: Polygon, end: Polygon, reach: float, deep: float) -> _Strip:
    direction = (end - start) / max(float(np.linalg.norm(end - start)), 1e-6)
    inward = np.array([-direction[1], direction[0]])
    offsets = np.arange(-reach - 4, reach + deep + 4.01)
    base = start + np.linspace(0.0, 1.0, _SAMPLES)[:, None] * (end - start)
    grid = (base[:, None, :] + offsets[None, :, None] * inward).astype(np.float32)
    y, u, v, printed = (_sample(values, grid) for values in (clean.y, clean.u, clean.v, view.y))
    limit = np.array([view.width_px - 3, view.height_px - 3])
    beyond = ((grid < 2) | (grid > limit)).any(axis=2)
    return _Strip(base, inward, offsets, y, u, v, printed, beyond)


def _sample(values: NDArray[np.uint8], grid: Floats) -> Floats:
    found = cv2.remap(values, grid, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]
    return np.asarray(found, np.float32)


def _change(strip: _Strip) -> Floats:
    """Return how much luma and colour change across each place of the strip."""
    luma = _step(strip.printed)
    total = np.where(luma < 0, -_WRONG_WAY * luma, luma)
    total += _CHROMA_WEIGHT * (np.abs(_step(strip.u)) + np.abs(_step(strip.v)))
    return np.asarray(total, np.float32)


def _step(values: Floats) -> Floats:
    """Return the mean of three places further in less that of three further out."""
    kernel = np.array([[-1, -1, -1, 0, 1, 1, 1]], np.float32) / 3
    along = np.full((5, 1), 0.2, np.float32)
    return np.asarray(cv2.filter2D(cv2.filter2D(values, -1, along), -1, kernel), np.float32)


def _best_path(change: Floats) -> Path:
    """Return for each row the column of the path with the most change and the least wandering."""
    gain = np.sqrt(np.minimum(change, _ENOUGH_CHANGE) / _ENOUGH_CHANGE)
    rows, columns = gain.shape
    back = np.zeros(gain.shape, np.int8)
    penalty = (_STIFFNESS * np.abs(np.arange(-_STEPS, _STEPS + 1, dtype=np.float32)))[:, None]
    padded = np.full(columns + 2 * _STEPS, -1e9, np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(padded, columns)
    score, places = gain[0].copy(), np.arange(columns)
    for row in range(1, rows):
        padded[_STEPS:-_STEPS] = score
        options = windows - penalty
        best = options.argmax(axis=0)
        back[row] = best - _STEPS
        score = gain[row] + options[best, places]
    path = np.zeros(rows, np.intp)
    path[-1] = int(score.argmax())
    for row in range(rows - 1, 0, -1):
        path[row - 1] = path[row] + back[row, path[row]]
    return path


def _cover_width(strip: _Strip, path: Path, deep: int) -> int:
    """Return how far inside the strongest edge the paper begins, where a cover or a fore-edge lies between; else 0.

    Both are plain along their length. A coloured band that carries print belongs to the page.
    """
    columns = np.minimum(path[:, None] + np.arange(2, max(deep, 8) + 1), strip.y.shape[1] - 1)
    y, u, v, printed = (np.take_along_axis(values, columns, 1) for values in (strip.y, strip.u, strip.v, strip.printed))
    inner = slice(int(0.6 * columns.shape[1]), None)
    unlike = np.maximum(np.percentile(y[:, inner], 60) - y, 0)
    for chroma in (u, v):
        unlike = unlike + 2.0 * np.abs(chroma - np.median(chroma[:, inner]))
    profile = np.percentile(unlike, 35, axis=0)
    like = np.flatnonzero(profile < _UNLIKE_PAPER)
    if not like.size or like[0] == 0:
        return 0
    width = int(like[0])
    goes_on = bool((profile[width : width + 6] > _UNLIKE_PAPER).any())
    busy = float(np.percentile(np.abs(np.diff(printed[:, : max(1, width - 2)], axis=0)), 90)) > _PRINTED
    return 0 if goes_on or busy else width + 2


def _smoothed(strip: _Strip, change: Floats, path: Path) -> Side:
    rows = np.arange(len(path))
    strength, beyond, offsets = change[rows, path], strip.beyond[rows, path], strip.offsets[path]
    weight = np.where(beyond, 0.0, np.clip(strength / _SEEN, 0.02, 1.0)) + 1e-3
    place = fitted(np.linspace(-1.0, 1.0, len(path)), offsets, weight)
    seen = (strength > _SEEN) & (np.abs(place - offsets) < _NEAR_PX)
    support = float(np.mean(seen | beyond))
    contrast = float(np.median(strength[~beyond])) if not beyond.all() else 0.0
    return Side(strip.base + place[:, None] * strip.inward, support, contrast)


def fitted(
    along: NDArray[np.float64], place: NDArray[np.float64], weight: NDArray[np.float64], stray: float = 1.5
) -> NDArray[np.float64]:
    """Return a cubic through places along -1 to 1; what is more than `stray` from it cannot bend it."""
    basis = np.polynomial.legendre.legvander(along, _DEGREE)
    robust, curve = weight, place
    for _ in range(5):
        weighted = basis * robust[:, None]
        curve = basis @ np.linalg.solve(weighted.T @ basis, weighted.T @ place)
        robust = weight / (1.0 + ((place - curve) / stray) ** 2)
    return curve
