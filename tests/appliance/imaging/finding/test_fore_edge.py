"""Leaves that stick out below a page: peeled off, and nothing else is."""

import cv2
import numpy as np
import pytest

from appliance.imaging.finding.fore_edge import sides_with_leaves, without_leaves
from appliance.imaging.finding.sheets import find_sheets
from appliance.imaging.planes import from_grey
from appliance.imaging.view import reduced, without_print
from tests.appliance.imaging.drawing import printed_page

WIDTH, HEIGHT = 1400, 1900
SIDE = np.array([[100.0, 1800.0], [100.0, 100.0]])
"""The left side of a page, upwards: the page lies to its right."""


def _book(leaves_px: float, *, lean_px: float = 0.0, seed: int = 1) -> np.typing.NDArray[np.uint8]:
    """A page in the frame from x = 100, its first `leaves_px` the ruled edges of other leaves."""
    random = np.random.default_rng(seed)
    left = 100 + round(leaves_px + abs(lean_px))
    frame = np.full((HEIGHT, WIDTH), 60.0)
    frame[100:-100, 100:-100] = 221.0
    page = printed_page(WIDTH - 100 - left, HEIGHT - 200, lines=30, seed=seed)
    frame[100:-100, left:-100] = cv2.cvtColor(page, cv2.COLOR_BGR2GRAY)
    ruling = 205 + cv2.GaussianBlur(random.normal(0, 14, (1, WIDTH)), (0, 0), 1.2)
    x = np.arange(WIDTH)[None, :] - 100
    end = leaves_px + lean_px * np.linspace(-1, 1, HEIGHT - 200)[:, None]
    area = frame[100:-100]
    area[:] = np.where((x >= 0) & (x < end), np.repeat(ruling, len(area), axis=0), area)
    area[:] = np.where((x >= end - 1) & (x < end + 1) & (end > 0), 195, area)
    noisy = cv2.GaussianBlur(frame, (0, 0), 0.8) + random.normal(0, 2, frame.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8)


def _peeled(
    luma: np.typing.NDArray[np.uint8], side: np.typing.NDArray[np.float64], size_px: float
) -> tuple[np.typing.NDArray[np.float64], float] | None:
    """Look as the tracer looks: a glance first."""
    (likely,) = sides_with_leaves(luma, [side], size_px)
    return without_leaves(luma, side, size_px) if likely else None


@pytest.mark.parametrize(("width", "lean"), [(60.0, 0.0), (120.0, 0.0), (120.0, 20.0)])
@pytest.mark.parametrize("seed", [1, 2])
def test_the_edge_of_the_page_is_found_behind_the_leaves(width: float, lean: float, seed: int) -> None:
    found = _peeled(_book(width, lean_px=lean, seed=seed), SIDE, 1400.0)
    assert found is not None
    curve, seen = found
    truth = 100 + width + lean * ((curve[:, 1] - 100) / 1700 * 2 - 1)
    assert seen >= 0.45
    assert float(np.abs(curve[:, 0] - truth).max()) < 8.0


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_page_without_leaves_keeps_its_margin(seed: int) -> None:
    assert _peeled(_book(0.0, seed=seed), SIDE, 1400.0) is None


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_lines_of_print_along_a_side_are_not_leaves(seed: int) -> None:
    page = np.rot90(_book(0.0, seed=seed))
    for x, side in enumerate(([[100.0, 100.0], [1800.0, 100.0]], [[1800.0, 1300.0], [100.0, 1300.0]])):
        assert _peeled(np.ascontiguousarray(np.rot90(page, 3 + 2 * x)), SIDE, 1400.0) is None
        assert _peeled(np.ascontiguousarray(page), np.array(side), 1400.0) is None


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_coloured_head_with_pale_print_above_a_quiet_picture_is_not_leaves(seed: int) -> None:
    page = np.full((1700, 1200), 150, np.uint8)
    page[:, :120] = 175
    for row in range(40, 1700, 60 + 7 * seed):
        cv2.putText(page, "HNOEM"[: 4 - row % 2], (12, row), cv2.FONT_HERSHEY_SIMPLEX, 1.3, 225, 3, cv2.LINE_AA)
    frame = np.full((HEIGHT, WIDTH), 60, np.uint8)
    frame[100:-100, 100:-100] = page
    noisy = cv2.GaussianBlur(frame, (0, 0), 0.8) + np.random.default_rng(seed).normal(0, 2, frame.shape)
    assert _peeled(np.clip(noisy, 0, 255).astype(np.uint8), SIDE, 1400.0) is None


def test_a_frame_too_small_to_show_leaves_is_left_alone() -> None:
    assert _peeled(_book(120.0), SIDE, 900.0) is None


def test_a_glance_tells_the_sides_with_leaves_from_the_others() -> None:
    book, right = _book(120.0), np.array([[1300.0, 100.0], [1300.0, 1800.0]])
    assert sides_with_leaves(book, [right, SIDE, right], 1400.0) == [False, True, False]
    assert sides_with_leaves(book, [], 1400.0) == []


def test_what_looks_like_leaves_beside_the_spine_stays_where_the_other_side_shows_them_better() -> None:
    book = _book(120.0)
    book[:, WIDTH // 2 :] = book[:, : WIDTH // 2][:, ::-1]
    book[1290:1798, 1175:1297] = np.random.default_rng(1).normal(222, 2, (508, 122)).astype(np.uint8)  # not all along
    spine = np.array([[1300.0, 100.0], [1300.0, 1800.0]])
    assert _peeled(book, spine, 1400.0) is not None  # taken by itself it is no different
    planes = from_grey(book)
    view = reduced(planes)
    (sheet,) = find_sheets(planes, view, without_print(view)).sheets
    assert float(np.abs(sheet.corners[[1, 2], 0] - 1300).max()) < 4.0
    assert float(np.abs(sheet.corners[[0, 3], 0] - 220).max()) < 8.0
