"""Clean text for readers: white paper, dark print, pictures as they are, and no harder to read."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from appliance.imaging.encode import encode
from appliance.imaging.looks import text_look, with_look
from appliance.imaging.model import Setup
from appliance.imaging.pipeline import process
from appliance.imaging.planes import NEUTRAL, Planes, from_bgr
from appliance.imaging.profiles import DEFAULT_PROFILE
from benchmarks.ocr import read, share_found, why_not
from firmware.simulated import SimulatedCamera
from tests.appliance.imaging.drawing import printed_page

_PICTURE = (slice(300, 560), slice(120, 500))


def grainy(picture: NDArray[np.uint8]) -> Planes:
    noise = np.random.default_rng(5).normal(0, 3, picture.shape[:2])[..., None]
    return from_bgr(np.clip(picture + noise, 0, 255).astype(np.uint8))


def with_picture() -> NDArray[np.uint8]:
    """A printed page with a landscape in many colours in its middle."""
    page = printed_page(lines=26)
    page[270:590, 90:530] = np.array([205, 222, 230])
    shades = np.random.default_rng(2).normal(0, 1, (20, 30, 3)).astype(np.float32)
    landscape = cv2.resize(shades, (380, 260), interpolation=cv2.INTER_CUBIC) * 35 + (110, 100, 90)
    page[_PICTURE] = np.clip(landscape, 20, 190).astype(np.uint8)
    return page


def test_paper_becomes_white_and_grey_and_ink_darker() -> None:
    fall_off = np.linspace(1.0, 0.85, 620, dtype=np.float32)[None, :, None]
    before = grainy((printed_page() * fall_off).astype(np.uint8))
    after = text_look(before)
    paper = cv2.dilate((before.y < 150).astype(np.uint8), np.ones((9, 9), np.uint8)) == 0
    assert np.percentile(after.y[paper], 2) == 255
    assert np.percentile(after.y, 3) < 0.5 * np.percentile(before.y, 3)
    assert np.unique(after.y).size > 50  # letters keep their soft edges
    assert np.all(after.u == NEUTRAL)
    assert np.all(after.v == NEUTRAL)


def test_a_picture_stays_as_it_is_while_the_print_around_it_is_cleaned() -> None:
    before = grainy(with_picture())
    after = text_look(before)
    inside = tuple(slice(part.start + 12, part.stop - 12) for part in _PICTURE)
    half = tuple(slice(part.start // 2, part.stop // 2) for part in inside)
    assert np.abs(after.y[inside].astype(int) - before.y[inside]).max() <= 1
    assert np.abs(after.u[half].astype(int) - before.u[half]).max() <= 1
    assert np.abs(after.v[half].astype(int) - before.v[half]).max() <= 1
    assert np.median(after.y[100:240]) == 255


def test_the_page_itself_is_not_touched_and_colour_means_as_it_is() -> None:
    page = grainy(with_picture())
    held = page.y.tobytes(), page.u.tobytes(), page.v.tobytes()
    assert with_look(page, "colour") is page
    grey = with_look(page, "grey")
    assert np.array_equal(grey.y, page.y)
    assert np.all(grey.u == NEUTRAL)
    with_look(page, "text")
    assert (page.y.tobytes(), page.u.tobytes(), page.v.tobytes()) == held


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (129, 64), (2, 131)])
def test_no_size_breaks_it(size: tuple[int, int]) -> None:
    page = text_look(from_bgr(np.full((*size, 3), 90, np.uint8)))
    assert page.y.shape == size


def test_clean_text_reads_no_worse_and_its_file_is_smaller() -> None:
    if missing := why_not("vie"):
        pytest.skip(missing)
    camera = SimulatedCamera(8, 2400, 1800)
    frame = camera.capture(pressed_at_ns=0)
    truth = camera.truth_of(frame.source)
    planes = Planes(*(np.ascontiguousarray(each) for each in (frame.y, frame.u, frame.v)))
    page = process(planes, Setup(rotation_cw=0), DEFAULT_PROFILE).pages[0].planes
    clean = text_look(page)
    words = [word.text for word in truth.pages[0].words]
    before, after = (share_found(words, read(each.y, "vie")) for each in (page, clean))
    assert before > 0.9
    assert after >= before - 0.005
    assert len(encode(clean)) < 0.85 * len(encode(page))
