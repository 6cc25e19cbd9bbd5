"""Measured with fewer questions, the answers stay."""

import cv2
import numpy as np
import pytest

from appliance.imaging.judging.measure import edges, lean, small_ink, tone


def lines(width: int, height: int, first: int, last: int, lean_deg: float = 0.0) -> np.ndarray:
    """A page with lines of strokes between two heights."""
    page = np.full((height, width), 215, np.uint8)
    for y in range(first, last, 36):
        for x in range(width // 8, width - width // 8, 14):
            page[y : y + 18, x : x + 4] = 40
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), -lean_deg, 1.0)
    turned = cv2.warpAffine(page, turn, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return cv2.GaussianBlur(turned, (0, 0), 1.1).astype(np.uint8)


@pytest.mark.parametrize("lean_deg", [-3.25, -1.5, -0.25, 0.0, 0.75, 1.25, 3.0])
def test_lean_is_found_to_a_quarter_of_a_degree(lean_deg: float) -> None:
    found = lean(small_ink(lines(1200, 1600, 200, 1400, lean_deg)))
    assert found is not None
    assert abs(found - lean_deg) < 0.2


def test_a_few_lines_of_print_upon_a_large_page_are_enough_wherever_they_stand() -> None:
    pages = [lines(2400, 3200, first, first + 200) for first in range(600, 1200, 120)]
    widths = [edges(page).sigma_px for page in pages]
    assert all(width is not None and 1.0 < width < 1.5 for width in widths)


def test_brightness_is_what_sorting_all_places_gives() -> None:
    page = np.random.default_rng(3).integers(0, 250, (200, 260)).astype(np.uint8)
    measured = tone(page, 73.0)
    assert (measured.middle, measured.paper) == pytest.approx(tuple(np.percentile(page, (50, 73))))


def soft_picture() -> np.ndarray:
    """A picture that fills a page, without a sharp place."""
    rough = np.random.default_rng(1).normal(140, 60, (40, 30)).astype(np.float32)
    return np.clip(cv2.resize(rough, (1200, 1600), interpolation=cv2.INTER_CUBIC), 20, 235).astype(np.uint8)


@pytest.mark.parametrize("sigma", [5.0, 6.0, 8.0])
def test_lines_of_print_that_have_lost_their_strokes_are_seen_to_be_soft(sigma: float) -> None:
    blurred = edges(cv2.GaussianBlur(lines(1200, 1600, 200, 1400), (0, 0), sigma))
    assert blurred.sigma_px is None
    assert blurred.soft_lines_px > 3.0
    assert edges(lines(1200, 1600, 200, 1400)).soft_lines_px == 0.0


def test_soft_pictures_captions_and_blank_pages_show_no_soft_lines() -> None:
    picture, blank = soft_picture(), np.full((1600, 1200), 215, np.uint8)
    framed = lines(1200, 1600, 1400, 1450)
    framed[200:1300, 150:1050] = picture[200:1300, 150:1050]
    assert [edges(page).soft_lines_px < 1.52 for page in (picture, framed, blank)] == [True, True, True]
