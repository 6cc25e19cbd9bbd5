"""Make the pictures of docs/imaging.md from drawn books: `.venv/bin/python -m tools.draw_imaging`."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from appliance.imaging import contact_sheet
from appliance.imaging.model import Processed, Setup
from appliance.imaging.pipeline import process
from appliance.imaging.planes import NEUTRAL, Planes, plane, to_bgr
from appliance.imaging.profiles import DEFAULT_PROFILE, Profile
from firmware.simulated import Fault, SimulatedCamera

PICTURES: Final = Path(__file__).parents[1] / "docs" / "pictures"
_GROUND: Final = (32, 34, 38)
_INK: Final = (235, 235, 235)
_GAP_PX: Final = 14
_BOOK: Final = 3
_SHADOW: Final = 0.6
"""Of the light, what is left in the shadow: three quarters of a stop are gone."""
_QUALITY: Final = 76
Picture = NDArray[np.uint8]


def main() -> int:
    """Draw every picture."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    for name, draw in ALL.items():
        draw(4056).save(PICTURES / name, quality=_QUALITY, optimize=True)
    return 0


def pages(width_px: int) -> Image.Image:
    """A spread with the outlines that were found, and its pages."""
    frame = _frame(width_px, 40)
    shown = contact_sheet.cell("", frame, _processed(frame), longest_px=520)
    return _beside([shown.photo, *shown.pages], ["the frame, with what was found", "left", "right"])


def findings(width_px: int) -> Image.Image:
    """A contact sheet: what each fault looks like, what is said of it and where it lies."""
    cells = []
    for number, fault in enumerate((Fault.FINGER, Fault.GLARE, Fault.CUT_EDGE, Fault.BLUR)):
        frame = _frame(width_px, 60 + 2 * number, fault)
        cells.append(contact_sheet.cell(fault.name.lower().replace("_", " "), frame, _processed(frame)))
    return contact_sheet.draw(cells)


def light(width_px: int) -> Image.Image:
    """A page that lies half in a shadow, as it came and with its light evened."""
    frame = _shaded(_frame(width_px, 82))
    before, after = (_processed(frame, replace(DEFAULT_PROFILE, even_light=even)) for even in (False, True))
    sides = [_fitted(_rgb(each.pages[0].planes), 560) for each in (before, after)]
    return _beside(sides, ["as it came", "its light evened"])


def curl(width_px: int) -> Image.Image:
    """The inner half of a page's head near the end of a thick book, seen and made flat."""
    frame = _frame(width_px, 306)
    as_it_came = replace(DEFAULT_PROFILE, even_light=False)
    before = process(frame, Setup(rotation_cw=0, page_type="target"), as_it_came)  # targets are never made flat
    pictures = [_rgb(each.pages[0].planes) for each in (before, _processed(frame, as_it_came))]
    heads = [each[: round(0.3 * each.shape[0]), round(0.4 * each.shape[1]) :] for each in pictures]
    return _beside([_fitted(head, 330) for head in heads], ["perspective taken out", "made flat"])


ALL: Final[dict[str, Callable[[int], Image.Image]]] = {
    "imaging-pages.jpg": pages,
    "imaging-curl.jpg": curl,
    "imaging-findings.jpg": findings,
    "imaging-light.jpg": light,
}


def _frame(width_px: int, first_page: int, *faults: Fault) -> Planes:
    camera = SimulatedCamera(_BOOK, width_px, width_px * 3 // 4, faults={1: faults}, first_page=first_page)
    frame = camera.capture(pressed_at_ns=0)
    camera.close()
    return Planes(*(np.ascontiguousarray(each) for each in (frame.y, frame.u, frame.v)))


def _processed(frame: Planes, profile: Profile = DEFAULT_PROFILE) -> Processed:
    return process(frame, Setup(rotation_cw=0), profile)


def _shaded(frame: Planes) -> Planes:
    """Return the frame with the shadow of something that stands beside the lamp, from the left edge inwards."""
    height, width = frame.y.shape
    corners = np.array([[-0.1, 0.35], [0.3, 0.5], [0.38, 0.72], [0.24, 1.1], [-0.1, 1.1]]) * (width, height)
    mask = np.zeros((height, width), np.float32)
    cv2.fillPoly(mask, [corners.astype(np.int32)], 1.0)
    mask = np.asarray(cv2.GaussianBlur(mask, (0, 0), width / 160), np.float32)
    left = 1 - (1 - _SHADOW) * mask
    small = left[::2, ::2]
    chroma = (
        plane(np.rint((each - np.float32(NEUTRAL)) * small + NEUTRAL).astype(np.uint8)) for each in (frame.u, frame.v)
    )
    return Planes(plane((frame.y * left).astype(np.uint8)), *chroma)


def _rgb(planes: Planes) -> Picture:
    return np.ascontiguousarray(to_bgr(planes)[:, :, ::-1])


def _fitted(picture: Picture, height_px: int) -> Picture:
    scale = height_px / picture.shape[0]
    size = (round(picture.shape[1] * scale), height_px)
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _beside(pictures: Sequence[Picture | None], captions: Sequence[str]) -> Image.Image:
    """Return pictures in a row, each under its caption."""
    shown = [picture for picture in pictures if picture is not None]
    width = sum(picture.shape[1] + _GAP_PX for picture in shown) + _GAP_PX
    sheet = Image.new("RGB", (width, max(picture.shape[0] for picture in shown) + 2 * _GAP_PX + 22), _GROUND)
    pen, font, x = ImageDraw.Draw(sheet), ImageFont.load_default(15), _GAP_PX
    for picture, caption in zip(shown, captions, strict=True):
        pen.text((x, 8), caption, fill=_INK, font=font)
        sheet.paste(Image.fromarray(picture), (x, _GAP_PX + 22))
        x += picture.shape[1] + _GAP_PX
    return sheet


if __name__ == "__main__":
    sys.exit(main())
