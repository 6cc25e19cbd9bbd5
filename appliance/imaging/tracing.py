"""From a rough quad to the page's exact outline: every side followed, corners where sides meet."""

from typing import Final

import cv2
import numpy as np

from appliance.imaging.beyond import print_beyond
from appliance.imaging.fore_edge import without_leaves
from appliance.imaging.geometry import Polygon, crossing, distances, points
from appliance.imaging.planes import Planes
from appliance.imaging.sides import follow
from appliance.imaging.view import View

_REACH: Final = 0.05
_DEEP: Final = 0.09
_SOLID_CONTRAST: Final = 15.0
_POINTS_A_SIDE: Final = 12
_MOST_CUT: Final = 3
"""A page that the frame cuts off on so many sides is larger than the frame: no outline was seen."""


def trace(
    planes: Planes | None,
    view: View,
    clean: View,
    quad: Polygon,
    spine: Polygon | None,
    *,
    reach: float = _REACH,
    deep: float = _DEEP,
) -> tuple[Polygon, Polygon, float]:
    """Return a page's four corners and its edge, in pixels of the frame, and how much of the weakest edge was seen.

    Args:
        planes: the frame, where edges are exact and leaves below the page are seen; None = the view has other tones.
        view: where to look.
        clean: the same without print.
        quad: rough corners, clockwise, in pixels of the view.
        spine: two points of the line that is the page's edge on one side, in pixels of the view; None = no spine.
        reach: how far from a rough side its edge is looked for, as a share of the page's size.
        deep: how wide a cover or fore-edge may be, as a share of the page's size.
    """
    size = float(np.sqrt(cv2.contourArea(quad.astype(np.float32))))
    paper = paper_within(clean, quad)
    curves, evidence, cut = [], [], 0
    for index, (start, end) in enumerate(zip(quad, np.roll(quad, -1, axis=0), strict=True)):
        if spine is not None and index == _side_along(quad, spine):
            curves.append(_along_line(start, end, spine))
            continue
        side = follow(view, clean, start, end, reach_px=reach * size, deep_px=deep * size)
        leaves = (
            None
            if planes is None or side.at_frame
            else without_leaves(planes.y, view.to_frame(side.curve), size * view.scale)
        )
        curves.append(side.curve if leaves is None else view.from_frame(leaves[0]))
        cut += side.at_frame
        lost = print_beyond(view, clean, start, end, paper)
        seen = side.support * min(1.0, side.contrast / _SOLID_CONTRAST) if leaves is None else leaves[1]
        evidence.append(0.0 if lost else seen)
    corners = points([_corner(curves[i - 1], curves[i], quad[i], 0.2 * size) for i in range(4)])
    pieces = [_between(corners[i], corners[(i + 1) % 4], curves[i]) for i in range(4)]
    seen = min(evidence, default=0.0) if cut < _MOST_CUT else 0.0
    return view.to_frame(corners), view.to_frame(np.concatenate(pieces)), seen


def paper_within(clean: View, quad: Polygon) -> tuple[float, float, float]:
    """Return the middle luma and colour of the paper within a quad."""
    mask = np.zeros(clean.y.shape, np.uint8)
    cv2.fillPoly(mask, [np.rint(quad).astype(np.int32)], 255)
    y, u, v = (float(np.median(values[mask > 0])) for values in (clean.y, clean.u, clean.v))
    return y, u, v


def _side_along(quad: Polygon, line: Polygon) -> int:
    """Return which side of a quad runs beside a line."""
    apart = np.abs(distances(quad, line)[0])
    return int(np.argmin(apart + np.roll(apart, -1)))


def _along_line(start: Polygon, end: Polygon, line: Polygon) -> Polygon:
    """Return points on the line beside the way from start to end."""
    direction = (line[1] - line[0]) / max(float(np.linalg.norm(line[1] - line[0])), 1e-6)
    first, last = ((corner - line[0]) @ direction for corner in (start, end))
    return points([line[0] + share * direction for share in np.linspace(first, last, _POINTS_A_SIDE)])


def _corner(before: Polygon, after: Polygon, guess: Polygon, near_px: float) -> Polygon:
    """Return where two edges meet when both go on straight beyond their ends."""
    tail, head = max(2, len(before) // 6), max(2, len(after) // 6)
    corner = crossing(before[-tail], before[-1], after[head - 1], after[0])
    return guess if corner is None or float(np.linalg.norm(corner - guess)) > near_px else corner


def _between(start: Polygon, end: Polygon, curve: Polygon) -> Polygon:
    """Return the corner `start` and points of the curve on the way to `end`, without overshoot at either."""
    length = max(float(np.linalg.norm(end - start)), 1e-6)
    share = (curve - start) @ (end - start) / length**2
    inner = curve[(share > 0.04) & (share < 0.96)]
    picked = inner[np.unique(np.linspace(0, len(inner) - 1, _POINTS_A_SIDE).astype(int))] if len(inner) else inner
    return np.vstack([start[None, :], picked])
