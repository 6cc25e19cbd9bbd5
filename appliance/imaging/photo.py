"""Photographs from anywhere, as planes: any format, size and damage, with an error that says what to do."""

import io
import warnings
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from appliance.errors import PhotoError
from appliance.imaging.planes import Planes, from_bgr, from_grey, from_jpeg

SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png", ".tif", ".tiff"})
MAX_PIXELS: Final = 128_000_000
"""A 64 MP camera with room to spare; a decoded photograph of this size takes 380 MB."""
MIN_SIDE_PX: Final = 64
"""Smaller pictures hold no page that anyone could read."""
_WHITE: Final = 255

UNREADABLE: Final = "PHOTO-01"
TOO_LARGE: Final = "PHOTO-02"
TOO_SMALL: Final = "PHOTO-03"
FINDING_CODES: Final = {UNREADABLE: "photo_unreadable", TOO_LARGE: "photo_too_large", TOO_SMALL: "photo_too_small"}


def read_photo(content: bytes) -> Planes:
    """Return a photograph's pixels as stored; EXIF orientation is ignored, transparency becomes white paper.

    Raises:
        PhotoError: the bytes are no whole picture (PHOTO-01), too large (PHOTO-02) or too small (PHOTO-03).
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of sizes and odd tags; sizes are judged here
            with Image.open(io.BytesIO(content)) as image:
                _check_size(*image.size)
                return _decoded(image, content)
    except Image.DecompressionBombError as error:
        raise _too_large() from error
    except PhotoError:
        raise
    except Exception as error:  # Pillow's decoders raise anything at all on damaged files
        raise PhotoError(UNREADABLE, "The file is not a whole picture.", "Copy it again, or take it again.") from error


def _check_size(width_px: int, height_px: int) -> None:
    if width_px * height_px > MAX_PIXELS:
        raise _too_large()
    if min(width_px, height_px) < MIN_SIDE_PX:
        message = f"The picture is only {width_px} x {height_px} pixels."
        raise PhotoError(TOO_SMALL, message, f"Use photographs of at least {MIN_SIDE_PX} pixels a side.")


def _too_large() -> PhotoError:
    return PhotoError(TOO_LARGE, "The picture has more than 128 million pixels.", "Make it smaller and try again.")


def _decoded(image: Image.Image, content: bytes) -> Planes:
    if image.format == "JPEG" and image.mode in ("RGB", "L"):
        try:
            return from_jpeg(content)
        except ValueError:
            # The fast decoder refuses bytes that are merely odd (padding, a wrong tag); the patient one decides.
            image.load()
    if image.mode.startswith(("I", "F")):
        return from_grey(_to_8_bit(np.asarray(image)))
    if image.mode in ("1", "L"):
        return from_grey(np.asarray(image.convert("L")))
    if image.mode in ("LA", "La", "PA", "P", "RGBA", "RGBa") or "transparency" in image.info:
        return from_bgr(_bgr(_on_white(image.convert("RGBA"))))
    return from_bgr(_bgr(image.convert("RGB")))


def _to_8_bit(grey: NDArray[Any]) -> NDArray[np.uint8]:
    """Scale 16-bit (or already 8-bit) samples in a wider type to 8 bits."""
    values = np.nan_to_num(grey.astype(np.float32), nan=0.0, posinf=65_535.0, neginf=0.0)
    divisor = 257.0 if grey.dtype == np.uint16 or float(values.max()) > _WHITE else 1.0
    return np.asarray(np.clip(values / divisor + 0.5, 0, _WHITE), np.uint8)


def _on_white(image: Image.Image) -> Image.Image:
    ground = Image.new("RGBA", image.size, (_WHITE, _WHITE, _WHITE, _WHITE))
    return Image.alpha_composite(ground, image).convert("RGB")


def _bgr(image: Image.Image) -> NDArray[np.uint8]:
    return np.ascontiguousarray(np.asarray(image, np.uint8)[:, :, ::-1])
