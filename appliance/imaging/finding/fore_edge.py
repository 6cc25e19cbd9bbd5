"""Where the page ends and the edges of the leaves below it begin: a band of fine lines that run along the book's side.

Paper is quiet; the stack of leaves beside it is a ruling of faint, fine lines, near the tone of paper and without ink.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.imaging.finding.paths import fitted
from appliance.imaging.geometry import Polygon, points
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
_FEW: Final = range(2, 32, 4)
_GLANCED: Final = 3
"""Of the rows of those pieces one in so many is looked at."""
_HINT: Final = 0.12
"""Less than this much of a few pieces with leaves: there are none to look for."""
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
_ALONG: Final = 1.3
"""Times the change across: where more changes along the side, it is print (a coloured head). Measured: leaves 0.62 to
0.95 in the middle of their pieces, a printed head 1.7."""
_AGREE: Final = 0.45
"""Share of the side where leaves must be seen, all but a few of them on one smooth line."""
_SMOOTH: Final = 0.7
_ASTRAY: Final = 0.008
_BENT: Final = 0.015
"""How far, as a share of the page's size, the edge of a leaf may bulge from a straight line."""


def sides_with_leaves(luma: Plane, curves: list[Polygon], size_px: float) -> list[bool]:
    """Tell of every side of a book whether leaves may lie along it: a few pieces of each are looked at.

    Args:
        luma: of the frame.
        curves: the sides, from corner to corner with the page to their right, in pixels of the frame.
        size_px: about how large a page is.
    """
    sides = [_Side(luma, curve[0], curve[-1], size_px) for curve in curves]
    large = [index for index, side in enumerate(sides) if size_px >= _LEAST_PX and side.length >= 2 * _BLOCKS]
    likely = [False] * len(sides)
    if large:
        bands = _bands(_profile(_few_pieces([sides[index] for index in large])), size_px)
        shares = (bands.found & bands.wide).reshape(len(large), -1).mean(axis=1)
        for index, share in zip(large, shares, strict=True):
            likely[index] = bool(share >= _HINT)
    return likely


def without_leaves(luma: Plane, curve: Polygon, size_px: float) -> tuple[Polygon, float] | None:
    """Return the page's own edge inside a book's side and the share of it that was seen, or None for no leaves there.

    Args:
        luma: of the frame.
        curve: the book's side, from corner to corner with the page to its right, in pixels of the frame.
        size_px: about how large the page is.
    """
    side = _Side(luma, curve[0], curve[-1], size_px)
    blocks, offsets = side.pieces(), side.offsets
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
    return points(side.middles() + exact[:, None] * side.inward), near


def _few_pieces(sides: list["_Side"]) -> NDArray[np.uint8]:
    """Return a few pieces of every side rolled out, one after another, shape (pieces, rows, columns)."""
    across = np.array([side.across for side in sides], np.float32)
    down, corner = np.array([side.down for side in sides]), np.array([side.corner for side in sides])
    rows = np.add.outer(np.array(_FEW) * _ROWS, np.arange(0, _ROWS, _GLANCED)).ravel()
    starts = (corner[:, None] + rows[:, None] * down[:, None]).astype(np.float32)
    grid = starts[:, :, None] + np.arange(len(sides[0].offsets), dtype=np.float32)[:, None] * across[:, None, None]
    flat = grid.reshape(-1, grid.shape[2], 2)
    strips = cv2.remap(sides[0].luma, flat, None, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]
    return np.asarray(strips, np.uint8).reshape(len(sides) * len(_FEW), -1, grid.shape[2])


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


@dataclass(frozen=True, slots=True, eq=False)
class _Side:
    """A book's side that can be rolled out in pieces.

    Attributes:
        luma: of the frame.
        start: one end of it, the page to the right of the way to `end`.
        end: the other.
        size_px: about how large the page is.
    """

    luma: Plane
    start: Polygon
    end: Polygon
    size_px: float

    @property
    def length(self) -> float:
        """How long the side is."""
        return float(np.linalg.norm(self.end - self.start))

    @property
    def offsets(self) -> Doubles:
        """How far inside the side each column lies, in pixels."""
        return np.arange(_OUTSIDE * self.size_px, _DEPTH * self.size_px, _step(self.size_px))

    @property
    def inward(self) -> Polygon:
        """The direction from the side into the page, of length 1."""
        x, y = self.end - self.start
        return np.asarray(np.array([-y, x]) / np.hypot(x, y), np.float64)

    @property
    def corner(self) -> Polygon:
        """Where the first row and column lie."""
        return self.start + _ENDS * (self.end - self.start) + _OUTSIDE * self.size_px * self.inward

    @property
    def across(self) -> Polygon:
        """The way from column to column."""
        return _step(self.size_px) * self.inward

    @property
    def down(self) -> Polygon:
        """The way from row to row."""
        return (1 - 2 * _ENDS) / (_BLOCKS * _ROWS - 1) * (self.end - self.start)

    def middles(self) -> Polygon:
        """Return the middle of each piece of the side."""
        shares = _ENDS + (1 - 2 * _ENDS) * (np.arange(_BLOCKS) + 0.5) / _BLOCKS
        return points(self.start + shares[:, None] * (self.end - self.start))

    def pieces(self) -> NDArray[np.uint8]:
        """Return the side rolled out in pieces, shape (pieces, rows, columns)."""
        back, size = np.column_stack([self.across, self.down, self.corner]), (len(self.offsets), _BLOCKS * _ROWS)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        strip = cv2.warpAffine(self.luma, back, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(strip, np.uint8).reshape(_BLOCKS, _ROWS, -1)


def _profile(blocks: NDArray[np.uint8]) -> Floats:
    return np.asarray(np.add.reduce(blocks, axis=1, dtype=np.uint16) / np.float32(blocks.shape[1]), np.float32)


def _step(size_px: float) -> float:
    return max(1.0, size_px / _SAMPLES)


@dataclass(frozen=True, slots=True, eq=False)
class _Bands:
    """What lies outside quiet paper in each piece of a side; places are columns.

    Attributes:
        quiet: where quiet paper begins.
        found: whether it does.
        first: where the band outside it begins, beyond what is dark.
        wide: whether that band is wide enough to be leaves.
        paper: luma of the quiet paper, shape (blocks, 1).
    """

    quiet: NDArray[np.intp]
    found: NDArray[np.bool_]
    first: NDArray[np.intp]
    wide: NDArray[np.bool_]
    paper: Floats


def _bands(profile: Floats, size_px: float) -> _Bands:
    """Return the bands outside quiet paper."""
    change, step = _ruled(profile), _step(size_px)
    gap, count = round(_GAP * size_px / step), profile.shape[1]
    paper_has = np.sort(change, axis=1)[:, count // 5, None]
    quiet, found = _first_run(change < _LINED * np.maximum(_GRAIN, paper_has), gap)
    columns = np.arange(count)
    beyond = np.take_along_axis(profile, np.minimum(quiet[:, None] + np.arange(gap), count - 1), axis=1)
    paper = np.sort(beyond, axis=1)[:, gap // 2, None]
    dark = (profile < _PALE * paper) & (columns < quiet[:, None])
    first = np.where(dark.any(axis=1), count - 1 - dark[:, ::-1].argmax(axis=1) + round(_SOFT), 0)
    near = first * step <= (_FIRST - _OUTSIDE) * size_px
    return _Bands(quiet, found, first, (quiet - first >= _LEAST_WIDTH * size_px / step) & near, paper)


def _leaves_end(blocks: NDArray[np.uint8], profile: Floats, offsets: Doubles, size_px: float) -> Doubles:
    """Return for each piece of the side how far in the ruling of leaves ends; NaN where there is none."""
    bands = _bands(profile, size_px)
    leaves = bands.found & bands.wide
    if float(leaves.mean()) < _AGREE:
        return np.full(_BLOCKS, np.nan)
    columns = np.arange(profile.shape[1])
    band = (columns < bands.quiet[:, None]) & (columns >= bands.first[:, None])
    inked = (blocks < _INK * bands.paper[:, :, None]).mean(axis=1) * band
    share = inked.sum(axis=1) / np.maximum(band.sum(axis=1), 1)
    return np.where(leaves & (share < _MOST_INK) & _runs_along(blocks, band), offsets[bands.quiet], np.nan)


def _runs_along(blocks: NDArray[np.uint8], band: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tell of each piece whether what its band shows runs along the side: print changes as much along as across."""
    values, within = blocks.astype(np.int16), band[:, None, :-1]
    along = (np.abs(np.diff(values[:, :, :-1], axis=1)) * within).mean(axis=(1, 2))
    across = (np.abs(np.diff(values, axis=2)) * within).mean(axis=(1, 2))
    return np.asarray(along <= _ALONG * np.maximum(across, _GRAIN * within.mean(axis=(1, 2))))


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
