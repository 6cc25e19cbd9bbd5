"""Where paper lies in a frame: the region brighter than, or coloured unlike, what surrounds it."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.imaging.geometry import Polygon, points
from appliance.imaging.planes import Plane, plane
from appliance.imaging.view import View

MIN_AREA_SHARE = 0.06
"""Smaller regions are labels, coins and hands."""


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """One piece of paper in the view: one page or an open book.

    Attributes:
        mask: 255 inside, uint8, the view's shape.
        contour: its border, clockwise, in pixels of the view.
        contrast: luma inside less luma just outside.
    """

    mask: Plane
    contour: Polygon
    contrast: float


def find_region(view: View) -> Region | None:
    """Return the most page-like region of the view, or None when nothing stands out."""
    smooth = plane(cv2.GaussianBlur(view.y, (0, 0), 2.0))
    threshold, mask = cv2.threshold(smooth, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    region = _largest(plane(mask))
    if region is None:
        return None
    contrast = _contrast(smooth, region)
    if contrast < 12.0:
        return None
    contour = max(cv2.findContours(region, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0], key=cv2.contourArea)
    return Region(region, points(contour)[::-1], contrast)


def _largest(mask: Plane) -> Plane | None:
    """Return the largest piece with its holes (print, pictures) filled, or None when it is too small."""
    side = max(3, round(max(mask.shape) / 60) | 1)
    closed = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((side, side), np.uint8))
    opened = cv2.morphologyEx(closed, cv2.MORPH_OPEN, np.ones((side, side), np.uint8))
    contours, _ = cv2.findContours(opened, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return None
    largest = max(contours, key=cv2.contourArea)
    if cv2.contourArea(largest) < MIN_AREA_SHARE * mask.size:
        return None
    filled = np.zeros_like(mask)
    cv2.drawContours(filled, [largest], -1, 255, cv2.FILLED)
    return filled


def _contrast(smooth: Plane, region: Plane) -> float:
    ring = cv2.dilate(region, np.ones((15, 15), np.uint8)) & ~region
    if not ring.any():
        return 0.0
    return float(np.median(smooth[region > 0])) - float(np.median(smooth[ring > 0]))


def four_corners(contour: Polygon) -> Polygon:
    """Return the four-sided figure that fits a contour best: the hull's shortest sides are given up one by one."""
    hull = points(cv2.convexHull(contour.astype(np.float32)))
    while len(hull) > 4:
        hull = _without_least_side(hull)
    if len(hull) < 4:
        hull = points(cv2.boxPoints(cv2.minAreaRect(contour.astype(np.float32))))
    return hull


def _without_least_side(hull: Polygon) -> Polygon:
    """Drop the side whose removal (its neighbours extended until they meet) adds the least area."""
    best: tuple[float, int, NDArray[np.float64]] | None = None
    count = len(hull)
    for index in range(count):
        a, b, c, d = (hull[(index + step) % count] for step in (-1, 0, 1, 2))
        meeting = _meeting(a, b, d, c)
        if meeting is None:
            continue
        added = abs(float(np.cross(np.append(b - meeting, 0), np.append(c - meeting, 0))[2])) / 2
        if best is None or added < best[0]:
            best = (added, index, meeting)
    if best is None:
        return np.delete(hull, 0, axis=0)
    _, index, meeting = best
    hull = hull.copy()
    hull[index] = meeting
    return np.delete(hull, (index + 1) % count, axis=0)


def _meeting(
    a: NDArray[np.float64], b: NDArray[np.float64], d: NDArray[np.float64], c: NDArray[np.float64]
) -> NDArray[np.float64] | None:
    """Return where the ray a→b beyond b meets the ray d→c beyond c."""
    matrix = np.column_stack([b - a, -(c - d)])
    if abs(np.linalg.det(matrix)) < 1e-9:
        return None
    along, back = np.linalg.solve(matrix, d - a)
    if along < 1.0 or back < 1.0:
        return None
    return np.asarray(a + along * (b - a))
