"""Numbers against limits: findings with a code, a severity, the value and the limit."""

from appliance.imaging.measure import Edges, Tone
from appliance.imaging.profiles import Profile
from wire.documents import FindingEntry, Severity

MIN_INK_SHARE = 0.0015
"""A page number alone is 0.02-0.05 % of a page, one line of print about 0.3 %."""


def check_blur(edges: Edges, profile: Profile, calibrated_px: float | None) -> tuple[FindingEntry, ...]:
    """Judge sharpness; a page with too little print is said to be unsure, never bad."""
    limit = profile.max_edge_sigma_px if calibrated_px is None else 1.6 * calibrated_px
    if edges.sigma_px is None:
        return (FindingEntry(code="blur_unsure", severity="info", value=float(edges.cells), limit=None),)
    if edges.sigma_px <= limit:
        return ()
    smeared = max(edges.across_px, edges.along_px) > profile.max_motion_ratio * min(edges.across_px, edges.along_px)
    return (
        FindingEntry(code="motion" if smeared else "blur", severity="bad", value=round(edges.sigma_px, 2), limit=limit),
    )


def check_exposure(tone: Tone, profile: Profile) -> tuple[FindingEntry, ...]:
    """Judge whether paper is as bright as paper should be and print is not lost in white."""
    found = []
    if tone.paper < profile.min_paper_level:
        severity: Severity = "bad" if tone.paper < profile.min_paper_level_bad else "warn"
        found.append(
            FindingEntry(code="exposure_dark", severity=severity, value=tone.paper, limit=profile.min_paper_level)
        )
    if tone.clipped_share > profile.max_clipped_share:
        severity = "bad" if tone.clipped_share > profile.max_clipped_share_bad else "warn"
        share = round(tone.clipped_share, 4)
        found.append(
            FindingEntry(code="exposure_bright", severity=severity, value=share, limit=profile.max_clipped_share)
        )
    return tuple(found)


def check_blank(ink: float) -> tuple[FindingEntry, ...]:
    """Say that a page carries no print: news, not a fault."""
    if ink >= MIN_INK_SHARE:
        return ()
    return (FindingEntry(code="blank_page", severity="info", value=round(ink, 5), limit=MIN_INK_SHARE),)
