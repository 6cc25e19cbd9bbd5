"""A colour strip or a ruler that lies against the page is not the page; what is printed to the page's edge is."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from appliance.imaging.model import Processed, Setup
from appliance.imaging.pipeline import process
from appliance.imaging.planes import from_bgr, to_bgr
from appliance.imaging.profiles import DEFAULT_PROFILE
from tests.appliance.imaging.drawing import overlap, printed_page, single, spread

SIZE = (1600, 1200)
CARD = np.array([[350.0, 130.0], [1050.0, 140.0], [1040.0, 1090.0], [345.0, 1080.0]])
PATCHES = ((40, 40, 40), (80, 60, 200), (60, 180, 60), (200, 80, 40), (40, 200, 220), (230, 230, 230), (128, 128, 128))


def judged(frame: NDArray[np.uint8]) -> Processed:
    return process(from_bgr(frame), Setup(rotation_cw=0), DEFAULT_PROFILE)


def uncertain(processed: Processed) -> bool:
    return any(finding.code == "outline_uncertain" for finding in processed.findings)


def lay_strip(frame: NDArray[np.uint8], left: int, top: int, width: int, height: int) -> None:
    for index, colour in enumerate(PATCHES):
        first, last = (top + (index + step) * height // len(PATCHES) for step in (0, 1))
        cv2.rectangle(frame, (left, first), (left + width, last), colour, cv2.FILLED)


@pytest.mark.parametrize(("gap", "height"), [(0, 640), (6, 500), (30, 640)])
def test_a_colour_strip_against_a_page_is_left_out(gap: int, height: int) -> None:
    frame = to_bgr(single(CARD, *SIZE).planes).copy()
    lay_strip(frame, 1052 + gap, 250, 110, height)
    (page,) = judged(frame).pages
    assert overlap(page.outline, CARD, *SIZE) > 0.97


def test_a_colour_strip_against_a_spread_is_left_out() -> None:
    drawn = spread(*SIZE, seed=5, lean_deg=0)
    frame = to_bgr(drawn.planes).copy()
    lay_strip(frame, round(drawn.corners[1][1][0]) + 3, 300, 80, 560)
    pages = judged(frame).pages
    assert len(pages) == 2
    assert all(overlap(page.outline, quad, *SIZE) > 0.97 for page, quad in zip(pages, drawn.corners, strict=True))


def test_a_corner_in_deep_shadow_does_not_make_the_rest_of_the_side_an_attachment() -> None:
    frame = to_bgr(single(CARD, *SIZE).planes).copy()
    frame[600:, 900:] = frame[600:, 900:] // 4
    processed = judged(frame)
    assert uncertain(processed) or overlap(processed.pages[0].outline, CARD, *SIZE) > 0.95


def test_a_coloured_box_printed_to_the_edge_of_the_page_stays() -> None:
    page = printed_page()
    page[60:420, 540:] = (120, 170, 235)
    processed = judged(to_bgr(single(CARD, *SIZE, page=page).planes))
    assert overlap(processed.pages[0].outline, CARD, *SIZE) > 0.97
