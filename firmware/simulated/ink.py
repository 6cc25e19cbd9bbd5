"""Prints a set page: what a flat scan of it would be, 255 for bare paper."""

from typing import cast

import cv2
import numpy as np
from PIL import Image, ImageDraw

from firmware.interfaces import Plane
from firmware.simulated.typeset import PAGE_HEIGHT_MM, PAGE_WIDTH_MM, PageSetting, font

_INK = 26
_SHOW_THROUGH = 0.05
_REDUCTION = 3


def print_page(setting: PageSetting, behind: PageSetting, pixels_per_mm: float) -> Plane:
    """Return the page printed at `pixels_per_mm`, with the text of its other side faintly through the paper."""
    page = _print(setting, pixels_per_mm)
    page = cast(Plane, cv2.GaussianBlur(page, (0, 0), max(0.3, 0.045 * pixels_per_mm)))
    ghost = _print(behind, pixels_per_mm / _REDUCTION)[:, ::-1]
    soft = cv2.GaussianBlur(np.ascontiguousarray(ghost), (0, 0), 0.35 * pixels_per_mm / _REDUCTION)
    soft = cv2.resize(soft, (page.shape[1], page.shape[0]), interpolation=cv2.INTER_LINEAR)
    through = cv2.convertScaleAbs(soft, alpha=_SHOW_THROUGH, beta=255 * (1 - _SHOW_THROUGH))
    return cast(Plane, cv2.multiply(page, through, scale=1 / 255))


def _print(setting: PageSetting, pixels_per_mm: float) -> Plane:
    size = (round(PAGE_WIDTH_MM * pixels_per_mm), round(PAGE_HEIGHT_MM * pixels_per_mm))
    image = Image.new("L", size, 255)
    draw = ImageDraw.Draw(image)
    for word in setting.words:
        size_px = max(1.0, word.size_mm * pixels_per_mm)
        place = (word.x_mm * pixels_per_mm, word.baseline_mm * pixels_per_mm)
        draw.text(place, word.text, fill=_INK, font=font(word.face, size_px), anchor="ls")
    thick = max(1, round(0.25 * pixels_per_mm))
    for left, y, right in setting.rules_mm:
        line = [(left * pixels_per_mm, y * pixels_per_mm), (right * pixels_per_mm, y * pixels_per_mm)]
        draw.line(line, fill=_INK + 40, width=thick)
    return np.array(image)
