"""Polygons in pixels of the frame: areas, corners, sides. Float64 arrays of shape (n, 2), clockwise as seen."""

from typing import Any, Final, TypeAlias, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.imaging.model import Outline
from wire.documents import QuarterTurn

Polygon: TypeAlias = NDArray[np.float64]

TURNS: Final[tuple[QuarterTurn, ...]] = (0, 90, 180, 270)


def points(values: Any) -> Polygon:
    """Return anything that holds x, y pairs as a polygon."""
    return cast(Polygon, np.asarray(values, np.float64).reshape(-1, 2))


def area(polygon: Polygon) -> float:
    """Return the signed area; positive when the polygon runs clockwise as seen (y grows downwards)."""
    x, y = polygon[:, 0], polygon[:, 1]
    return float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y) / 2)


def clockwise_from_top_left(quad: Polygon) -> Polygon:
    """Return four corners clockwise, beginning with the one nearest to the frame's own top left direction."""
    if area(quad) < 0:
        quad = quad[::-1]
    return cast(Polygon, np.roll(quad, -int(np.argmin(quad.sum(axis=1))), axis=0))


def side_lengths(quad: Polygon) -> NDArray[np.float64]:
    """Return the lengths of the sides 0-1, 1-2, 2-3, 3-0."""
    return cast(NDArray[np.float64], np.linalg.norm(np.roll(quad, -1, axis=0) - quad, axis=1))


def turned(quad: Polygon, rotation_cw: QuarterTurn) -> Polygon:
    """Return corners that begin at the frame's top left so that they begin at the upright page's own top left."""
    return cast(Polygon, np.roll(quad, rotation_cw // 90, axis=0))


def whole_frame(width_px: int, height_px: int) -> Polygon:
    """Return the frame's own four corners, clockwise from the top left."""
    right, bottom = width_px - 1.0, height_px - 1.0
    return points([(0, 0), (right, 0), (right, bottom), (0, bottom)])


def homography(source: Polygon, target: Polygon) -> NDArray[np.float64]:
    """Return the perspective that takes four points to four others, shape (3, 3)."""
    matrix = cv2.getPerspectiveTransform(source.astype(np.float32), target.astype(np.float32))
    return cast(NDArray[np.float64], matrix)


def apply(matrix: NDArray[np.float64], polygon: Polygon) -> Polygon:
    """Return the points after a perspective."""
    lifted = np.column_stack([polygon, np.ones(len(polygon))]) @ matrix.T
    return cast(Polygon, lifted[:, :2] / lifted[:, 2:])


def is_sane_quad(quad: Polygon) -> bool:
    """Tell whether four corners are convex and far enough from a sliver to be a page."""
    sides = side_lengths(quad)
    convex = bool(cv2.isContourConvex(quad.astype(np.float32)))
    return convex and float(sides.min()) > 0.08 * float(sides.max()) and float(sides.min()) >= 4.0


def as_outline(polygon: Polygon) -> Outline:
    """Return the polygon as plain numbers, to a hundredth of a pixel."""
    return tuple((round(float(x), 2), round(float(y), 2)) for x, y in polygon)
