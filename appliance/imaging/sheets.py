"""From a frame to page outlines: paper, spine, exact edges, and how far each may be trusted."""

from dataclasses import dataclass, replace
from typing import Final, Literal

import cv2
import numpy as np

from appliance.imaging import gutter as spine
from appliance.imaging.beyond import print_beyond
from appliance.imaging.geometry import Polygon, clockwise_from_top_left, distances, four_corners, is_sane_quad
from appliance.imaging.gutter import Gutter
from appliance.imaging.outline import Region, find_region, region_of_one_colour
from appliance.imaging.planes import Planes
from appliance.imaging.print_lines import direction_of_print
from appliance.imaging.straight import evened, straight_sheet
from appliance.imaging.tracing import paper_within, trace
from appliance.imaging.view import View

_CLEAR: Final = 0.35
"""Less than this much of the weakest edge seen: another cue is asked."""
_STRAIGHT_REACH: Final = 0.025
_STRAIGHT_SEEN: Final = 0.5
_STRAIGHT_CLEAR: Final = 0.48
"""Straight edges alone must be seen better: measured up to 0.47 where they were wrong."""
_BENT: Final = 0.04
"""Measured: flat sheets at most 0.016 under any shadow, open books from 0.05."""
_SPINE_IF_BENT: Final = 0.40
_SPINE_IF_FLAT: Final = 0.65
_PRINT_WEIGHT: Final = 0.6

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
    found = _of_region(planes, view, clean, find_region(clean), may_divide)
    if _is_clear(found):
        return found
    other = _of_region(planes, view, clean, region_of_one_colour(clean), may_divide)
    return other if _is_clear(other) else _by_straight_edges(view, clean) or found


def _is_clear(found: Found) -> bool:
    return bool(found.sheets) and min(sheet.confidence for sheet in found.sheets) >= _CLEAR


def _by_straight_edges(view: View, clean: View) -> Found | None:
    """Return the one sheet whose faint edges are straight, or None when too little speaks for it."""
    even = evened(clean)
    guess = straight_sheet(view, clean, even)
    if guess is None:
        return None
    pale = replace(view, y=even)
    sheet = Sheet(*trace(None, pale, pale, [guess.quad], None, reach=_STRAIGHT_REACH, deep=_STRAIGHT_REACH)[0])
    corners = view.from_frame(sheet.corners)
    paper = paper_within(clean, corners)
    sides = zip(corners, np.roll(corners, -1, axis=0), strict=True)
    if any(print_beyond(view, clean, start, end, paper, may_face=False) for start, end in sides):
        return None
    confidence = sheet.confidence * min(1.0, guess.confidence / _STRAIGHT_SEEN)
    return Found((replace(sheet, confidence=confidence),)) if confidence >= _STRAIGHT_CLEAR else None


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
    gutter, parts, division = divided
    exact = spine.refined(planes.y, view.to_frame(gutter.line))
    line = view.from_frame(exact)
    if division == "fragment":
        parts = [max(parts, key=lambda part: float(cv2.contourArea(cv2.convexHull(part.astype(np.float32)))))]
    quads = [clockwise_from_top_left(four_corners(part)) for part in parts]
    if not all(is_sane_quad(each) for each in quads):
        return Found(())
    sheets = tuple(Sheet(*each) for each in trace(planes, view, clean, quads, line))
    return Found(sheets, exact, gutter.upright, fragment=division == "fragment")


def _divide(
    view: View, region: Region, quad: Polygon, may_divide: bool
) -> tuple[Gutter, list[Polygon], Division] | None:
    """Return the spine, the contours on both of its sides, and what they are; None where nothing speaks for one."""
    lying = direction_of_print(view, quad, region.mask)
    best: tuple[float, Gutter, list[Polygon], Division] | None = None
    for gutter in spine.find_gutters(view, quad, region.mask):
        parts = _parts(region, gutter.line)
        division = _division(view, gutter.line, parts)
        if division == "spread" and not may_divide:
            continue
        # Lines of print run across a spine, not along it.
        strength = gutter.strength * (1 + _PRINT_WEIGHT * (lying if gutter.upright else -lying))
        if division is not None and (best is None or strength > best[0]):
            best = (strength, gutter, parts, division)
    if best is None:
        return None
    bent = spine.bend(region.contour, best[1].line) >= _BENT
    return best[1:] if best[0] >= (_SPINE_IF_BENT if bent else _SPINE_IF_FLAT) else None


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
    at_border = ((parts[index] < edge) | (parts[index] > limit)).any(axis=1)
    far = along[index][at_border & (np.abs(across[index]) > 0.6 * small)]
    return "fragment" if len(far) >= 4 and float(np.ptp(far)) > 0.5 * height else None
