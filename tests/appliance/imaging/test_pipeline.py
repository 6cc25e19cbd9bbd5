"""From a frame to pages: outlines, sides, direction, and honesty where the evidence is thin."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from appliance.imaging.encode import encode
from appliance.imaging.model import Processed, Setup
from appliance.imaging.pipeline import process
from appliance.imaging.planes import Planes, from_bgr, from_grey, from_jpeg
from appliance.imaging.profiles import DEFAULT_PROFILE, PROFILES
from tests.appliance.imaging.drawing import Drawn, changed, overlap, pale, single, spread, turned

OBLIQUE = np.array([[250.0, 200.0], [950.0, 240.0], [1000.0, 1300.0], [180.0, 1260.0]])


def run(planes: Planes, setup: Setup | None = None) -> Processed:
    return process(planes, setup or Setup(), DEFAULT_PROFILE)


def codes(processed: Processed) -> set[str]:
    return {finding.code for finding in processed.all_findings}


def overlaps(processed: Processed, drawn: Drawn) -> list[float]:
    size = (drawn.planes.width_px, drawn.planes.height_px)
    return [overlap(page.outline, quad, *size) for page, quad in zip(processed.pages, drawn.corners, strict=True)]


@pytest.mark.parametrize("lean_deg", [-4.0, 0.0, 2.5])
def test_an_open_book_gives_its_left_and_its_right_page(lean_deg: float) -> None:
    drawn = spread(lean_deg=lean_deg)
    processed = run(drawn.planes)
    assert [page.side for page in processed.pages] == ["left", "right"]
    assert min(overlaps(processed, drawn)) > 0.97
    assert processed.judgement == "ok"


@pytest.mark.parametrize("quarter_turns", [1, 2, 3])
def test_a_camera_on_its_side_still_gives_upright_pages_in_order(quarter_turns: int) -> None:
    upright, lying = run(spread().planes), run(turned(spread().planes, quarter_turns))
    assert [page.side for page in lying.pages] == ["left", "right"]
    assert {page.rotation_cw for page in lying.pages} == {90 * quarter_turns}
    for first, second in zip(upright.pages, lying.pages, strict=True):
        size = (first.width_px // 16, first.height_px // 16)
        small = [
            cv2.resize(page.planes.y, size, interpolation=cv2.INTER_AREA).astype(float) for page in (first, second)
        ]
        assert np.corrcoef(small[0].ravel(), small[1].ravel())[0, 1] > 0.9


def test_the_set_up_decides_the_direction_whatever_the_print_says() -> None:
    assert {page.rotation_cw for page in run(spread().planes, Setup(rotation_cw=180)).pages} == {180}


def test_an_oblique_sheet_becomes_an_upright_rectangle_and_nothing_of_it_is_lost() -> None:
    drawn = single(OBLIQUE)
    (page,) = run(drawn.planes).pages
    assert overlap(page.outline, OBLIQUE, 1200, 1600) > 0.97
    assert page.width_px == pytest.approx(820, rel=0.03)
    assert page.height_px / page.width_px == pytest.approx(880 / 620, rel=0.04)  # as on paper, not as foreshortened
    corner = page.planes.y[20:60, 20:60]
    assert float(corner.mean()) > 180


def test_an_outline_starts_at_the_pages_own_top_left_and_runs_clockwise() -> None:
    for quarter_turns, first in ((0, (0, 0)), (1, (0, 1)), (2, (1, 1)), (3, (1, 0))):
        frame = turned(spread().planes, quarter_turns)
        for page in run(frame).pages:
            points = np.array(page.outline)
            middle = points.mean(axis=0)
            assert 4 <= len(points) <= 64
            assert tuple((points[0] > middle).astype(int)) == first
            assert cv2.contourArea(points.astype(np.float32), oriented=True) > 0


def test_a_frame_from_planes_and_from_jpeg_gives_the_same_pages() -> None:
    planes = spread().planes
    direct, decoded = run(planes), run(from_jpeg(encode(planes)))
    for first, second in zip(direct.pages, decoded.pages, strict=True):
        assert overlap(first.outline, second.outline, 1600, 1200) > 0.995
        assert (first.width_px, first.height_px) == (second.width_px, second.height_px)
        assert [each.code for each in first.findings] == [each.code for each in second.findings]
        for name in ("y", "u", "v"):  # what compression of the frame may cost, and no more: levels of 255
            difference = np.abs(getattr(first.planes, name).astype(int) - getattr(second.planes, name))
            assert difference.mean() <= 2
            assert np.percentile(difference, 99.9) <= 10


def test_a_blank_spread_is_two_blank_pages_and_no_fault() -> None:
    processed = run(spread(lines=0).planes)
    assert len(processed.pages) == 2
    assert codes(processed) == {"blank_page"}
    assert processed.judgement == "ok"


def test_pale_paper_on_pale_ground_is_passed_whole_and_said_to_be_uncertain() -> None:
    drawn = single(OBLIQUE)
    inside = np.zeros_like(drawn.planes.y)
    cv2.fillPoly(inside, [np.rint(OBLIQUE).astype(np.int32)], 1)
    ground = np.random.default_rng(1).normal(221, 1.2, inside.shape)
    luma = np.where(cv2.erode(inside, np.ones((15, 15))) > 0, drawn.planes.y, ground).astype(np.uint8)
    level = np.full_like(drawn.planes.u, 128)
    processed = run(Planes(luma, level, level.copy()))
    (page,) = processed.pages
    assert (page.width_px, page.height_px) == (1200, 1600)
    assert processed.judgement == "unsure"
    assert "outline_uncertain" in codes(processed)


def test_paper_that_goes_on_beyond_a_shadow_is_not_cut_at_it() -> None:
    drawn = single(OBLIQUE)
    luma = drawn.planes.y.copy()
    luma[:, 620:] = (luma[:, 620:] * 0.45).astype(np.uint8)
    processed = run(changed(drawn.planes, luma))
    whole = "outline_uncertain" in codes(processed)
    assert whole or overlap(processed.pages[0].outline, OBLIQUE, 1200, 1600) > 0.95


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_frame_with_nothing_in_it_is_empty(level: int) -> None:
    processed = run(from_grey(np.full((480, 640), level, np.uint8)))
    assert processed.pages == ()
    assert codes(processed) == {"empty_frame"}
    assert processed.judgement == "bad"


@settings(max_examples=40, deadline=None)
@given(arrays(np.uint8, st.tuples(st.integers(16, 90), st.integers(16, 90), st.just(3))))
def test_no_picture_makes_it_fail_and_whatever_comes_out_is_a_page_or_the_whole_frame(picture: np.ndarray) -> None:
    processed = run(from_bgr(picture))
    assert len(processed.pages) <= 2
    for page in processed.pages:
        assert page.width_px > 0
        assert page.height_px > 0
        assert len(page.outline) <= 64


@pytest.mark.parametrize("size", [(16, 16), (64, 1000), (1000, 64), (333, 517)])
def test_noise_of_any_size_is_never_cut_up_with_certainty(size: tuple[int, int]) -> None:
    noise = np.random.default_rng(5).integers(0, 256, (size[1], size[0], 3), np.uint8)
    processed = run(from_bgr(noise))
    assert codes(processed) & {"outline_uncertain", "empty_frame"}


def test_the_same_frame_always_gives_the_same_result() -> None:
    first, second = run(spread(seed=4).planes), run(spread(seed=4).planes)
    assert [page.outline for page in first.pages] == [page.outline for page in second.pages]
    assert first.all_findings == second.all_findings


def test_the_default_profile_is_the_one_for_books() -> None:
    assert DEFAULT_PROFILE is PROFILES["sach-in-300"]
    assert set(PROFILES) == {"sach-in-300", "quy-hiem-400", "van-ban-200", "bao-200"}


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_pale_paper_on_pale_paper_is_found_by_its_straight_edges(seed: int) -> None:
    drawn = pale(OBLIQUE, seed=seed)
    assert min(overlaps(run(drawn.planes), drawn)) > 0.96
    assert "outline_uncertain" not in codes(run(drawn.planes))


def test_a_table_on_a_page_is_never_taken_for_the_page() -> None:
    page = np.full((1600, 1200, 3), 205, np.uint8)
    cv2.rectangle(page, (200, 500), (1000, 1300), (60, 60, 60), 4)
    for row in range(80, 1560, 40):
        cv2.putText(page, "written across the whole of the frame", (60, row), 0, 1.6, (60, 60, 60), 3)
    processed = run(from_bgr(page))
    assert "outline_uncertain" in codes(processed)
    assert {processed.pages[0].width_px, processed.pages[0].height_px} == {1200, 1600}
