"""Numbers against limits: findings with a code, a severity, the value and the limit. One function a question."""

from collections.abc import Callable, Sequence
from math import ceil
from typing import Final

from msgspec.structs import replace

from appliance.imaging.geometry import Polygon
from appliance.imaging.judging.fingers import NARROWEST_SHARE, Intruder
from appliance.imaging.judging.measure import Edges, Tone
from appliance.imaging.profiles import Profile
from wire.documents import FindingEntry, PageType, Place, Severity

_RUN: Final = 3
"""Captures of the same job that make a measure of how sharp this station and book are."""
_RUN_FACTOR: Final = 1.25
_SHARPEST_LIMIT_PX: Final = 1.0
_SMEARED_PX: Final = 1.15
_LEANING: Final = 1.07
"""Measured on drawn captures behind a run: clean ones 1.045 at most, three pixels of motion 1.08 and more."""
_LEANING_SHARE: Final = 0.9
"""Of the limit, where edges are wider in one direction than in the other as well: three pixels of motion make them 1.17
of the usual ones, and clean ones that lean are not wider."""
_AGREEING_SHARE, _AGREEING = 0.3, 0.08
"""So many of a run's captures, and two at least, that differ by no more than this show what is usual: spoilt ones
differ, and the softer of two cameras takes half of a run."""
_SOFTER_CAMERA: Final = 1.6
"""Two cameras of a station do not differ by more; two captures out of focus may agree with each other."""
_SMEARED_ALONE_PX, _LEANING_ALONE_PX, _LEANS_ALONE = 1.24, 1.08, 1.32
"""Edges that are wider in one direction (or so many times wider), of a first capture that nothing is known of: 92 of 97
photographs smeared by 3 to 6 px, and 14 of 96 that nobody spoilt, some of which have moved. A person looks."""
_SURELY_SOFT: Final = 1.65
"""Where such a first capture is softer than the profile's limit, but not by this, a person looks as well: clean
photographs have up to 1.63, where their print is smeared in part; a blur of 1.5 px makes 1.7 and more of most."""
_RUN_SHARE: Final = 0.6
"""Of a run in which none agree are sharper than what is taken as usual."""
_FAINT_WEIGHT: Final = 0.4
"""Measured on 190 clean photographs and the same ones blurred: edges and contrast together tell them apart best."""
_CUT_SHARE: Final = 0.3
_MAX_CUT_PIECES: Final = 15
"""Measured: 24 and more with text in the cut, at most 11 where paper without any only touches the frame."""
_BURNT_MIDDLE: Final = 250.0
_BURNT_PATCH: Final = 0.2
"""Of a page: no lamp's reflection, but paper outside of a shadow."""
_BLACK: Final = 6.0
"""Ink this dark was not thinned by light: measured 10 and more at one and a half stops over, 0 in drawn pages."""
_FEW_CHECKS: Final = frozenset({"cover", "spine", "endpaper", "plate", "foldout", "insert"})
_OF_PRINT: Final = frozenset({"blur", "motion", "blur_unsure", "skew", "blank_page"})
_OF_PAPER: Final = frozenset({"exposure_dark", "skew", "blank_page", "blur_unsure"})


def blur_limit_px(profile: Profile, calibrated_px: float | None, run_px: tuple[float, ...]) -> tuple[float, bool]:
    """Return the widest edge still called sharp, and whether so much is known that the profile need not be asked.

    One or two captures tell something already; they may be soft themselves, or another camera's.
    """
    if calibrated_px is None and not run_px:
        return profile.max_edge_sigma_px, False
    known = calibrated_px is not None or len(run_px) >= _RUN
    usual = calibrated_px if calibrated_px is not None else _usual_px(sorted(run_px))
    return min(profile.max_edge_sigma_px, max(_SHARPEST_LIMIT_PX, _RUN_FACTOR * usual)), known


def _usual_px(run_px: list[float]) -> float:
    """Return how wide edges are in the softest captures of a run, sharpest first, that are no exception."""
    if len(run_px) < _RUN:
        return run_px[-1]
    enough = max(2, ceil(_AGREEING_SHARE * len(run_px)))
    agreed = [each for each in run_px if sum(abs(other - each) <= _AGREEING * each for other in run_px) >= enough]
    if not agreed:
        return run_px[int(_RUN_SHARE * len(run_px))]
    return max(each for each in agreed if each <= _SOFTER_CAMERA * agreed[0])


def check_blur(edges: Edges, profile: Profile, limit_px: float, known: bool) -> tuple[FindingEntry, ...]:
    """Judge sharpness; with too little print to tell it says so, and is never bad."""
    if edges.sigma_px is None:
        return _check_lines(edges, profile)
    ratio = profile.max_motion_ratio_known if known else profile.max_motion_ratio
    code = "motion" if edges.ratio > ratio else "blur"
    softness = edges.sharper_px * (1 + _FAINT_WEIGHT * edges.faint)
    smeared = code == "motion" and edges.sigma_px > _SMEARED_PX
    alone = not known and limit_px >= profile.max_edge_sigma_px
    if limit_px < profile.max_edge_sigma_px and edges.ratio > _LEANING:
        limit_px *= _LEANING_SHARE
    value, limit = round(edges.sigma_px, 2), round(limit_px, 2)
    if edges.sigma_px > limit_px or (not known and (softness > _SURELY_SOFT or smeared)):
        return (FindingEntry(code=code, severity="bad", value=value, limit=limit),)
    if not known and softness > profile.max_softness:
        value, limit = round(softness, 2), profile.max_softness
        return (FindingEntry(code=code, severity="warn" if alone else "bad", value=value, limit=limit),)
    limit = _LEANING_ALONE_PX if edges.ratio > _LEANS_ALONE else _SMEARED_ALONE_PX
    if alone and edges.smear_px > limit:
        return (FindingEntry(code="motion", severity="warn", value=round(edges.smear_px, 2), limit=limit),)
    return ()


def _check_lines(edges: Edges, profile: Profile) -> tuple[FindingEntry, ...]:
    """Say that lines of print are seen, but nothing sharp anywhere; or that there is too little to tell."""
    if edges.soft_lines_px > profile.max_softness:
        value, limit = round(edges.soft_lines_px, 2), profile.max_softness
        return (FindingEntry(code="blur", severity="warn", value=value, limit=limit),)
    return (FindingEntry(code="blur_unsure", severity="info", value=float(edges.cells)),)


def wanted(findings: tuple[FindingEntry, ...], page_type: PageType) -> tuple[FindingEntry, ...]:
    """Return the findings that mean something for what the operator said a page is.

    A target is never judged. A page announced as blank owes no print. Covers, plates and the like may be dark all over,
    hold no line of print that could lean, and run out of the frame with their picture.
    """
    if page_type == "target":
        return ()
    if page_type == "blank":
        return tuple(each for each in findings if each.code not in _OF_PRINT)
    if page_type in _FEW_CHECKS:
        kept = (each for each in findings if each.code not in _OF_PAPER)
        return tuple(replace(each, severity="warn") if each.code == "cut_edge" else each for each in kept)
    return findings


def check_exposure(tone: Tone, profile: Profile, ink: float | None = None) -> tuple[FindingEntry, ...]:
    """Judge whether paper is as bright as paper should be, and whether print is lost in white.

    White paper with black ink on it is a drawn page or a scan that was stretched: nothing of it is lost.
    """
    found = []
    severity: Severity
    if tone.paper < profile.min_paper_level:
        severity = "bad" if tone.paper < profile.min_paper_level_bad else "warn"
        limit = profile.min_paper_level
        found.append(FindingEntry(code="exposure_dark", severity=severity, value=round(tone.paper, 1), limit=limit))
    everywhere = tone.middle >= _BURNT_MIDDLE or tone.patch_share >= _BURNT_PATCH
    share = tone.white_share if everywhere else tone.patch_share
    limit = profile.max_white_share if everywhere else profile.max_glare_share
    if share > limit:
        severity = "warn" if not everywhere else "info" if ink is not None and ink <= _BLACK else "bad"
        found.append(
            FindingEntry(
                code="exposure_bright" if everywhere else "glare",
                severity=severity,
                value=round(share, 4),
                limit=limit,
                place=tone.white_place,
            )
        )
    return tuple(found)


def check_cut(at_border: tuple[float, ...], count_pieces: Callable[[], tuple[int, ...]]) -> tuple[FindingEntry, ...]:
    """Judge sides that lie on the frame's border: with print in the cut the page has lost text.

    Args:
        at_border: for the top, right, bottom and left side, the share of it that the frame ends.
        count_pieces: counts how many pieces of print lie along the same sides; asked only where something is cut.
    """
    cut = [index for index, share in enumerate(at_border) if share >= _CUT_SHARE]
    if not cut:
        return ()
    pieces = count_pieces()
    worst = max(pieces[index] for index in cut)
    severity: Severity = "bad" if worst > _MAX_CUT_PIECES else "warn"
    return (FindingEntry(code="cut_edge", severity=severity, value=float(worst), limit=float(_MAX_CUT_PIECES)),)


def check_fingers(over: Sequence[Intruder], to_page: Callable[[Polygon], Polygon]) -> tuple[FindingEntry, ...]:
    """Say that something lies over a page's edge: a person sees at once whether it hides print.

    Args:
        over: what was seen there.
        to_page: takes points of the reduced frame to pixels of the page (or frame) that the finding belongs to.
    """
    if not over:
        return ()
    widest = max(over, key=lambda each: each.width_share)
    low, high = (to_page(widest.corners).min(axis=0).clip(min=0), to_page(widest.corners).max(axis=0).clip(min=0))
    place = Place(int(low[0]), int(low[1]), int(high[0] - low[0]) + 1, int(high[1] - low[1]) + 1)
    value, limit = round(widest.width_share, 3), round(NARROWEST_SHARE, 3)
    return (FindingEntry(code="finger", severity="warn", value=value, limit=limit, place=place),)


def check_skew(residual_deg: float | None, straightened_deg: float, profile: Profile) -> tuple[FindingEntry, ...]:
    """Judge what lean is left; one that was straightened is news, not work."""
    if residual_deg is not None and abs(residual_deg) > profile.max_skew_deg:
        return (FindingEntry(code="skew", severity="warn", value=residual_deg, limit=profile.max_skew_deg),)
    if abs(straightened_deg) > profile.max_straightened_deg:
        value, limit = round(straightened_deg, 1), profile.max_straightened_deg
        return (FindingEntry(code="skew", severity="info", value=value, limit=limit),)
    return ()


def is_blank(ink_share: float, profile: Profile) -> bool:
    """Tell whether a page carries less ink than a single line of print."""
    return ink_share < profile.min_ink_share


def check_blank(ink_share: float, profile: Profile) -> tuple[FindingEntry, ...]:
    """Say that a page carries no print: news, not a fault."""
    if not is_blank(ink_share, profile):
        return ()
    return (FindingEntry(code="blank_page", severity="info", value=round(ink_share, 5), limit=profile.min_ink_share),)
