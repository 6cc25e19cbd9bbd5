"""Each check fires on its fault and is silent on a clean frame."""

from functools import cache

import cv2
import numpy as np
import pytest

from appliance.imaging.judging.checks import blur_limit_px, check_blur
from appliance.imaging.judging.measure import Edges
from appliance.imaging.judging.similarity import Match, same_spread
from appliance.imaging.model import Processed, Setup, Signature
from appliance.imaging.pipeline import process
from appliance.imaging.planes import Plane, Planes, from_bgr, plane
from appliance.imaging.profiles import DEFAULT_PROFILE
from tests.appliance.imaging.drawing import changed, printed_page, single, spread
from wire.documents import Layout

CLEAN = spread(seed=11)


def judge(planes: Planes, *, run: int = 3) -> Processed:
    """Judge a frame as the next of a job with some clean captures behind it."""
    return process(planes, Setup(), DEFAULT_PROFILE, tuple(_earlier(50 + number) for number in range(run)))


@cache
def _earlier(seed: int) -> Signature:
    return process(spread(seed=seed).planes, Setup(), DEFAULT_PROFILE).signature


def severities(processed: Processed) -> dict[str, str]:
    return {finding.code: finding.severity for finding in processed.all_findings}


def test_a_clean_spread_is_only_praised() -> None:
    assert severities(judge(CLEAN.planes)) == {}


@pytest.mark.parametrize("sigma", [1.5, 3.0])
def test_defocus_is_bad(sigma: float) -> None:
    assert severities(judge(changed(CLEAN.planes, cv2.GaussianBlur(CLEAN.planes.y, (0, 0), sigma))))["blur"] == "bad"


@pytest.mark.parametrize("sigma", [1.5, 2.0, 3.0, 4.0])
def test_defocus_is_bad_even_in_the_first_capture_of_a_job(sigma: float) -> None:
    blurred = changed(CLEAN.planes, cv2.GaussianBlur(CLEAN.planes.y, (0, 0), sigma))
    assert severities(judge(blurred, run=0))["blur"] == "bad"


def test_defocus_is_seen_in_the_shade_and_on_pages_with_little_print() -> None:
    few = spread(seed=11, lines=6)
    for planes in (CLEAN.planes, few.planes):
        shaded = np.rint(planes.y * np.linspace(1.0, 0.45, planes.width_px)).astype(np.uint8)
        assert "blur" not in severities(judge(changed(planes, shaded), run=0))
        blurred = plane(cv2.GaussianBlur(shaded, (0, 0), 1.8))
        assert severities(judge(changed(planes, blurred), run=0))["blur"] == "bad"


@pytest.mark.parametrize("run", [1, 2, 3])
def test_motion_of_four_pixels_is_seen_once_a_single_capture_shows_how_sharp_a_book_is(run: int) -> None:
    smeared = plane(cv2.blur(CLEAN.planes.y, (1, 4)))
    assert set(severities(judge(changed(CLEAN.planes, smeared), run=run)).values()) == {"bad"}


def test_edges_that_lean_in_the_first_capture_of_a_job_are_shown_to_a_person() -> None:
    smeared = changed(CLEAN.planes, plane(cv2.blur(CLEAN.planes.y, (1, 3))))
    assert severities(judge(smeared, run=0)) == {"motion": "warn"}


@pytest.mark.parametrize(("smear_px", "ratio", "warned"), [(1.2, 1.25, False), (1.3, 1.15, True), (1.12, 1.4, True)])
def test_a_first_capture_is_shown_for_what_it_is_smeared_by_not_for_leaning_alone(
    smear_px: float, ratio: float, warned: bool
) -> None:
    edges = Edges(1.12, 0.95, ratio, 200, smear_px=smear_px)
    found = check_blur(edges, DEFAULT_PROFILE, *blur_limit_px(DEFAULT_PROFILE, None, ()))
    assert [(finding.code, finding.severity) for finding in found] == [("motion", "warn")] * warned


def test_soft_lines_without_strokes_are_shown_to_a_person_and_too_little_print_is_not() -> None:
    soft, few = (Edges(None, 0.0, 1.0, 0, soft_lines_px=each) for each in (2.4, 0.9))
    judged = [check_blur(edges, DEFAULT_PROFILE, *blur_limit_px(DEFAULT_PROFILE, None, ())) for edges in (soft, few)]
    assert [(finding.code, finding.severity) for (finding,) in judged] == [("blur", "warn"), ("blur_unsure", "info")]


@pytest.mark.parametrize(("sharper_px", "severity"), [(1.40, None), (1.50, "warn"), (1.65, "bad")])
def test_a_first_capture_that_is_a_little_soft_is_shown_to_a_person(sharper_px: float, severity: str | None) -> None:
    edges = Edges(1.05 * sharper_px, sharper_px, 1.05, 200, faint=0.1)
    found = check_blur(edges, DEFAULT_PROFILE, *blur_limit_px(DEFAULT_PROFILE, None, ()))
    assert [finding.severity for finding in found] == ([severity] if severity else [])
    (behind_one,) = check_blur(edges, DEFAULT_PROFILE, *blur_limit_px(DEFAULT_PROFILE, None, (1.1,)))
    assert behind_one.severity == "bad"


def test_the_softer_of_two_cameras_is_not_held_against_the_sharper_one() -> None:
    limits = [blur_limit_px(DEFAULT_PROFILE, None, (0.9, 1.2) * pairs)[0] for pairs in (2, 3, 4)]
    assert min(limits) > 1.2
    assert blur_limit_px(DEFAULT_PROFILE, None, (0.9, 0.9, 2.0, 0.9, 0.9))[0] < 1.2


@pytest.mark.parametrize("run", [(0.83, 0.83, 3.05, 2.47, 0.83), (0.8, 2.4, 0.8, 2.5, 0.8, 2.4), (0.8, 1.9, 2.6, 0.8)])
def test_spoilt_captures_of_a_run_do_not_tell_how_sharp_a_book_is(run: tuple[float, ...]) -> None:
    assert blur_limit_px(DEFAULT_PROFILE, None, run)[0] < 1.1


@pytest.mark.parametrize("kernel", [(7, 1), (1, 7)])
def test_motion_is_told_from_defocus(kernel: tuple[int, int]) -> None:
    assert severities(judge(changed(CLEAN.planes, cv2.blur(CLEAN.planes.y, kernel))))["motion"] == "bad"


def test_a_blurred_page_without_print_is_not_called_blurred() -> None:
    blank = spread(lines=0).planes
    assert "blur" not in severities(judge(changed(blank, cv2.GaussianBlur(blank.y, (0, 0), 4.0))))


@pytest.mark.parametrize(("stops", "severity"), [(-1.5, "warn"), (-3.0, "bad")])
def test_underexposure_is_found(stops: float, severity: str) -> None:
    assert severities(judge(_exposed(CLEAN.planes, stops)))["exposure_dark"] == severity


def test_overexposure_is_found() -> None:
    assert severities(judge(_exposed(CLEAN.planes, 1.5)))["exposure_bright"] == "bad"


def test_overexposure_is_found_though_half_of_the_spread_lies_in_a_shadow() -> None:
    exposed = _exposed(CLEAN.planes, 1.5)
    exposed.y[600:] = (0.7 * exposed.y[600:]).astype(np.uint8)
    assert severities(judge(exposed))["exposure_bright"] == "bad"


def test_glare_is_found_with_its_place() -> None:
    luma = CLEAN.planes.y.copy()
    cv2.ellipse(luma, (1150, 600), (110, 80), 0, 0, 360, 255, -1)
    processed = judge(changed(CLEAN.planes, luma))
    (finding,) = [finding for finding in processed.pages[1].findings if finding.code == "glare"]
    assert finding.severity == "warn"
    assert finding.place is not None
    assert 180 < finding.place.width < 260


def test_a_page_cut_by_the_frame_through_its_print_is_bad() -> None:
    quad = np.array([[-120.0, 150.0], [820.0, 160.0], [810.0, 1450.0], [-130.0, 1440.0]])
    assert severities(judge(single(quad).planes))["cut_edge"] == "bad"


def test_a_page_cut_in_its_margin_is_a_warning() -> None:
    quad = np.array([[-40.0, 150.0], [900.0, 160.0], [890.0, 1450.0], [-50.0, 1440.0]])
    assert severities(judge(single(quad).planes))["cut_edge"] == "warn"


def test_a_page_whose_corner_lies_far_beyond_the_frame_is_passed_whole_and_said_to_be_cut() -> None:
    quad = np.array([[321.0, 495.0], [956.0, 199.0], [1379.0, 1105.0], [744.0, 1401.0]])
    whole = judge(single(quad).planes)
    assert severities(whole) == {"outline_uncertain": "warn", "cut_edge": "warn"}
    assert whole.pages[0].width_px == 1200


def test_a_page_that_was_straightened_is_news_not_work() -> None:
    assert severities(judge(spread(seed=11, lean_deg=6.0).planes)) == {"skew": "info"}


def test_the_same_spread_taken_again_is_listed_as_a_duplicate() -> None:
    first = process(CLEAN.planes, Setup(), DEFAULT_PROFILE)
    again = process(_moved(CLEAN.planes, 9, -6), Setup(), DEFAULT_PROFILE, (first.signature,))
    assert severities(again) == {"duplicate": "info"}
    assert same_spread(first.signature, again.signature) is Match.AGREE


def test_another_spread_of_the_same_book_differs() -> None:
    signatures = [process(spread(seed=seed).planes, Setup(), DEFAULT_PROFILE).signature for seed in (1, 2, 3)]
    assert {same_spread(signatures[0], other) for other in signatures[1:]} == {Match.DIFFER}


def test_blank_spreads_are_no_evidence_for_anything() -> None:
    blank = [process(spread(lines=0, seed=seed).planes, Setup(), DEFAULT_PROFILE).signature for seed in (1, 2)]
    assert same_spread(blank[0], blank[0]) is Match.UNSURE
    assert same_spread(blank[0], blank[1]) is Match.UNSURE


def _exposed(planes: Planes, stops: float) -> Planes:
    linear = (np.arange(256) / 255.0) ** 2.2 * 2.0**stops
    table = np.clip(np.round(255 * np.clip(linear, 0, 1) ** (1 / 2.2)), 0, 255).astype(np.uint8)
    return changed(planes, table[planes.y])


def _moved(planes: Planes, right_px: int, down_px: int) -> Planes:
    matrix = np.array([[1.0, 0, right_px], [0, 1.0, down_px]])
    size = (planes.width_px, planes.height_px)
    return changed(planes, cv2.warpAffine(planes.y, matrix, size, borderMode=cv2.BORDER_REPLICATE))


def test_a_drawn_page_of_black_on_white_is_not_called_burnt_but_thinned_ink_is() -> None:
    ink = CLEAN.planes.y.astype(np.float32)
    white = plane_of(np.where(ink > 120, 255, 0))
    thinned = plane_of(np.where(ink > 120, 255, 90))
    assert severities(judge(changed(CLEAN.planes, white))).get("exposure_bright") == "info"
    assert severities(judge(changed(CLEAN.planes, thinned)))["exposure_bright"] == "bad"


@pytest.mark.parametrize("layout", ["single", "two-camera", "rectos-versos"])
def test_a_set_up_for_one_page_a_frame_never_gets_two(layout: Layout) -> None:
    assert len(process(CLEAN.planes, Setup(layout=layout), DEFAULT_PROFILE).pages) == 1
    assert len(process(CLEAN.planes, Setup(layout="spread"), DEFAULT_PROFILE).pages) == 2


def part(first_px: int, *, seed: int = 5, sigma: float = 0.0) -> Planes:
    """What a camera sees of a sheet that is twice as wide as its frame, from this column on."""
    sheet = printed_page(3000, 1200, lines=40, seed=seed)[:, first_px : first_px + 1600]
    return from_bgr(cv2.GaussianBlur(sheet, (0, 0), sigma) if sigma else sheet)


def test_a_part_of_a_large_page_is_kept_whole_and_no_edge_is_missed() -> None:
    for planes in (part(0), part(1400), CLEAN.planes):
        processed = process(planes, Setup(layout="parts", rotation_cw=0), DEFAULT_PROFILE)
        (page,) = processed.pages
        assert (page.planes.width_px, page.planes.height_px) == (planes.width_px, planes.height_px)
        assert {"cut_edge", "outline_uncertain", "facing_page_left_out"}.isdisjoint(severities(processed))


def test_a_part_of_a_large_page_is_still_judged() -> None:
    processed = process(part(0, sigma=3.0), Setup(layout="parts", rotation_cw=0), DEFAULT_PROFILE)
    assert severities(processed)["blur"] == "bad"


def test_parts_that_overlap_by_half_are_not_the_same_but_one_that_is_laid_down_again_is() -> None:
    setup = Setup(layout="parts", rotation_cw=0)
    first = process(part(0), setup, DEFAULT_PROFILE).signature
    again, beside = part(60), part(800)
    assert same_spread(first, process(beside, setup, DEFAULT_PROFILE).signature) is Match.AGREE, "or this tries nothing"
    assert "duplicate" not in severities(process(beside, setup, DEFAULT_PROFILE, (first,)))
    assert "duplicate" in severities(process(again, setup, DEFAULT_PROFILE, (first,)))


def test_what_the_operator_calls_a_page_decides_what_is_asked_of_it() -> None:
    dark = _exposed(CLEAN.planes, -3.0)
    blank = spread(lines=0).planes
    assert "exposure_dark" not in severities(process(dark, Setup(page_type="cover"), DEFAULT_PROFILE))
    assert "exposure_dark" in severities(process(dark, Setup(page_type="blank"), DEFAULT_PROFILE))
    assert severities(process(blank, Setup(page_type="blank"), DEFAULT_PROFILE)) == {}
    assert severities(process(dark, Setup(page_type="target"), DEFAULT_PROFILE)) == {}


def plane_of(values: object) -> Plane:
    return plane(np.asarray(values).astype(np.uint8))


@pytest.mark.parametrize("kernel", [np.eye(11), np.eye(11)[::-1]])
def test_motion_along_a_diagonal_is_seen_even_in_the_first_capture_of_a_job(kernel: np.ndarray) -> None:
    smeared = plane(cv2.filter2D(CLEAN.planes.y, -1, kernel / kernel.sum()))
    assert severities(judge(changed(CLEAN.planes, smeared), run=0))["motion"] == "bad"


def test_a_glare_of_one_part_in_a_hundred_of_the_text_is_found() -> None:
    luma = CLEAN.planes.y.copy()
    cv2.circle(luma, (1150, 600), 40, 255, -1)
    assert severities(judge(changed(CLEAN.planes, luma))) == {"glare": "warn"}


def test_print_far_out_of_focus_is_bad_though_hardly_any_contrast_is_left() -> None:
    blurred = plane(cv2.GaussianBlur(CLEAN.planes.y, (0, 0), 5.0))
    assert severities(judge(changed(CLEAN.planes, blurred), run=0)).get("blur") == "bad"


def test_a_soft_picture_is_never_called_blurred() -> None:
    random, luma = np.random.default_rng(4), CLEAN.planes.y.copy()
    soft = cv2.resize(random.normal(140, 45, (12, 9)).astype(np.float32), (360, 500), interpolation=cv2.INTER_CUBIC)
    luma[300:800, 900:1260] = np.clip(soft, 20, 215).astype(np.uint8)
    assert "bad" not in severities(judge(changed(CLEAN.planes, luma))).values()
