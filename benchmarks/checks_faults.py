"""Faults of stated strength, put into a drawn frame: what a camera would have seen, had this gone wrong."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from appliance.imaging.planes import Planes
from firmware.planes import Planes as Drawn
from firmware.simulated import FrameTruth, PageTruth
from firmware.simulated.canvas import Canvas, Tone, polygon_mask

Floats = NDArray[np.float64]
_SKINS = (Tone(190, 113, 141), Tone(168, 109, 150), Tone(145, 112, 150), Tone(112, 116, 146), Tone(78, 120, 140))
_GLOVES = (Tone(105, 152, 104), Tone(214, 126, 129), Tone(45, 128, 128))
"""Blue nitrile, white cotton, black nitrile."""
_TEXT_MM = (15.0, 20.0, 127.0, 183.0)
"""The part of a page that carries text: left, top, right, bottom."""


@dataclass(frozen=True, slots=True)
class Faulty:
    """A frame with one thing wrong.

    Attributes:
        planes: what the camera gives.
        strength: how wrong, in the fault's own measure.
    """

    planes: Planes
    strength: float


def blur(planes: Planes, rng: Generator) -> Faulty:
    """Put the frame out of focus by 1.5 to 4 pixels (sigma); the sensor's noise comes after the lens."""
    sigma = float(rng.uniform(1.5, 4.0))
    y = cv2.GaussianBlur(planes.y, (0, 0), sigma)
    u, v = (cv2.GaussianBlur(each, (0, 0), sigma / 2) for each in (planes.u, planes.v))
    return Faulty(Planes(_grain(y, rng), u, v), sigma)


def motion(planes: Planes, rng: Generator) -> Faulty:
    """Smear the frame over 3 to 12 pixels in any direction."""
    length, angle = float(rng.uniform(3.0, 12.0)), float(rng.uniform(0.0, np.pi))
    side = 2 * int(np.ceil(length / 2)) + 3
    kernel = np.zeros((8 * side, 8 * side), np.float32)
    reach = 4 * (length - 1) * np.array([np.cos(angle), np.sin(angle)])
    middle = np.full(2, 4 * side - 0.5)
    ends = [np.rint(middle + sign * reach).astype(int) for sign in (-1, 1)]
    cv2.line(kernel, tuple(map(int, ends[0])), tuple(map(int, ends[1])), 1.0, 8)
    kernel = cv2.resize(kernel, (side, side), interpolation=cv2.INTER_AREA)
    y = cv2.filter2D(planes.y, -1, kernel / kernel.sum())
    return Faulty(Planes(_grain(y, rng), planes.u, planes.v), length)


def _grain(luma: NDArray[np.uint8], rng: Generator) -> NDArray[np.uint8]:
    noise = rng.normal(0.0, 1.0, luma.shape).astype(np.float32) * (luma < 255)
    return np.clip(luma + noise + 0.5, 0, 255).astype(np.uint8)


def expose(planes: Planes, stops: float) -> Faulty:
    """Let `stops` more (or less) light in: the sensor's values scaled, then gamma and clipping."""
    levels = (np.arange(256) / 255.0) ** 2.2 * 2.0**stops
    table = np.clip(np.rint(255 * np.clip(levels, 0, 1) ** (1 / 2.2)), 0, 255)
    y = table.astype(np.uint8)[planes.y]
    gain = cv2.resize((y.astype(np.float32) + 1) / (planes.y.astype(np.float32) + 1), planes.u.shape[::-1])
    u, v = (
        np.clip(128 + (each.astype(np.float32) - 128) * gain, 0, 255).astype(np.uint8) for each in (planes.u, planes.v)
    )
    return Faulty(Planes(y, u, v), stops)


def glare(planes: Planes, truth: FrameTruth, rng: Generator) -> Faulty:
    """Add the lamp's reflection: 1 to 6 % of one page's text area is clipped, more is paled."""
    page = truth.pages[int(rng.integers(2))]
    left, top, right, bottom = _TEXT_MM
    share = float(rng.uniform(0.01, 0.06))
    area, longer = share * (right - left) * (bottom - top), float(rng.uniform(1.0, 2.5))
    across = np.sqrt(area / np.pi / longer)
    radii = np.array([across * longer, across])[:: 1 if rng.random() < 0.5 else -1]
    low, high = np.array([left, top]) + radii, np.array([right, bottom]) - radii
    centre = rng.uniform(np.minimum(low, high), np.maximum(low, high))
    turn = np.linspace(0.0, 2 * np.pi, 60, endpoint=False)
    outline = _on_page(page, centre + radii * np.column_stack((np.cos(turn), np.sin(turn))))
    canvas = _canvas(planes)
    soft = float(rng.uniform(1.0, 5.0)) * truth.pixels_per_mm
    halo = polygon_mask(canvas.size_px, outline, soften_px=soft)
    canvas.whiten(halo, float(rng.uniform(0.3, 0.9)))
    canvas.whiten(polygon_mask(canvas.size_px, outline, soften_px=0.5 * truth.pixels_per_mm), 1.9)
    return Faulty(Planes(canvas.y, canvas.u, canvas.v), share)


def cut(planes: Planes, truth: FrameTruth, rng: Generator) -> Faulty:
    """Let the frame end 2 to 20 mm inside the book's outer edge, on one side."""
    depth = float(rng.uniform(2.0, 20.0))
    depth_px = depth * truth.pixels_per_mm
    left, right = (np.array(page.corners) for page in truth.pages)
    side = int(rng.integers(4))
    x0, x1, y0, y1 = 0, planes.width_px, 0, planes.height_px
    if side == 0:
        x0 = round((left[0, 0] + left[3, 0]) / 2 + depth_px)
    elif side == 1:
        x1 = round((right[1, 0] + right[2, 0]) / 2 - depth_px)
    elif side == 2:
        y0 = round(max(left[:2, 1].mean(), right[:2, 1].mean()) + depth_px)
    else:
        y1 = round(min(left[2:, 1].mean(), right[2:, 1].mean()) - depth_px)
    x0, y0 = x0 & ~1, y0 & ~1
    half = (slice(y0 // 2, (y1 + 1) // 2), slice(x0 // 2, (x1 + 1) // 2))
    parts = (planes.y[y0:y1, x0:x1], planes.u[half], planes.v[half])
    return Faulty(Planes(*(np.ascontiguousarray(part) for part in parts)), depth)


def finger(planes: Planes, truth: FrameTruth, rng: Generator) -> Faulty:
    """Lay one finger (sometimes two or three) of 8 to 24 mm over a page, from beyond one of its free edges."""
    number = int(rng.integers(2))
    page, width = truth.pages[number], float(rng.uniform(8.0, 24.0))
    edges = ("top", "bottom", "left" if number == 0 else "right")
    edge = edges[int(rng.integers(3))]
    along, depth, lean = rng.uniform(0.15, 0.85), rng.uniform(10.0, 45.0), rng.uniform(-0.6, 0.6)
    tones = _SKINS if rng.random() < 0.8 else _GLOVES
    tone = tones[int(rng.integers(len(tones)))]
    canvas = _canvas(planes)
    for step in range(int(rng.choice((1, 1, 1, 2, 3)))):
        tip, root = _finger(edge, float(along) * 145, float(along) * 205, float(depth) - 5.0 * step, float(lean))
        aside = np.array([root[1] - tip[1], tip[0] - root[0]]) / np.linalg.norm(root - tip) * width * 1.02 * step
        _lay(canvas, page, (tip + aside, root + aside), width, tone, truth.pixels_per_mm, rng)
    return Faulty(Planes(_grain(canvas.y, rng), canvas.u, canvas.v), width)


def _finger(edge: str, x_mm: float, y_mm: float, depth_mm: float, lean: float) -> tuple[Floats, Floats]:
    """Return tip and root of a finger in millimetres of its page."""
    reach = 90.0
    if edge in ("left", "right"):
        outer, inwards = (0.0, 1.0) if edge == "left" else (145.0, -1.0)
        tip, root = (outer + inwards * depth_mm, y_mm), (outer - inwards * reach, y_mm + lean * reach)
    else:
        outer, inwards = (0.0, 1.0) if edge == "top" else (205.0, -1.0)
        tip, root = (x_mm, outer + inwards * depth_mm), (x_mm + lean * reach, outer - inwards * reach)
    return np.array(tip), np.array(root)


def _lay(
    canvas: Canvas,
    page: PageTruth,
    finger_mm: tuple[Floats, Floats],
    width: float,
    tone: Tone,
    scale: float,
    rng: Generator,
) -> None:
    outline = _on_page(page, _capsule(*finger_mm, width / 2))
    size = canvas.size_px
    canvas.darken(polygon_mask(size, outline + rng.uniform(-2, 2, 2) * scale, soften_px=2.0 * scale), 0.4)
    canvas.paint(polygon_mask(size, outline, soften_px=0.25 * scale), tone)
    core = _on_page(page, _capsule(*finger_mm, width * 0.28))
    canvas.darken(polygon_mask(size, outline, soften_px=0.3 * scale), 0.25)
    light = polygon_mask(size, core, soften_px=0.15 * width * scale)
    area = canvas.y[light.rows, light.columns]
    cv2.add(area, cv2.convertScaleAbs(light.weight, alpha=0.18 * tone.y / 255), dst=area)


def _capsule(tip: Floats, root: Floats, radius: float) -> Floats:
    way = root - tip
    angle = np.arctan2(way[1], way[0])
    round_tip = np.linspace(angle + np.pi / 2, angle + 3 * np.pi / 2, 20)
    ends = [np.column_stack((np.cos(turn), np.sin(turn))) * radius for turn in (round_tip, round_tip + np.pi)]
    return np.vstack((tip + ends[0], root + ends[1]))


def _on_page(page: PageTruth, page_mm: Floats) -> Floats:
    """Return points in millimetres of a page in pixels of the frame, or level with it beyond its edges."""
    flat = np.array([[0, 0], [145, 0], [145, 205], [0, 205]], np.float32)
    matrix = cv2.getPerspectiveTransform(flat, np.array(page.corners, np.float32))
    return np.asarray(cv2.perspectiveTransform(page_mm[None].astype(np.float64), matrix)[0], np.float64)


def _canvas(planes: Planes) -> Canvas:
    return Canvas(Drawn(planes.y, planes.u, planes.v))
