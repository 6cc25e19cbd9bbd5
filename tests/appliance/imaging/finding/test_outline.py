"""Paper that the lamp leaves as dark at one end as the ground is at the other."""

import cv2
import numpy as np
import pytest

from appliance.imaging.finding.outline import find_region, region_of_one_colour
from appliance.imaging.model import Setup
from appliance.imaging.pipeline import process
from appliance.imaging.planes import from_bgr
from appliance.imaging.profiles import DEFAULT_PROFILE
from appliance.imaging.view import reduced, without_print
from tests.appliance.imaging.drawing import overlap, printed_page

QUAD = np.array([[0, 150], [1199, 150], [1199, 1250], [0, 1250]], float)
"""The frame cuts it off on both sides, so that paper is most of the frame's border."""


def _lamp_from_the_left(
    ground: tuple[int, int, int], *, seed: int, darkest: float = 0.45
) -> np.typing.NDArray[np.uint8]:
    frame = np.full((1400, 1200, 3), ground, np.float64)
    frame[150:1250] = cv2.resize(printed_page(seed=seed), (1200, 1100), interpolation=cv2.INTER_AREA)
    frame *= np.linspace(1.0, darkest, 1200)[None, :, None]
    return np.clip(frame + np.random.default_rng(seed).normal(0, 2, frame.shape), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("ground", [(80, 130, 140), (120, 150, 105), (150, 110, 90)])
def test_paper_keeps_its_colour_where_the_lamp_does_not_reach(ground: tuple[int, int, int]) -> None:
    frame = _lamp_from_the_left(ground, seed=1)
    region = region_of_one_colour(without_print(reduced(from_bgr(frame))))
    assert region is not None
    processed = process(from_bgr(frame), Setup(), DEFAULT_PROFILE)
    assert not any(finding.code == "outline_uncertain" for finding in processed.findings)
    assert overlap(processed.pages[0].outline, QUAD, 1200, 1400) > 0.97


def test_a_ground_of_the_paper_s_own_colour_is_not_told_by_colour() -> None:
    frame = _lamp_from_the_left((143, 155, 161), seed=2)
    assert region_of_one_colour(without_print(reduced(from_bgr(frame)))) is None


def test_dark_ground_beside_a_page_that_the_frame_cuts_off_on_three_sides_is_no_page() -> None:
    frame = np.full((1000, 1600, 3), 36, np.float64)
    page = cv2.resize(printed_page(seed=4), (1000, 1200), interpolation=cv2.INTER_AREA)[100:1100]
    frame[:, 600:] = page
    frame += np.random.default_rng(4).normal(0, 2, frame.shape)
    clean = without_print(reduced(from_bgr(np.clip(frame, 0, 255).astype(np.uint8))))
    region = find_region(clean)
    assert region is not None
    assert float(clean.y[region.mask > 0].mean()) > 150


def test_a_picture_on_a_printed_page_larger_than_the_frame_is_not_the_page() -> None:
    frame = printed_page(1600, 1200, lines=24, seed=6)
    frame[300:900, 400:1200] = (60, 150, 190)
    picture = np.array([[400, 300], [1199, 300], [1199, 899], [400, 899]], float)
    noisy = np.clip(frame + np.random.default_rng(6).normal(0, 2, frame.shape), 0, 255).astype(np.uint8)
    processed = process(from_bgr(noisy), Setup(), DEFAULT_PROFILE)
    assert all(overlap(page.outline, picture, 1600, 1200) < 0.5 for page in processed.pages)


def test_a_dark_cover_on_a_pale_table_is_the_page() -> None:
    frame = np.full((1200, 1600, 3), 205, np.float64)
    frame[200:1000, 500:1100] = (60, 90, 120)
    noisy = np.clip(frame + np.random.default_rng(6).normal(0, 2, frame.shape), 0, 255).astype(np.uint8)
    processed = process(from_bgr(noisy), Setup(), DEFAULT_PROFILE)
    cover = np.array([[500, 200], [1099, 200], [1099, 999], [500, 999]], float)
    assert overlap(processed.pages[0].outline, cover, 1600, 1200) > 0.97
