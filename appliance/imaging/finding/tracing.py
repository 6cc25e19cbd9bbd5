"""From a rough quad to the page's exact outline: every side followed, corners where sides meet."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np

from appliance.imaging.finding.beyond import print_beyond
from appliance.imaging.finding.fore_edge import sides_with_leaves, without_leaves
from appliance.imaging.finding.refine import refined
from appliance.imaging.finding.sides import Rough, Side, follow
from appliance.imaging.geometry import Polygon, crossing, distances, points
from appliance.imaging.planes import Planes
from appliance.imaging.ranks import ranked
from appliance.imaging.view import View

_REACH: Final = 0.05
_DEEP: Final = 0.09
_SOLID_CONTRAST: Final = 15.0
_LEAST_SCALE: Final = 1.5
_REFINE_PX: Final = 3.5
"""Of the view: a side followed there is off by one or two."""
_POINTS_A_SIDE: Final = 14
_PICKED: Final = 0.5 - 0.5 * np.cos(np.linspace(0.0, np.pi, _POINTS_A_SIDE))
"""Closer together towards a side's ends: pages bend there, into the spine above all."""
_NEXT_CORNER: Final = 0.04
_PIECES: Final = (6, 16)
"""A corner lies where the last sixths of two sides meet, then where the sixteenths of them nearest to it do."""
_NEAR_CORNER: Final = 0.2
_ON_CONTOUR: Final = 0.05
"""So near a corner of the paper's contour its sides meet; a side that turns there runs almost along the next."""
_PLACES: Final = 24
"""Rows and columns of places that tell the middle tone of a page as well as all its pixels."""
_ALL_SIDES: Final = 4
"""A page of which no side lies along a spine that was seen."""
_MOST_CUT: Final = 3
"""A page that the frame cuts off on so many sides is larger than the frame: no outline was seen."""


@dataclass(frozen=True, slots=True, eq=False)
class _Edge:
    """One side of a page as exact as it is known, in pixels of the view, and how much of it was seen."""

    curve: Polygon
    seen: float
    at_frame: bool = False


def trace(
    planes: Planes | None,
    view: View,
    clean: View,
    quads: list[Polygon],
    spine: Polygon | None,
    contours: list[Polygon] | None = None,
    *,
    reach: float = _REACH,
    deep: float = _DEEP,
) -> list[tuple[Polygon, Polygon, float]]:
    """Return each page's corners and its edge, in pixels of the frame, and how much of its weakest side was seen.

    Args:
        planes: the frame, where edges are exact and leaves below the page are seen; None = the view has other tones.
        view: where to look.
        clean: the same without print.
        quads: rough corners of pages about equally large, clockwise, in pixels of the view.
        spine: two points of the line that is the pages' edge on one side, in pixels of the view; None = no spine.
        contours: of the paper of each page; without a spine, corners of the quads lie upon them.
        reach: how far from a rough side its edge is looked for, as a share of the page's size.
        deep: how wide a cover or fore-edge may be, as a share of the page's size.
    """
    size = max(float(np.sqrt(cv2.contourArea(quad.astype(np.float32)))) for quad in quads)
    inner = [None if spine is None else _side_along(quad, spine) for quad in quads]
    paper: Sequence[Polygon | None] = contours or [None] * len(quads)
    rough = [side for each in zip(quads, inner, paper, strict=True) for side in _free_sides(*each)]
    sides = follow(view, clean, rough, reach_px=reach * size, deep_px=deep * size)
    edges = _edges(sides) if planes is None else _exact_edges(planes, view, sides, size)
    on_contour = contours is not None and spine is None
    near_px = size * (_ON_CONTOUR if on_contour else _NEAR_CORNER)
    pages = []
    for quad, own in zip(quads, inner, strict=True):
        free, edges = edges[: 4 - (own is not None)], edges[4 - (own is not None) :]
        around = _outermost(quad, free) if on_contour else quad
        seen = _seen(view, clean, around, own, free)
        curves = [edge.curve for edge in free]
        if spine is not None and own is not None:
            curves.insert(own, _along_line(quad[own], quad[(own + 1) % 4], spine))
        corners = points([_corner(curves[i - 1], curves[i], quad[i], near_px) for i in range(4)])
        pieces = [_between(corners[i], corners[(i + 1) % 4], curves[i]) for i in range(4)]
        pages.append((view.to_frame(corners), view.to_frame(np.concatenate(pieces)), seen))
    return pages


def _free_sides(quad: Polygon, own: int | None, contour: Polygon | None) -> list[Rough]:
    """Return the rough sides of a page but that along the spine; those beside it fall into the spine."""
    ends = np.roll(quad, -1, axis=0)
    return [Rough(quad[i], ends[i], ((i - 1) % 4 == own, (i + 1) % 4 == own), contour) for i in range(4) if i != own]


def _edges(sides: list[Side]) -> list[_Edge]:
    return [
        _Edge(side.curve, side.support * min(1.0, side.contrast / _SOLID_CONTRAST), side.at_frame) for side in sides
    ]


def _exact_edges(planes: Planes, view: View, sides: list[Side], size: float) -> list[_Edge]:
    """Return sides without the leaves beyond them, every other one moved to its edge at the frame's full resolution."""
    edges = _edges(sides)
    free, size_px = [index for index, side in enumerate(sides) if not side.at_frame], size * view.scale
    curves = [view.to_frame(sides[index].curve) for index in free]
    leaves: dict[int, tuple[Polygon, float]] = {}
    for index, curve, likely in zip(free, curves, sides_with_leaves(planes.y, curves, size_px), strict=True):
        found = without_leaves(planes.y, curve, size_px) if likely else None
        if found is not None:
            leaves[index] = found
    if len(sides) == _ALL_SIDES:
        leaves = _at_one_end(leaves)
    for index, (curve, seen) in leaves.items():
        edges[index] = _Edge(view.from_frame(curve), seen)
    bare = [index for index in free if index not in leaves]
    if view.scale < _LEAST_SCALE:
        return edges  # the view is as exact as the frame
    curves = refined(planes, [view.to_frame(sides[index].curve) for index in bare], _REFINE_PX * view.scale)
    for index, curve in zip(bare, curves, strict=True):
        edges[index] = replace(edges[index], curve=view.from_frame(curve))
    return edges


def _at_one_end(leaves: dict[int, tuple[Polygon, float]]) -> dict[int, tuple[Polygon, float]]:
    """Return of leaves along opposite sides those that were seen better: along the other the book is bound."""
    return {
        index: found
        for index, found in leaves.items()
        if (opposite := (index + 2) % _ALL_SIDES) not in leaves or found[1] > leaves[opposite][1]
    }


def _outermost(quad: Polygon, free: list[_Edge]) -> Polygon:
    """Return a quad of which each side is moved out to where its edge bulges most."""
    sides = []
    for start, end, edge in zip(quad, np.roll(quad, -1, axis=0), free, strict=True):
        inside = distances(edge.curve, np.stack([start, end]))[0]
        outward = np.array([end[1] - start[1], start[0] - end[0]]) / max(float(np.linalg.norm(end - start)), 1e-6)
        sides.append(np.stack([start, end]) + max(0.0, -float(inside.min())) * outward)
    meetings = [crossing(*sides[i - 1], *sides[i]) for i in range(4)]
    return points([corner if found is None else found for corner, found in zip(quad, meetings, strict=True)])


def _seen(view: View, clean: View, quad: Polygon, own: int | None, free: list[_Edge]) -> float:
    """Return how much of the weakest free side was seen; nothing where print goes on beyond one."""
    if sum(edge.at_frame for edge in free) >= _MOST_CUT:
        return 0.0
    paper, ends = paper_within(clean, quad), np.roll(quad, -1, axis=0)
    if any(print_beyond(view, clean, quad[i], ends[i], paper) for i in range(4) if i != own):
        return 0.0
    return min((edge.seen for edge in free), default=0.0)


def paper_within(clean: View, quad: Polygon) -> tuple[float, float, float]:
    """Return the middle luma and colour of the paper within a quad."""
    across = np.linspace(0.02, 0.98, _PLACES)[:, None]
    left, right = quad[0] + across * (quad[3] - quad[0]), quad[1] + across * (quad[2] - quad[1])
    places = np.rint(left[:, None] + across * (right - left)[:, None]).astype(np.intp).reshape(-1, 2)
    x, y = np.clip(places, 0, (clean.width_px - 1, clean.height_px - 1)).T
    return ranked(clean.y[y, x]), ranked(clean.u[y, x]), ranked(clean.v[y, x])


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
    """Return where two edges meet: where they would if they went on straight, then where their pieces nearby do."""
    corner = guess
    for share in _PIECES:
        found = crossing(*_piece(before, corner, share), *_piece(after, corner, share))
        if found is None or float(np.abs(found - guess).max()) > near_px:
            break
        corner = found
    return corner


def _piece(curve: Polygon, near: Polygon, share: int) -> tuple[Polygon, Polygon]:
    """Return the ends of the piece of a curve nearest to a point, one part in `share` of it long."""
    length = max(1, len(curve) // share)
    apart = np.abs(curve - near)
    first = int((apart[:, 0] + apart[:, 1]).argmin()) - length // 2
    first = min(max(first, 0), len(curve) - 1 - length)
    return curve[first], curve[first + length]


def _between(start: Polygon, end: Polygon, curve: Polygon) -> Polygon:
    """Return the corner `start` and points of the curve on the way to `end`, without overshoot at either."""
    length = max(float(np.linalg.norm(end - start)), 1e-6)
    share = (curve - start) @ (end - start) / length**2
    inner = curve[(share > _NEXT_CORNER) & (share < 1 - _NEXT_CORNER)]
    picked = inner[np.unique(np.rint(_PICKED * (len(inner) - 1)).astype(int))] if len(inner) else inner
    return np.vstack([start[None, :], picked])
