"""Pages that fall steeply into their spine, and pieces that are no pages."""

import cv2
import numpy as np
import pytest

from appliance.imaging.finding.sheets import Found, find_sheets
from appliance.imaging.planes import from_bgr
from appliance.imaging.view import reduced, without_print
from tests.appliance.imaging.drawing import overlap, printed_page

WIDTH, HEIGHT, SPINE, TOP, BOTTOM = 1600, 1200, 800, 140, 1060
FALL_PX, STEEP_PX = 130, 190
WOOD, GREY = (45.0, 75.0, 115.0), (70.0, 70.0, 70.0)

Picture = np.typing.NDArray[np.float64]


def _fall() -> Picture:
    """How far the pages' edges have fallen at each x."""
    return FALL_PX * np.maximum(0, 1 - np.abs(np.arange(WIDTH) - SPINE) / STEEP_PX) ** 1.5


def _spread() -> Picture:
    """Two pages over the whole frame, with the shadow of their spine."""
    frame = np.full((HEIGHT, WIDTH, 3), 225.0)
    for left, seed in ((110, 1), (SPINE, 2)):
        frame[TOP:BOTTOM, left : left + 690] = printed_page(690, BOTTOM - TOP, lines=24, seed=seed)
    return frame * (1 - 0.55 * np.exp(-(((np.arange(WIDTH) - SPINE) / 14.0) ** 2)))[None, :, None]


def _find(frame: Picture) -> Found:
    noisy = cv2.GaussianBlur(frame, (0, 0), 0.8) + np.random.default_rng(3).normal(0, 2, frame.shape)
    planes = from_bgr(np.clip(noisy, 0, 255).astype(np.uint8))
    view = reduced(planes)
    return find_sheets(planes, view, without_print(view))


def _laid(where: np.typing.NDArray[np.bool_], ground: tuple[float, float, float]) -> Picture:
    return np.where(where[:, :, None], _spread(), np.array(ground))


@pytest.mark.parametrize("ground", [WOOD, (12.0, 12.0, 12.0)])
def test_edges_are_followed_down_into_the_spine(ground: tuple[float, float, float]) -> None:
    x, y = np.arange(WIDTH), np.arange(HEIGHT)[:, None]
    paper = (x >= 110) & (x < 1490) & (y >= TOP + _fall()) & (y < BOTTOM - _fall())
    found = _find(_laid(paper, ground))
    assert len(found.sheets) == 2
    for sheet in found.sheets:
        assert sheet.confidence >= 0.35
        inside = cv2.fillPoly(np.zeros((HEIGHT, WIDTH), np.uint8), [np.rint(sheet.polygon).astype(np.int32)], 1) > 0
        assert int((inside & ~paper).sum()) < 0.005 * int(inside.sum())


def test_a_shadow_at_the_head_of_the_spine_is_no_ground() -> None:
    x, y = np.arange(WIDTH), np.arange(HEIGHT)[:, None]
    paper = (x >= 110) & (x < 1490) & (y >= TOP) & (y < BOTTOM)
    shade = np.where((y < TOP + _fall()) | (y >= BOTTOM - _fall()), 0.4, 1.0)[:, :, None]
    found = _find(np.where(paper[:, :, None], _spread() * shade, np.array(WOOD)))
    assert len(found.sheets) == 2
    for sheet in found.sheets:
        left = 110 if sheet.corners[0, 0] < 400 else SPINE
        page = np.array([[left, TOP], [left + 690, TOP], [left + 690, BOTTOM], [left, BOTTOM]], float)
        assert overlap([tuple(point) for point in sheet.polygon], page, WIDTH, HEIGHT) > 0.985


def test_a_piece_that_hardly_fills_its_hull_is_no_page() -> None:
    frame = np.full((HEIGHT, WIDTH, 3), 60.0)
    frame[200:1000, 300:1300] = 210.0
    frame[200:620, 600:960] = 60.0
    assert all(sheet.confidence < 0.35 for sheet in _find(frame).sheets)


def test_facing_pages_of_unlike_height_are_not_believed() -> None:
    x, y = np.arange(WIDTH), np.arange(HEIGHT)[:, None]
    step = np.where(x < SPINE, 0.25 * (SPINE - x), 0)  # as if the edge of the left page were seen across its print
    paper = (x >= 110) & (x < 1490) & (y >= TOP + step) & (y < BOTTOM - step / 3)
    found = _find(_laid(paper, WOOD))
    assert all(sheet.confidence < 0.35 for sheet in found.sheets)


def test_what_is_narrower_than_a_line_of_print_is_no_page() -> None:
    strip = np.full((15, 231, 3), 40.0)
    cv2.fillConvexPoly(strip, np.array([[8, 0], [75, 0], [58, 12], [38, 12]]), (220.0, 220.0, 220.0))
    found = _find(strip)
    assert found.sheets
    assert all(sheet.confidence < 0.35 for sheet in found.sheets)
