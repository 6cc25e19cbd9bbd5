"""When it is time to measure anew: something was moved, and has lain still for a second."""

from collections.abc import Callable, Iterable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from appliance.setup.stillness import Watched, watch

Picture = NDArray[np.uint8]
EVERY_NS = 500_000_000


def table(*, x_px: float = 300.0, light: float = 1.0, noise: float = 2.0, seed: int = 0) -> Picture:
    """A sheet of paper on a dark cradle, as the live picture shows it."""
    picture = np.full((640, 960), 45.0)
    sheet = np.array([[x_px, 160], [x_px + 420, 150], [x_px + 425, 450], [x_px + 5, 460]], np.float32)
    cv2.fillConvexPoly(picture, np.round(sheet * 16).astype(np.int32), 220.0, cv2.LINE_AA, 4)
    seen = picture * light + np.random.default_rng(seed).normal(0, noise, picture.shape)
    return np.clip(seen, 0, 255).astype(np.uint8)


def times_due(pictures: Iterable[Picture]) -> list[int]:
    """Return which pictures, looked at every half second, were the moment to measure."""
    watched, due = Watched(), []
    for number, picture in enumerate(pictures):
        watched, is_due = watch(watched, picture, number * EVERY_NS)
        due += [number] * is_due
    return due


def test_what_lies_still_is_measured_once_however_the_picture_is_noisy() -> None:
    assert times_due(table(seed=n, noise=6.0) for n in range(12)) == [2]


@pytest.mark.parametrize(
    "moved",
    [
        lambda n: table(x_px=300 + 3 * min(n, 12)),
        lambda n: table(light=1 - 0.03 * min(n, 12)),
        lambda n: table(light=1.1),
    ],
    ids=["sheet", "lamp", "lamp at once"],
)
def test_it_is_measured_again_when_the_hands_are_off(moved: Callable[[int], Picture]) -> None:
    still = [table(seed=n) for n in range(6)]
    due = times_due([*still, *(moved(n) for n in range(20))])
    assert due[0] == 2
    # Not while it moves; a second after the last movement at the latest.
    assert [one for one in due if one > 6][-1] in range(8, 6 + 12 + 4)
    assert len(due) <= 3


def test_a_light_that_fades_ever_so_slowly_is_measured_anew_once_it_is_another() -> None:
    due = times_due(table(light=1 - 0.002 * n) for n in range(60))
    assert due[0] == 2
    assert 1 < len(due) < 12
