"""The edges of pages in the view: a strip along each rough side is rolled out and the best path through it followed."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.imaging.geometry import Polygon
from appliance.imaging.paths import Doubles, Floats, Path, best_paths, fitted, steps_across
from appliance.imaging.view import View

_SAMPLES: Final = 96
_MARGIN: Final = 4
_LEAST_REACH_PX: Final = 1.0
_BESIDE: Final = 2
"""Rows to either side that are averaged; those at the ends show another side."""
_CHROMA_WEIGHT: Final = 1.5
_WRONG_WAY: Final = 0.7
"""Paper is mostly lighter than what lies under it; a change the other way counts for less."""
_ENOUGH_CHANGE: Final = 60.0
_STIFFNESS: Final = 0.35
_LOOSE: Final = 0.12
_SEEN: Final = 10.0
"""Levels that luma or colour must change across an edge to say that it was seen."""
_NEAR_PX: Final = 2.5
_STRAY_PX: Final = 1.5
_DEGREE: Final = 3
_FALLS: Final = (0.7, 0.88)
"""Where, counted from a side's middle, its page begins to fall into the spine."""
_UNLIKELY_FALL: Final = 1e6
_LIKELY_FALL: Final = 1e-2
_AT_FRAME_PX: Final = 1.6
_AT_FRAME_SHARE: Final = 0.7
_FRAME_CONTRAST: Final = 20.0
_UNLIKE_PAPER: Final = 12.0
_PRINTED: Final = 21.0
"""Change along a strip (not across it) that covers and fore-edges do not have, but print does."""
_LEAST_DEEP: Final = 8
_MIN_SUPPORT: Final = 0.6
_MIN_CONTRAST: Final = 6.0
_Y, _U, _V, _PRINT = range(4)


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


@dataclass(frozen=True, slots=True)
class Rough:
    """About where a side of a page lies, the page to its right.

    Attributes:
        start: a corner, in pixels of the view, shape (2,).
        end: the next corner, clockwise.
        falls: whether the page falls into a spine at its start, and at its end.
    """

    start: Polygon
    end: Polygon
    falls: tuple[bool, bool] = (False, False)


@dataclass(frozen=True, slots=True, eq=False)
class _Strips:
    """What lies along rough sides: row = place along, column = distance across, outside first.

    Attributes:
        base: float64, shape (sides, rows, 2).
        inward: float64, shape (sides, 2).
        offsets: float64, shape (columns,).
        values: luma, blue and red difference without print, and luma with it: uint8, shape (sides, rows, columns, 4).
        change: across each place, float32, shape (sides, rows, columns).
        beyond: whether a place lies beyond the frame, shape (sides, rows, columns).
        falls: what each side pays for falling, shape (sides, curves).
    """

    base: Doubles
    inward: Doubles
    offsets: Doubles
    values: NDArray[np.uint8]
    change: Floats
    beyond: NDArray[np.bool_]
    falls: Doubles

    def only(self, which: list[int]) -> "_Strips":
        """Return some of the sides."""
        return _Strips(
            self.base[which],
            self.inward[which],
            self.offsets,
            self.values[which],
            self.change[which],
            self.beyond[which],
            self.falls[which],
        )


def follow(view: View, clean: View, rough: list[Rough], *, reach_px: float, deep_px: float) -> list[Side]:
    """Return the edge of paper near each rough side.

    Args:
        view: where to look.
        clean: the same without print.
        rough: the sides.
        reach_px: how far to either side the strongest edge is looked for.
        deep_px: how wide a cover or fore-edge inside that edge may be.
    """
    along = np.linspace(0.0, 1.0, _SAMPLES)[:, None]
    bases = [each.start + along * (each.end - each.start) for each in rough]
    sides = [Side(base, 1.0, _FRAME_CONTRAST, at_frame=True) for base in bases]
    free = [index for index, base in enumerate(bases) if not _ends_with_frame(view, base)]
    if not free:
        return sides
    strips = _unroll(view, clean, [rough[index] for index in free], reach_px, deep_px)
    first, last = np.searchsorted(strips.offsets, np.array([-1.0, 1.0]) * max(reach_px, _LEAST_REACH_PX))
    paths = first + _paths(strips.change[:, :, first:last], strips.falls)
    for index, side in zip(free, _judged(strips, paths), strict=True):
        sides[index] = side
    widths = [_cover_width(strips, index, path, int(deep_px)) for index, path in enumerate(paths)]
    covered = [index for index, width in enumerate(widths) if width]
    if covered:
        inside = strips.only(covered)
        expected = paths[covered] + np.array(widths)[covered, None]
        for index, inner in zip(covered, _judged(inside, _paths_near(inside, expected)), strict=True):
            if inner.support >= _MIN_SUPPORT and inner.contrast >= _MIN_CONTRAST:
                sides[free[index]] = inner
    return sides


def _ends_with_frame(view: View, base: Polygon) -> bool:
    """Tell whether a rough side is where the frame cuts the paper off: then there is no edge to look for."""
    limit = np.array([view.width_px - 1 - _AT_FRAME_PX, view.height_px - 1 - _AT_FRAME_PX])
    return float(((base < _AT_FRAME_PX) | (base > limit)).any(axis=1).mean()) > _AT_FRAME_SHARE


def _unroll(view: View, clean: View, rough: list[Rough], reach: float, deep: float) -> _Strips:
    start, end = np.stack([each.start for each in rough]), np.stack([each.end for each in rough])
    direction = (end - start) / np.maximum(np.linalg.norm(end - start, axis=1, keepdims=True), 1e-6)
    inward = np.stack([-direction[:, 1], direction[:, 0]], axis=1)
    offsets = np.arange(-reach - _MARGIN, reach + deep + _MARGIN + 0.01)
    base = start[:, None] + np.linspace(0.0, 1.0, _SAMPLES)[:, None] * (end - start)[:, None]
    grid = base.astype(np.float32)[:, :, None] + (offsets[:, None] * inward[:, None]).astype(np.float32)[:, None]
    picture = cv2.merge([clean.y, clean.u, clean.v, view.y])
    flat = grid.reshape(-1, len(offsets), 2)
    values = cv2.remap(picture, flat, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]
    values = values.reshape(*grid.shape[:3], 4)
    x, y = grid[..., 0], grid[..., 1]
    beyond = (x < 2) | (x > view.width_px - 3) | (y < 2) | (y > view.height_px - 3)
    falls = np.array(
        [
            [0.0] * (_DEGREE + 1) + [_LIKELY_FALL if f else _UNLIKELY_FALL for f in r.falls for _ in _FALLS]
            for r in rough
        ]
    )
    return _Strips(base, inward, offsets, values, _change(values), beyond, falls)


def _change(values: NDArray[np.uint8]) -> Floats:
    """Return how much luma and colour change across each place of the strips."""
    sides, rows, columns, _ = values.shape
    steps = steps_across(values.reshape(-1, columns, 4), 3, 2 * _BESIDE + 1).reshape(sides, rows, columns, 4)
    steps[:, :_BESIDE], steps[:, -_BESIDE:] = steps[:, _BESIDE, None], steps[:, -_BESIDE - 1, None]
    luma = steps[..., _PRINT]
    total = np.maximum(luma, -_WRONG_WAY * luma)
    total += _CHROMA_WEIGHT * (np.abs(steps[..., _U]) + np.abs(steps[..., _V]))
    return np.asarray(total, np.float32)


def _paths(change: Floats, falls: Doubles) -> Path:
    """Return the best path through each strip; where a page may fall into its spine it may bend more."""
    gain = np.sqrt(np.minimum(change, _ENOUGH_CHANGE) / np.float32(_ENOUGH_CHANGE))
    along = np.linspace(-1.0, 1.0, _SAMPLES)[1:]
    stiffness = np.full((len(falls), _SAMPLES - 1), _STIFFNESS, np.float32)
    for sign, column in ((-1, _DEGREE + 1), (1, -1)):
        stiffness[(falls[:, column] == _LIKELY_FALL)[:, None] & (sign * along > _FALLS[0])] = _LOOSE
    return best_paths(np.asarray(gain, np.float32), stiffness)


def _paths_near(strips: _Strips, expected: Path) -> Path:
    """Return the best path beside an expected one through each strip."""
    columns = expected[:, :, None] + np.arange(-_MARGIN, _MARGIN + 1)
    columns = np.clip(columns, 0, len(strips.offsets) - 1)
    best = _paths(np.take_along_axis(strips.change, columns, axis=2), strips.falls)
    return np.take_along_axis(columns, best[:, :, None], axis=2)[:, :, 0]


def _cover_width(strips: _Strips, index: int, path: Path, deep: int) -> int:
    """Return how far inside the strongest edge the paper begins, where a cover or a fore-edge lies between; else 0.

    Both are plain along their length. A coloured band that carries print belongs to the page.
    """
    columns = np.minimum(path[:, None] + np.arange(2, max(deep, _LEAST_DEEP) + 1), len(strips.offsets) - 1)
    values = strips.values[index][np.arange(_SAMPLES)[:, None], columns].astype(np.float32)
    inner = np.sort(values[:, int(0.6 * columns.shape[1]) :].reshape(-1, 4), axis=0)
    paper = inner[int(0.6 * (len(inner) - 1)), _Y]
    unlike = np.maximum(paper - values[..., _Y], 0)
    for chroma in (_U, _V):
        unlike += 2.0 * np.abs(values[..., chroma] - inner[len(inner) // 2, chroma])
    profile = np.sort(unlike, axis=0)[int(0.35 * (_SAMPLES - 1))]
    like = np.flatnonzero(profile < _UNLIKE_PAPER)
    if not like.size or like[0] == 0:
        return 0
    width = int(like[0])
    goes_on = bool((profile[width : width + 6] > _UNLIKE_PAPER).any())
    printed = np.sort(np.abs(np.diff(values[:, : max(1, width - 2), _PRINT], axis=0)), axis=None)
    return 0 if goes_on or printed[int(0.9 * (len(printed) - 1))] > _PRINTED else width + 2


def _judged(strips: _Strips, paths: Path) -> list[Side]:
    """Return smooth curves through paths, and how much of them was seen."""
    at = (np.arange(len(paths))[:, None], np.arange(_SAMPLES), paths)
    strength, beyond, offsets = strips.change[at], strips.beyond[at], strips.offsets[paths]
    weight = np.where(beyond, 0.0, np.clip(strength / _SEEN, 0.02, 1.0)) + 1e-3
    place = fitted(_curves(), offsets, weight, _STRAY_PX, strips.falls)
    seen = (strength > _SEEN) & (np.abs(place - offsets) < _NEAR_PX)
    support = (seen | beyond).mean(axis=1)
    curves = strips.base + place[:, :, None] * strips.inward[:, None]
    return [
        Side(curve, float(share), _middle(levels[~outside]))
        for curve, share, levels, outside in zip(curves, support, strength, beyond, strict=True)
    ]


def _curves() -> Doubles:
    """Return what a page's edge is made of: a cubic, and a fall into the spine at either end."""
    along = np.linspace(-1.0, 1.0, _SAMPLES)
    falls = [np.maximum(sign * along - begin, 0) ** 2 / (1 - begin) ** 2 for sign in (-1, 1) for begin in _FALLS]
    return np.column_stack([np.polynomial.legendre.legvander(along, _DEGREE), *falls])


def _middle(levels: Floats) -> float:
    return float(np.sort(levels)[len(levels) // 2]) if len(levels) else 0.0
