"""Sheets whose edges bulge so much that sides going on straight would meet far out of the frame."""

import cv2
import numpy as np
import pytest

from appliance.imaging.geometry import area, four_within, points
from appliance.imaging.model import Setup
from appliance.imaging.pipeline import process
from appliance.imaging.planes import from_bgr
from appliance.imaging.profiles import DEFAULT_PROFILE
from tests.appliance.imaging.drawing import overlap, printed_page

WIDTH, HEIGHT = 1200, 1600
PEAK = np.array([[60, 260], [200, 140], [330, 60], [460, 20], [580, 25], [700, 75], [800, 150], [870, 230]], float)
FOOT = np.array([[1150, 1540], [40, 1580]], float)


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_sheet_with_a_peaked_edge_is_found_and_cut_along_it(mirrored: bool) -> None:
    sheet = np.concatenate([PEAK, FOOT])
    frame, mask = np.full((HEIGHT, WIDTH, 3), (60.0, 75.0, 90.0)), np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.fillPoly(mask, [np.rint(sheet).astype(np.int32)], 1)
    page = np.full((HEIGHT, WIDTH, 3), 225.0)
    page[420:1300, 260:880] = printed_page()
    frame = np.where(mask[..., None] > 0, page, frame)
    if mirrored:
        frame, mask = frame[:, ::-1], mask[:, ::-1]
    noise = np.random.default_rng(3).normal(0, 2, frame.shape)
    planes = from_bgr(np.clip(cv2.GaussianBlur(frame, (0, 0), 0.8) + noise, 0, 255).astype(np.uint8))
    processed = process(planes, Setup(layout="single", rotation_cw=0), DEFAULT_PROFILE)
    assert "outline_uncertain" not in {finding.code for finding in processed.findings}
    contour = cv2.findContours(np.ascontiguousarray(mask), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0][0]
    assert overlap(processed.pages[0].outline, points(contour), WIDTH, HEIGHT) > 0.985


def test_the_quad_within_a_contour_has_its_corners_there_and_gives_up_what_holds_least() -> None:
    contour = np.concatenate([PEAK, FOOT])
    quad = four_within(contour)
    assert {tuple(corner) for corner in quad.tolist()} <= {tuple(corner) for corner in contour.tolist()}
    assert {(1150.0, 1540.0), (40.0, 1580.0)} < {tuple(corner) for corner in quad.tolist()}
    assert 0.85 * abs(area(contour)) < abs(area(quad)) < abs(area(contour))
