"""Planes: full-range BT.601, whatever the size."""

import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import numpy as np
import pytest
import simplejpeg
from hypothesis import given
from PIL import Image

from firmware.planes import Planes, chroma_shape, halve, planes_from_bgr, planes_to_bgr, split_yuv420

pictures = hnp.arrays(np.uint8, st.tuples(st.integers(1, 33), st.integers(1, 33), st.just(3)))
evens = st.integers(1, 24).map(lambda half: 2 * half)


@given(pictures)
def test_planes_of_any_size_are_four_two_zero(bgr):
    planes = planes_from_bgr(bgr)
    assert planes.y.shape == bgr.shape[:2]
    assert planes.u.shape == planes.v.shape == chroma_shape(*bgr.shape[:2])
    assert planes_to_bgr(planes).shape == bgr.shape


@given(st.tuples(*[st.integers(0, 255)] * 3), st.integers(1, 9), st.integers(1, 9))
def test_one_colour_survives_there_and_back(colour, height, width):
    bgr = np.full((height, width, 3), colour, np.uint8)
    assert np.abs(planes_to_bgr(planes_from_bgr(bgr)).astype(int) - bgr).max() <= 2


@given(pictures)
def test_luma_is_what_jpeg_calls_luma(bgr):
    jpeg_y = np.asarray(Image.fromarray(np.ascontiguousarray(bgr[:, :, ::-1])).convert("YCbCr"))[:, :, 0]
    assert np.abs(planes_from_bgr(bgr).y.astype(int) - jpeg_y).max() <= 1


@pytest.mark.parametrize(("value", "luma"), [(0, 0), (255, 255)])
def test_black_and_white_use_the_full_range(value, luma):
    planes = planes_from_bgr(np.full((4, 4, 3), value, np.uint8))
    assert (planes.y == luma).all()
    assert (planes.u == 128).all()
    assert (planes.v == 128).all()


def test_an_encoder_that_takes_planes_agrees_about_colours():
    bgr = np.zeros((64, 64, 3), np.uint8)
    bgr[:32, :32], bgr[:32, 32:], bgr[32:, :32], bgr[32:, 32:] = (
        (200, 30, 40),
        (30, 180, 60),
        (20, 40, 210),
        (90, 90, 90),
    )
    jpeg = simplejpeg.encode_jpeg_yuv_planes(*planes_from_bgr(bgr), quality=98)
    assert np.abs(simplejpeg.decode_jpeg(jpeg, colorspace="BGR").astype(int) - bgr)[4:28, 4:28].max() <= 4


@given(hnp.arrays(np.uint8, st.tuples(st.integers(1, 20), st.integers(1, 20))))
def test_halving_keeps_the_mean_of_each_block(plane):
    small = halve(plane)
    height, width = plane.shape
    padded = np.pad(plane, ((0, height % 2), (0, width % 2)), mode="edge").astype(float)
    means = padded.reshape(small.shape[0], 2, small.shape[1], 2).mean(axis=(1, 3))
    assert np.abs(small - means).max() <= 0.5


@given(evens, evens, st.integers(0, 16).map(lambda half: 2 * half), st.integers(0, 5))
def test_a_cameras_buffer_is_split_without_its_padding(width, height, padding, tail):
    stride = width + padding
    rng = np.random.default_rng(width * height)
    planes = Planes(
        rng.integers(0, 256, (height, width), np.uint8),
        rng.integers(0, 256, (height // 2, width // 2), np.uint8),
        rng.integers(0, 256, (height // 2, width // 2), np.uint8),
    )
    rows = [np.pad(planes.y, ((0, 0), (0, padding))), *(np.pad(p, ((0, 0), (0, padding // 2))) for p in planes[1:])]
    buffer = np.concatenate([*(row.ravel() for row in rows), np.zeros(tail, np.uint8)])
    split = split_yuv420(buffer, width, height, stride)
    for expected, got in zip(planes, split, strict=True):
        assert np.array_equal(expected, got)
        assert got.flags.c_contiguous
        assert not np.shares_memory(got, buffer)


@pytest.mark.parametrize(
    ("width", "height", "stride"), [(5, 4, 6), (4, 5, 4), (4, 4, 2), (0, 4, 4), (4, 4, 5), (4, 4, 64)]
)
def test_a_layout_that_cannot_be_is_refused(width, height, stride):
    with pytest.raises(ValueError, match="buffer"):
        split_yuv420(np.zeros(24, np.uint8), width, height, stride)
