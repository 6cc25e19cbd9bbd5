"""Rectification: geometry, and colour that stays where its luma is."""

import cv2
import numpy as np
import pytest

from appliance.imaging.flattening.rectify import plan, rectify
from appliance.imaging.geometry import points
from appliance.imaging.planes import from_bgr

WHOLE = points([(40, 30), (360, 30), (360, 270), (40, 270)])


def test_a_straight_rectangle_comes_out_pixel_for_pixel() -> None:
    picture = cv2.GaussianBlur(np.random.default_rng(2).integers(0, 256, (300, 400, 3), np.uint8), (0, 0), 4)
    planes = from_bgr(picture)
    page = rectify(planes, plan(WHOLE, WHOLE, 0.0))
    assert (page.width_px, page.height_px) == (321, 241)
    assert np.abs(page.y.astype(int) - planes.y[30:271, 40:361]).max() <= 1
    assert np.abs(page.u[:120, :160].astype(int) - planes.u[15:135, 20:180]).max() <= 1


@pytest.mark.parametrize("shift", [(7.0, 5.0), (0.5, 0.5)])
def test_colour_stays_where_its_luma_is(shift: tuple[float, float]) -> None:
    picture = np.full((300, 400, 3), 200, np.uint8)
    cv2.circle(picture, (203, 151), 60, (40, 40, 230), -1)
    planes = from_bgr(cv2.GaussianBlur(picture, (0, 0), 2))
    quad = WHOLE + np.array(shift)
    page = rectify(planes, plan(quad, quad, 0.0))
    luma = np.argwhere(page.y < 150).mean(axis=0)
    colour = np.argwhere(page.v > 165).mean(axis=0) * 2 + 0.5
    assert np.abs(luma - colour).max() < 0.35


def test_a_bulging_edge_widens_the_page_instead_of_losing_print() -> None:
    bulging = np.insert(WHOLE, 1, [200.0, 10.0], axis=0)
    straight, wide = plan(WHOLE, WHOLE, 0.0), plan(WHOLE, bulging, 0.0)
    assert wide.height_px == straight.height_px + 20
    assert wide.width_px == straight.width_px
