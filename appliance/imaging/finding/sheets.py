"""From a frame to page outlines: paper, spine, exact edges, and how far each may be trusted."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import cv2
import numpy as np

from appliance.imaging.finding.attachments import without_attachments
from appliance.imaging.finding.beyond import print_beyond
from appliance.imaging.finding.division import Divided, divide, looks_like_two
from appliance.imaging.finding.gutter import refined
from appliance.imaging.finding.outline import (
    Region,
    find_region,
    region_of_one_colour,
    region_within,
    region_within_rim,
)
from appliance.imaging.finding.straight import evened, straight_sheet
from appliance.imaging.finding.tracing import paper_within, trace
from appliance.imaging.geometry import (
    Polygon,
    area,
    clockwise_from_top_left,
    distances,
    four_corners,
    four_within,
    is_sane_quad,
    side_lengths,
)
from appliance.imaging.planes import Planes
from appliance.imaging.ranks import median
from appliance.imaging.view import View
from wire.documents import QuarterTurn

_CLEAR: Final = 0.35
"""Less than this much of the weakest edge seen: another cue is asked."""
_RAGGED: Final = 0.87
"""Less than this of its hull filled: no page looks so. Measured: pages and open books 0.9 and more (a crumpled receipt
0.88), pieces of pages under laser lines and gaudy prints, whose edges are print, at most 0.862."""
_ALIKE: Final = 0.86
"""Height of one outer edge of an open book over the other's. Measured: 0.91 and more however it was held, at most 0.80
where the beam of a laser was followed instead of an edge."""
_RING_PX: Final = 13
_DARKER: Final = 20.0
_LEAST_PX: Final = 16.0
"""What is narrower is no page, in however small a frame."""
_THROWN: Final = 0.1
"""Of the paper's size: no page's corner lies so far from its paper."""
_AT_BORDER: Final = 0.012
_STRAIGHT_REACH: Final = 0.025
_STRAIGHT_SEEN: Final = 0.6
"""Measured on sheets in coloured light, turned, darkened: 0.71 and more where right, at most 0.52 where wrong."""
_STRAIGHT_CLEAR: Final = 0.42


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """One page as found, in pixels of the frame.

    Attributes:
        corners: four, clockwise from the one nearest the frame's top left.
        polygon: the edge, following its curves, from the same corner.
        confidence: how much of the weakest edge was seen, 0 to 1.
    """

    corners: Polygon
    polygon: Polygon
    confidence: float


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What lies in a frame.

    Attributes:
        sheets: none, one, or two facing pages.
        gutter: the spine, in pixels of the frame; None where none was seen.
        upright_gutter: whether it runs up and down in the frame.
        fragment: whether part of a facing page (or its reflection in the glass) was left out.
        paper: whether there is any paper-like region at all.
    """

    sheets: tuple[Sheet, ...]
    gutter: Polygon | None = None
    upright_gutter: bool = True
    fragment: bool = False
    paper: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class _Look:
    """What every way of looking for pages needs: the frame, its views and what the set-up says of two pages."""

    planes: Planes
    view: View
    clean: View
    may_divide: bool
    upright: bool | None


def find_sheets(
    planes: Planes, view: View, clean: View, *, may_divide: bool = True, rotation_cw: QuarterTurn | None = None
) -> Found:
    """Return the pages of a frame.

    Args:
        planes: the frame.
        view: the same reduced.
        clean: the view without its print.
        may_divide: whether two pages may be told apart; a facing page that the frame cuts off is left out in any case.
        rotation_cw: the turn that makes frames upright, which says how a spine lies; None = not known.
    """
    upright = None if rotation_cw is None else rotation_cw in (0, 180)
    found = _find(_Look(planes, view, clean, may_divide, upright))
    if any(abs(area(sheet.corners)) < _LEAST_PX * float(side_lengths(sheet.corners).max()) for sheet in found.sheets):
        return replace(found, sheets=tuple(replace(sheet, confidence=0.0) for sheet in found.sheets))
    if may_divide and len(found.sheets) == 1 and looks_like_two(view, view.from_frame(found.sheets[0].corners)):
        return replace(found, sheets=(replace(found.sheets[0], confidence=0.0),))
    return found


def _find(look: _Look) -> Found:
    found = _of_region(look, find_region(look.clean))
    if _is_clear(found):
        return found
    # Where one of two facing pages was seen well, no later cue is believed that sees but one.
    fewest = 2 if len(found.sheets) == 2 and max(sheet.confidence for sheet in found.sheets) >= _CLEAR else 1
    for ask in (_by_colour, _by_rim, _by_straight_edges):
        other = ask(look)
        if other is not None and _is_clear(other) and len(other.sheets) >= fewest:
            return other
    return found


def _by_colour(look: _Look) -> Found | None:
    return _of_region(look, region_of_one_colour(look.clean))


def _by_rim(look: _Look) -> Found | None:
    """Return what lies within a dark rim, but one page only where no print lies beyond: a spine is dark, too."""
    found = _of_region(look, region_within_rim(look.view))
    if len(found.sheets) == 1 and _goes_on(look, found.sheets[0]):
        return None
    return found


def _goes_on(look: _Look, sheet: Sheet) -> bool:
    """Tell whether there is printed paper beyond a sheet, a dark gap or not."""
    corners = look.view.from_frame(sheet.corners)
    paper = paper_within(look.clean, corners)
    sides = zip(corners, np.roll(corners, -1, axis=0), strict=True)
    return any(print_beyond(look.view, look.clean, start, end, paper, may_face=False) for start, end in sides)


def _is_clear(found: Found) -> bool:
    return bool(found.sheets) and min(sheet.confidence for sheet in found.sheets) >= _CLEAR


def _by_straight_edges(look: _Look) -> Found | None:
    """Return the sheet, or the open book, whose faint edges are straight; None when too little speaks for it."""
    view, clean, even = look.view, look.clean, evened(look.clean)
    guess = straight_sheet(view, clean, even)
    if guess is None or guess.confidence < _STRAIGHT_SEEN:
        return None
    sheet = _traced_by_lines(even, [guess.quad], None)[0]
    if _goes_on(look, sheet):
        return None
    found = Found((sheet,))
    region = region_within(view, view.from_frame(sheet.polygon))
    divided = divide(view, region, guess.quad, may_divide=look.may_divide, upright=look.upright)
    if divided is not None and not divided.fragment:
        found = _facing_pages(look, divided, partial(_traced_by_lines, even))
    certain = bool(found.sheets) and min(each.confidence for each in found.sheets) >= _STRAIGHT_CLEAR
    return found if certain else None


def _traced_by_lines(
    pale: View, quads: list[Polygon], line: Polygon | None, contours: list[Polygon] | None = None
) -> list[Sheet]:
    traced = trace(None, pale, pale, quads, line, contours, reach=_STRAIGHT_REACH, deep=_STRAIGHT_REACH)
    return [Sheet(*each) for each in traced]


def _of_region(look: _Look, region: Region | None) -> Found:
    """Return the pages within a piece of paper that is unlike its ground in luma or colour."""
    if region is None:
        return Found((), paper=False)
    quad = clockwise_from_top_left(four_corners(region.contour))
    paper = without_attachments(look.clean, region, quad)
    if paper is not region:
        region, quad = paper, clockwise_from_top_left(four_corners(paper.contour))
    if not is_sane_quad(quad) or region.solidity < _RAGGED or _is_picture(look, region, quad):
        return Found(())
    divided = divide(look.view, region, quad, may_divide=look.may_divide, upright=look.upright)
    traced = partial(_traced, look)
    if divided is not None:
        return _facing_pages(look, divided, traced)
    if _is_thrown(look.view, quad, region.contour):
        within = clockwise_from_top_left(four_within(region.contour))
        if is_sane_quad(within):
            return Found(tuple(traced([within], None, [region.contour])))
    return Found(tuple(traced([quad], None, None)))


def _is_thrown(view: View, quad: Polygon, contour: Polygon) -> bool:
    """Tell whether a corner lies out of the view though no frame cuts it off: a side that bulges much throws it there.

    It is far from all paper then, and the paper nearest to it ends within the view.
    """
    last, edge = np.array([view.width_px - 1, view.height_px - 1]), _AT_BORDER * view.longer_px
    far = _THROWN * float(np.sqrt(cv2.contourArea(contour.astype(np.float32))))
    for corner in quad[((quad < 0) | (quad > last)).any(axis=1)]:
        apart = np.hypot(*(contour - corner).T)
        nearest = contour[apart.argmin()]
        if float(apart.min()) > far and bool(((nearest > edge) & (nearest < last - edge)).all()):
            return True
    return False


def _is_picture(look: _Look, region: Region, quad: Polygon) -> bool:
    """Tell whether a piece is darker than all round it and what lies round it is printed: a picture on its page."""
    ring = cv2.subtract(cv2.dilate(region.mask, np.ones((_RING_PX, _RING_PX), np.uint8)), region.mask) > 0
    if not ring.any():
        return False
    around = (median(look.clean.y[ring]), median(look.clean.u[ring]), median(look.clean.v[ring]))
    if around[0] - paper_within(look.clean, quad)[0] < _DARKER:
        return False
    sides = zip(quad, np.roll(quad, -1, axis=0), strict=True)
    return any(print_beyond(look.view, look.clean, start, end, around, may_face=False) for start, end in sides)


def _traced(
    look: _Look, quads: list[Polygon], line: Polygon | None, contours: list[Polygon] | None = None
) -> list[Sheet]:
    return [Sheet(*each) for each in trace(look.planes, look.view, look.clean, quads, line, contours)]


def _facing_pages(
    look: _Look, divided: Divided, traced: Callable[[list[Polygon], Polygon | None, list[Polygon] | None], list[Sheet]]
) -> Found:
    """Return the pages on both sides of a spine, or the whole one of them where the frame cuts the other."""
    exact = refined(look.planes.y, look.view.to_frame(divided.gutter.line))
    parts = list(divided.parts)
    if divided.fragment:
        parts = [max(parts, key=lambda part: float(cv2.contourArea(cv2.convexHull(part.astype(np.float32)))))]
    quads = [clockwise_from_top_left(four_corners(part)) for part in parts]
    if not all(is_sane_quad(each) for each in quads):
        return Found(())
    sheets = tuple(traced(quads, look.view.from_frame(exact), parts))
    if len(sheets) == 2 and _differ(look.planes, sheets, exact):
        sheets = tuple(replace(sheet, confidence=0.0) for sheet in sheets)
    return Found(sheets, exact, divided.gutter.upright, fragment=divided.fragment)


def _differ(planes: Planes, sheets: tuple[Sheet, ...], spine: Polygon) -> bool:
    """Tell whether facing pages have outer edges so unlike that one of them must be wrong: nothing cuts them off."""
    corners = np.concatenate([sheet.corners for sheet in sheets])
    edge = _AT_BORDER * max(planes.width_px, planes.height_px)
    if bool(((corners < edge) | (corners > (planes.width_px - 1 - edge, planes.height_px - 1 - edge))).any()):
        return False
    heights = []
    for sheet in sheets:
        first, last = sheet.corners[np.argsort(np.abs(distances(sheet.corners, spine)[0]))[2:]]
        heights.append(float(np.linalg.norm(first - last)))
    return min(heights) < _ALIKE * max(heights)
