"""Frames made small enough for a screen."""

from io import BytesIO
from pathlib import Path

from PIL import Image

WIDTHS_PX = (160, 480, 960, 1600)
"""The only widths a screen can ask for, so that the work and the browser's memory stay bounded."""
_QUALITY = 82


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
