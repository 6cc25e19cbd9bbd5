"""Up is where letters stand up from their line, however the line bends."""

import cv2
import numpy as np
import pytest

from appliance.imaging.finding.sheets import find_sheets
from appliance.imaging.orientation import find_rotation
from appliance.imaging.planes import from_grey
from appliance.imaging.view import reduced, without_print

WORDS = (
    "the",
    "old",
    "library",
    "held",
    "hundred",
    "thousand",
    "books",
    "and",
    "each",
    "had",
    "been",
    "read",
    "by",
    "lamp",
)


def _page(seed: int, *, bend_px: float = 0.0, lean_deg: float = 0.0) -> np.typing.NDArray[np.uint8]:
    """Lines of real letters on a page on dark ground, bent like a page near its spine, leaning a little."""
    random = np.random.default_rng(seed)
    frame = np.full((1600, 1200), 40, np.uint8)
    cv2.rectangle(frame, (120, 120), (1080, 1480), 215, cv2.FILLED)
    for y in range(260, 1380, 44):
        line = " ".join(random.choice(WORDS, 9))[:56]
        cv2.putText(frame, line, (200, y), cv2.FONT_HERSHEY_SIMPLEX, 0.72, 60, 2, cv2.LINE_AA)
    x, y = np.meshgrid(np.arange(1200.0), np.arange(1600.0))
    bent = y + bend_px * np.sin(x / 1200 * np.pi)
    frame = cv2.remap(frame, x.astype(np.float32), bent.astype(np.float32), cv2.INTER_LINEAR, borderValue=40)
    turn = cv2.getRotationMatrix2D((600, 800), lean_deg, 1.0)
    frame = cv2.warpAffine(frame, turn, (1200, 1600), borderValue=40)
    noisy = frame + random.normal(0, 2, frame.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8)


@pytest.mark.parametrize(("bend", "lean"), [(0.0, 0.0), (60.0, 0.0), (40.0, 3.0), (-40.0, -4.0)])
@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_letters_tell_up_from_down_on_bent_and_leaning_lines(bend: float, lean: float, turns: int) -> None:
    planes = from_grey(np.ascontiguousarray(np.rot90(_page(turns, bend_px=bend, lean_deg=lean), turns)))
    view = reduced(planes)
    rotation, sure = find_rotation(planes.y, view, find_sheets(planes, view, without_print(view)))
    assert rotation == 90 * turns
    assert sure > 0.5


@pytest.mark.parametrize("turns", [0, 2])
def test_small_letters_on_a_page_seen_steeply_tell_up_from_down(turns: int) -> None:
    page = cv2.GaussianBlur(_page(5)[120:1480, 120:1080], (0, 0), 1.0)
    corners = np.array([[0, 0], [560, 0], [560, 1100], [0, 1100]], np.float32)
    seen = corners + np.array([[200, 160], [200, 60], [200, 60], [200, -40]], np.float32)  # its far side is shorter
    narrow = cv2.resize(page, (560, 1100), interpolation=cv2.INTER_AREA)
    frame = cv2.warpPerspective(narrow, cv2.getPerspectiveTransform(corners, seen), (960, 1300), borderValue=40)
    planes = from_grey(np.ascontiguousarray(np.rot90(frame, turns)))
    view = reduced(planes)
    rotation, sure = find_rotation(planes.y, view, find_sheets(planes, view, without_print(view)))
    assert rotation == 90 * turns
    assert sure > 0.5


def test_capitals_alone_tell_nothing_and_say_so() -> None:
    frame = np.full((1600, 1200), 40, np.uint8)
    cv2.rectangle(frame, (120, 120), (1080, 1480), 215, cv2.FILLED)
    words = "HEAVEN AND EARTH AND ALL THE HOST OF THEM"
    for y in range(260, 1380, 30):
        cv2.putText(frame, words, (200, y), cv2.FONT_HERSHEY_SIMPLEX, 0.5, 60, 1, cv2.LINE_AA)
    planes = from_grey(frame)
    view = reduced(planes)
    assert find_rotation(planes.y, view, find_sheets(planes, view, without_print(view)))[1] == 0.0
