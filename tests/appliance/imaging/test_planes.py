"""Planes: shapes, sizes, and the two ways into them."""

import io

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from appliance.imaging.encode import Stamp, encode, srgb_profile
from appliance.imaging.planes import Planes, from_bgr, from_grey, from_jpeg, half_size, halved, to_bgr
from tests.appliance.imaging.drawing import spread

STAMP = Stamp("tram-1", "item-1", "capture-1", 7, "left", ((1.0, 2.0), (3.5, 4.0)), 90, "lattrang 0", 300.0)


@settings(max_examples=25, deadline=None)
@given(width=st.integers(1, 70), height=st.integers(1, 70), seed=st.integers(0, 99))
def test_any_size_survives_jpeg_within_what_compression_costs(width: int, height: int, seed: int) -> None:
    grey = np.random.default_rng(seed).integers(60, 190, (height, width, 3), np.uint8)
    planes = from_bgr(np.repeat(grey[:, :, :1], 3, axis=2))
    back = from_jpeg(encode(planes, quality=98))
    assert (back.width_px, back.height_px) == (width, height)
    assert (back.u.shape[1], back.u.shape[0]) == half_size(width, height)
    assert np.abs(back.y.astype(int) - planes.y).max() <= 8


def test_planes_of_the_wrong_shape_are_refused() -> None:
    luma = np.zeros((9, 7), np.uint8)
    with pytest.raises(ValueError, match="chroma"):
        Planes(luma, np.zeros((4, 3), np.uint8), np.zeros((4, 3), np.uint8))


def test_white_and_black_stay_full_range() -> None:
    picture = np.zeros((8, 8, 3), np.uint8)
    picture[:, 4:] = 255
    planes = from_bgr(picture)
    assert planes.y.min() == 0
    assert planes.y.max() == 255
    assert np.abs(to_bgr(planes).astype(int) - picture).max() <= 1


def test_a_grey_jpeg_has_no_colour() -> None:
    content = io.BytesIO()
    Image.fromarray(np.full((20, 30), 77, np.uint8)).save(content, "JPEG")
    planes = from_jpeg(content.getvalue())
    assert set(np.unique(planes.u)) == {128}


@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
@pytest.mark.parametrize("size", [(96, 64), (97, 131)])
def test_a_decoded_jpeg_holds_what_another_decoder_reads_of_it(subsampling: str, size: tuple[int, int]) -> None:
    noise = np.random.default_rng(5).integers(0, 256, (6, 8, 3), np.uint8)
    picture = cv2.resize(noise // 2 + 60, size, interpolation=cv2.INTER_CUBIC)
    content = io.BytesIO()
    Image.fromarray(picture).save(content, "JPEG", quality=95, subsampling=subsampling)
    own = from_jpeg(content.getvalue())
    with Image.open(content) as image:
        image.draft("YCbCr", size)
        y, u, v = (np.asarray(band) for band in image.split())
    for mine, other in ((own.y, y), (own.u, halved(u)), (own.v, halved(v))):
        assert np.abs(mine.astype(int) - other).max() <= 3


def test_a_page_file_says_what_it_is_and_any_reader_opens_it() -> None:
    content = encode(spread(400, 300).planes, stamp=STAMP)
    with Image.open(io.BytesIO(content)) as image:
        image.load()
        assert image.info["dpi"] == (300, 300)
        assert image.info["icc_profile"] == srgb_profile()
        assert image.getexif()[0x0131] == "lattrang 0"
        xmp = image.info["xmp"].decode()
    assert 'lattrang:Capture="capture-1"' in xmp
    assert 'lattrang:Outline="1.0,2.0 3.5,4.0"' in xmp


def test_a_station_without_calibration_claims_no_resolution() -> None:
    with Image.open(io.BytesIO(encode(from_grey(np.full((16, 16), 200, np.uint8))))) as image:
        assert image.info["jfif_unit"] == 0


def test_metadata_do_not_touch_the_picture() -> None:
    planes = spread(400, 300).planes
    plain, stamped = from_jpeg(encode(planes)), from_jpeg(encode(planes, stamp=STAMP))
    assert np.array_equal(plain.y, stamped.y)


def test_the_same_pixels_always_give_the_same_bytes() -> None:
    planes = spread(400, 300).planes
    assert encode(planes, stamp=STAMP) == encode(planes, stamp=STAMP)
    assert srgb_profile()[24:30] == b"\x07\xe8\0\x01\0\x01"  # not the day on which it was made


def test_names_cannot_break_out_of_the_metadata() -> None:
    odd = Stamp('a"><x', "b", "c&", 1, "left", ((0.0, 0.0),), 0, "s", None)
    with Image.open(io.BytesIO(encode(from_grey(np.full((16, 16), 9, np.uint8)), stamp=odd))) as image:
        assert b"&gt;&lt;x" in image.info["xmp"]
