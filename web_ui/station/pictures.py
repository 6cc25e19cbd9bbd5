"""Frames made small enough for a screen."""

from io import BytesIO
from pathlib import Path

from PIL import Image

from wire.documents import Place

WIDTHS_PX = (160, 480, 960, 1600)
"""The only widths a screen can ask for, so that the work and the browser's memory stay bounded."""
_QUALITY = 82
ZOOM_PX = (720, 460)
"""What is shown of a page around a cause, in its own pixels: a finger's breadth of text, sharp or not."""


def scaled_jpeg(file: Path, width_px: int) -> bytes:
    """Return the picture in `file` as JPEG, about `width_px` wide: the next width of `WIDTHS_PX` or the widest.

    A JPEG is decoded at a fraction of its size (draft mode), which costs a fraction of the whole decode.

    Raises:
        OSError: the file is gone or not a picture.
    """
    wanted_px = next((width for width in WIDTHS_PX if width >= width_px), WIDTHS_PX[-1])
    with Image.open(file) as picture:
        height_px = max(1, round(picture.height * wanted_px / max(1, picture.width)))
        picture.draft("RGB", (wanted_px, height_px))
        small = picture.convert("RGB")
    small.thumbnail((wanted_px, height_px), Image.Resampling.BILINEAR, reducing_gap=2.0)
    out = BytesIO()
    small.save(out, "JPEG", quality=_QUALITY)
    return out.getvalue()


def cropped_jpeg(file: Path, place: Place | None) -> bytes:
    """Return the part of a page around `place` as it is, pixel for pixel; its middle where there is no place.

    Raises:
        OSError: the file is gone or not a picture.
    """
    with Image.open(file) as picture:
        width_px, height_px = min(ZOOM_PX[0], picture.width), min(ZOOM_PX[1], picture.height)
        middle_x = place.x + place.width // 2 if place else picture.width // 2
        middle_y = place.y + place.height // 2 if place else picture.height // 2
        left = min(max(0, middle_x - width_px // 2), picture.width - width_px)
        top = min(max(0, middle_y - height_px // 2), picture.height - height_px)
        part = picture.convert("RGB").crop((left, top, left + width_px, top + height_px))
    out = BytesIO()
    part.save(out, "JPEG", quality=_QUALITY)
    return out.getvalue()
