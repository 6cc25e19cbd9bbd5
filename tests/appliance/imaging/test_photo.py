"""Photographs from anywhere: every format gives pixels, every damage a code."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from appliance.errors import PhotoError
from appliance.imaging.encode import encode
from appliance.imaging.photo import TOO_LARGE, TOO_SMALL, UNREADABLE, read_photo
from tests.appliance.imaging.drawing import spread

RAMP = np.tile(np.linspace(10, 240, 96).astype(np.uint8), (80, 1))


def saved(image: Image.Image, form: str, **options: object) -> bytes:
    content = io.BytesIO()
    image.save(content, form, **options)
    return content.getvalue()


@pytest.mark.parametrize(
    ("image", "form"),
    [
        (Image.fromarray(RAMP), "PNG"),
        (Image.fromarray(RAMP.astype(np.uint16) * 257), "PNG"),
        (Image.fromarray(RAMP.astype(np.uint16) * 257), "TIFF"),
        (Image.fromarray(RAMP).convert("RGB"), "TIFF"),
        (Image.fromarray(RAMP).convert("RGBA"), "PNG"),
        (Image.fromarray(RAMP).convert("P"), "PNG"),
        (Image.fromarray(RAMP).convert("CMYK"), "JPEG"),
        (Image.fromarray(RAMP), "JPEG"),
        (Image.fromarray(RAMP).convert("RGB"), "JPEG"),
    ],
)
def test_every_form_of_picture_gives_the_same_luma(image: Image.Image, form: str) -> None:
    planes = read_photo(saved(image, form))
    assert np.abs(planes.y.astype(int) - RAMP).mean() < 4


def test_what_is_transparent_is_white_paper() -> None:
    assert read_photo(saved(Image.new("RGBA", (80, 80), (0, 0, 0, 0)), "PNG")).y.min() == 255


def test_exif_never_turns_the_pixels() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    planes = read_photo(saved(Image.fromarray(RAMP).convert("RGB"), "JPEG", exif=exif.tobytes()))
    assert (planes.width_px, planes.height_px) == (96, 80)


def code_of(content: bytes) -> str:
    with pytest.raises(PhotoError) as caught:
        read_photo(content)
    assert caught.value.cure
    return caught.value.code


def test_a_truncated_photograph_is_unreadable() -> None:
    whole = encode(spread(400, 300).planes)
    assert code_of(whole[: len(whole) // 2]) == UNREADABLE


@pytest.mark.parametrize("content", [b"", b"not a picture", b"\xff\xd8\xff" + b"\0" * 500, b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_picture_is_unreadable(content: bytes) -> None:
    assert code_of(content) == UNREADABLE


def test_one_pixel_is_too_small() -> None:
    assert code_of(saved(Image.new("RGB", (1, 1)), "PNG")) == TOO_SMALL


@pytest.mark.parametrize("side", [12_000, 17_400, 60_000])
def test_hundreds_of_megapixels_are_refused_before_they_are_decoded(side: int) -> None:
    assert code_of(_png_header(side, side)) == TOO_LARGE


def _png_header(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")
