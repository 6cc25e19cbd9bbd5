"""What may lie open without anything being wrong: blank pages, plates, maps, yellow paper with its back showing."""

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from firmware.simulated import PageTruth
from firmware.simulated.canvas import Canvas, Tone, polygon_mask

Floats = NDArray[np.float64]
_SHEET_PX = (580, 820)
"""Width and height of a drawn plate before it is laid on its page."""


def make_blank(canvas: Canvas, page: PageTruth, pixels_per_mm: float) -> None:
    """Take all print off a page; shade, grain and curve stay."""
    mask = polygon_mask(canvas.size_px, np.array(page.outline))
    area = canvas.y[mask.rows, mask.columns]
    bare = _bare(area, pixels_per_mm)
    grain = np.random.default_rng(area.shape[0]).normal(0.0, 1.2, area.shape)
    inside = mask.weight > 127
    area[inside] = np.clip(bare + grain, 0, 255)[inside].astype(np.uint8)


def _bare(area: NDArray[np.uint8], pixels_per_mm: float) -> NDArray[np.float32]:
    """Return the luma of the paper below the print."""
    small = cv2.resize(area, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    side = max(3, round(7 * pixels_per_mm / 4)) | 1
    closed = cv2.morphologyEx(small, cv2.MORPH_CLOSE, np.ones((side, side), np.uint8))
    size = (area.shape[1], area.shape[0])
    smooth = cv2.resize(cv2.GaussianBlur(closed, (0, 0), 2.0), size, interpolation=cv2.INTER_LINEAR)
    return np.asarray(smooth, np.float32)


def lay_picture(canvas: Canvas, page: PageTruth, pixels_per_mm: float, rng: Generator, *, chart: bool) -> None:
    """Put a plate (or a map) in the place of a page's print, framed by paper or running off its edges."""
    sheet, tint = (_map if chart else _plate)(rng)
    mask = polygon_mask(canvas.size_px, np.array(page.outline))
    width, height = _SHEET_PX
    flat = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    corners = np.array(page.corners, np.float32) - (mask.left, mask.top)
    matrix = cv2.getPerspectiveTransform(flat, corners.astype(np.float32))
    area = canvas.y[mask.rows, mask.columns]
    size = (area.shape[1], area.shape[0])
    share = cv2.warpPerspective(sheet, matrix, size, borderMode=cv2.BORDER_REPLICATE).astype(np.float32) / 255
    grain = rng.normal(0.0, 1.2, area.shape)
    luma = np.clip(_bare(area, pixels_per_mm) * share + grain, 0, 255).astype(np.uint8)
    half = ((size[0] + 1) // 2, (size[1] + 1) // 2)
    coloured = cv2.resize(np.clip(255 * (1.2 - share), 0, 255).astype(np.uint8), half, interpolation=cv2.INTER_AREA)
    canvas.paint(mask, tint, luma=luma, shade=coloured)


def _plate(rng: Generator) -> tuple[NDArray[np.uint8], Tone]:
    width, height = _SHEET_PX
    picture = np.zeros((height, width), np.float32)
    for cells, strength in ((3, 60), (9, 35), (40, 18), (160, 8)):
        noise = rng.normal(0.0, strength, (cells * 4 // 3, cells)).astype(np.float32)
        picture += cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    picture = np.clip(picture + rng.uniform(90, 150), 25, 235)
    for _ in range(int(rng.integers(2, 7))):
        centre = (int(rng.integers(width)), int(rng.integers(height)))
        axes = (int(rng.integers(20, 160)), int(rng.integers(20, 160)))
        cv2.ellipse(picture, centre, axes, float(rng.uniform(0, 180)), 0, 360, float(rng.uniform(30, 220)), -1)
    sheet = cv2.GaussianBlur(picture, (0, 0), 1.0).astype(np.uint8)
    if rng.random() < 0.6:  # framed: paper and a caption around it
        frame = np.full_like(sheet, 250)
        left, top = round(0.12 * width), round(0.1 * height)
        frame[top : -2 * top, left:-left] = sheet[top : -2 * top, left:-left]
        _write(frame, rng, round(0.86 * height))
        sheet = frame
    return sheet, Tone(128, int(rng.integers(108, 136)), int(rng.integers(122, 150)))


def _map(rng: Generator) -> tuple[NDArray[np.uint8], Tone]:
    width, height = _SHEET_PX
    field = cv2.resize(rng.normal(size=(8, 6)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    sheet = np.full((height, width), 244, np.uint8)
    sheet[field > 0.2] = 226
    sheet[field > 1.0] = 208
    for level in np.arange(-2.0, 2.0, 0.35):
        lines = cv2.findContours((field > level).astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)[0]
        cv2.drawContours(sheet, lines, -1, int(rng.integers(60, 150)), 1, cv2.LINE_AA)
    for _ in range(25):
        _write(sheet, rng, int(rng.integers(30, height - 30)), words=1)
    if rng.random() < 0.5:
        border = round(0.06 * width)
        for edge in (slice(0, border), slice(-border, None)):
            sheet[edge] = sheet[:, edge] = 250
    return sheet, Tone(128, int(rng.integers(112, 150)), int(rng.integers(112, 140)))


def _write(sheet: NDArray[np.uint8], rng: Generator, y: int, words: int = 5) -> None:
    text = " ".join(
        "".join(chr(97 + int(rng.integers(26))) for _ in range(int(rng.integers(3, 9)))) for _ in range(words)
    )
    x = int(rng.integers(40, max(41, sheet.shape[1] - 90 * words)))
    cv2.putText(sheet, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, 0.5, 40, 1, cv2.LINE_AA)


def make_yellow(canvas: Canvas, pages: tuple[PageTruth, ...], pixels_per_mm: float, rng: Generator) -> None:
    """Turn the paper of a whole spread yellow and let the back's print show through."""
    dim, blue, red = rng.uniform(0.86, 0.96), int(rng.integers(8, 24)), int(rng.integers(3, 11))
    through = rng.uniform(0.10, 0.22)
    for page in pages:
        mask = polygon_mask(canvas.size_px, np.array(page.outline))
        area = canvas.y[mask.rows, mask.columns]
        ink = np.maximum(_bare(area, pixels_per_mm) - area, 0)
        back = cv2.GaussianBlur(np.ascontiguousarray(ink[:, ::-1]), (0, 0), 0.35 * pixels_per_mm)
        inside = mask.weight > 127
        area[inside] = np.clip(dim * area * (1 - through * back / 255), 0, 255)[inside].astype(np.uint8)
        half = (slice(mask.top // 2, None), slice(mask.left // 2, None))
        weight = inside[::2, ::2]
        for plane, shift in ((canvas.u, -blue), (canvas.v, red)):
            part = plane[half][: weight.shape[0], : weight.shape[1]]
            part[weight] = np.clip(part[weight].astype(int) + shift, 0, 255).astype(np.uint8)
