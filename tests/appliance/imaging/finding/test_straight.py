"""Pale paper on a pale ground: straight edges in luma or in colour alone tell; a ground without a sheet has none."""

import cv2
import numpy as np
import pytest

from appliance.imaging.finding.straight import Hypothesis, evened, straight_sheet
from appliance.imaging.planes import Planes, from_bgr
from appliance.imaging.view import reduced, without_print
from tests.appliance.imaging.drawing import printed_page

QUAD = np.array([[150, 120], [690, 160], [660, 860], [120, 830]], float)


def _frame(step: tuple[float, float, float], *, seed: int = 1) -> Planes:
    """A printed sheet on wrinkled paper; `step` = how far its Y, Cr and Cb are from the ground's."""
    random = np.random.default_rng(seed)
    wrinkles = cv2.GaussianBlur(random.normal(0, 1, (1000, 800)), (0, 0), 14.0)
    frame = np.empty((1000, 800, 3))
    frame[:] = (178, 134, 122)
    frame[..., 0] += 9 * wrinkles / wrinkles.std()
    flat = printed_page(540, 700, seed=seed)
    luma = cv2.cvtColor(flat, cv2.COLOR_BGR2GRAY).astype(float)
    corners = np.array([[0, 0], [539, 0], [539, 699], [0, 699]], np.float32)
    matrix = cv2.getPerspectiveTransform(corners, QUAD.astype(np.float32))
    page = cv2.warpPerspective(luma / luma.max(), matrix, (800, 1000))
    inside = cv2.warpPerspective(np.ones_like(luma), matrix, (800, 1000))[..., None]
    sheet = np.empty_like(frame)
    sheet[:] = np.array((178.0, 134.0, 122.0)) + step
    sheet[..., 0] *= np.maximum(page, 0.2)
    frame = frame * (1 - inside) + sheet * inside
    frame[..., 0] *= np.linspace(1.0, 0.8, 800)[None, :]
    frame += random.normal(0, 1, frame.shape)
    colour = cv2.cvtColor(np.clip(frame, 0, 255).astype(np.uint8), cv2.COLOR_YCrCb2BGR)
    return from_bgr(np.asarray(colour, np.uint8))


def _best(planes: Planes) -> Hypothesis | None:
    view = reduced(planes)
    clean = without_print(view)
    guess = straight_sheet(view, clean, evened(clean))
    return None if guess is None else Hypothesis(view.to_frame(guess.quad), guess.confidence)


@pytest.mark.parametrize("step", [(0.0, 6.0, -6.0), (0.0, -7.0, 3.0), (14.0, 0.0, 0.0)])
def test_a_sheet_as_light_as_its_ground_is_found_by_luma_or_by_colour(step: tuple[float, float, float]) -> None:
    guess = _best(_frame(step))
    assert guess is not None
    assert guess.confidence > 0.6
    assert float(np.abs(guess.quad - QUAD).max()) < 12.0


def test_a_ground_that_shows_no_edge_gives_no_sheet_that_is_believed() -> None:
    wrinkles = cv2.GaussianBlur(np.random.default_rng(3).normal(0, 1, (1000, 800)), (0, 0), 14.0)
    grey = np.clip(178 + 9 * wrinkles / wrinkles.std(), 0, 255).astype(np.uint8)
    guess = _best(from_bgr(np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR), np.uint8)))
    assert guess is None or guess.confidence < 0.6
