"""A sheet seen by its straight edges alone: for pale paper on a pale ground, where neither tone nor colour is its own.

Paper is flat, so its edges are the longest straight lines round a smooth place, however faint, in luma or in colour: a
ground that is not flat takes on another colour beside it under lamps that differ. Four lines that meet make a
hypothesis; what speaks for it is how much of each side was seen, that all print lies within, and that the paper is
smoother than what lies around it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.imaging.geometry import Polygon, area, clockwise_from_top_left, is_sane_quad
from appliance.imaging.planes import Plane, plane
from appliance.imaging.ranks import median
from appliance.imaging.view import View

Floats = NDArray[np.float64]

_LOCAL: Final = 0.02
"""Of the longer side: how far around a place its tone is compared."""
_QUIET: Final = 0.02
"""Of the middle luma: changes well below this stay grain."""
_GAIN: Final = 40.0
_SHORTEST: Final = 0.02
_LINES: Final = 30
_AT_ONCE: Final = 48
_SEEDS: Final = 120
"""Lines whose longest piece is not among so many longest ones are never among the `_LINES` best."""
_SOFT_PX: Final = 1.5
_LEAST_SLOPE: Final = 4.0
_FAINT: Final = 0.6
_AREA_WEIGHT: Final = 0.5
_ALIKE_DEG: Final = 3.0
_OFF: Final = 0.004
_PARALLEL_DEG: Final = 28.0
_ACROSS_DEG: Final = 55.0
_APART: Final = 0.25
_OUTSIDE: Final = 0.1
_TRIED: Final = 40
_MIN_AREA: Final = 0.15
_INK: Final = 0.18
"""Of the middle luma: print is darker than its paper by this much."""
_LOST: Final = 0.6
"""With less of all print than this within it, a hypothesis is one page of two, or a table on a page."""
_MOSTLY: Final = 0.25
_BAND: Final = (0.008, 0.03)
_HALF: Final = 1024
"""Places along a line that are told apart, to either side of its middle."""


@dataclass(frozen=True, slots=True, eq=False)
class _Line:
    """A straight line; places along it are counted from `_HALF` at its middle.

    Attributes:
        middle: a point on it.
        along: its direction, length 1.
        seen: how much of an edge was seen before each place, cumulated.
        inside: how much of it lies in the view before each place, cumulated.
    """

    middle: Polygon
    along: Polygon
    seen: Floats
    inside: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Hypothesis:
    """Four straight lines that may be the edges of a sheet.

    Attributes:
        quad: its corners, clockwise from the top left, in pixels of the view; may lie a little outside it.
        confidence: 0 to 1.
    """

    quad: Polygon
    confidence: float


def straight_sheet(view: View, clean: View, even: View) -> Hypothesis | None:
    """Return the best sheet with four straight edges, or None when no four lines go together.

    Args:
        view: where to look.
        clean: the same without print.
        even: `evened(clean)`.
    """
    quads, seen = _hypotheses(view, _lines((even.y, even.u, even.v)))
    ink = _halved((cv2.subtract(clean.y, view.y) > _INK * median(clean.y)).astype(np.float32))
    rough = _halved(_roughness(even.y))
    best, most = None, 0.0
    for quad, share in zip(quads, seen, strict=True):
        weight = abs(area(quad)) ** _AREA_WEIGHT
        if share * weight <= most:
            break  # no later one can be better, however well it fits
        fits = float(share) * _fits(quad / 2, ink, rough) ** 0.5
        if best is None or fits * weight > most:
            best, most = Hypothesis(clockwise_from_top_left(quad), fits), fits * weight
    return best


def evened(clean: View) -> View:
    """Return the view with the lamps' slopes taken out and faint edges as strong as clear ones."""
    return replace(clean, y=_evened(clean.y), u=_evened(clean.u), v=_evened(clean.v))


def _evened(values: Plane) -> Plane:
    soft, sigma = values.astype(np.float32), _LOCAL * max(values.shape)
    difference = soft - _widely_blurred(soft, sigma)
    quiet = _QUIET * median(values) + 0.5
    spread = np.sqrt(np.maximum(_widely_blurred(difference * difference, sigma), 0))
    return plane(np.clip(128 + difference / (spread + quiet) * _GAIN, 0, 255).astype(np.uint8))


def _widely_blurred(values: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """Return a blur so wide that a quarter of the size holds it."""
    height, width = values.shape
    small = cv2.resize(values, (max(1, width // 4), max(1, height // 4)), interpolation=cv2.INTER_AREA)
    blurred = cv2.resize(cv2.GaussianBlur(small, (0, 0), sigma / 4), (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(blurred, np.float32)


def _segments(channels: Sequence[Plane]) -> Floats:
    """Return straight segments x0, y0, x1, y1 of all channels, the longest first."""
    detector = cv2.createLineSegmentDetector(0)
    detected = [lines for lines in (detector.detect(even)[0] for even in channels) if np.size(lines) > 1]
    found = np.concatenate([np.zeros((0, 4)), *(np.asarray(lines, np.float64).reshape(-1, 4) for lines in detected)])
    lengths = np.hypot(found[:, 2] - found[:, 0], found[:, 3] - found[:, 1])
    order = np.argsort(lengths)[::-1]
    return np.asarray(found[order][lengths[order] >= _SHORTEST * max(channels[0].shape)], np.float64)


def _lines(channels: Sequence[Plane]) -> list[_Line]:
    """Return the lines on which the most was seen, in any channel."""
    segments, slope = _segments(channels), _slope(channels)
    bundles = list(islice(_bundles(segments, _OFF * max(channels[0].shape) + 1), _SEEDS))
    bundles.sort(key=lambda bundle: bundle[0], reverse=True)
    return [_seen(middle, along, segments[own], slope) for _, middle, along, own in bundles[:_LINES]]


def _bundles(segments: Floats, off_px: float) -> Iterator[tuple[float, Floats, Floats, NDArray[np.bool_]]]:
    """Yield segments that lie on one line, the longest segment's first, each segment as a seed or with one before it.

    How long they are together, the line's middle and direction, and which they are. Many seeds are asked at a time:
    those that turn out to lie on an earlier one's line were asked in vain, which is still several times faster.
    """
    starts, ends = segments[:, :2], segments[:, 2:]
    spans = ends - starts
    lengths, angles = np.hypot(spans[:, 0], spans[:, 1]), np.arctan2(spans[:, 1], spans[:, 0])
    left = np.ones(len(segments), np.bool_)
    for first in range(0, len(segments), _AT_ONCE):
        seeds = first + np.flatnonzero(left[first : first + _AT_ONCE])
        own = seeds[:, None] == np.arange(len(segments))
        middle, along = _fitted(segments, own * lengths, spans[seeds])
        for _ in range(2):
            normal = np.stack([-along[:, 1], along[:, 0]])
            turn = np.abs((angles - np.arctan2(along[:, 1:], along[:, :1]) + np.pi / 2) % np.pi - np.pi / 2)
            apart = [np.abs((each @ normal).T - (middle * normal.T).sum(axis=1)[:, None]) for each in (starts, ends)]
            own = (turn < np.radians(_ALIKE_DEG)) & (np.maximum(*apart) < off_px)
            own[np.arange(len(seeds)), seeds] = True
            middle, along = _fitted(segments, own * lengths, along)
        for index, seed in enumerate(seeds):
            if left[seed]:
                left &= ~own[index]
                yield float(lengths[own[index]].sum()), middle[index], along[index], own[index]


def _slope(channels: Sequence[Plane]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the slope across and down, at each place that of the channel where it is steepest."""
    across, down, steepest = np.zeros((3, *channels[0].shape), np.float32)
    for even in channels:
        soft = cv2.GaussianBlur(even, (0, 0), _SOFT_PX)
        x, y = (cv2.Sobel(soft, cv2.CV_32F, *order, ksize=3, scale=0.25) for order in ((1, 0), (0, 1)))
        steep = cv2.add(cv2.multiply(x, x), cv2.multiply(y, y))
        steeper = cv2.compare(steep, steepest, cv2.CMP_GT)
        for values, kept in ((x, across), (y, down), (steep, steepest)):
            cv2.copyTo(values, steeper, kept)
    return across, down


def _fitted(segments: Floats, weight: Floats, along: Floats) -> tuple[Floats, Floats]:
    """Return the middles and the directions of the lines that segments lie on, shape (lines, 2).

    Args:
        segments: shape (n, 4).
        weight: of each segment on each line, shape (lines, n).
        along: about which way each line goes.
    """
    total = 2 * weight.sum(axis=1)
    x, y = segments[:, ::2], segments[:, 1::2]
    middle = np.stack([weight @ each.sum(axis=1) for each in (x, y)], axis=1) / total[:, None]
    across, slanting, down = (
        weight @ (one * other).sum(axis=1) - total * middle[:, i] * middle[:, j]
        for one, other, i, j in ((x, x, 0, 0), (x, y, 0, 1), (y, y, 1, 1))
    )
    angle = 0.5 * np.arctan2(2 * slanting, across - down)
    main = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return middle, np.where((main * along).sum(axis=1, keepdims=True) > 0, main, -main)


def _seen(middle: Floats, along: Floats, segments: Floats, slope: tuple[NDArray[np.float32], ...]) -> _Line:
    """Return a line with what was seen along it: straight segments in full, a slope straight across it in part."""
    height, width = slope[0].shape
    normal = np.array([-along[1], along[0]])
    places = middle + np.arange(-_HALF, _HALF)[:, None] * along
    inside = ((places >= 1) & (places < (width - 2, height - 2))).all(axis=1)
    first, last = (int(where) for where in np.flatnonzero(inside)[[0, -1]]) if inside.any() else (0, 0)
    seen = np.zeros(2 * _HALF)
    near = places[first : last + 1, None, :] + np.array([-1.5, 0.0, 1.5])[None, :, None] * normal
    at = np.clip(np.rint(near).astype(np.intp), 0, (width - 1, height - 1))
    x, y = (values[at[..., 1], at[..., 0]] for values in slope)
    across, astray = np.abs(x * normal[0] + y * normal[1]), np.abs(x * along[0] + y * along[1])
    seen[first : last + 1] = _FAINT * ((across > _LEAST_SLOPE) & (astray < 0.5 * across)).any(axis=1)
    for start, end in zip((segments[:, :2] - middle) @ along, (segments[:, 2:] - middle) @ along, strict=True):
        low, high = sorted((round(float(start)) + _HALF, round(float(end)) + _HALF))
        seen[max(0, low - 1) : high + 1] = 1.0
    seen *= inside
    return _Line(middle, along, np.concatenate([[0.0], np.cumsum(seen)]), np.concatenate([[0.0], np.cumsum(inside)]))


def _hypotheses(view: View, lines: list[_Line]) -> tuple[Floats, Floats]:
    """Return the likeliest quads of lines, shape (n, 4, 2), and how much was seen of their sides, shape (n,)."""
    if not lines:
        return np.zeros((0, 4, 2)), np.zeros(0)
    middle, along = np.stack([line.middle for line in lines]), np.stack([line.along for line in lines])
    sides = _sides(middle, along, _APART * view.longer_px)
    if not len(sides):
        return np.zeros((0, 4, 2)), np.zeros(0)
    before = np.roll(sides, 1, axis=1)
    step = _cross_product(middle[sides] - middle[before], along[sides]) / _cross_product(along[before], along[sides])
    quads = middle[before] + step[..., None] * along[before]
    slack, size = _OUTSIDE * view.longer_px, np.array([view.width_px, view.height_px])
    whole = ((quads > -slack) & (quads < size + slack)).all(axis=(1, 2))
    sides, quads = sides[whole], quads[whole]
    ends = np.stack([quads, np.roll(quads, -1, axis=1)])
    places = np.rint(((ends - middle[sides]) * along[sides]).sum(axis=-1)).astype(np.intp) + _HALF
    low, high = np.sort(np.clip(places, 0, 2 * _HALF), axis=0)
    seen, inside = np.stack([line.seen for line in lines]), np.stack([line.inside for line in lines])
    shares = (seen[sides, high] - seen[sides, low]) / np.maximum(inside[sides, high] - inside[sides, low], 1.0)
    short = inside[sides, high] - inside[sides, low] < 0.5 * (high - low)
    strength = (shares.min(axis=1) * shares.mean(axis=1)) ** 0.5 * ~short.any(axis=1)
    x, y = quads[..., 0], quads[..., 1]
    size = np.abs(np.sum(x * np.roll(y, -1, axis=1) - np.roll(x, -1, axis=1) * y, axis=1))
    order = np.argsort(strength * size**_AREA_WEIGHT)[::-1]
    keep = list(islice((i for i in order if _is_sheet(quads[i], view)), _TRIED))
    return quads[keep], strength[keep]


def _sides(middle: Floats, along: Floats, apart_px: float) -> NDArray[np.intp]:
    """Return which lines may be the four sides of a sheet in turn, shape (n, 4): two pairs that face, and cross."""
    angle = np.arccos(np.minimum(np.abs(along @ along.T), 1.0))
    gap = np.abs(_cross_product(along[:, None], middle[None] - middle[:, None]))
    first, second = np.nonzero(np.triu((angle < np.radians(_PARALLEL_DEG)) & (gap > apart_px), 1))
    across = angle > np.radians(_ACROSS_DEG)
    cross = np.ones((len(first), len(first)), bool)
    for one in (first, second):
        for other in (first, second):
            cross &= across[one[:, None], other]
    pair, facing = np.nonzero(np.triu(cross, 1))
    return np.stack([first[pair], first[facing], second[pair], second[facing]], axis=1)


def _cross_product(a: Floats, b: Floats) -> Floats:
    return np.asarray(a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0], np.float64)


def _is_sheet(quad: Polygon, view: View) -> bool:
    return is_sane_quad(quad) and abs(area(quad)) > _MIN_AREA * view.y.size


def _roughness(even: Plane) -> NDArray[np.float32]:
    luma = even.astype(np.float32)
    return np.asarray(np.abs(luma - cv2.GaussianBlur(luma, (0, 0), 2.0)), np.float32)


def _halved(values: NDArray[np.float32]) -> NDArray[np.float32]:
    height, width = values.shape
    return np.asarray(cv2.resize(values, (max(1, width // 2), max(1, height // 2)), interpolation=cv2.INTER_AREA))


def _fits(quad: Polygon, ink: NDArray[np.float32], rough: NDArray[np.float32]) -> float:
    """Return how well print and texture go with a quad, 0 to 1: print within, the ground rougher than the paper."""
    mask = np.zeros(ink.shape, np.uint8)
    cv2.fillPoly(mask, [np.rint(quad).astype(np.int32)], 1)
    near, far = (np.ones((2 * round(share * max(ink.shape)) + 1,) * 2, np.uint8) for share in _BAND)
    outer = cv2.dilate(mask, far) - cv2.dilate(mask, near)
    inner = cv2.erode(mask, near, borderValue=1) - cv2.erode(mask, far, borderValue=1)
    inked = float(ink[mask > 0].sum()) / max(float(ink.sum()), 1.0)
    held = float(np.clip((inked - _LOST) / _MOSTLY, 0, 1))
    if np.count_nonzero(outer) < max(ink.shape) or not inner.any():
        return held
    around, within = (float(cv2.mean(rough, np.asarray(place, np.uint8))[0]) for place in (outer, inner))
    smoother = around / max(within, 0.5)
    return held * float(np.clip(smoother / 1.5, 0.3, 1.0))
