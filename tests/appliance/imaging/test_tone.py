"""Evened light: shadows go, what is printed stays, pictures are left alone."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from appliance.imaging.model import Setup
from appliance.imaging.pipeline import process
from appliance.imaging.planes import Planes, from_bgr
from appliance.imaging.profiles import DEFAULT_PROFILE, PROFILES
from appliance.imaging.tone import brighten, even_light
from tests.appliance.imaging.drawing import printed_page, single

QUAD = np.array([[150.0, 160], [1050, 165], [1045, 1440], [155, 1435]])


def lit(picture: NDArray[np.uint8], light: NDArray[np.float32]) -> Planes:
    return from_bgr(np.clip(picture * light[:, :, None], 0, 255).astype(np.uint8))


def shadow(height: int, width: int, depth: float = 0.45) -> NDArray[np.float32]:
    light = np.ones((height, width), np.float32)
    light[: height // 2, : 2 * width // 3] = depth
    return cv2.GaussianBlur(light, (0, 0), width / 60)


def evened(page: Planes) -> Planes:
    """The page in even light, apart from the page as it came."""
    return even_light(Planes(page.y.copy(), page.u.copy(), page.v.copy()))


def paper_levels(page: Planes) -> NDArray[np.float64]:
    """The paper's luma in each of 6 by 4 parts of the page."""
    parts = [part for band in np.array_split(page.y, 6) for part in np.array_split(band, 4, axis=1)]
    return np.array([np.percentile(part, 80) for part in parts])


@pytest.mark.parametrize("size", [(620, 880), (1241, 1757)])
def test_paper_in_a_shadow_becomes_as_bright_as_beside_it_and_ink_stays_dark(size: tuple[int, int]) -> None:
    page = printed_page(*size)
    before = lit(page, shadow(*page.shape[:2]))
    after = evened(before)
    assert paper_levels(before).min() < 0.6 * paper_levels(before).max()
    assert paper_levels(after).min() > 0.95 * paper_levels(after).max()
    assert after.y.max() < 255
    assert np.percentile(after.y, 2) < 90
    assert (after.y.astype(int) - before.y).min() >= -1


def test_a_lamps_fall_off_is_evened_and_colour_comes_along() -> None:
    page = printed_page()
    fall_off = np.tile(np.linspace(1.0, 0.75, page.shape[1], dtype=np.float32), (page.shape[0], 1))
    after, flat = evened(lit(page, fall_off)), from_bgr(page)
    assert paper_levels(after).min() > 0.96 * paper_levels(after).max()
    assert abs(float(np.median(after.v)) - float(np.median(flat.v))) <= 1
    assert abs(float(np.median(after.u)) - float(np.median(flat.u))) <= 1


@pytest.mark.parametrize("level", [0.5, 0.75, 1.0])
def test_grey_and_white_paper_in_even_light_pass_through_untouched(level: float) -> None:
    page = printed_page()
    before = lit(page, np.full(page.shape[:2], level, np.float32))
    after = evened(before)
    assert all(np.array_equal(getattr(after, name), getattr(before, name)) for name in ("y", "u", "v"))


def test_a_photograph_is_never_brightened_by_more_than_a_lamp_may_need() -> None:
    noise = np.random.default_rng(4).normal(0, 1, (880, 620)).astype(np.float32)
    picture = sum(cv2.GaussianBlur(noise, (0, 0), sigma) * sigma for sigma in (6.0, 14.0, 30.0))
    luma = np.clip(110 + 50 * picture / picture.std(), 12, 240).astype(np.uint8)
    before = from_bgr(cv2.merge([luma] * 3))
    after = evened(before)
    assert float((after.y / np.maximum(before.y.astype(float), 1)).max()) < 1.25


@pytest.mark.parametrize("size", [(700, 500), (1003, 701), (64, 300)])
def test_every_place_gets_its_own_light_without_a_seam(size: tuple[int, int]) -> None:
    height, width = size
    ramp = np.linspace(1.0, 2.0, 200, dtype=np.float32)
    gain = np.ascontiguousarray(np.minimum(ramp[:, None], ramp[None, ::-1][:, :150] + 0.1))
    page = from_bgr(np.full((height, width, 3), (90, 110, 120), np.uint8))
    before = Planes(page.y.copy(), page.u.copy(), page.v.copy())
    brighten(page, gain)
    exact = cv2.resize(gain, (width, height))
    assert np.abs(page.y - before.y * exact).max() <= 2
    for own, other in ((page.u, before.u), (page.v, before.v)):
        half = cv2.resize(gain, own.shape[::-1])
        assert np.abs(own - (128 + (other.astype(float) - 128) * half)).max() <= 2


def test_the_frame_itself_is_never_touched() -> None:
    shaded = (printed_page() * shadow(880, 620, depth=0.7)[:, :, None]).astype(np.uint8)
    frame = single(QUAD, page=shaded).planes
    held = frame.y.tobytes(), frame.u.tobytes(), frame.v.tobytes()
    process(frame, Setup(layout="single", rotation_cw=0), DEFAULT_PROFILE)
    assert (frame.y.tobytes(), frame.u.tobytes(), frame.v.tobytes()) == held


def test_a_tiny_page_does_not_break_it() -> None:
    for size in ((1, 1), (3, 200), (65, 64)):
        assert even_light(from_bgr(np.full((*size, 3), 90, np.uint8))).y.shape == size


def test_only_printed_pages_of_ordinary_books_are_evened() -> None:
    page = printed_page()
    shaded = np.clip(page * shadow(*page.shape[:2], depth=0.7)[:, :, None], 0, 255).astype(np.uint8)
    frame = single(QUAD, page=shaded).planes
    as_it_came = replace(DEFAULT_PROFILE, even_light=False)

    def spread_of_paper(setup: Setup, profile_name: str | None = None) -> float:
        profile = PROFILES[profile_name] if profile_name else DEFAULT_PROFILE
        (result,) = process(frame, setup, profile).pages
        levels = paper_levels(result.planes)
        return float(levels.min() / levels.max())

    single_page = Setup(layout="single", rotation_cw=0)
    assert spread_of_paper(single_page) > 0.9
    assert spread_of_paper(single_page, "quy-hiem-400") < 0.8
    assert spread_of_paper(replace(single_page, page_type="plate")) < 0.8
    judged = [process(frame, single_page, profile).pages[0].findings for profile in (DEFAULT_PROFILE, as_it_came)]
    assert judged[0] == judged[1]


def test_a_coloured_panel_is_no_shadow_however_flat_it_is() -> None:
    page = printed_page(lines=8)
    page[560:840, 60:560] = (105, 150, 190)
    before = lit(page, shadow(*page.shape[:2]))
    after = evened(before)
    assert after.y[100:380:9, 40:300:9].mean() > 1.5 * before.y[100:380:9, 40:300:9].mean()
    assert abs(float(after.y[600:800, 100:500].mean()) - float(before.y[600:800, 100:500].mean())) < 0.2 * 150


def test_a_page_with_little_print_in_a_shadow_is_evened_too() -> None:
    sheet = np.full((880, 620, 3), 225, np.uint8)
    sheet[:180] = printed_page(lines=26)[80:260]
    (page,) = process(
        single(QUAD, page=(sheet * shadow(880, 620)[..., None]).astype(np.uint8)).planes, Setup(), DEFAULT_PROFILE
    ).pages
    levels = paper_levels(page.planes)
    assert levels.min() > 0.9 * levels.max()


def test_ground_of_another_colour_beside_a_page_does_not_keep_it_in_its_shadow() -> None:
    page = printed_page()
    boards = np.random.default_rng(2).integers(0, 30, (880, 1, 1)) + np.array([60, 110, 160])
    page[:, 500:] = boards  # an outline that ran on over the table
    before = lit(page, shadow(*page.shape[:2])[:, ::-1])
    after = evened(before)
    levels = paper_levels(Planes(after.y[:, :490], after.u[:, :245], after.v[:, :245]))
    assert levels.min() > 0.95 * levels.max()
