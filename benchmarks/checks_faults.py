"""Faults of stated strength, put into a frame, drawn or photographed: what a camera would then have seen."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from appliance.imaging.planes import Planes
from firmware.planes import Planes as Drawn
from firmware.simulated import FrameTruth
from firmware.simulated.canvas import Canvas, polygon_mask

Floats = NDArray[np.float64]
BOOK_MM: Final = (145.0, 205.0)
_TEXT_SHARE: Final = (0.1, 0.1, 0.88, 0.9)
"""The part of a page that carries text: left, top, right, bottom."""


@dataclass(frozen=True, slots=True, eq=False)
class Leaf:
    """A page as it lies in the frame.

    Attributes:
        corners: clockwise, shape (4, 2), in pixels of the frame.
        size_mm: from the first corner to the second, and from the second to the third.
        free: the sides that no other page lies against; side i runs from corner i to the next.
    """

    corners: Floats
    size_mm: tuple[float, float]
    free: tuple[int, ...] = (0, 1, 2, 3)

    @property
    def pixels_per_mm(self) -> float:
        """How large a millimetre of the page is, on the whole."""
        return float(
            np.linalg.norm(np.roll(self.corners, -1, axis=0) - self.corners, axis=1).sum() / sum(self.size_mm) / 2
        )

    def in_frame(self, page_mm: Floats) -> Floats:
        """Return points in millimetres of the page in pixels of the frame, or level with it beyond its edges."""
        width, height = self.size_mm
        flat = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
        matrix = cv2.getPerspectiveTransform(flat, self.corners.astype(np.float32))
        return np.asarray(cv2.perspectiveTransform(page_mm[None].astype(np.float64), matrix)[0], np.float64)


@dataclass(frozen=True, slots=True)
class Faulty:
    """A frame with one thing wrong.

    Attributes:
        planes: what the camera gives.
        strength: how wrong, in the fault's own measure.
    """

    planes: Planes
    strength: float


def leaves_of(truth: FrameTruth) -> tuple[Leaf, ...]:
    """Return the two pages of a drawn spread; the spine's side is none that is free."""
    left, right = (np.array(page.corners) for page in truth.pages)
    return Leaf(left, BOOK_MM, (0, 2, 3)), Leaf(right, BOOK_MM, (0, 1, 2))


def blur(planes: Planes, rng: Generator, unit_px: float = 1.0) -> Faulty:
    """Put the frame out of focus by 1.5 to 4 units (sigma): evenly or as a disc; noise comes after the lens.

    Args:
        planes: the frame.
        rng: where chance comes from.
        unit_px: what a pixel that strengths are told in measures in pixels of this frame.
    """
    sigma = float(rng.uniform(1.5, 4.0))
    wide = sigma * unit_px
    disc = rng.random() < 0.5  # of twice the radius: it spreads light as far
    y = cv2.filter2D(planes.y, -1, _disc(2 * wide)) if disc else cv2.GaussianBlur(planes.y, (0, 0), wide)
    u, v = (cv2.GaussianBlur(each, (0, 0), wide / 2) for each in (planes.u, planes.v))
    return Faulty(Planes(grained(y, rng), u, v), sigma)


def _disc(radius_px: float) -> NDArray[np.float32]:
    side, fine = 2 * int(np.ceil(radius_px)) + 1, 8
    kernel = np.zeros((fine * side, fine * side), np.float32)
    middle = round((fine * side - 1) / 2)
    cv2.circle(kernel, (middle, middle), round(fine * radius_px), 1.0, -1)
    kernel = cv2.resize(kernel, (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(kernel / kernel.sum(), np.float32)


def motion(planes: Planes, rng: Generator, unit_px: float = 1.0) -> Faulty:
    """Smear the frame over 3 to 12 units in any direction, along a straight or bent way, at an even or uneven pace."""
    length, angle, bend = float(rng.uniform(3.0, 12.0)), float(rng.uniform(0.0, np.pi)), float(rng.uniform(-0.25, 0.25))
    pace = float(rng.choice((1.0, 1.0, rng.uniform(0.75, 1.35))))
    reach = (length * unit_px - 1) / 2
    along = np.linspace(0.0, 1.0, 200) ** pace * 2 - 1
    way = np.column_stack((along, bend * (1 - along**2))) * reach
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    places = way @ turn
    side = 2 * int(np.ceil(np.abs(places).max())) + 3
    kernel = np.zeros((side, side), np.float32)
    for x, y in places + side // 2:  # each place shares its light among the four pixels around it
        column, row = int(x), int(y)
        right, down = x - column, y - row
        kernel[row : row + 2, column : column + 2] += np.outer((1 - down, down), (1 - right, right))
    y = cv2.filter2D(planes.y, -1, kernel / kernel.sum())
    return Faulty(Planes(grained(y, rng), planes.u, planes.v), length)


def grained(luma: NDArray[np.uint8], rng: Generator) -> NDArray[np.uint8]:
    """Return luma with a sensor's noise of one level; what is clipped has none."""
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


def glare(planes: Planes, leaves: tuple[Leaf, ...], rng: Generator) -> Faulty:
    """Add a lamp's reflection: 1 to 6 % of one page's text area is clipped, more is paled.

    Round or long, smooth or wavy (glossy paper), with a hard or a soft rim; one in four is doubled, as by platen glass.
    """
    leaf = leaves[int(rng.integers(len(leaves)))]
    width, height = leaf.size_mm
    left, top, right, bottom = np.array(_TEXT_SHARE) * (width, height, width, height)
    share, longer = float(rng.uniform(0.01, 0.06)), float(rng.uniform(1.0, 4.0))
    ghost = float(rng.uniform(0.2, 0.4)) if rng.random() < 0.25 else 0.0
    area = share * (1 - ghost) * (right - left) * (bottom - top)
    turn, lean = np.linspace(0.0, 2 * np.pi, 90, endpoint=False), float(rng.uniform(0.0, np.pi))
    wave = float(rng.choice((0.0, rng.uniform(0.0, 0.25)))) * np.sin(int(rng.integers(2, 6)) * turn + lean)
    shape = (1 + wave)[:, None] * np.column_stack((longer * np.cos(turn), np.sin(turn)))
    shape = shape @ np.array([[np.cos(lean), np.sin(lean)], [-np.sin(lean), np.cos(lean)]])
    shape *= np.sqrt(area / _area(shape))
    low, high = np.array([left, top]) - shape.min(axis=0), np.array([right, bottom]) - shape.max(axis=0)
    centre = rng.uniform(np.minimum(low, high), np.maximum(low, high))
    canvas = canvas_of(planes)
    soft = float(rng.choice((0.3, rng.uniform(1.0, 8.0)))) * leaf.pixels_per_mm
    halo, strength = float(rng.uniform(0.3, 0.9)), 1.9
    spots = [(shape + centre, 1.0)]
    if ghost:
        aside = rng.uniform(-1, 1, 2)
        spots.append((shape * np.sqrt(ghost / (1 - ghost)) + centre + aside * np.ptp(shape, axis=0), 0.8))
    for spot, part in spots:
        outline = leaf.in_frame(spot)
        canvas.whiten(polygon_mask(canvas.size_px, outline, soften_px=soft), part * halo)
        canvas.whiten(polygon_mask(canvas.size_px, outline, soften_px=0.5 * leaf.pixels_per_mm), part * strength)
    return Faulty(Planes(canvas.y, canvas.u, canvas.v), share)


def _area(outline: Floats) -> float:
    x, y = outline.T
    return abs(float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y))) / 2


def cut(planes: Planes, leaves: tuple[Leaf, ...], rng: Generator) -> Faulty:
    """Let the frame end 2 to 20 mm inside the outer edge of what lies there, on one side."""
    depth = float(rng.uniform(2.0, 20.0))
    scale = float(np.mean([leaf.pixels_per_mm for leaf in leaves]))
    side = int(rng.integers(4))
    x0, x1, y0, y1 = 0, planes.width_px, 0, planes.height_px
    if side == 0:
        x0 = round(_ends(leaves, 0, planes.width_px, 1) + depth * scale)
    elif side == 1:
        x1 = round(_ends(leaves, 0, planes.width_px, -1) - depth * scale)
    elif side == 2:
        y0 = round(_ends(leaves, 1, planes.height_px, 1) + depth * scale)
    else:
        y1 = round(_ends(leaves, 1, planes.height_px, -1) - depth * scale)
    x0, y0 = max(0, x0) & ~1, max(0, y0) & ~1
    half = (slice(y0 // 2, (y1 + 1) // 2), slice(x0 // 2, (x1 + 1) // 2))
    parts = (planes.y[y0:y1, x0:x1], planes.u[half], planes.v[half])
    return Faulty(Planes(*(np.ascontiguousarray(part) for part in parts)), depth)


def _ends(leaves: tuple[Leaf, ...], axis: int, size_px: int, sign: int) -> float:
    """Return where what lies there begins along an axis (`sign` 1) or ends (-1), for all leaves that reach so far."""
    ends = sorted(sign * float(np.sort(sign * leaf.corners[:, axis])[:2].mean() * sign) for leaf in leaves)
    outermost = [end for end in ends if end - ends[0] < 0.2 * size_px]
    return sign * outermost[-1]


def canvas_of(planes: Planes) -> Canvas:
    """Return a copy of a frame to paint on."""
    return Canvas(Drawn(planes.y, planes.u, planes.v))
