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
    return float(x[:-1] @ y[1:] - x[1:] @ y[:-1] + x[-1] * y[0] - x[0] * y[-1]) / 2


def clockwise_from_top_left(quad: Polygon) -> Polygon:
    """Return four corners clockwise, beginning with the one nearest to the frame's own top left direction."""
    if area(quad) < 0:
        quad = quad[::-1]
    return np.roll(quad, -int(np.argmin(quad.sum(axis=1))), axis=0)


def side_lengths(quad: Polygon) -> NDArray[np.float64]:
    """Return the lengths of the sides 0-1, 1-2, 2-3, 3-0."""
    return cast(NDArray[np.float64], np.linalg.norm(np.roll(quad, -1, axis=0) - quad, axis=1))


def turned(quad: Polygon, rotation_cw: QuarterTurn) -> Polygon:
    """Return corners that begin at the frame's top left so that they begin at the upright page's own top left."""
    return np.roll(quad, rotation_cw // 90, axis=0)


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
    return lifted[:, :2] / lifted[:, 2:]


def is_sane_quad(quad: Polygon) -> bool:
    """Tell whether four corners are convex and far enough from a sliver to be a page."""
    sides = side_lengths(quad)
    convex = bool(cv2.isContourConvex(quad.astype(np.float32)))
    return convex and float(sides.min()) > 0.08 * float(sides.max()) and float(sides.min()) >= 4.0


def as_outline(polygon: Polygon) -> Outline:
    """Return the polygon as plain numbers, to a hundredth of a pixel."""
    return tuple((round(float(x), 2), round(float(y), 2)) for x, y in polygon)


def four_corners(contour: Polygon) -> Polygon:
    """Return the four-sided figure that fits round a contour best: the hull's least sides are given up one by one."""
    hull = points(cv2.approxPolyDP(cv2.convexHull(contour.astype(np.float32)), 1.0, True)).tolist()
    added = [_added_without(hull, index) for index in range(len(hull))]
    while len(hull) > 4:
        index = min(range(len(hull)), key=lambda each: added[each][0])
        after = (index + 1) % len(hull)
        hull[index] = added[index][1]
        del hull[after], added[after]
        index -= after < index
        for near in (index - 2, index - 1, index, index + 1):
            added[near % len(hull)] = _added_without(hull, near % len(hull))
    return points(hull) if len(hull) == 4 else points(cv2.boxPoints(cv2.minAreaRect(contour.astype(np.float32))))


def four_within(contour: Polygon) -> Polygon:
    """Return the four-sided figure within a contour that fits best: the hull's corners that hold least are given up.

    Its corners lie on the contour, wherever the sides between them bulge to.
    """
    hull = points(cv2.approxPolyDP(cv2.convexHull(contour.astype(np.float32)), 1.0, True))
    while len(hull) > 4:
        (ax, ay), (bx, by) = (hull - np.roll(hull, 1, axis=0)).T, (np.roll(hull, -1, axis=0) - hull).T
        hull = np.delete(hull, int(np.abs(ax * by - ay * bx).argmin()), axis=0)
    return hull


def _added_without(hull: list[list[float]], index: int) -> tuple[float, list[float]]:
    """Return the area that is added when a side goes and its neighbours are extended until they meet, and where."""
    before, start, end, after = (hull[(index + step) % len(hull)] for step in (-1, 0, 1, 2))
    corner = _meeting(before, start, after, end)
    if corner is None:
        return float("inf"), start
    first, second = (start[0] - corner[0], start[1] - corner[1]), (end[0] - corner[0], end[1] - corner[1])
    return abs(first[0] * second[1] - first[1] * second[0]) / 2, corner


def _meeting(a: list[float], b: list[float], c: list[float], d: list[float]) -> list[float] | None:
    """Return where the ray from a through b, beyond b, meets the ray from c through d, beyond d."""
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = a, b, c, d
    across = (bx - ax) * (dy - cy) - (by - ay) * (dx - cx)
    if abs(across) < 1e-9:
        return None
    along = ((cx - ax) * (dy - cy) - (cy - ay) * (dx - cx)) / across
    other = ((cx - ax) * (by - ay) - (cy - ay) * (bx - ax)) / across
    return [ax + along * (bx - ax), ay + along * (by - ay)] if along >= 1.0 and other >= 1.0 else None


def crossing(a: Polygon, b: Polygon, c: Polygon, d: Polygon) -> Polygon | None:
    """Return where the line through a and b meets the line through c and d, or None when they hardly do."""
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = a.tolist(), b.tolist(), c.tolist(), d.tolist()
    across = (bx - ax) * (dy - cy) - (by - ay) * (dx - cx)
    if abs(across) < 1e-6:
        return None
    along = ((cx - ax) * (dy - cy) - (cy - ay) * (dx - cx)) / across
    return np.array([ax + along * (bx - ax), ay + along * (by - ay)])


def distances(polygon: Polygon, line: Polygon) -> tuple[Polygon, Polygon]:
    """Return how far points lie to the right of a line through two points, and how far along it."""
    along = (line[1] - line[0]) / max(float(np.linalg.norm(line[1] - line[0])), 1e-6)
    return (polygon - line[0]) @ np.array([-along[1], along[0]]), (polygon - line[0]) @ along


def turned_outline(polygon: Polygon, first: Polygon) -> Polygon:
    """Return a closed polygon so that it begins at the point nearest to `first`."""
    return np.roll(polygon, -int(np.argmin(np.linalg.norm(polygon - first, axis=1))), axis=0)


def straightened_deg(corners: Polygon) -> float:
    """Return by how many degrees the top edge leans from the nearest quarter turn; positive falls to the right."""
    x, y = corners[1] - corners[0]
    angle = float(np.degrees(np.arctan2(y, x)))
    return (angle + 45.0) % 90.0 - 45.0


def shares_at_border(corners: Polygon, outline: Polygon, width_px: int, height_px: int) -> tuple[float, ...]:
    """Return for the sides from each corner to the next which share of them the frame ends."""
    near = 0.0025 * max(width_px, height_px) + 1
    limit = np.array([width_px - 1 - near, height_px - 1 - near])
    shares = []
    for start, end in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        length = max(float(np.linalg.norm(end - start)), 1e-6)
        along = (outline - start) @ (end - start) / length
        across = np.abs((outline - start) @ np.array([start[1] - end[1], end[0] - start[0]])) / length
        inner = outline[(along > 0.03 * length) & (along < 0.97 * length) & (across < 0.12 * length)]
        beyond = ((inner < near) | (inner > limit)).any(axis=1)
        shares.append(float(beyond.mean()) if len(beyond) else 0.0)
    return tuple(shares)
