"""From an outline to an upright page: perspective and curl taken out, every plane mapped once, nothing sharpened."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.imaging.flattening.pose import true_proportion
from appliance.imaging.flattening.resample import Mesh, sample, sample_mesh, through_mesh
from appliance.imaging.flattening.shape import Shape
from appliance.imaging.geometry import Polygon, apply, homography, points, side_lengths
from appliance.imaging.planes import Plane, Planes, half_size, plane

MAX_SIDE_PX: Final = 20_000
_MOST_BEYOND: Final = 0.1
"""Of the page: what of an outline reaches further beyond its corners is left out."""
_STEEPEST: Final = 2.0
"""A page seen so foreshortened is stretched no more."""
_STEP_PX: Final = 32
"""Between the places where a curled page's mapping is worked out; even amid them."""
_FINE_PX: Final = 16
"""Between the places of the mesh that is handed on: of a finer mesh less is grown in vain round every strip."""


@dataclass(frozen=True, slots=True, eq=False)
class Mapping:
    """How a finished page lies in the frame.

    Attributes:
        perspective: from pixels of the page (with a shape: as it is seen, bent) to pixels of the frame, shape (3, 3).
        width_px: of the page.
        height_px: of the page.
        shape: how it is bent; None = it lies flat.
        origin: where on the paper the page's first pixel lies; (0, 0) without a shape.
    """

    perspective: NDArray[np.float64]
    width_px: int
    height_px: int
    shape: Shape | None = None
    origin: tuple[float, float] = (0.0, 0.0)

    def to_frame(self, polygon: Polygon) -> Polygon:
        """Return points of the page in pixels of the frame."""
        if self.shape is not None:
            polygon = self.shape.bent(polygon + np.array(self.origin))
        return apply(self.perspective, polygon)

    def from_frame(self, polygon: Polygon) -> Polygon:
        """Return points of the frame in pixels of the page."""
        seen = apply(np.asarray(np.linalg.inv(self.perspective), np.float64), polygon)
        return seen if self.shape is None else self.shape.levelled(seen) - np.array(self.origin)


def plan(
    corners: Polygon,
    outline: Polygon,
    margin_share: float,
    frame_px: tuple[int, int] | None = None,
    proportion: float | None = None,
) -> Mapping:
    """Return the mapping that makes `corners` a rectangle and keeps all of `outline` and a margin round it.

    Args:
        corners: four, clockwise from the page's own top left, in pixels of the frame.
        outline: the page's edge, which may bulge beyond the straight sides between the corners.
        margin_share: kept around the outline, as a share of the shorter side.
        frame_px: width and height of the frame, from which the page's true proportions are told; None = as seen.
        proportion: height over width of the page where it was measured.
    """
    if proportion is None and frame_px is not None:
        proportion = true_proportion(corners, frame_px)
    width, height = _size(corners, proportion)
    rectangle = points([(0, 0), (width, 0), (width, height), (0, height)])
    inside = apply(homography(corners, rectangle), outline)
    low, size = bounds(rectangle, inside, margin_share)
    move = np.array([[1, 0, low[0]], [0, 1, low[1]], [0, 0, 1]])
    return Mapping(homography(rectangle, corners) @ move, *size)


def bounds(corners: Polygon, outline: Polygon, margin_share: float) -> tuple[tuple[float, float], tuple[int, int]]:
    """Return the first pixel of a page and its size, so that it holds its corners, its outline and a margin."""
    first, last = corners.min(axis=0), corners.max(axis=0)
    beyond = _MOST_BEYOND * (last - first)
    margin = margin_share * float((last - first).min())
    low = np.maximum(outline.min(axis=0), first - beyond).clip(max=first) - margin
    high = np.minimum(outline.max(axis=0), last + beyond).clip(min=last) + margin
    size = np.maximum(np.rint(high - low).astype(int) + 1, 1)
    return (float(low[0]), float(low[1])), (int(size[0]), int(size[1]))


def rectify(planes: Planes, mapping: Mapping) -> Planes:
    """Return the page: luma mapped cubic, the half-size chroma linear. Beyond the frame its last pixel goes on."""
    size = (mapping.width_px, mapping.height_px)
    small = half_size(*size)
    if mapping.shape is not None:
        luma = mesh(mapping)
        y = sample_mesh(planes.y, luma, _FINE_PX, size)
        u, v = through_mesh((planes.u, planes.v), 0.5 * luma - 0.25, _FINE_PX // 2, small, cv2.INTER_LINEAR)
        return Planes(y, u, v)
    half = _to_half_size(mapping.perspective)
    u, v = (_warp(chroma, half, small) for chroma in (planes.u, planes.v))
    return Planes(sample(planes.y, mapping.perspective, size), u, v)


def _size(corners: Polygon, proportion: float | None) -> tuple[float, float]:
    """Return width and height of a page such that nothing of it is made smaller."""
    top, right, bottom, left = side_lengths(corners)
    width, height = float(max(top, bottom, 1.0)), float(max(left, right, 1.0))
    if proportion is not None:
        more = proportion * width / height
        width, height = width * min(max(1 / more, 1.0), _STEEPEST), height * min(max(more, 1.0), _STEEPEST)
    shrink = min(1.0, MAX_SIDE_PX / max(width, height))
    return width * shrink, height * shrink


def _warp(source: Plane, to_source: NDArray[np.float64], size: tuple[int, int]) -> Plane:
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return plane(cv2.warpPerspective(source, to_source, size, flags=flags, borderMode=cv2.BORDER_REPLICATE))


def _to_half_size(full: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the same perspective between chroma planes, whose sample i sits at 2 i + 0.5 of the luma."""
    up = np.array([[2.0, 0, 0.5], [0, 2.0, 0.5], [0, 0, 1]])
    down = np.array([[0.5, 0, -0.25], [0, 0.5, -0.25], [0, 0, 1]])
    return np.asarray(down @ full @ up, np.float64)


def mesh(mapping: Mapping) -> Mesh:
    """Return where in the frame the middles of blocks of 16 px of the page lie, one block more on every side.

    Float32, shape (rows, columns, 2), x before y; the first block's middle is at (-8.5, -8.5) of the page.
    """
    x, y = (
        np.arange(-1, -(-size // _STEP_PX) + 1) * _STEP_PX + (_STEP_PX - 1) / 2
        for size in (mapping.width_px, mapping.height_px)
    )
    across, down = np.meshgrid(x, y)
    places = mapping.to_frame(np.column_stack([across.ravel(), down.ravel()])).astype(np.float32)
    finer = _STEP_PX // _FINE_PX
    grown = cv2.resize(places.reshape(len(y), len(x), 2), (len(x) * finer, len(y) * finer))
    return np.ascontiguousarray(grown[finer - 1 : 1 - finer, finer - 1 : 1 - finer], np.float32)
