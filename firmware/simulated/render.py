"""Draws a scene: cradle, book, pages, lamp, interference, sensor; in that order, as light goes."""

from typing import Final, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from firmware.interfaces import Plane
from firmware.planes import Planes
from firmware.simulated.canvas import Canvas, Mask, Tone, dim_plane, polygon_mask
from firmware.simulated.faults import Fault
from firmware.simulated.ink import print_page
from firmware.simulated.interference import add_glare, defocus, lay_finger, shake
from firmware.simulated.scene import Scene, Sheet
from firmware.simulated.studio import LAMP_FULL, NOISE_UNIT, Studio
from firmware.simulated.surface import Floats
from firmware.simulated.typeset import PAGE_HEIGHT_MM, PAGE_WIDTH_MM, set_page

PAPER: Final = Tone(236, 117, 133)
_EDGE: Final = Tone(176, 116, 134)
_OVERSAMPLING: Final = 1.15
_GRID_PX: Final = 8
"""The pages are smooth: their shape is computed for one pixel in 8 x 8 and stretched."""
_DARK: Final = 0.1
_NOISE: Final = 4
"""Stream of the scene's random numbers."""
_SIGMA_UNIT: Final = 20.0
_LUMA_NOISE: Final = (np.sqrt(0.7 + 0.012 * np.arange(256)) * (np.arange(256) < 255) * _SIGMA_UNIT).astype(np.uint8)
_CHROMA_NOISE: Final = np.full(256, 0.7 * _SIGMA_UNIT, np.uint8)
"""Standard deviation of the noise at each level, in 1 / `_SIGMA_UNIT`; what is clipped has none."""


def draw(scene: Scene, studio: Studio, seed: int) -> Planes:
    """Return the planes of the frame; the same arguments give the same pixels."""
    faults = scene.shot.faults
    canvas = Canvas(studio.backdrop)
    if scene.sheets:
        _lay_book(canvas, scene, studio)
        for sheet in scene.sheets:
            _lay_page(canvas, scene, sheet, studio, seed)
        _shade_gutter(canvas, scene)
        if Fault.FINGER in faults:
            lay_finger(canvas, scene)
    _light(canvas, studio, _DARK if Fault.DARK in faults else 1.0)
    if scene.sheets and Fault.GLARE in faults:
        add_glare(canvas, scene)
    y = canvas.y
    y = defocus(y, scene) if Fault.BLUR in faults else y
    y = shake(y, scene) if Fault.MOTION in faults else y
    return _expose(Planes(y, canvas.u, canvas.v), scene, studio)


def _lay_book(canvas: Canvas, scene: Scene, studio: Studio) -> None:
    scale = scene.pixels_per_mm
    x, y = scene.spine_mm
    blocks = [(sheet, 0.8 + 3.2 * sheet.surface.z_mm[-1] / 12.0) for sheet in scene.sheets]
    left = x - blocks[0][0].surface.span_mm - blocks[0][1] - 3.0
    right = x + blocks[1][0].surface.span_mm + blocks[1][1] + 3.0
    top, bottom = y - PAGE_HEIGHT_MM / 2 - 3.0, y + PAGE_HEIGHT_MM / 2 + 3.0
    cover = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
    shadow = scene.table_to_frame(cover + np.array([-6.0 * studio.light_x, 3.0]))
    canvas.darken(polygon_mask(canvas.size_px, shadow, soften_px=4.0 * scale), 0.75)
    canvas.paint(polygon_mask(canvas.size_px, scene.table_to_frame(cover)), studio.cover)
    for sheet, width_mm in blocks:
        _lay_block(canvas, scene, sheet, width_mm)


def _lay_block(canvas: Canvas, scene: Scene, sheet: Sheet, width_mm: float) -> None:
    """The edges of the leaves below the page, seen as a fan of lines."""
    outer = 0.0 if sheet.side == "left" else PAGE_WIDTH_MM
    upper = sheet.to_frame(np.array([[outer, 0.0], [outer, PAGE_HEIGHT_MM]]))
    away = -1.0 if sheet.side == "left" else 1.0
    x = scene.spine_mm[0] + away * (sheet.surface.span_mm + width_mm)
    y = scene.spine_mm[1]
    lower = scene.table_to_frame(np.array([[x, y - PAGE_HEIGHT_MM / 2], [x, y + PAGE_HEIGHT_MM / 2]]))
    canvas.paint(polygon_mask(canvas.size_px, np.array([upper[0], lower[0], lower[1], upper[1]])), _EDGE)
    leaves = max(2, round(width_mm * 1.8))
    for part in (np.arange(leaves) + 0.5) / leaves:
        line = upper + (lower - upper) * part
        band = np.vstack((line, line[::-1] + np.array([away * 0.10 * scene.pixels_per_mm, 0.0])))
        canvas.darken(polygon_mask(canvas.size_px, band), 0.08 + 0.2 * part)


def _lay_page(canvas: Canvas, scene: Scene, sheet: Sheet, studio: Studio, seed: int) -> None:
    number = sheet.setting.number
    behind = set_page(seed, number - 1 if sheet.side == "left" else number + 1)
    texture_scale = scene.pixels_per_mm * _OVERSAMPLING
    printed = print_page(sheet.setting, behind, texture_scale)
    mask = polygon_mask(canvas.size_px, np.array(sheet.outline()))
    grid, shape = _grid(mask)
    across, down, along = sheet.to_page(scene.frame_to_table(grid))
    size = mask.weight.shape[::-1]

    def stretch(values: Floats) -> NDArray[np.float32]:
        whole = (shape[1] * _GRID_PX, shape[0] * _GRID_PX)
        small = values.reshape(shape).astype(np.float32)
        return cast(NDArray[np.float32], cv2.resize(small, whole)[: size[1], : size[0]])

    map_x = stretch(across * texture_scale - 0.5)
    map_y = stretch(down * texture_scale - 0.5)
    luma = cv2.remap(printed, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    # Rounded once only: a shade in 255 steps would show as contour lines on plain paper.
    shade = stretch(_shade(sheet, along, studio.light_x))
    luma = cv2.multiply(luma, shade, scale=PAPER.y / 255, dtype=cv2.CV_8U)
    half = (((size[0] + 1) // 2), ((size[1] + 1) // 2))
    colour = cv2.convertScaleAbs(cv2.resize(shade, half, interpolation=cv2.INTER_AREA), alpha=255)
    canvas.paint(mask, PAPER, luma=cast(Plane, luma), shade=cast(Plane, colour))


def _grid(mask: Mask) -> tuple[Floats, tuple[int, int]]:
    """Return the frame's positions (n, 2) at which a page's shape is computed, and the grid's shape."""
    height, width = mask.weight.shape
    rows, columns = -(-height // _GRID_PX) + 1, -(-width // _GRID_PX) + 1
    x = mask.left + (np.arange(columns) + 0.5) * _GRID_PX - 0.5
    y = mask.top + (np.arange(rows) + 0.5) * _GRID_PX - 0.5
    grid_x, grid_y = np.meshgrid(x, y)
    return np.column_stack((grid_x.ravel(), grid_y.ravel())), (rows, columns)


def _shade(sheet: Sheet, along_mm: Floats, light_x: float) -> Floats:
    """How bright the paper is: how it faces the lamp, and how little light finds its way into the gutter."""
    outwards = -1.0 if sheet.side == "left" else 1.0
    slope = np.interp(along_mm, sheet.surface.s_mm, sheet.surface.slope) * outwards
    facing = (1.0 + slope * light_x) / np.sqrt(1.0 + slope**2)
    return np.clip(0.45 + 0.55 * facing, 0.0, 1.15) * (1.0 - 0.55 * np.exp(-along_mm / 4.5))


def _shade_gutter(canvas: Canvas, scene: Scene) -> None:
    sheet = scene.sheets[1]
    line = sheet.to_frame(np.array([[0.0, 0.0], [0.0, PAGE_HEIGHT_MM]]))
    half = np.array([0.3 * scene.pixels_per_mm, 0.0])
    band = np.vstack((line - half, (line + half)[::-1]))
    canvas.darken(polygon_mask(canvas.size_px, band, soften_px=0.25 * scene.pixels_per_mm), 0.8)


def _light(canvas: Canvas, studio: Studio, strength: float) -> None:
    cv2.multiply(canvas.y, studio.lamp, dst=canvas.y, scale=strength / LAMP_FULL, dtype=cv2.CV_8U)
    light = studio.lamp_chroma if strength == 1.0 else cv2.convertScaleAbs(studio.lamp_chroma, alpha=strength)
    canvas.u, canvas.v = dim_plane(canvas.u, cast(Plane, light)), dim_plane(canvas.v, cast(Plane, light))


def _expose(planes: Planes, scene: Scene, studio: Studio) -> Planes:
    """Add the sensor's noise: some always, more with more light."""
    rng = scene.rng(_NOISE)

    def noisy(plane: Plane, sigma: Plane) -> Plane:
        shift = rng.integers(0, studio.noise.shape[0], size=2)
        tile = np.roll(studio.noise, tuple(int(value) for value in shift), axis=(0, 1))
        repeats = (-(-plane.shape[0] // tile.shape[0]), -(-plane.shape[1] // tile.shape[1]))
        noise = np.tile(tile, repeats)[: plane.shape[0], : plane.shape[1]]
        scale = 1 / _SIGMA_UNIT / NOISE_UNIT
        amount = cv2.multiply(noise, cv2.LUT(plane, sigma), scale=scale, dtype=cv2.CV_16S)
        return cast(Plane, cv2.add(plane, amount, dtype=cv2.CV_8U))

    return Planes(noisy(planes.y, _LUMA_NOISE), noisy(planes.u, _CHROMA_NOISE), noisy(planes.v, _CHROMA_NOISE))
