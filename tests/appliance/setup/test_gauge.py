"""What a blank sheet tells of a station: drawn with known resolution, light and focus, it must be read as such."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from appliance.setup.gauge import CHECKS, PaperGauge, Reading, Row
from firmware.simulated.camera import SimulatedCamera

Picture = NDArray[np.uint8]
SIZE_PX = (3040, 4056)


def photograph(
    *,
    ppi: float = 300.0,
    degrees: float = 2.0,
    at: tuple[float, float] = (0.5, 0.5),
    sigma_px: float = 1.0,
    level: float = 225.0,
    fall: tuple[float, float] = (0.0, 0.0),
    cradle: float = 45.0,
) -> Picture:
    """A sheet of A4 lying across; `fall` is by how much light falls towards the right and the bottom."""
    height, width = SIZE_PX
    longer, shorter = 297 / 25.4 * ppi, 210 / 25.4 * ppi
    box = ((at[0] * width, at[1] * height), (longer, shorter), degrees)
    mask = np.zeros(SIZE_PX, np.uint8)
    corners = (cv2.boxPoints(box) * 16).astype(np.int32)
    cv2.fillConvexPoly(mask, corners, 255, cv2.LINE_AA, 4)
    sheet = cv2.GaussianBlur(mask.astype(np.float32) / 255, (0, 0), sigma_px)
    x = np.linspace(0, 1, width, dtype=np.float32)[None]
    y = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    light = (1 - fall[0] * x) * (1 - fall[1] * y)
    noise = np.random.default_rng(3).normal(0, 2, (height // 8, width // 8)).astype(np.float32)
    seen = (cradle + (level - cradle) * sheet) * light + np.tile(noise, (8, 8))[:height, :width]
    return np.clip(seen, 0, 255).astype(np.uint8)


def row(reading: Reading, check: str) -> Row:
    return reading.rows[CHECKS.index(check)]  # type: ignore[arg-type]


def test_a_sheet_in_good_light_and_focus_passes_and_colour_is_said_not_to_be_measured() -> None:
    reading = PaperGauge().read(photograph())
    assert [one.check for one in reading.rows] == list(CHECKS)
    assert (reading.advice, reading.is_good) == ("done", True)
    assert [one.standing for one in reading.rows] == ["good"] * 4 + ["unmeasured"]
    assert row(reading, "ppi").value == pytest.approx(300.0, rel=0.004)
    assert row(reading, "sharpness").value == pytest.approx(1.0, abs=0.35)


@pytest.mark.parametrize("ppi", [180.0, 240.0])
def test_a_camera_that_is_too_far_is_to_come_nearer(ppi: float) -> None:
    reading = PaperGauge().read(photograph(ppi=ppi, degrees=-4.0))
    assert row(reading, "ppi").value == pytest.approx(ppi, rel=0.004)
    assert (row(reading, "ppi").standing, reading.advice) == ("poor", "nearer")


def test_the_width_of_edges_is_measured_and_a_soft_picture_asks_for_focus() -> None:
    reading = PaperGauge().read(photograph(sigma_px=3.0))
    assert row(reading, "sharpness").value == pytest.approx(3.0, rel=0.15)
    assert reading.advice == "focus"


@pytest.mark.parametrize(
    ("fall", "advice"),
    [((0.3, 0.0), "lamp-right"), ((0.0, 0.35), "lamp-bottom"), ((-0.3, 0.0), "lamp-left"), ((0.0, -0.35), "lamp-top")],
)
def test_light_that_falls_off_names_the_darker_side(fall: tuple[float, float], advice: str) -> None:
    reading = PaperGauge().read(photograph(fall=fall, level=190.0 if min(fall) < 0 else 235.0))
    assert (row(reading, "evenness").standing, reading.advice) == ("poor", advice)
    assert 15 < (row(reading, "evenness").value or 0) < 35


@pytest.mark.parametrize(("level", "advice"), [(110.0, "more-light"), (254.0, "less-light")])
def test_too_little_and_too_much_light_come_before_its_evenness(level: float, advice: str) -> None:
    assert PaperGauge().read(photograph(level=level)).advice == advice


def test_a_sheet_that_leaves_the_frame_is_to_be_centred_and_its_size_is_not_guessed() -> None:
    reading = PaperGauge().read(photograph(at=(0.2, 0.5), degrees=0.0))
    assert reading.advice == "centre"
    assert (row(reading, "corners").value, row(reading, "ppi").standing) == (2, "unmeasured")


def test_an_empty_cradle_an_open_book_and_another_paper_are_no_sheet() -> None:
    empty = np.random.default_rng(1).normal(50, 3, SIZE_PX).astype(np.uint8)
    book = SimulatedCamera(3).capture(pressed_at_ns=0).y
    square = photograph(ppi=200.0)
    square[:, :1700] = 45
    for seen in (empty, book, square):
        assert PaperGauge().read(seen) == Reading("lay-paper")
