"""The same spread again, or another: told by features, however it was moved, turned or lit."""

import cv2
import numpy as np
import pytest

from appliance.imaging.judging.similarity import Match, differ_at_first_look, same_spread, signature
from appliance.imaging.planes import Plane, Planes
from appliance.imaging.view import reduced
from firmware.simulated import SimulatedCamera
from tests.appliance.imaging.drawing import spread


def small(seed: int) -> Plane:
    return reduced(spread(seed=seed).planes).y


def again(view: Plane, degrees: float, shift_px: float, light: float) -> Plane:
    """Return the view as a second exposure might show it."""
    height, width = view.shape
    place = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    place[:, 2] += shift_px
    moved = cv2.warpAffine(view, place, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return np.clip(moved * light + np.random.default_rng(6).normal(0, 3, view.shape), 0, 255).astype(np.uint8)


@pytest.mark.parametrize(("degrees", "shift_px", "light"), [(0, 2, 1.0), (2, 9, 0.8), (-4, -14, 1.1), (180, 0, 1.0)])
def test_a_spread_taken_again_agrees_wherever_it_lies_and_however_it_is_lit(
    degrees: float, shift_px: float, light: float
) -> None:
    view = small(1)
    assert same_spread(signature(view), signature(again(view, degrees, shift_px, light))) is Match.AGREE


def test_other_spreads_differ_even_in_the_same_place_and_light() -> None:
    first, *others = (signature(small(seed)) for seed in range(1, 6))
    assert {same_spread(first, other) for other in others} == {Match.DIFFER}


@pytest.mark.parametrize("size", [(64, 30_000), (30_000, 64), (31, 500), (33, 33)])
def test_slivers_show_too_little_to_tell(size: tuple[int, int]) -> None:
    noise = signature(np.random.default_rng(1).integers(0, 256, size, np.uint8))
    assert same_spread(noise, noise) is Match.UNSURE


def test_pages_of_one_book_are_told_apart_by_a_first_look_and_the_same_one_gets_past_it() -> None:
    """Set alike, a book's pages share the look of so many features that only their places tell them apart."""
    camera = SimulatedCamera(1, 4056, 3040)
    frames = [camera.capture(pressed_at_ns=at) for at in range(3)]
    views = [reduced(Planes(*(np.ascontiguousarray(each) for each in (f.y, f.u, f.v)))).y for f in frames]
    first, second, third = (signature(view) for view in views)
    assert differ_at_first_look(first, third)
    assert differ_at_first_look(second, third)
    assert not differ_at_first_look(first, signature(again(views[0], -4, -14, 1.1)))
