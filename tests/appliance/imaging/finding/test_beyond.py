"""What lies beyond an edge that was found: the same paper in a shadow, a facing page, or the ground."""

import cv2
import numpy as np
import pytest

from appliance.imaging.finding.beyond import print_beyond
from appliance.imaging.model import Setup
from appliance.imaging.pipeline import process
from appliance.imaging.planes import from_bgr
from appliance.imaging.profiles import DEFAULT_PROFILE
from appliance.imaging.view import reduced, without_print
from tests.appliance.imaging.drawing import overlap, printed_page

PAPER = (222.0, 124.0, 131.0)
START, END = np.array([0.0, 600.0]), np.array([619.0, 600.0])


def _beyond(frame: np.typing.NDArray[np.uint8], *, may_face: bool = True) -> bool:
    view = reduced(from_bgr(frame), 880)
    return print_beyond(view, without_print(view), START, END, PAPER, may_face=may_face)


def _page(height: int = 880) -> np.typing.NDArray[np.uint8]:
    page = printed_page(620, height)
    return np.clip(page + np.random.default_rng(1).normal(0, 1, page.shape), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("shade", [1.0, 0.7, 0.45])
def test_print_that_goes_on_in_a_shadow_is_seen(shade: float) -> None:
    frame = _page()
    frame[:600] = (frame[:600] * shade).astype(np.uint8)
    assert _beyond(frame)


def test_a_rough_ground_is_not_print() -> None:
    frame = _page()
    gravel = np.random.default_rng(2).normal(110, 7, (300, 310))
    frame[:600] = np.clip(cv2.resize(gravel, (620, 600)), 0, 255).astype(np.uint8)[..., None]
    assert not _beyond(frame)


def test_a_facing_page_behind_a_dark_gap_is_not_the_page_itself() -> None:
    frame = _page().astype(np.float64)
    frame *= 1 - 0.3 * np.exp(-(((np.arange(880) - 594) / 6.0) ** 2))[:, None, None]
    assert not _beyond(frame.astype(np.uint8))
    assert _beyond(frame.astype(np.uint8), may_face=False)


@pytest.mark.parametrize("edge", [0.35, 0.5, 0.65])
def test_a_page_half_in_shadow_is_found_whole_or_not_at_all(edge: float) -> None:
    frame = np.full((1600, 1200, 3), 70, np.uint8)
    frame[200:1400, 180:1020] = cv2.resize(_page(), (840, 1200))
    frame[: round(edge * 1600)] = (frame[: round(edge * 1600)] * 0.4).astype(np.uint8)
    processed = process(from_bgr(frame), Setup(), DEFAULT_PROFILE)
    quad = np.array([[180, 200], [1020, 200], [1020, 1400], [180, 1400]], float)
    uncertain = any(finding.code == "outline_uncertain" for finding in processed.findings)
    assert uncertain or overlap(processed.pages[0].outline, quad, 1200, 1600) > 0.95
