"""Fingers over the edge of a page: of any skin, in the light of their place, in gloves, bent, from any free side."""

from typing import Final

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from appliance.imaging.planes import Planes
from benchmarks.checks_faults import Faulty, Floats, Leaf, canvas_of, grained
from firmware.simulated.canvas import Canvas, Tone, polygon_mask

_SKIN_LUMA: Final = (60.0, 200.0)
"""Of white paper at 220."""
_GLOVES: Final = (
    Tone(105, 152, 104),
    Tone(150, 140, 112),
    Tone(214, 126, 129),
    Tone(45, 128, 128),
    Tone(120, 145, 140),
)
"""Blue nitrile, pale blue nitrile, white cotton, black nitrile, violet nitrile."""
_WHITE: Final = 220.0
_REACH_MM: Final = 110.0


def finger(planes: Planes, leaves: tuple[Leaf, ...], rng: Generator) -> Faulty:
    """Lay one finger (sometimes two or three) of 8 to 24 mm over a page, from beyond one of its free edges."""
    leaf, width = leaves[int(rng.integers(len(leaves)))], float(rng.uniform(8.0, 24.0))
    side, along = _where_in_view(leaf, planes, rng)
    depth, lean = rng.uniform(8.0, 45.0), rng.uniform(-0.8, 0.8)
    canvas = canvas_of(planes)
    tone = _tone(canvas, leaf, rng)
    bend = float(rng.choice((0.0, rng.uniform(-0.12, 0.12))))
    for step in range(int(rng.choice((1, 1, 1, 2, 3)))):
        way = _way(leaf, side, along, float(depth) - float(rng.uniform(2.0, 9.0)) * step, float(lean), bend)
        way = way + _normals(way) * width * 1.03 * step
        _lay(canvas, leaf, way, width * float(rng.uniform(0.92, 1.0)) if step else width, tone, rng)
    return Faulty(Planes(grained(canvas.y, rng), canvas.u, canvas.v), width)


def _where_in_view(leaf: Leaf, planes: Planes, rng: Generator) -> tuple[int, float]:
    """Return a side and a place along it, as a share, where the frame shows the page's edge and 5 mm beyond it."""
    width, height = leaf.size_mm
    corners = np.array([[0.0, 0.0], [width, 0.0], [width, height], [0.0, height]])
    middle, side, along = corners.mean(axis=0), 0, 0.5
    for _ in range(200):
        side, along = leaf.free[int(rng.integers(len(leaf.free)))], float(rng.uniform(0.12, 0.88))
        edge = corners[side] + along * (corners[(side + 1) % 4] - corners[side])
        seen = leaf.in_frame((edge + 5 * (edge - middle) / np.linalg.norm(edge - middle))[None])[0]
        if 0 <= seen[0] < planes.width_px and 0 <= seen[1] < planes.height_px:
            break
    return side, along


def _tone(canvas: Canvas, leaf: Leaf, rng: Generator) -> Tone:
    """Return the colour of a hand or a glove in the light that falls on a page."""
    luma, blue, red = _paper(canvas, leaf)
    if rng.random() < 0.8:
        own = float(rng.uniform(*_SKIN_LUMA))
        pale = (own - _SKIN_LUMA[0]) / (_SKIN_LUMA[1] - _SKIN_LUMA[0])
        colour = 0.6 + 0.4 * pale * float(rng.uniform(0.8, 1.2))
        skin = (own, 128 - colour * float(rng.uniform(10.0, 18.0)), 128 + colour * float(rng.uniform(13.0, 24.0)))
    else:
        skin = _GLOVES[int(rng.integers(len(_GLOVES)))]
    lit = min(skin[0] * luma / _WHITE * float(rng.uniform(0.85, 1.1)), 250.0)
    tinted = (skin[1] + (blue - 128) * lit / luma, skin[2] + (red - 128) * lit / luma)
    return Tone(round(lit), *(round(min(max(value, 0.0), 255.0)) for value in tinted))


def _paper(canvas: Canvas, leaf: Leaf) -> tuple[float, float, float]:
    """Return luma, blue and red difference of a page's paper."""
    width, height = canvas.u.shape[1], canvas.u.shape[0]
    mask = np.zeros((height, width), np.uint8)
    cv2.fillPoly(mask, [np.rint(leaf.corners / 2).astype(np.int32)], 1)
    luma = canvas.y[: 2 * height : 2, : 2 * width : 2][:height, :width]
    inside = mask[: luma.shape[0], : luma.shape[1]] > 0
    bright = inside & (luma >= np.percentile(luma[inside], 70))
    return tuple(float(np.median(each[bright])) for each in (luma, canvas.u, canvas.v))  # type: ignore[return-value]


def _way(leaf: Leaf, side: int, along: float, depth_mm: float, lean: float, bend: float) -> Floats:
    """Return the middle of a finger from its tip to beyond the page's edge, in millimetres of the page."""
    width, height = leaf.size_mm
    corners = np.array([[0.0, 0.0], [width, 0.0], [width, height], [0.0, height]])
    start, end = corners[side], corners[(side + 1) % 4]
    direction = (end - start) / np.linalg.norm(end - start)
    inward = np.array([-direction[1], direction[0]])
    tip = start + along * (end - start) + max(depth_mm, 5.0) * inward
    towards = -inward + lean * direction
    towards /= np.linalg.norm(towards)
    far = np.linspace(0.0, _REACH_MM, 60)
    aside = np.array([-towards[1], towards[0]])
    return np.asarray(tip + far[:, None] * towards + (bend * far**2 / _REACH_MM)[:, None] * aside)


def _normals(way: Floats) -> Floats:
    steps = np.gradient(way, axis=0)
    steps /= np.linalg.norm(steps, axis=1)[:, None]
    return np.column_stack((-steps[:, 1], steps[:, 0]))


def _outline(way: Floats, width_mm: float, share: float, wave: float) -> Floats:
    """Return the outline of a finger (`share` 1) or of its middle: a round tip, wider at the joints and at the root."""
    far = np.linalg.norm(way - way[0], axis=1)
    round_mm = width_mm / 2
    half = round_mm * np.sqrt(np.clip(1 - np.clip(1 - far / round_mm, 0, 1) ** 2, 0, 1))
    half *= share * (1 + 0.15 * far / _REACH_MM + 0.05 * np.sin(far / 7.0 + wave))
    aside = _normals(way) * half[:, None]
    return np.vstack((way + aside, (way - aside)[::-1]))


def _lay(canvas: Canvas, leaf: Leaf, way: Floats, width: float, tone: Tone, rng: Generator) -> None:
    scale, size, wave = leaf.pixels_per_mm, canvas.size_px, float(rng.uniform(0, 6))
    fine = np.vstack([np.linspace(way[0], way[1], 40), way[2:]])  # the tip is round
    outline = leaf.in_frame(_outline(fine, width, 1.0, wave))
    shadow = outline + rng.uniform(-3, 3, 2) * scale
    canvas.darken(
        polygon_mask(size, shadow, soften_px=float(rng.uniform(0.8, 4.0)) * scale), float(rng.uniform(0.1, 0.5))
    )
    rim = float(rng.uniform(0.1, 0.5)) * scale
    whole = polygon_mask(size, outline, soften_px=rim)
    texture = rng.normal(
        0.0, float(rng.uniform(0.5, 2.5)), (whole.weight.shape[0] // 4 + 1, whole.weight.shape[1] // 4 + 1)
    )
    grain = cv2.resize(texture.astype(np.float32), whole.weight.shape[::-1], interpolation=cv2.INTER_CUBIC)
    canvas.paint(whole, tone, luma=np.clip(tone.y + grain, 0, 255).astype(np.uint8))
    canvas.darken(whole, float(rng.uniform(0.1, 0.3)))
    core = leaf.in_frame(_outline(fine, width, 0.56, wave) + rng.uniform(-0.15, 0.15, 2) * width)
    light = polygon_mask(size, core, soften_px=0.15 * width * scale)
    _brighten(canvas, light.rows, light.columns, light.weight, float(rng.uniform(0.1, 0.25)) * tone.y / 255)
    _draw_joints(canvas, leaf, way, width, rng)


def _draw_joints(canvas: Canvas, leaf: Leaf, way: Floats, width: float, rng: Generator) -> None:
    """Put creases across a finger, and a nail near its tip on every other one."""
    aside = _normals(way)
    for far in (24.0, 48.0):
        place = min(int(far / _REACH_MM * len(way)), len(way) - 2)
        for shift in (-0.8, 0.0, 0.9):
            crease = np.linspace(-0.4, 0.4, 8)[:, None] * width * aside[place] + way[place]
            crease = crease + shift * 1.5 * (way[place + 1] - way[place]) / np.linalg.norm(way[place + 1] - way[place])
            thick = np.vstack((crease, crease[::-1] + 0.4))
            mask = polygon_mask(canvas.size_px, leaf.in_frame(thick), soften_px=0.3 * leaf.pixels_per_mm)
            canvas.darken(mask, float(rng.uniform(0.1, 0.3)))
    if rng.random() < 0.5:
        turn = np.linspace(0, 2 * np.pi, 30, endpoint=False)
        towards = (way[-1] - way[0]) / np.linalg.norm(way[-1] - way[0])
        nail = (
            way[0]
            + towards * 0.5 * width
            + 0.32
            * width
            * (np.cos(turn)[:, None] * towards * 1.2 + np.sin(turn)[:, None] * np.array([-towards[1], towards[0]]))
        )
        mask = polygon_mask(canvas.size_px, leaf.in_frame(nail), soften_px=0.2 * leaf.pixels_per_mm)
        _brighten(canvas, mask.rows, mask.columns, mask.weight, 0.08)


def _brighten(canvas: Canvas, rows: slice, columns: slice, weight: NDArray[np.uint8], share: float) -> None:
    area = canvas.y[rows, columns]
    cv2.add(area, cv2.convertScaleAbs(weight, alpha=share), dst=area)
