"""From an outline to an upright page: perspective taken out, every plane mapped once, nothing sharpened."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.imaging.geometry import Polygon, apply, homography, points, side_lengths
from appliance.imaging.planes import Plane, Planes, half_size, plane
from appliance.imaging.resample import sample

MAX_SIDE_PX: Final = 20_000


@dataclass(frozen=True, slots=True, eq=False)
class Mapping:
    """How a finished page lies in the frame.

    Attributes:
        to_frame: perspective from pixels of the page to pixels of the frame, float64, shape (3, 3).
        width_px: of the page.
        height_px: of the page.
    """

    to_frame: NDArray[np.float64]
    width_px: int
    height_px: int

    def from_frame(self, polygon: Polygon) -> Polygon:
        """Return points of the frame in pixels of the page."""
        return apply(np.asarray(np.linalg.inv(self.to_frame), np.float64), polygon)


def plan(corners: Polygon, outline: Polygon, margin_share: float) -> Mapping:
    """Return the mapping that makes `corners` a rectangle and keeps all of `outline` and a margin round it.

    Args:
        corners: four, clockwise from the page's own top left, in pixels of the frame.
        outline: the page's edge, which may bulge beyond the straight sides between the corners.
        margin_share: kept around the outline, as a share of the shorter side.
    """
    top, right, bottom, left = side_lengths(corners)
    width, height = max(top, bottom, 1.0), max(left, right, 1.0)
    shrink = min(1.0, MAX_SIDE_PX / max(width, height))
    width, height = width * shrink, height * shrink
    rectangle = points([(0, 0), (width, 0), (width, height), (0, height)])
    inside = apply(homography(corners, rectangle), outline)
    margin = margin_share * min(width, height)
    low = np.maximum(inside.min(axis=0), (-0.1 * width, -0.1 * height)).clip(max=0.0) - margin
    high = np.minimum(inside.max(axis=0), (1.1 * width, 1.1 * height)).clip(min=(width, height)) + margin
    size = np.maximum(np.rint(high - low).astype(int) + 1, 1)
    move = np.array([[1, 0, low[0]], [0, 1, low[1]], [0, 0, 1]])
    return Mapping(homography(rectangle, corners) @ move, int(size[0]), int(size[1]))


def rectify(planes: Planes, mapping: Mapping) -> Planes:
    """Return the page: luma and the half-size chroma mapped apart, cubic. Beyond the frame its last pixel goes on."""
    size = (mapping.width_px, mapping.height_px)
    half = _to_half_size(mapping.to_frame)
    small = half_size(*size)
    u, v = (_warp(chroma, half, small) for chroma in (planes.u, planes.v))
    return Planes(sample(planes.y, mapping.to_frame, size), u, v)


def _warp(source: Plane, to_source: NDArray[np.float64], size: tuple[int, int]) -> Plane:
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return plane(cv2.warpPerspective(source, to_source, size, flags=flags, borderMode=cv2.BORDER_REPLICATE))


def _to_half_size(full: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the same perspective between chroma planes, whose sample i sits at 2 i + 0.5 of the luma."""
    up = np.array([[2.0, 0, 0.5], [0, 2.0, 0.5], [0, 0, 1]])
    down = np.array([[0.5, 0, -0.25], [0, 0.5, -0.25], [0, 0, 1]])
    return np.asarray(down @ full @ up, np.float64)
