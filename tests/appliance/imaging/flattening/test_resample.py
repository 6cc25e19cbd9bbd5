"""Luma under a perspective: where the plain cubic puts it, as sharp, and as near to the truth."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from appliance.imaging.flattening.resample import Mesh, sample, sample_mesh, through_mesh
from appliance.imaging.geometry import apply, homography, points
from appliance.imaging.planes import Plane

_FINE = 4
_STEP_PX = 16


def plain(source: Plane, to_source: NDArray[np.float64], size: tuple[int, int]) -> Plane:
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    return cv2.warpPerspective(source, to_source, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)


def mesh_of(to_source: NDArray[np.float64], size: tuple[int, int]) -> Mesh:
    """Where the middles of blocks lie, bent a little as paper is, one block more on every side."""
    x, y = (np.arange(-1, -(-side // _STEP_PX) + 1) * _STEP_PX + (_STEP_PX - 1) / 2 for side in size)
    across, down = np.meshgrid(x, y)
    down = down + 6.0 * np.sin(across / 90.0)
    there = apply(to_source, points(np.column_stack([across.ravel(), down.ravel()])))
    return there.reshape(len(y), len(x), 2).astype(np.float32)


def bent(source: Plane, to_source: NDArray[np.float64], size: tuple[int, int]) -> Plane:
    return sample_mesh(source, mesh_of(to_source, size), _STEP_PX, size)


def plain_bent(source: Plane, to_source: NDArray[np.float64], size: tuple[int, int]) -> Plane:
    return through_mesh((source,), mesh_of(to_source, size), _STEP_PX, size, cv2.INTER_CUBIC)[0]


Way = Callable[[Plane, NDArray[np.float64], tuple[int, int]], Plane]
Ways = tuple[Way, Way]
WAYS = [(sample, plain), (bent, plain_bent)]


def turn(degrees: float, size: tuple[int, int], scale: float = 1.0, lean: float = 0.0) -> NDArray[np.float64]:
    """From pixels of a page to those of a frame in which it lies turned about its middle, narrower at its foot."""
    (width, height), angle = size, np.radians(degrees)
    page = points([(0, 0), (width - 1, 0), (width - 1, height - 1), (0, height - 1)])
    away = (page - page.mean(axis=0)) * scale
    away[:, 0] *= 1 - lean * (away[:, 1] / height)
    turned = away @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return homography(page, turned + page.mean(axis=0) + (60.3, 40.7))


def soft_print(size: tuple[int, int], sigma_px: float) -> NDArray[np.float32]:
    """Strokes of print at four times the size, as soft as a lens leaves them."""
    large, rng = np.full((size[1] * _FINE, size[0] * _FINE), 225, np.uint8), np.random.default_rng(7)
    for row in range(14 * _FINE, large.shape[0], 18 * _FINE):
        line = "".join(rng.choice(list("abdeghknopqrtuy   "), 60))
        cv2.putText(large, line, (8, row), cv2.FONT_HERSHEY_COMPLEX, 0.4 * _FINE, 30, _FINE, cv2.LINE_AA)
    return cv2.GaussianBlur(large.astype(np.float32), (0, 0), sigma_px * _FINE)


@pytest.mark.parametrize("sigma_px", [0.7, 0.9, 1.2])
@pytest.mark.parametrize("degrees", [0.4, 8.0, 90.6])
def test_print_is_as_near_to_the_truth_and_as_sharp_as_the_plain_cubic_leaves_it(
    sigma_px: float, degrees: float
) -> None:
    size = (500, 380)
    large = soft_print(size, sigma_px)
    to_large = np.array([[_FINE, 0, (_FINE - 1) / 2], [0, _FINE, (_FINE - 1) / 2], [0, 0, 1.0]])
    to_frame = turn(degrees, size, lean=0.03)
    flags, frame_size = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP, (640, 640)
    shown = cv2.warpPerspective(large, to_large @ np.linalg.inv(to_frame), frame_size, flags=flags, borderValue=90.0)
    frame = np.clip(np.rint(shown + np.random.default_rng(1).normal(0, 1.2, shown.shape)), 0, 255).astype(np.uint8)
    truth = cv2.warpPerspective(large, to_large, size, flags=flags)[30:-30, 30:-30]
    own, other = (each(frame, to_frame, size)[30:-30, 30:-30].astype(np.float64) for each in (sample, plain))
    assert not np.array_equal(own, other)  # it did take its own way
    assert np.sqrt(np.mean((own - truth) ** 2)) < 1.03 * np.sqrt(np.mean((other - truth) ** 2))
    contrast = [np.abs(np.diff(values, axis=1)).mean() for values in (own, other)]
    assert contrast[0] == pytest.approx(contrast[1], rel=0.03)


@pytest.mark.parametrize("degrees", [0.0, 1.0, 45.0, 90.0, 180.0, 269.0])
@pytest.mark.parametrize("scale", [0.7, 1.0, 1.4])
@pytest.mark.parametrize("ways", WAYS)
def test_every_place_is_where_the_plain_cubic_puts_it_also_beyond_the_frame(
    degrees: float, scale: float, ways: Ways
) -> None:
    noise = np.random.default_rng(2).integers(0, 256, (420, 520), np.uint8)
    frame = cv2.GaussianBlur(noise, (0, 0), 2.5)
    frame = cv2.normalize(frame, None, 0, 255, cv2.NORM_MINMAX)
    size = (531, 407)
    own, other = (each(frame, turn(degrees, size, scale), size).astype(int) for each in ways)
    assert np.abs(own - other).max() <= 8
    assert abs((own - other).mean()) < 0.1


def test_a_page_that_lies_straight_comes_out_pixel_for_pixel() -> None:
    frame = np.random.default_rng(3).integers(0, 256, (300, 400), np.uint8)
    moved = np.array([[1.0, 0, 21], [0, 1, 34], [0, 0, 1]])
    assert np.abs(sample(frame, moved, (310, 222)).astype(int) - frame[34:256, 21:331]).max() <= 1


@pytest.mark.parametrize("slope", [-0.004, -1 / 250, -0.003, 0.05, 1.0])
def test_a_perspective_so_steep_that_its_horizon_lies_in_the_page_goes_the_plain_way(slope: float) -> None:
    frame = np.random.default_rng(4).integers(0, 256, (300, 400), np.uint8)
    steep = np.array([[1.0, 0, 30], [0, 1, 20], [0, slope, 1]])
    assert np.array_equal(sample(frame, steep, (200, 300)), plain(frame, steep, (200, 300)))


@pytest.mark.parametrize("degrees", [0.4, 8.0, 90.6])
def test_print_on_a_bent_page_is_as_sharp_and_as_near_to_the_truth_as_the_plain_cubic_leaves_it(degrees: float) -> None:
    size = (500, 380)
    large, to_frame = soft_print((640, 640), 0.9), turn(degrees, size, lean=0.03)
    exact = cv2.resize(large, (640, 640), interpolation=cv2.INTER_AREA)
    frame = np.clip(np.rint(exact + np.random.default_rng(1).normal(0, 1.2, exact.shape)), 0, 255).astype(np.uint8)
    up = np.array([[_FINE, 0, (_FINE - 1) / 2], [0, _FINE, (_FINE - 1) / 2], [0, 0, 1.0]])
    clean = np.clip(np.rint(large), 0, 255).astype(np.uint8)
    truth = plain_bent(clean, up @ to_frame, size)[30:-30, 30:-30].astype(np.float64)
    own, other = (each(frame, to_frame, size)[30:-30, 30:-30].astype(np.float64) for each in (bent, plain_bent))
    assert not np.array_equal(own, other)  # it did take its own way
    assert np.sqrt(np.mean((own - truth) ** 2)) < 1.05 * np.sqrt(np.mean((other - truth) ** 2))
    contrast = [np.abs(np.diff(values, axis=1)).mean() for values in (own, other)]
    assert contrast[0] == pytest.approx(contrast[1], rel=0.03)


@settings(max_examples=40, deadline=None)
@given(
    width=st.integers(1, 40),
    height=st.integers(1, 40),
    across=st.integers(1, 60),
    down=st.integers(1, 300),
    left=st.floats(-90, 90),
    degrees=st.floats(0, 360),
)
def test_no_size_and_no_place_breaks_it(
    width: int, height: int, across: int, down: int, left: float, degrees: float
) -> None:
    frame = np.full((height, width), 77, np.uint8)
    to_frame = turn(degrees, (max(across, 2), max(down, 2))) @ np.array([[1, 0, left], [0, 1, 0], [0, 0, 1.0]])
    for way in (sample, bent):
        page = way(frame, to_frame, (across, down))
        assert page.shape == (down, across)
        assert set(np.unique(page)) == {77}
