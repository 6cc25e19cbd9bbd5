"""From one frame to judged pages, in order: look, find, turn, flatten, measure, check."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from appliance.imaging.calibration import MM_PER_INCH, Calibration
from appliance.imaging.finding.sheets import Found, Sheet, find_sheets
from appliance.imaging.flattening.flatten import flattened
from appliance.imaging.flattening.rectify import plan, rectify
from appliance.imaging.geometry import (
    Polygon,
    as_outline,
    shares_at_border,
    side_lengths,
    straightened_deg,
    turned,
    turned_outline,
    whole_frame,
)
from appliance.imaging.judging import checks, measure
from appliance.imaging.judging.fingers import Intruder, find_intruders
from appliance.imaging.judging.similarity import ENOUGH_FEATURES, Match, same_part, same_spread, signature
from appliance.imaging.model import Page, Processed, Setup, Signature
from appliance.imaging.orientation import find_rotation
from appliance.imaging.planes import Planes, shrunk_to
from appliance.imaging.profiles import Profile
from appliance.imaging.tone import even_light
from appliance.imaging.view import View, reduced, without_print
from wire.documents import FindingEntry, QuarterTurn, Side

_LEAST_CONTRAST: Final = 30.0
_WHOLE_PAPER_PERCENT: Final = 99.0
_BEYOND: Final = 0.08
_MOST_OF_FRAME: Final = 1.5
"""A page may reach a little beyond the frame that cuts it; what reaches further is no page."""
_SMALL_PX: Final = 800
"""Longer side of the small page on which ink, lean and light are judged; made once."""
_LEAST_MM: Final = 10.0
_MOST_MM: Final = 3000.0


@dataclass(frozen=True, slots=True)
class _Rules:
    """What every page of one frame is judged by."""

    profile: Profile
    rotation: QuarterTurn
    certain: bool
    blur_limit_px: float
    sharpness_known: bool
    setup: Setup


def process(planes: Planes, setup: Setup, profile: Profile, previous: tuple[Signature, ...] = ()) -> Processed:
    """Return the pages of a frame and what was found about them.

    What the evidence does not carry is passed through whole with the finding `outline_uncertain`. A part of a large
    page is passed whole, too: its page ends outside the frame, and the parts are to overlap.

    Args:
        planes: the frame as stored.
        setup: what is known of the camera and the job.
        profile: the limits.
        previous: signatures of earlier captures of the same job, newest last.
    """
    view = reduced(planes)
    clean = without_print(view)
    own, is_part = signature(view.y), setup.layout == "parts"
    found = find_sheets(planes, view, clean, may_divide=setup.layout == "spread", rotation_cw=setup.rotation_cw)
    findings = _duplicates(own, previous, same_part if is_part else same_spread)
    over = _lying_over(view, clean, found)  # an arm can bend an outline out of the frame
    seen, found = found, _within(found, planes)
    certain = bool(found.sheets) and _confidence(found) >= profile.min_confidence and not is_part
    if not certain and _shows_nothing(view, own):
        return Processed((), (*findings, FindingEntry(code="empty_frame", severity="bad")), own)
    if not certain:
        findings += checks.check_fingers([each for seen in over.values() for each in seen], view.to_frame)
        findings += () if is_part else _uncertain(seen, found, planes, profile)
        found = Found((_whole_sheet(planes),))
    elif found.fragment:
        findings += (FindingEntry(code="facing_page_left_out", severity="info"),)
    told = seen if seen.sheets else found  # an outline not to cut by still says how lines lie
    rotation = setup.rotation_cw if setup.rotation_cw is not None else find_rotation(planes.y, view, told)[0]
    run = tuple(each.edge_sigma_px for each in previous if each.edge_sigma_px is not None)
    limit_px, known = checks.blur_limit_px(profile, setup.edge_sigma_px, run)
    rules = _Rules(profile, rotation, certain, limit_px, known, setup)
    judged = [_page(planes, side, sheet, rules, over.get(sheet, []), view) for side, sheet in _sides(found, rotation)]
    sigmas = [sigma for _, sigma in judged if sigma is not None]
    return Processed(tuple(page for page, _ in judged), findings, replace(own, edge_sigma_px=min(sigmas, default=None)))


def _duplicates(
    own: Signature, previous: tuple[Signature, ...], compare: Callable[[Signature, Signature], Match]
) -> tuple[FindingEntry, ...]:
    """Say which earlier capture (1 = the last one) shows the same spread: listed, never asked about."""
    for distance, other in enumerate(reversed(previous), start=1):
        if compare(other, own) is Match.AGREE:
            return (FindingEntry(code="duplicate", severity="info", value=float(distance)),)
    return ()


def _lying_over(view: View, clean: View, found: Found) -> dict[Sheet, list[Intruder]]:
    """Return what lies over the edges of every sheet."""
    gutter = None if found.gutter is None else view.from_frame(found.gutter)
    return {
        sheet: find_intruders(
            clean, view.from_frame(sheet.polygon), view.from_frame(sheet.corners), gutter, one_page=found.fragment
        )
        for sheet in found.sheets
    }


def _within(found: Found, planes: Planes) -> Found:
    """Return what was found, or nothing where an outline leaves the frame or makes of it more than the frame holds."""
    size = np.array([planes.width_px, planes.height_px])
    for sheet in found.sheets:
        top, right, bottom, left = side_lengths(sheet.corners)
        beyond = (sheet.polygon < -_BEYOND * size) | (sheet.polygon > (1 + _BEYOND) * size)
        if bool(beyond.any()) or max(top, bottom) * max(left, right) > _MOST_OF_FRAME * planes.y.size:
            return Found((), paper=found.paper)
    return found


def _cut_off(seen: Found, planes: Planes, profile: Profile) -> tuple[FindingEntry, ...]:
    """Say that the frame ends a page that is surely there, but too little of it to cut by: its print is not counted."""
    if _confidence(seen) < profile.min_confidence:
        return ()
    size_px = (planes.width_px, planes.height_px)
    borders = [shares_at_border(sheet.corners, sheet.polygon, *size_px) for sheet in seen.sheets]
    return checks.check_cut(tuple(np.max(borders, axis=0)), lambda: (0, 0, 0, 0))


def _uncertain(seen: Found, found: Found, planes: Planes, profile: Profile) -> tuple[FindingEntry, ...]:
    """Say that a frame is passed whole, and whether it ends a page."""
    value, limit = round(_confidence(found), 2), profile.min_confidence
    why = FindingEntry(code="outline_uncertain", severity="warn", value=value, limit=limit)
    return (*_cut_off(seen, planes, profile), why)


def _confidence(found: Found) -> float:
    return min((sheet.confidence for sheet in found.sheets), default=0.0)


def _shows_nothing(view: View, own: Signature) -> bool:
    """Tell an empty cradle (or a covered lens) from a book that could not be made out."""
    low, high = np.percentile(view.y, (1, 99))
    return len(own.points) < ENOUGH_FEATURES and float(high - low) < _LEAST_CONTRAST


def _whole_sheet(planes: Planes) -> Sheet:
    frame = whole_frame(planes.width_px, planes.height_px)
    return Sheet(frame, frame, 0.0)


def _sides(found: Found, rotation: QuarterTurn) -> list[tuple[Side, Sheet]]:
    """Return the sheets in the order they lie in the upright frame, left first."""
    if len(found.sheets) < 2:
        return [("single", sheet) for sheet in found.sheets]
    right = {0: (1, 0), 90: (0, -1), 180: (-1, 0), 270: (0, 1)}[rotation]  # of the upright page, in the frame
    first, second = sorted(found.sheets, key=lambda sheet: float(sheet.corners.mean(axis=0) @ np.array(right)))
    return [("left", first), ("right", second)]


def _page(
    planes: Planes, side: Side, sheet: Sheet, rules: _Rules, over: list[Intruder], view: View
) -> tuple[Page, float | None]:
    """Return the finished page and how wide the edges of its print are."""
    corners = turned(sheet.corners, rules.rotation)
    outline = turned_outline(sheet.polygon, corners[0])
    margin = rules.profile.margin_share if rules.certain else 0.0
    frame_px = (planes.width_px, planes.height_px)
    calibration = _calibration(rules, frame_px)
    size_mm = _size_mm(corners, frame_px, calibration, rules.setup.page_height_mm)
    mapping = plan(corners, outline, margin, frame_px, None if size_mm is None else size_mm[1] / size_mm[0])
    ppi = None if size_mm is None else _ppi(mapping.from_frame(corners), size_mm)
    if rules.certain and rules.setup.page_type != "target":
        camera = None if calibration is None else calibration.camera_matrix(frame_px)
        mapping = flattened(planes.y, mapping, corners, outline, margin, camera)
    flat = rectify(planes, mapping)
    small = shrunk_to(flat.y, _SMALL_PX)
    ink = measure.small_ink(small)
    share, edges = measure.ink_share(ink), measure.edges(flat.y)
    tone = measure.tone(flat.y) if rules.certain else measure.tone(flat.y, _WHOLE_PAPER_PERCENT)
    findings = checks.check_exposure(tone, rules.profile, edges.ink)
    if edges.sigma_px is not None or not checks.is_blank(share, rules.profile):
        findings += checks.check_blur(edges, rules.profile, rules.blur_limit_px, rules.sharpness_known)
    findings += checks.check_fingers(over, lambda polygon: mapping.from_frame(view.to_frame(polygon)))
    if rules.certain:
        border = shares_at_border(corners, outline, planes.width_px, planes.height_px)
        inside = mapping.from_frame(outline) * (ink.shape[1] / flat.width_px)
        findings += checks.check_cut(border, lambda: measure.print_along_sides(ink, inside))
        findings += checks.check_skew(measure.lean(ink), straightened_deg(corners), rules.profile)
        findings += checks.check_blank(share, rules.profile)
    findings = checks.wanted(findings, rules.setup.page_type)
    if _wants_even_light(rules, edges):  # last: the light as it came is what was judged
        flat = even_light(flat, small)
    page = Page(side, as_outline(outline), rules.rotation, flat, ppi, findings)
    return page, edges.sigma_px


def _calibration(rules: _Rules, frame_px: tuple[int, int]) -> Calibration | None:
    """Return what was measured of the camera, where it holds for this frame and the page's edges are known."""
    found = rules.setup.calibration
    return found if found is not None and rules.certain and found.serves(frame_px) else None


def _size_mm(
    corners: Polygon, frame_px: tuple[int, int], calibration: Calibration | None, height_mm: float
) -> tuple[float, float] | None:
    """Return width and height of a page between its corners, on paper; None where they are not known, or no page's."""
    if calibration is None:
        return None
    top, right, bottom, left = side_lengths(calibration.on_page_mm(corners, frame_px, height_mm))
    width, height = float(top + bottom) / 2, float(left + right) / 2
    return (width, height) if min(width, height) > _LEAST_MM and max(width, height) < _MOST_MM else None


def _ppi(corners: Polygon, size_mm: tuple[float, float]) -> float:
    """Return how many pixels of the page lie on an inch of its paper, from its corners on both."""
    return MM_PER_INCH * float(side_lengths(corners).sum()) / (2 * sum(size_mm))


def _wants_even_light(rules: _Rules, edges: measure.Edges) -> bool:
    """Tell whether a page is surely print upon paper: plates, covers, targets and blank leaves keep their own tone."""
    print_seen = edges.sigma_px is not None
    return rules.profile.even_light and rules.certain and rules.setup.page_type == "page" and print_seen
