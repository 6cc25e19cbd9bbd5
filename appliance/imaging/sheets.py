"""From a frame to page outlines: paper, spine, exact edges, and how far each may be trusted."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, Literal

import cv2
import numpy as np

from appliance.imaging import gutter as spine
from appliance.imaging.beyond import print_beyond
from appliance.imaging.geometry import Polygon, clockwise_from_top_left, distances, four_corners, is_sane_quad
from appliance.imaging.gutter import Gutter
from appliance.imaging.outline import Region, find_region, region_of_one_colour, region_within, region_within_rim
from appliance.imaging.planes import Planes
from appliance.imaging.print_lines import direction_of_print, is_wide, parted_in_two, print_across
from appliance.imaging.straight import evened, straight_sheet
from appliance.imaging.tracing import paper_within, trace
from appliance.imaging.view import View

_CLEAR: Final = 0.35
"""Less than this much of the weakest edge seen: another cue is asked."""
_STRAIGHT_REACH: Final = 0.025
_STRAIGHT_SEEN: Final = 0.6
"""Measured on sheets in coloured light, turned, darkened: 0.71 and more where right, at most 0.52 where wrong."""
_STRAIGHT_CLEAR: Final = 0.42
_BENT: Final = 0.04
"""Measured: flat sheets at most 0.016 under any shadow, open books from 0.05."""
_SPINE_IF_BENT: Final = 0.40
_SPINE_IF_FLAT: Final = 0.65
_PRINT_WEIGHT: Final = 0.6
_STOPS: Final = 0.3
"""Measured: print on a spine at most 0.21 of what lies beside it, 0.31 with a picture beyond it; elsewhere from 0.5."""
_CROSSED: Final = 0.5
_LYING: Final = 0.15

Division = Literal["spread", "fragment"]


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


def find_sheets(planes: Planes, view: View, clean: View, *, may_divide: bool = True) -> Found:
    """Return the pages of a frame.

    Args:
        planes: the frame.
        view: the same reduced.
        clean: the view without its print.
        may_divide: whether two pages may be told apart; a facing page that the frame cuts off is left out in any case.
    """
    found = _find(planes, view, clean, may_divide)
    if may_divide and len(found.sheets) == 1 and _looks_like_two(view, view.from_frame(found.sheets[0].corners)):
        return replace(found, sheets=(replace(found.sheets[0], confidence=0.0),))
    return found


def _find(planes: Planes, view: View, clean: View, may_divide: bool) -> Found:
    found = _of_region(planes, view, clean, find_region(clean), may_divide)
    if _is_clear(found):
        return found
    for region in (region_of_one_colour(clean), region_within_rim(view)):
        other = _of_region(planes, view, clean, region, may_divide)
        if _is_clear(other):
            return other
    return _by_straight_edges(planes, view, clean, may_divide) or found


def _looks_like_two(view: View, corners: Polygon) -> bool:
    """Tell whether one sheet has the proportions and the print of two pages: then a spine was missed."""
    for quad in (corners, np.roll(corners, 1, axis=0)):
        if is_wide(quad) and parted_in_two(view, quad):
            return direction_of_print(view, quad, region_within(view, quad).mask) > _LYING
    return False


def _is_clear(found: Found) -> bool:
    return bool(found.sheets) and min(sheet.confidence for sheet in found.sheets) >= _CLEAR


def _by_straight_edges(planes: Planes, view: View, clean: View, may_divide: bool) -> Found | None:
    """Return the sheet, or the open book, whose faint edges are straight; None when too little speaks for it."""
    even = evened(clean)
    guess = straight_sheet(view, clean, even)
    if guess is None or guess.confidence < _STRAIGHT_SEEN:
        return None
    sheet = _traced_by_lines(even, [guess.quad], None)[0]
    corners = view.from_frame(sheet.corners)
    paper = paper_within(clean, corners)
    sides = zip(corners, np.roll(corners, -1, axis=0), strict=True)
    if any(print_beyond(view, clean, start, end, paper, may_face=False) for start, end in sides):
        return None
    found = Found((sheet,))
    divided = _divide(view, region_within(view, view.from_frame(sheet.polygon)), guess.quad, may_divide)
    if divided is not None and divided[2] == "spread":
        found = _facing_pages(planes, view, divided, partial(_traced_by_lines, even))
    certain = bool(found.sheets) and min(each.confidence for each in found.sheets) >= _STRAIGHT_CLEAR
    return found if certain else None


def _traced_by_lines(pale: View, quads: list[Polygon], line: Polygon | None) -> list[Sheet]:
    traced = trace(None, pale, pale, quads, line, reach=_STRAIGHT_REACH, deep=_STRAIGHT_REACH)
    return [Sheet(*each) for each in traced]


def _of_region(planes: Planes, view: View, clean: View, region: Region | None, may_divide: bool) -> Found:
    """Return the pages within a piece of paper that is unlike its ground in luma or colour."""
    if region is None:
        return Found((), paper=False)
    quad = clockwise_from_top_left(four_corners(region.contour))
    if not is_sane_quad(quad):
        return Found(())
    divided = _divide(view, region, quad, may_divide)
    if divided is None:
        return Found((Sheet(*trace(planes, view, clean, [quad], None)[0]),))
    return _facing_pages(planes, view, divided, partial(_traced, planes, view, clean))


def _traced(planes: Planes, view: View, clean: View, quads: list[Polygon], line: Polygon) -> list[Sheet]:
    return [Sheet(*each) for each in trace(planes, view, clean, quads, line)]


def _facing_pages(
    planes: Planes,
    view: View,
    divided: tuple[Gutter, list[Polygon], Division],
    traced: Callable[[list[Polygon], Polygon], list[Sheet]],
) -> Found:
    """Return the pages on both sides of a spine, or the whole one of them where the frame cuts the other."""
    gutter, parts, division = divided
    exact = spine.refined(planes.y, view.to_frame(gutter.line))
    line = view.from_frame(exact)
    if division == "fragment":
        parts = [max(parts, key=lambda part: float(cv2.contourArea(cv2.convexHull(part.astype(np.float32)))))]
    quads = [clockwise_from_top_left(four_corners(part)) for part in parts]
    if not all(is_sane_quad(each) for each in quads):
        return Found(())
    sheets = tuple(traced(quads, line))
    return Found(sheets, exact, gutter.upright, fragment=division == "fragment")


def _divide(
    view: View, region: Region, quad: Polygon, may_divide: bool
) -> tuple[Gutter, list[Polygon], Division] | None:
    """Return the spine, the contours on both of its sides, and what they are; None where nothing speaks for one."""
    lying = direction_of_print(view, quad, region.mask)
    best: tuple[float, Gutter, list[Polygon], Division] | None = None
    stops = False
    for gutter in spine.find_gutters(view, quad, region.mask):
        parts = _parts(region, gutter.line)
        division = _division(view, gutter.line, parts)
        if division == "spread" and not may_divide:
            continue
        across = lying if gutter.upright else -lying
        # Lines of print run across a spine, not along it, and stop there.
        strength = gutter.strength * (1 + _PRINT_WEIGHT * across)
        fuller, emptier = print_across(view.y, gutter.line) if strength >= _SPINE_IF_BENT else (0.0, 0.0)
        strength *= 1 - _CROSSED * float(np.clip((fuller - _STOPS) / _STOPS, 0, 1))
        if division is not None and (best is None or strength > best[0]):
            best = (strength, gutter, parts, division)
            wide = is_wide(quad if gutter.upright else np.roll(quad, 1, axis=0))
            stops = wide and 0 < emptier < _STOPS and across > _LYING
    if best is None or best[0] < _SPINE_IF_BENT:
        return None
    proven = best[0] >= _SPINE_IF_FLAT or stops or spine.bend(region.contour, best[1].line) >= _BENT
    return best[1:] if proven else None


def _parts(region: Region, line: Polygon) -> list[Polygon]:
    """Return the region's contour on both sides of a line."""
    right = distances(region.contour, line)[0] > 0
    return [region.contour[right], region.contour[~right]]


def _division(view: View, line: Polygon, parts: list[Polygon]) -> Division | None:
    """Tell two facing pages from one page and a piece of another that the frame cuts off; None = no spine at all."""
    if min(len(part) for part in parts) < 8:
        return None
    across, along = zip(*(distances(part, line) for part in parts), strict=True)
    widths = [float(np.percentile(np.abs(each), 97)) for each in across]
    height = max(float(np.ptp(each)) for each in along)
    small, large = sorted(widths)
    if small > 0.55 * large:
        return "spread" if 0.35 < large / max(height, 1.0) < 1.3 else None
    index = widths.index(small)
    edge = 0.012 * view.longer_px + 1
    limit = np.array([view.width_px - 1 - edge, view.height_px - 1 - edge])
    # One border of the frame must cut it off all along: a book that reaches two opposite borders is not cut off there.
    far = np.abs(across[index]) > 0.6 * small
    at_borders = np.column_stack([parts[index] < edge, parts[index] > limit]) & far[:, None]
    cut = max((float(np.ptp(along[index][at])) for at in at_borders.T if np.count_nonzero(at) >= 4), default=0.0)
    return "fragment" if cut > 0.5 * height else None
