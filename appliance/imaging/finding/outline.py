"""Where paper lies in a frame: candidates from several cues, each scored by what speaks for its edge."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.imaging.geometry import Polygon, points
from appliance.imaging.planes import Plane, plane
from appliance.imaging.ranks import median, percentile
from appliance.imaging.view import View

MIN_AREA_SHARE: Final = 0.06
"""Of the frame; what is smaller is a label, a coin or a hand."""
CHROMA_WEIGHT: Final = 2.0
"""A level of chroma says more than one of luma: shadows change luma alone."""
_CLEAR_DIFFERENCE: Final = 60.0
_CLEAR_SCORE: Final = 0.9
_LEAST_SOLIDITY: Final = 0.6
_FACING_SHARE: Final = 0.4
"""A piece this much as large as the largest may be its facing page."""
_SPINE_SHARE: Final = 0.07
_COLOUR_GAIN: Final = 1000.0
_DARKER: Final = 20.0
_ALL_FREE: Final = 0.98
"""Of the frame's border: what is darker than all round it is a page only where it lies free."""
_STEPS: Final = 16
"""How many points stand for each piece of an outline that is given."""
_RIM_PX: Final = 3
"""Of the view: lines of print and rules are narrower."""
_RIM_SHARE: Final = 0.05
_RIM_DARK: Final = 0.6
_OTHER_COLOUR: Final = 30.0
"""Thousandths of luma: below this both sides have one colour."""


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """One piece of paper in the view: one page or an open book.

    Attributes:
        mask: 255 inside, uint8, the view's shape.
        contour: its border, in pixels of the view, float64, shape (n, 2).
        score: what speaks for it, 0 to 1.
        solidity: how much of its convex hull it fills, 0 to 1.
    """

    mask: Plane
    contour: Polygon
    score: float
    solidity: float = 1.0


def find_region(clean: View) -> Region | None:
    """Return the best piece of paper in a view without print, or None when nothing large stands out."""
    best: Region | None = None
    for mask in _masks(clean):
        region = region_of_mask(clean, mask)
        if region is not None and (best is None or region.score > best.score):
            best = region
        if best is not None and best.score >= _CLEAR_SCORE:
            break  # no other cue can say more
    return best


def region_of_one_colour(clean: View) -> Region | None:
    """Return the piece that has the colour of the lightest paper, however much darker the lamp leaves its far end.

    Asked when luma does not tell: a ground as light as paper in shadow. None when nothing large is of another colour.
    """
    unlike = _unlike_paper(clean)
    mask = cv2.threshold(unlike, 0, 255, cv2.THRESH_BINARY_INV + cv2.THRESH_OTSU)[1]
    inside = mask > 0
    if inside.all() or float(np.mean(unlike[~inside])) - float(np.mean(unlike[inside])) < _OTHER_COLOUR:
        return None
    return region_of_mask(clean, plane(mask))


def region_within_rim(view: View) -> Region | None:
    """Return what a dark rim (a cover, a deep shadow) parts from ground that is as light as the paper itself.

    A rim is wider than print and its rules, and what it encloses does not reach the frame's border. None without one.
    """
    solid = cv2.dilate(cv2.medianBlur(view.y, 3), np.ones((_RIM_PX, _RIM_PX), np.uint8))
    wide = round(_RIM_SHARE * view.longer_px) | 1
    around = cv2.blur(cv2.dilate(solid, np.ones((wide, wide), np.uint8)), (wide, wide))
    light = plane((solid > _RIM_DARK * around).astype(np.uint8))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(light, connectivity=4)
    ends = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    stats[ends, cv2.CC_STAT_AREA] = 0
    large = np.flatnonzero(stats[:, cv2.CC_STAT_AREA] >= MIN_AREA_SHARE * _FACING_SHARE * light.size)
    large = large[large > 0]
    if not large.size:
        return None
    return region_of_mask(view, plane(np.where(np.isin(labels, large), 255, 0).astype(np.uint8)))


def region_within(view: View, polygon: Polygon) -> Region:
    """Return the piece of the view inside an outline that was seen by other means; may reach beyond the view."""
    mask = np.zeros_like(view.y)
    cv2.fillPoly(mask, [np.rint(polygon).astype(np.int32)], 255)
    steps = np.linspace(0.0, 1.0, _STEPS, endpoint=False)[None, :, None]
    ahead = np.roll(polygon, -1, axis=0)
    return Region(mask, points(polygon[:, None] + steps * (ahead - polygon)[:, None]), 0.0)


def _unlike_paper(view: View) -> Plane:
    """Return how far each pixel's colour, as a share of its luma, is from that of the lightest fifth of the view."""
    luma = np.maximum(view.y.astype(np.float32), 16.0)
    shares = [(values.astype(np.float32) - 128.0) / luma for values in (view.u, view.v)]
    light = view.y >= percentile(view.y, 80)
    distance = sum((share - np.float32(median(share[light]))) ** 2 for share in shares)
    return plane(np.minimum(_COLOUR_GAIN * np.sqrt(distance), 255).astype(np.uint8))


def _masks(view: View) -> Iterator[Plane]:
    yield _lighter(view.y)
    yield _lighter(_unlike_border(view))


def _lighter(values: Plane) -> Plane:
    return plane(cv2.threshold(values, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[1])


def region_of_mask(view: View, mask: Plane) -> Region | None:
    """Return a mask's largest piece with its holes (print, pictures) filled, or None when it is too small."""
    side = max(3, round(view.longer_px / 80) | 1)
    kernel = np.ones((side, side), np.uint8)
    tidy = plane(cv2.morphologyEx(cv2.morphologyEx(mask, cv2.MORPH_CLOSE, kernel), cv2.MORPH_OPEN, kernel))
    pieces = _pieces(tidy)
    if len(pieces) > 1:
        pieces = _pieces(_joined(tidy, pieces, view.longer_px))
    if not pieces or cv2.contourArea(pieces[0]) < MIN_AREA_SHARE * mask.size:
        return None
    filled = np.zeros_like(mask)
    cv2.drawContours(filled, pieces[:1], -1, 255, cv2.FILLED)
    solidity = float(cv2.countNonZero(filled)) / max(float(cv2.contourArea(cv2.convexHull(pieces[0]))), 1.0)
    return Region(filled, points(pieces[0]), _score(view, filled, solidity), solidity)


def _pieces(mask: Plane) -> list[Any]:
    """Return the contours of a mask's large pieces, the largest first."""
    contours = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]
    sized = sorted(((cv2.contourArea(each), each) for each in contours), key=lambda piece: piece[0], reverse=True)
    return [each for size, each in sized if size >= _FACING_SHARE * sized[0][0]]


def _joined(mask: Plane, pieces: list[Any], longer_px: int) -> Plane:
    """Close the gap between facing pages: a deep spine can be as dark as the ground."""
    filled = np.zeros_like(mask)
    cv2.drawContours(filled, pieces, -1, 255, cv2.FILLED)
    side = round(_SPINE_SHARE * longer_px) | 1
    padded = cv2.copyMakeBorder(filled, side, side, side, side, cv2.BORDER_CONSTANT, value=0)
    closed = cv2.morphologyEx(padded, cv2.MORPH_CLOSE, np.ones((side, side), np.uint8))
    return plane(np.ascontiguousarray(closed[side:-side, side:-side]))


def _edge_px(view: View) -> int:
    """Return how wide the frame's border is, where ground is more likely than paper."""
    return max(1, round(0.02 * view.longer_px))


def _on_border(values: Plane, edge: int) -> Plane:
    """Return what lies on the border, in a row."""
    strips = (values[:edge], values[-edge:], values[edge:-edge, :edge], values[edge:-edge, -edge:])
    return np.concatenate([strip.ravel() for strip in strips])


def _unlike_border(view: View) -> Plane:
    """Return how far each pixel's colour is from the middle colour of the frame's border."""
    levels, squares = np.arange(256, dtype=np.float32), []
    for values, weight in ((view.y, 0.5), (view.u, CHROMA_WEIGHT), (view.v, CHROMA_WEIGHT)):
        middle = np.float32(median(_on_border(values, _edge_px(view))))
        squares.append(cv2.LUT(values, (weight * (levels - middle)) ** 2))
    return plane(cv2.convertScaleAbs(cv2.sqrt(cv2.add(cv2.add(squares[0], squares[1]), squares[2]))))


def _places(mask: Any) -> NDArray[np.intp]:
    """Return where in the flat mask something is set."""
    found = np.array(cv2.findNonZero(mask) if cv2.countNonZero(mask) else [], np.intp).reshape(-1, 2)
    return np.asarray(found[:, 1] * mask.shape[1] + found[:, 0])


def _score(view: View, mask: Plane, solidity: float) -> float:
    """Weigh how unlike both sides of the edge are, how full the region's hull is, how free it leaves the border."""
    kernel = np.ones((7, 7), np.uint8)
    inner = _places(cv2.subtract(mask, cv2.erode(mask, kernel, borderValue=255)))
    outer = _places(cv2.subtract(cv2.dilate(mask, kernel), mask))
    if not inner.size or not outer.size:
        return 0.0
    weighed = ((view.y, 1.0), (view.u, CHROMA_WEIGHT), (view.v, CHROMA_WEIGHT))
    steps = [
        weight * (float(np.mean(values.take(inner))) - float(np.mean(values.take(outer)))) for values, weight in weighed
    ]
    free = 1.0 - float(np.mean(_on_border(mask, _edge_px(view)) > 0))
    if steps[0] < -_DARKER and free < _ALL_FREE:
        return 0.0  # ground beside a page that the frame cuts off: it fills less of the border than the page
    full = max(0.0, (solidity - _LEAST_SOLIDITY) / (1.0 - _LEAST_SOLIDITY))
    return min(1.0, sum(map(abs, steps)) / _CLEAR_DIFFERENCE) * full * (0.5 + 0.5 * free)
