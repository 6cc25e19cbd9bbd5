"""The edges of pages in the view: a strip along each rough side is rolled out and the best path through it followed."""

from dataclasses import dataclass
from functools import cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.imaging.finding.paths import Doubles, Floats, Path, best_paths, fitted, steps_across
from appliance.imaging.geometry import Polygon, distances, points
from appliance.imaging.ranks import ranked
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
_DEEPEST_FALL: Final = 3.0
_WELL_WITHIN: Final = 0.5
"""Of the reach: paper that lies so far inside a rough side is still followed well."""
_FALL_SOFT: Final = 3
_OTHER_COLOUR: Final = 0.2
"""Of luma: how far blue and red difference of ground are from the paper's beside it, together. Measured: wood and cloth
0.29 and more, paper in a shadow or in a spine at most 0.13."""
_DARKEST: Final = 0.3
"""Of the paper's luma: paper in a shadow is no darker."""
_MOSTLY: Final = 0.7
_AT_FRAME_PX: Final = 1.6
_AT_FRAME_SHARE: Final = 0.7
_FRAME_CONTRAST: Final = 20.0
_UNLIKE_PAPER: Final = 12.0
_PRINTED: Final = 21.0
"""Change along a strip (not across it) that covers and fore-edges do not have, but print does."""
_LEAST_DEEP: Final = 8
_HALF: Final = 3
"""Columns to either side of a place that are compared."""
_MIN_SUPPORT: Final = 0.6
_MIN_CONTRAST: Final = 6.0
_Y, _U, _V, _CLEAN = range(4)


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
        contour: of the paper, where a page that falls is looked for inside the straight way from start to end.
    """

    start: Polygon
    end: Polygon
    falls: tuple[bool, bool] = (False, False)
    contour: Polygon | None = None


@dataclass(frozen=True, slots=True, eq=False)
class _Strips:
    """What lies along rough sides: row = place along, column = distance across, outside first.

    Attributes:
        base: float64, shape (sides, rows, 2).
        inward: float64, shape (sides, 2).
        offsets: float64, shape (columns,).
        values: luma, blue and red difference, and luma without print: uint8, shape (sides, rows, columns, 4).
        beyond: whether a place lies beyond the frame, shape (sides, rows, columns).
        falls: what each side pays for falling, shape (sides, curves).
    """

    base: Doubles
    inward: Doubles
    offsets: Doubles
    values: NDArray[np.uint8]
    beyond: NDArray[np.bool_]
    falls: Doubles

    def some(self, which: list[int]) -> "_Strips":
        """Return some of the sides."""
        across = (self.values[which], self.beyond[which], self.falls[which])
        return _Strips(self.base[which], self.inward[which], self.offsets, *across)


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
    change = _change(strips.values[:, :, : last + _HALF])
    paths = first + _paths(change[:, :, first:last], strips.falls)
    for index, side in zip(free, _judged(strips, change, paths), strict=True):
        sides[index] = side
    widths = _cover_widths(strips, paths, int(deep_px))
    covered = [int(index) for index in np.flatnonzero(widths)]
    if covered:
        inside = strips.some(covered)
        change = _change(inside.values)
        inner = _judged(inside, change, _paths_near(inside, change, paths[covered] + widths[covered, None]))
        for index, side in zip(covered, inner, strict=True):
            if side.support >= _MIN_SUPPORT and side.contrast >= _MIN_CONTRAST:
                sides[free[index]] = side
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
    fallen = np.stack([_fallen(clean, each, reach) for each in rough])
    base += fallen[:, :, None] * inward[:, None]
    picture = cv2.merge([view.y, clean.u, clean.v, clean.y])
    size, flags = (len(offsets), _SAMPLES), cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    backs = np.stack([inward, (end - start) / (_SAMPLES - 1), start + offsets[0] * inward], axis=2)
    values = [cv2.warpAffine(picture, back, size, flags=flags, borderMode=cv2.BORDER_REPLICATE) for back in backs]
    for index in np.flatnonzero(fallen.any(axis=1)):
        grid = (base[index, :, None] + offsets[:, None] * inward[index]).astype(np.float32)
        values[index] = cv2.remap(picture, grid, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]
    falls = np.array(
        [
            [0.0] * (_DEGREE + 1) + [_LIKELY_FALL if f else _UNLIKELY_FALL for f in r.falls for _ in _FALLS]
            for r in rough
        ]
    )
    return _Strips(base, inward, offsets, np.stack(values), _beyond(view, base, inward, offsets), falls)


def _fallen(clean: View, rough: Rough, reach: float) -> Doubles:
    """Return how far inside a rough side its strip must lie, place by place, to hold paper that falls into a spine.

    Or outside, below 0, where paper bulges out of a quad that was laid within it.
    """
    if rough.contour is None:
        return np.zeros(_SAMPLES)
    depth = _depth(rough, reach)
    fallen = np.asarray(np.minimum(depth + _WELL_WITHIN * reach, 0.0), np.float64)
    too_deep = np.maximum(depth - _WELL_WITHIN * reach, 0)
    for falls, half in zip(rough.falls, np.split(np.arange(_SAMPLES), 2), strict=True):
        if falls and _is_ground(clean, rough, depth, half[too_deep[half] > 0], reach):
            fallen[half] = too_deep[half]
    kernel, edge = (1, 4 * _FALL_SOFT + 1), cv2.BORDER_REPLICATE
    return np.asarray(
        cv2.GaussianBlur(fallen[:, None], kernel, 1, sigmaY=_FALL_SOFT, borderType=edge)[:, 0], np.float64
    )


def _depth(rough: Rough, reach: float) -> Doubles:
    """Return how far inside a rough side its paper's contour lies, place by place."""
    inside, along = distances(points(rough.contour), np.stack([rough.start, rough.end]))
    place = np.rint(along / max(float(np.linalg.norm(rough.end - rough.start)), 1e-6) * (_SAMPLES - 1)).astype(np.intp)
    beside = (place >= 0) & (place < _SAMPLES) & (inside < _DEEPEST_FALL * reach)
    if not beside.any():
        return np.zeros(_SAMPLES)
    depth = np.full(_SAMPLES, np.inf)
    np.minimum.at(depth, place[beside], inside[beside])
    seen = np.flatnonzero(np.isfinite(depth))
    return np.asarray(np.interp(np.arange(_SAMPLES), seen, depth[seen]), np.float64)


def _is_ground(clean: View, rough: Rough, depth: Doubles, where: NDArray[np.intp], reach: float) -> bool:
    """Tell whether what lies outside a contour has another colour than the paper beside it: shadows have not."""
    if not where.size:
        return False
    span = rough.end - rough.start
    inward = np.array([-span[1], span[0]]) / max(float(np.hypot(*span)), 1e-6)
    base = rough.start + where[:, None] / (_SAMPLES - 1) * span
    tones = []
    for away in (depth[where] / 2, depth[where] + _WELL_WITHIN * reach):
        x, y = (
            np.clip(np.rint(base + away[:, None] * inward), 0, (clean.width_px - 1, clean.height_px - 1))
            .astype(np.intp)
            .T
        )
        luma, blue, red = (values[y, x].astype(np.float64) for values in (clean.y, clean.u, clean.v))
        tones.append(np.stack([luma, (blue - 128) / np.maximum(luma, 16), (red - 128) / np.maximum(luma, 16)]))
    outside, paper = tones
    other = np.abs(outside[1:] - paper[1:]).sum(axis=0) > _OTHER_COLOUR
    return float(np.mean(other | (outside[0] < _DARKEST * paper[0]))) >= _MOSTLY


def _beyond(view: View, base: Doubles, inward: Doubles, offsets: Doubles) -> NDArray[np.bool_]:
    """Return which places of strips lie beyond the frame; mostly none do."""
    limit = np.array([view.width_px - 3, view.height_px - 3])
    edges = np.concatenate([base + offset * inward[:, None] for offset in offsets[[0, -1]]], axis=1)
    out = np.flatnonzero(((edges < 2) | (edges > limit)).any(axis=(1, 2)))
    beyond = np.zeros((*base.shape[:2], len(offsets)), np.bool_)
    grid = base[out, :, None] + offsets[:, None] * inward[out, None, None]
    beyond[out] = ((grid < 2) | (grid > limit)).any(axis=3)
    return beyond


def _change(values: NDArray[np.uint8]) -> Floats:
    """Return how much luma and colour change across each place of the strips."""
    sides, rows, columns, _ = values.shape
    steps = steps_across(
        np.ascontiguousarray(values[..., :_CLEAN]).reshape(-1, columns, _CLEAN), _HALF, 2 * _BESIDE + 1
    )
    steps = steps.reshape(sides, rows, columns, _CLEAN)
    steps[:, :_BESIDE], steps[:, -_BESIDE:] = steps[:, _BESIDE, None], steps[:, -_BESIDE - 1, None]
    luma, blue, red = (steps[..., each] for each in (_Y, _U, _V))
    total = np.maximum(luma, -_WRONG_WAY * luma)
    total += _CHROMA_WEIGHT * (np.abs(blue) + np.abs(red))
    return np.asarray(total, np.float32)


def _paths(change: Floats, falls: Doubles) -> Path:
    """Return the best path through each strip; where a page may fall into its spine it may bend more."""
    gain = np.sqrt(np.minimum(change, _ENOUGH_CHANGE) / np.float32(_ENOUGH_CHANGE))
    along = np.linspace(-1.0, 1.0, _SAMPLES)[1:]
    stiffness = np.full((len(falls), _SAMPLES - 1), _STIFFNESS, np.float32)
    for sign, column in ((-1, _DEGREE + 1), (1, -1)):
        stiffness[(falls[:, column] == _LIKELY_FALL)[:, None] & (sign * along > _FALLS[0])] = _LOOSE
    return best_paths(np.asarray(gain, np.float32), stiffness)


def _paths_near(strips: _Strips, change: Floats, expected: Path) -> Path:
    """Return the best path beside an expected one through each strip."""
    columns = expected[:, :, None] + np.arange(-_MARGIN, _MARGIN + 1)
    columns = np.clip(columns, 0, len(strips.offsets) - 1)
    best = _paths(np.take_along_axis(change, columns, axis=2), strips.falls)
    return np.take_along_axis(columns, best[:, :, None], axis=2)[:, :, 0]


def _cover_widths(strips: _Strips, paths: Path, deep: int) -> NDArray[np.intp]:
    """Return how far inside each strongest edge the paper begins, where a cover or a fore-edge lies between; else 0.

    Both are plain along their length. A coloured band that carries print belongs to the page.
    """
    columns = paths[:, :, None] + np.arange(2, max(deep, _LEAST_DEEP) + 1)
    columns = np.minimum(columns, len(strips.offsets) - 1)
    at = (np.arange(len(paths))[:, None, None], np.arange(_SAMPLES)[:, None], columns)
    return np.array([_cover_width(values) for values in strips.values[at].astype(np.int16)], np.intp)


def _cover_width(values: NDArray[np.int16]) -> int:
    inner = values[:, int(0.6 * values.shape[1]) :]
    unlike = np.maximum(round(ranked(inner[..., _CLEAN], 0.6)) - values[..., _CLEAN], 0)
    for chroma in (_U, _V):
        unlike += 2 * np.abs(values[..., chroma] - round(ranked(inner[..., chroma])))
    few = int(0.35 * (len(values) - 1))
    profile = np.partition(unlike, few, axis=0)[few]
    like = np.flatnonzero(profile < _UNLIKE_PAPER)
    if not like.size or like[0] == 0:
        return 0
    width = int(like[0])
    goes_on = bool((profile[width : width + 6] > _UNLIKE_PAPER).any())
    return (
        0
        if goes_on or ranked(np.abs(np.diff(values[:, : max(1, width - 2), _Y], axis=0)), 0.9) > _PRINTED
        else width + 2
    )


def _judged(strips: _Strips, change: Floats, paths: Path) -> list[Side]:
    """Return smooth curves through paths, and how much of them was seen."""
    at = (np.arange(len(paths))[:, None], np.arange(_SAMPLES), paths)
    strength, beyond, offsets = change[at], strips.beyond[at], strips.offsets[paths]
    weight = np.where(beyond, 0.0, np.clip(strength / _SEEN, 0.02, 1.0)) + 1e-3
    place = fitted(_curves(), offsets, weight, _STRAY_PX, strips.falls)
    seen = (strength > _SEEN) & (np.abs(place - offsets) < _NEAR_PX)
    support = (seen | beyond).mean(axis=1)
    curves = strips.base + place[:, :, None] * strips.inward[:, None]
    return [
        Side(curve, float(share), ranked(levels[~outside]) if not outside.all() else 0.0)
        for curve, share, levels, outside in zip(curves, support, strength, beyond, strict=True)
    ]


@cache
def _curves() -> Doubles:
    """Return what a page's edge is made of: a cubic, and a fall into the spine at either end."""
    along = np.linspace(-1.0, 1.0, _SAMPLES)
    falls = [np.maximum(sign * along - begin, 0) ** 2 / (1 - begin) ** 2 for sign in (-1, 1) for begin in _FALLS]
    return np.column_stack([np.polynomial.legendre.legvander(along, _DEGREE), *falls])
