"""What lies against a page but is no page: colour strips, rulers, labels. They make a region step out beyond a side.

Paper has whole sides. Where part of a side is a straight line and the rest stands out from it, and what stands out has
not the colour of the paper, that line is the side.
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.imaging.finding.outline import CHROMA_WEIGHT, Region, region_of_mask
from appliance.imaging.geometry import Polygon
from appliance.imaging.view import View

Floats = NDArray[np.float64]

_PLACES: Final = 48
_ENDS: Final = 0.03
_OUT: Final = 0.1
_IN: Final = 0.3
"""Of the region's size: from how far outside its rough side to how far inside its edge is looked for."""
_ON: Final = 0.008
_STANDS_OUT: Final = 0.025
_LEAST_SIDE: Final = 0.25
_LEAST_OUT: Final = 0.12
_ASTRAY: Final = 0.05
"""Of the side, neither on the line nor clear of it: made things end with a step, paper that curls does not."""
_UNEVEN: Final = 0.3
_LIKE: Final = 24.0
_DARKEST: Final = 0.3
"""Of the paper's luma: paper in a shadow is no darker."""
_PAPER: Final = 0.5


def without_attachments(clean: View, region: Region, quad: Polygon) -> Region:
    """Return a piece of paper without what only lies against it; the same piece where nothing does.

    Args:
        clean: the view without print.
        region: the piece.
        quad: its rough corners, clockwise, in pixels of the view.
    """
    size = float(np.sqrt(np.count_nonzero(region.mask)))
    mask, like, cut = region.mask.copy(), None, False
    for start, end in zip(quad, np.roll(quad, -1, axis=0), strict=True):
        side = _side_inside(region, start, end, size)
        if side is None:
            continue
        like = _like_paper(clean, region) if like is None else like
        beyond = np.zeros_like(mask)
        outward = np.array([end[1] - start[1], start[0] - end[0]]) / max(float(np.linalg.norm(end - start)), 1.0)
        far = np.concatenate([side, (side + (_IN + _OUT) * size * outward)[::-1]])
        cv2.fillPoly(beyond, [np.rint(far).astype(np.int32)], 255)
        piece = (beyond > 0) & (mask > 0)
        if piece.any() and float(like[piece].mean()) < _PAPER:
            mask[piece], cut = 0, True
    return region_of_mask(clean, mask) or region if cut else region


def _side_inside(region: Region, start: Polygon, end: Polygon, size: float) -> Polygon | None:
    """Return the straight line that part of a side lies on while the rest stands out from it, or None."""
    span = end - start
    length = float(np.linalg.norm(span))
    if length < _PLACES / 2:
        return None
    inward = np.array([-span[1], span[0]]) / length
    shares = np.linspace(_ENDS, 1 - _ENDS, _PLACES)
    matrix = np.column_stack(
        [inward, span * (1 - 2 * _ENDS) / (_PLACES - 1), start + _ENDS * span - _OUT * size * inward]
    )
    flags, across = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP, round((_OUT + _IN) * size)
    rolled = cv2.warpAffine(region.mask, matrix, (across, _PLACES), flags=flags, borderValue=0) > 0
    depth = np.where(rolled.any(axis=1), rolled.argmax(axis=1), across).astype(np.float64)
    if float(np.ptp(depth)) < _STANDS_OUT * size:
        return None
    first, second = (index.ravel() for index in np.triu_indices(_PLACES, _PLACES // 8))
    slope = (depth[second] - depth[first]) / (shares[second] - shares[first])
    lines = depth[first, None] + slope[:, None] * (shares - shares[first, None])
    on = np.abs(depth - lines) < _ON * size + 1
    out = depth < lines - _STANDS_OUT * size
    inside = ~on & ~out
    fits = (on.mean(axis=1) >= _LEAST_SIDE) & (out.mean(axis=1) >= _LEAST_OUT) & (inside.mean(axis=1) <= 0.05)
    fits &= (on | out).mean(axis=1) >= 1 - _ASTRAY
    if not fits.any():
        return None
    best = int(np.where(fits, on.mean(axis=1), 0).argmax())
    if not _is_straight((lines[best] - depth)[out[best]]):
        return None
    ends = np.interp([0.0, 1.0], shares, lines[best]) - _OUT * size
    return np.stack([start + ends[0] * inward, end + ends[1] * inward])


def _is_straight(heights: Floats) -> bool:
    """Tell whether what stands out ends on a line of its own, as made things do; paper that curls does not."""
    low, middle, high = np.percentile(heights, (10, 50, 90))
    return bool(high - low <= _UNEVEN * middle)


def _like_paper(clean: View, region: Region) -> NDArray[np.bool_]:
    """Return where the view has the colour of the region's middle, however deep in shadow."""
    inside = region.mask > 0
    y, u, v = (float(np.median(values[inside])) for values in (clean.y, clean.u, clean.v))
    luma, blue, red = (values.astype(np.float32) for values in (clean.y, clean.u, clean.v))
    unlike = CHROMA_WEIGHT * (np.abs(blue - u) + np.abs(red - v)) + np.maximum(luma - y, 0)
    return np.asarray((unlike < _LIKE) & (luma > _DARKEST * y), np.bool_)
