"""A picture that a person looks over in a minute: each photograph with its outlines, its pages, its findings."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from appliance.imaging.model import Page, Processed
from appliance.imaging.planes import Plane, Planes, plane, to_bgr
from wire.documents import FindingEntry

_PICTURE_PX: Final = 260
_CELL: Final = (1000, 330)
_MAX_ROWS: Final = 40
_GROUND: Final = (32, 34, 38)
_INK: Final = (235, 235, 235)
_COLOURS: Final = {"info": (150, 170, 190), "warn": (240, 180, 60), "bad": (240, 90, 80)}
_LINE: Final = {"left": (70, 190, 255), "right": (255, 140, 60), "single": (90, 220, 120)}


@dataclass(frozen=True, slots=True, eq=False)
class Cell:
    """One photograph on the sheet, already small. Pictures are RGB, uint8, shape (height, width, 3)."""

    name: str
    photo: NDArray[np.uint8] | None
    pages: tuple[NDArray[np.uint8], ...]
    findings: tuple[tuple[str, FindingEntry], ...]


def cell(name: str, photo: Planes, processed: Processed, *, longest_px: int = _PICTURE_PX) -> Cell:
    """Return what the sheet shows of one photograph: outlines drawn over it, its pages, everything found and where.

    Args:
        name: as it is written above.
        photo: the whole frame.
        processed: what was made of it.
        longest_px: longer side of each picture; what is larger than a row is for other papers than the sheet.
    """
    small, scale = _small(photo, longest_px)
    for page in processed.pages:
        _draw_outline(small, page, scale)
    _draw_places(small, processed.findings, scale)
    found = [("", finding) for finding in processed.findings]
    found += [(page.side, finding) for page in processed.pages for finding in page.findings]
    return Cell(name, small, tuple(_page(page, longest_px) for page in processed.pages), tuple(found))


def draw(cells: Sequence[Cell]) -> Image.Image:
    """Return the contact sheet of all cells, at least one column wide."""
    rows = max(1, min(len(cells), _MAX_ROWS))
    columns = max(1, math.ceil(len(cells) / rows))
    sheet = Image.new("RGB", (columns * _CELL[0], rows * _CELL[1]), _GROUND)
    for index, each in enumerate(cells):
        column, row = divmod(index, rows)
        _draw_cell(sheet, each, column * _CELL[0], row * _CELL[1])
    return sheet


def _draw_cell(sheet: Image.Image, each: Cell, left: int, top: int) -> None:
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(15)
    pen.text((left + 12, top + 8), each.name[-70:], fill=_INK, font=font)
    x = left + 12
    for picture in (each.photo, *each.pages):
        if picture is not None:
            sheet.paste(Image.fromarray(picture), (x, top + 34))
            x += picture.shape[1] + 10
    for line, (side, finding) in enumerate(each.findings[:14]):
        value = "" if finding.value is None else f" {finding.value:g}"
        limit = "" if finding.limit is None else f" / {finding.limit:g}"
        text = f"{side} {finding.code}{value}{limit}".strip()
        pen.text((left + _CELL[0] - 250, top + 34 + 20 * line), text, fill=_COLOURS[finding.severity], font=font)


def _small(planes: Planes, longest_px: int) -> tuple[NDArray[np.uint8], float]:
    scale = min(1.0, longest_px / max(planes.width_px, planes.height_px))
    size = (max(2, round(planes.width_px * scale)), max(2, round(planes.height_px * scale)))
    half = ((size[0] + 1) // 2, (size[1] + 1) // 2)
    small = Planes(_resized(planes.y, size), _resized(planes.u, half), _resized(planes.v, half))
    return np.ascontiguousarray(to_bgr(small)[:, :, ::-1]), scale


def _resized(values: Plane, size: tuple[int, int]) -> Plane:
    return plane(cv2.resize(values, size, interpolation=cv2.INTER_AREA))


def _page(page: Page, longest_px: int) -> NDArray[np.uint8]:
    small, scale = _small(page.planes, longest_px)
    _draw_places(small, page.findings, scale)
    return small


def _draw_places(picture: NDArray[np.uint8], findings: Sequence[FindingEntry], scale: float) -> None:
    """Frame what has a place, never so closely that nothing of it is left to see."""
    for finding in findings:
        if (place := finding.place) is not None:
            left, top = (int(scale * value) - 3 for value in (place.x, place.y))
            right, bottom = (int(scale * value) + 3 for value in (place.x + place.width, place.y + place.height))
            cv2.rectangle(picture, (left, top), (right, bottom), _COLOURS[finding.severity], 1, cv2.LINE_AA)


def _draw_outline(picture: NDArray[np.uint8], page: Page, scale: float) -> None:
    points = np.rint(np.array(page.outline) * scale * 16).astype(np.int32)
    cv2.polylines(picture, [points], True, _LINE[page.side], 1, cv2.LINE_AA, shift=4)
    first = np.rint(np.array(page.outline[0]) * scale).astype(int)
    cv2.circle(picture, (int(first[0]), int(first[1])), 3, _LINE[page.side], -1, cv2.LINE_AA)
