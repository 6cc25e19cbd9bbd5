"""From one frame to judged pages, in order: look, find, split, turn, rectify, measure, check."""

import numpy as np

from appliance.imaging import checks, measure
from appliance.imaging.geometry import (
    Polygon,
    as_outline,
    clockwise_from_top_left,
    is_sane_quad,
    points,
    turned,
    whole_frame,
)
from appliance.imaging.gutter import find_gutter
from appliance.imaging.model import Page, Processed, Setup, Signature
from appliance.imaging.orientation import find_rotation
from appliance.imaging.outline import Region, find_region, four_corners
from appliance.imaging.planes import Planes
from appliance.imaging.profiles import Profile
from appliance.imaging.rectify import plan, rectify
from appliance.imaging.similarity import Match, same_spread, signature
from appliance.imaging.view import View, reduced
from wire.documents import FindingEntry, Side


def process(planes: Planes, setup: Setup, profile: Profile, previous: tuple[Signature, ...] = ()) -> Processed:
    """Return the pages of a frame and what was found about them.

    What the evidence does not carry is passed through whole with the finding `outline_uncertain`.

    Args:
        planes: the frame as stored.
        setup: what is known of the camera and the job.
        profile: the limits.
        previous: signatures of earlier captures of the same job, newest last.
    """
    view = reduced(planes)
    own = signature(view.y)
    region = find_region(view)
    findings = list(_duplicates(own, previous))
    quads = _quads(view, region, setup) if region is not None else ()
    if not quads:
        if float(np.percentile(view.y, 99)) - float(np.percentile(view.y, 1)) < 40.0:
            findings.append(FindingEntry(code="empty_frame", severity="bad"))
            return Processed((), tuple(findings), own)
        findings.append(FindingEntry(code="outline_uncertain", severity="warn"))
        quads = (("single", whole_frame(planes.width_px, planes.height_px)),)
    pages = tuple(_page(planes, side, quad, setup, profile) for side, quad in quads)
    return Processed(pages, tuple(findings), own)


def _duplicates(own: Signature, previous: tuple[Signature, ...]) -> tuple[FindingEntry, ...]:
    for distance, other in enumerate(reversed(previous), start=1):
        if same_spread(other, own) is Match.AGREE:
            return (FindingEntry(code="duplicate", severity="info", value=float(distance)),)
    return ()


def _quads(view: View, region: Region, setup: Setup) -> tuple[tuple[Side, Polygon], ...]:
    gutter = find_gutter(view, region) if setup.layout == "spread" else None
    if gutter is None:
        quad = clockwise_from_top_left(four_corners(region.contour))
        return (("single", view.to_frame(quad)),) if is_sane_quad(quad) else ()
    middle = gutter.line[:, 0].mean()
    halves: list[tuple[Side, Polygon]] = []
    for side, part in (("left", region.contour[:, 0] <= middle), ("right", region.contour[:, 0] >= middle)):
        corners = clockwise_from_top_left(four_corners(points(region.contour[part])))
        if not is_sane_quad(corners):
            return ()
        halves.append(("left" if side == "left" else "right", view.to_frame(corners)))
    return tuple(halves)


def _page(planes: Planes, side: Side, quad: Polygon, setup: Setup, profile: Profile) -> Page:
    rotation, _ = find_rotation(planes.y, setup)
    corners = turned(quad, rotation)
    flat = rectify(planes, plan(corners, corners, profile.margin_share))
    findings = (
        *checks.check_blur(measure.edges(flat.y), profile, setup.edge_sigma_px),
        *checks.check_exposure(measure.tone(flat.y), profile),
        *checks.check_blank(measure.ink_share(flat.y)),
    )
    return Page(side, as_outline(corners), rotation, flat, None, findings)
