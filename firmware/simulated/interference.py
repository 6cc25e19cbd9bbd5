"""Things that come between the camera and the page: a finger, the lamp's reflection, movement, a wrong focus."""

from typing import Final, NamedTuple, cast

import cv2
import numpy as np

from firmware.interfaces import Plane
from firmware.simulated.canvas import Canvas, Tone, polygon_mask
from firmware.simulated.scene import Scene, Sheet
from firmware.simulated.surface import Floats
from firmware.simulated.typeset import PAGE_HEIGHT_MM, PAGE_WIDTH_MM

SKIN: Final = Tone(168, 109, 150)
NAIL: Final = Tone(196, 114, 142)
_FINGER_WIDTH_MM: Final = 17.0
_FINGER: Final = 1
_GLARE: Final = 2
"""Streams of the scene's random numbers."""


class _Finger(NamedTuple):
    tip_mm: Floats
    root_mm: Floats


def finger_outline(scene: Scene) -> Floats:
    """Return the outline (n, 2) of the finger in the frame's pixels."""
    return _faulty_sheet(scene).to_frame(_capsule(_finger(scene), _FINGER_WIDTH_MM / 2))


def glare_outline(scene: Scene) -> Floats:
    """Return the outline (n, 2) of the glare, where it is white, in the frame's pixels."""
    rng = scene.rng(_GLARE)
    centre = np.array([rng.uniform(0.35, 0.65) * PAGE_WIDTH_MM, rng.uniform(0.25, 0.7) * PAGE_HEIGHT_MM])
    radii = np.array([rng.uniform(13.0, 20.0), rng.uniform(18.0, 30.0)])
    angles = np.linspace(0.0, 2 * np.pi, 48, endpoint=False)
    return _faulty_sheet(scene).to_frame(centre + radii * np.column_stack((np.cos(angles), np.sin(angles))))


def lay_finger(canvas: Canvas, scene: Scene) -> None:
    """Lay a finger over the page, from its outer edge towards the text."""
    finger, sheet, scale = _finger(scene), _faulty_sheet(scene), scene.pixels_per_mm
    outline = finger_outline(scene)
    canvas.darken(polygon_mask(canvas.size_px, outline + 2.0 * scale, soften_px=2.2 * scale), 0.45)
    canvas.paint(polygon_mask(canvas.size_px, outline, soften_px=0.25 * scale), SKIN)
    _round(canvas, scene)
    towards = (finger.root_mm - finger.tip_mm) / np.linalg.norm(finger.root_mm - finger.tip_mm)
    nail = _Finger(finger.tip_mm + towards * 1.5, finger.tip_mm + towards * 6.5)
    canvas.paint(polygon_mask(canvas.size_px, sheet.to_frame(_capsule(nail, 4.6)), soften_px=0.4 * scale), NAIL)


def _round(canvas: Canvas, scene: Scene) -> None:
    """The sides of a finger fall off into shadow."""
    whole = polygon_mask(canvas.size_px, finger_outline(scene))
    inside = polygon_mask(canvas.size_px, finger_outline(scene), soften_px=0.2 * _FINGER_WIDTH_MM * scene.pixels_per_mm)
    core = inside.weight[whole.top - inside.top :, whole.left - inside.left :]
    core = core[: whole.weight.shape[0], : whole.weight.shape[1]]
    canvas.darken(whole._replace(weight=cast(Plane, cv2.subtract(whole.weight, core))), 0.8)


def add_glare(canvas: Canvas, scene: Scene) -> None:
    """Add the lamp's reflection: white in the middle, fading beyond its outline."""
    mask = polygon_mask(canvas.size_px, glare_outline(scene), soften_px=4.0 * scene.pixels_per_mm)
    canvas.whiten(mask, 1.9)


def defocus(y: Plane, scene: Scene) -> Plane:
    """Return `y` out of focus by about half a millimetre on the paper."""
    return cast(Plane, cv2.GaussianBlur(y, (0, 0), 0.42 * scene.pixels_per_mm))


def shake(y: Plane, scene: Scene) -> Plane:
    """Return `y` smeared over two millimetres in one direction."""
    length = max(3, round(2.0 * scene.pixels_per_mm)) | 1
    kernel = np.zeros((length, length), np.float32)
    angle = scene.rng(3).uniform(0.0, np.pi)
    reach = (length - 1) / 2 * np.array([np.cos(angle), np.sin(angle)])
    middle = np.array([length // 2, length // 2])
    start, end = np.rint(middle - reach).astype(int), np.rint(middle + reach).astype(int)
    cv2.line(kernel, (int(start[0]), int(start[1])), (int(end[0]), int(end[1])), 1.0)
    return cast(Plane, cv2.filter2D(y, -1, kernel / kernel.sum()))


def _faulty_sheet(scene: Scene) -> Sheet:
    return next(sheet for sheet in scene.sheets if sheet.side == scene.faulty_side)


def _finger(scene: Scene) -> _Finger:
    rng = scene.rng(_FINGER)
    reach = rng.uniform(34.0, 48.0)
    height = rng.uniform(0.55, 0.8) * PAGE_HEIGHT_MM
    drop = rng.uniform(0.15, 0.4)
    outer, inwards = (0.0, 1.0) if scene.faulty_side == "left" else (PAGE_WIDTH_MM, -1.0)
    tip = np.array([outer + inwards * reach, height])
    root = np.array([outer - inwards * 60.0, height + drop * (reach + 60.0)])
    return _Finger(tip, root)


def _capsule(finger: _Finger, radius_mm: float) -> Floats:
    way = finger.root_mm - finger.tip_mm
    angle = np.arctan2(way[1], way[0])
    round_tip = np.linspace(angle + np.pi / 2, angle + 3 * np.pi / 2, 20)
    round_root = np.linspace(angle - np.pi / 2, angle + np.pi / 2, 20)
    tip = finger.tip_mm + radius_mm * np.column_stack((np.cos(round_tip), np.sin(round_tip)))
    root = finger.root_mm + radius_mm * np.column_stack((np.cos(round_root), np.sin(round_root)))
    return np.vstack((tip, root))
