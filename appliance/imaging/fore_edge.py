"""Where the page ends and the edges of the leaves below it begin: a band of fine lines that run along the book's side.

Paper is quiet; the stack of leaves beside it is a ruling of faint, fine lines, near the tone of paper and without ink.
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.imaging.geometry import Polygon, points
from appliance.imaging.paths import fitted
from appliance.imaging.planes import Plane

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

_BLOCKS: Final = 32
_ROWS: Final = 12
_ENDS: Final = 0.05
"""Of the length, left out at both corners."""
_SAMPLES: Final = 1200
"""How finely a page's size is sampled across its side: single leaves must be seen."""
_LEAST_PX: Final = 1000
"""Below this size single leaves are not told apart, and an edge of paper alone looks like a few."""
_OUTSIDE: Final = -0.01
_DEPTH: Final = 0.2
_GLANCE: Final = 0.045
"""A strip so deep tells whether quiet paper begins at the side itself."""
_SURELY_QUIET: Final = 1.6
_GAP: Final = 0.016
"""Of the page's size: so much quiet paper follows where the leaves end."""
_LEAST_WIDTH: Final = 0.018
_FIRST: Final = 0.09
"""A cover beside the leaves may be as wide as this."""
_FINE: Final = 3.0
_SOFT: Final = 5.0
_LINED: Final = 2.2
_GRAIN: Final = 0.25
"""Levels of change that averaged paper has at least; noise-free drawings have less."""
_PALE: Final = 0.72
_INK: Final = 0.6
_MOST_INK: Final = 0.01
_AGREE: Final = 0.45
"""Share of the side where leaves must be seen, all but a few of them on one smooth line."""
_SMOOTH: Final = 0.7
_ASTRAY: Final = 0.008
_BENT: Final = 0.015
"""How far, as a share of the page's size, the edge of a leaf may bulge from a straight line."""


def without_leaves(luma: Plane, curve: Polygon, size_px: float) -> tuple[Polygon, float] | None:
    """Return the page's own edge inside a book's side and the share of it that was seen, or None for no leaves there.

    Args:
        luma: of the frame.
        curve: the book's side, from corner to corner with the page to its right, in pixels of the frame.
        size_px: about how large the page is.
    """
    start, end = curve[0], curve[-1]
    length = float(np.linalg.norm(end - start))
    if length < 2 * _BLOCKS or size_px < _LEAST_PX:
        return None
    if _begins_quietly(_profile(_unrolled(luma, start, end, size_px, _GLANCE)[0]), size_px):
        return None
    blocks, offsets, base, inward = _unrolled(luma, start, end, size_px, _DEPTH)
    profile = _profile(blocks)
    places = _leaves_end(blocks, profile, offsets, size_px)
    seen = np.isfinite(places)
    if float(seen.mean()) < _AGREE:
        return None
    along = np.linspace(-1.0, 1.0, _BLOCKS)
    straight = _agreed(along, places, _BENT * size_px)
    agreed = np.abs(places - straight) < _BENT * size_px  # never so for what was not seen
    line = _cubic(np.where(agreed, places, straight), np.where(agreed, 1.0, 1e-3), size_px * _ASTRAY / 2)
    near = float(np.mean(seen & (np.abs(places - line) < _ASTRAY * size_px)))
    if near < max(_AGREE, _SMOOTH * float(seen.mean())) or float(line.min()) < 0:
        return None
    exact = _cubic(_steepest(profile, offsets, line, _ASTRAY * size_px), np.ones(_BLOCKS), size_px * _ASTRAY / 4)
    return points(base + exact[:, None] * inward), near


def _cubic(place: Doubles, weight: Doubles, stray_px: float) -> Doubles:
    basis = np.polynomial.legendre.legvander(np.linspace(-1.0, 1.0, _BLOCKS), 3).astype(np.float64)
    return np.asarray(fitted(basis, place[None], weight[None], stray_px)[0], np.float64)


def _agreed(along: Doubles, places: Doubles, near_px: float) -> Doubles:
    """Return the straight line through two of the places that most others are near."""
    seen = np.flatnonzero(np.isfinite(places))
    first, second = (seen[index] for index in np.triu_indices(len(seen), 4))
    slope = (places[second] - places[first]) / (along[second] - along[first])
    lines = places[first, None] + slope[:, None] * (along - along[first, None])
    return np.asarray(lines[int((np.abs(lines[:, seen] - places[seen]) < near_px).sum(axis=1).argmax())], np.float64)


def _unrolled(
    luma: Plane, start: Polygon, end: Polygon, size_px: float, depth: float
) -> tuple[NDArray[np.uint8], Doubles, Polygon, Polygon]:
    """Return the side rolled out, shape (blocks, rows, columns), its columns' offsets, blocks' middles, the way in."""
    inward = np.array([start[1] - end[1], end[0] - start[0]]) / np.linalg.norm(end - start)
    offsets = np.arange(_OUTSIDE * size_px, depth * size_px, _step(size_px))
    shares = np.linspace(_ENDS, 1 - _ENDS, _BLOCKS * _ROWS)
    down = (shares[1] - shares[0]) * (end - start)
    back = np.column_stack(
        [(offsets[1] - offsets[0]) * inward, down, start + _ENDS * (end - start) + offsets[0] * inward]
    )
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    strip = cv2.warpAffine(luma, back, (len(offsets), len(shares)), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    middles = shares.reshape(_BLOCKS, _ROWS).mean(axis=1)
    pieces = np.asarray(strip, np.uint8).reshape(_BLOCKS, _ROWS, -1)
    return pieces, offsets, points(start + middles[:, None] * (end - start)), inward


def _profile(blocks: NDArray[np.uint8]) -> Floats:
    return np.asarray(np.add.reduce(blocks, axis=1, dtype=np.uint16) / np.float32(_ROWS), np.float32)


def _step(size_px: float) -> float:
    return max(1.0, size_px / _SAMPLES)


def _begins_quietly(profile: Floats, size_px: float) -> bool:
    """Tell whether quiet paper begins so near the side, in most pieces of it, that there are no leaves to look for."""
    change = _ruled(profile)
    quiet = change < _SURELY_QUIET * np.maximum(_GRAIN, np.sort(change, axis=1)[:, change.shape[1] // 5, None])
    begins, found = _first_run(quiet, round(_GAP * size_px / _step(size_px)))
    return float(np.mean(found & (begins < _LEAST_WIDTH * size_px / _step(size_px)))) > 1 - _AGREE


def _leaves_end(blocks: NDArray[np.uint8], profile: Floats, offsets: Doubles, size_px: float) -> Doubles:
    """Return for each piece of the side how far in the ruling of leaves ends; NaN where there is none."""
    change, step = _ruled(profile), _step(size_px)
    gap, count = round(_GAP * size_px / step), profile.shape[1]
    paper_has = np.sort(change, axis=1)[:, count // 5, None]
    quiet, found = _first_run(change < _LINED * np.maximum(_GRAIN, paper_has), gap)
    columns = np.arange(count)
    beyond = np.take_along_axis(profile, np.minimum(quiet[:, None] + np.arange(gap), count - 1), axis=1)
    paper = np.sort(beyond, axis=1)[:, gap // 2, None]
    outside = columns < quiet[:, None]
    dark = (profile < _PALE * paper) & outside
    first = np.where(dark.any(axis=1), count - 1 - dark[:, ::-1].argmax(axis=1) + round(_SOFT), 0)
    wide = (quiet - first >= _LEAST_WIDTH * size_px / step) & (
        offsets[np.minimum(first, count - 1)] <= _FIRST * size_px
    )
    leaves = found & wide
    if float(leaves.mean()) < _AGREE:
        return np.full(_BLOCKS, np.nan)
    band = outside & (columns >= first[:, None])
    inked = ((blocks < _INK * paper[:, :, None]).mean(axis=1) * band).sum(axis=1) / np.maximum(band.sum(axis=1), 1)
    return np.where(leaves & (inked < _MOST_INK), offsets[quiet], np.nan)


def _ruled(profile: Floats) -> Floats:
    """Return how strongly each place is ruled with fine lines."""
    return _blurred(np.abs(profile - _blurred(profile, _FINE)), _SOFT)


def _blurred(values: Floats, sigma: float) -> Floats:
    return np.asarray(cv2.GaussianBlur(values, (2 * round(3 * sigma) + 1, 1), sigma), np.float32)


def _first_run(where: NDArray[np.bool_], length: int) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Return for each row where the first run of so many true places begins, and whether there is one."""
    total = np.cumsum(np.pad(where, ((0, 0), (1, 0))), axis=1, dtype=np.int32)
    full: NDArray[np.bool_] = total[:, length:] - total[:, :-length] == length
    return full.argmax(axis=1), np.asarray(full.any(axis=1))


def _steepest(profile: Floats, offsets: Doubles, line: Doubles, near_px: float) -> Doubles:
    """Return for each piece the place near `line` where luma changes most."""
    kernel = np.array([[-1, -1, -1, 0, 1, 1, 1]], np.float32) / 3
    change = np.abs(cv2.filter2D(profile, -1, kernel))
    near = np.abs(offsets[None, :] - line[:, None]) <= near_px
    return np.asarray(offsets[np.where(near, change, -1).argmax(axis=1)], np.float64)
