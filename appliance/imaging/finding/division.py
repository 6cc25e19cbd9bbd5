"""Two pages or one: what speaks for a spine, and what lies on both of its sides."""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from appliance.imaging.finding.gutter import Gutter, bend, find_gutters
from appliance.imaging.finding.outline import Region, region_within
from appliance.imaging.geometry import Polygon, distances
from appliance.imaging.print_lines import direction_of_print, is_wide, parted_in_two, print_across
from appliance.imaging.ranks import ranked
from appliance.imaging.view import View

_BENT: Final = 0.04
"""Measured: flat sheets at most 0.016 under any shadow, open books from 0.05."""
_SPINE_IF_BENT: Final = 0.40
_BROKEN: Final = 0.3
"""Where both edges of the paper break so sharply two pages meet, however faint the shadow; flat sheets have to 0.1."""
_SPINE_IF_BROKEN: Final = 0.25
_SPINE_IF_FLAT: Final = 0.65
_PRINT_WEIGHT: Final = 0.6
_KNOWN: Final = 0.5
"""As much print across the spine as a set-up counts for that says how it lies."""
_STOPS: Final = 0.3
"""Measured: print on a spine at most 0.21 of what lies beside it, 0.31 with a picture beyond it; elsewhere from 0.5."""
_CROSSED: Final = 0.5
_LYING: Final = 0.15
_DEEP: Final = 0.8
"""A shadow that says more than lines of print which run along it: they may be columns of vertical writing."""

Division = Literal["spread", "fragment"]


@dataclass(frozen=True, slots=True, eq=False)
class Divided:
    """An open book.

    Attributes:
        gutter: its spine.
        parts: the paper's contour on both of its sides, in pixels of the view.
        fragment: whether one side is only a piece of a page that the frame cuts off.
    """

    gutter: Gutter
    parts: tuple[Polygon, Polygon]
    fragment: bool


@dataclass(frozen=True, slots=True, eq=False)
class _Candidate:
    """A line that may be a spine, what speaks for it, and whether that is enough."""

    strength: float
    proven: bool
    divided: Divided


def divide(
    view: View, region: Region, quad: Polygon, *, may_divide: bool, upright: bool | None = None
) -> Divided | None:
    """Return what a spine makes of a piece of paper, or None where nothing speaks for one.

    Args:
        view: where to look.
        region: the paper.
        quad: its corners, clockwise from the top left.
        may_divide: whether there may be two whole pages.
        upright: whether a spine runs up and down in the view, where the set-up says so.
    """
    lying = direction_of_print(view, quad, region.mask)
    likely = upright if upright is not None else lying >= 0
    best: _Candidate | None = None
    for direction in (likely, not likely):
        across = lying if direction else -lying
        if upright is not None:
            across = max(across, _KNOWN) if direction == upright else min(across, 0.0)
        found = _best(view, region, quad, across, direction, may_divide)
        if found is not None and (best is None or found.strength > best.strength):
            best = found
        if best is not None and best.proven:
            return best.divided
    return None


def looks_like_two(view: View, corners: Polygon) -> bool:
    """Tell whether one sheet has the proportions and the print of two pages: then a spine may have been missed.

    Where print runs along its middle, which is how vertical writing looks, only if a deep shadow lies there as well.
    """
    for upright, quad in ((True, corners), (False, np.roll(corners, 1, axis=0))):
        if is_wide(quad) and parted_in_two(view, quad):
            mask = region_within(view, corners).mask
            if direction_of_print(view, quad, mask) > _LYING:
                return True
            return any(each.strength >= _DEEP for each in find_gutters(view, corners, mask, upright=upright))
    return False


def _best(
    view: View, region: Region, quad: Polygon, across: float, upright: bool, may_divide: bool
) -> _Candidate | None:
    """Return the line of one direction for which the most speaks."""
    wide = is_wide(quad if upright else np.roll(quad, 1, axis=0))
    best: _Candidate | None = None
    for gutter in find_gutters(view, quad, region.mask, upright=upright):
        # Lines of print run across a spine, not along it, and stop there.
        strength = gutter.strength * (1 + _PRINT_WEIGHT * across)
        columns = wide and across < 0 and gutter.strength >= _DEEP
        least = _SPINE_IF_BENT if best is None else best.strength
        if _SPINE_IF_BROKEN <= strength < least and best is None and bend(region.contour, gutter.line) >= _BROKEN:
            least = _SPINE_IF_BROKEN
        if strength < least and not columns:
            continue
        parts = _parts(region, gutter.line)
        division = _division(view, gutter.line, parts)
        if division is None or (division == "spread" and not may_divide):
            continue
        fuller, emptier = print_across(view.y, gutter.line)
        strength *= 1 - _CROSSED * float(np.clip((fuller - _STOPS) / _STOPS, 0, 1))
        stops = wide and 0 < emptier < _STOPS
        bent = bend(region.contour, gutter.line) >= _BENT
        if columns and stops and bent:
            strength = max(strength, _SPINE_IF_BENT)
        if strength >= least:
            proven = strength >= _SPINE_IF_FLAT or bent or (stops and across > _LYING)
            best = _Candidate(strength, proven, Divided(gutter, parts, division == "fragment"))
    return best


def _parts(region: Region, line: Polygon) -> tuple[Polygon, Polygon]:
    """Return the region's contour on both sides of a line."""
    right = distances(region.contour, line)[0] > 0
    return region.contour[right], region.contour[~right]


def _division(view: View, line: Polygon, parts: tuple[Polygon, Polygon]) -> Division | None:
    """Tell two facing pages from one page and a piece of another that the frame cuts off; None = no spine at all."""
    if min(len(part) for part in parts) < 8:
        return None
    across, along = zip(*(distances(part, line) for part in parts), strict=True)
    widths = [ranked(np.abs(each), 0.97) for each in across]
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
