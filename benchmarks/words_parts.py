"""Books laid anyhow: drawn spreads turned, tilted and made smaller, on grounds and in light of many kinds."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.random import Generator, default_rng
from numpy.typing import NDArray

from appliance.imaging.planes import Planes
from benchmarks.checks_pages import make_yellow
from firmware.planes import Planes as Drawn
from firmware.simulated import FrameTruth, SimulatedCamera
from firmware.simulated.canvas import Canvas, Tone

Floats = NDArray[np.float32]
Luma = NDArray[np.uint8]

SIZE_PX: Final = (1600, 1200)
_COVER_MM: Final = 5.0
"""How far a book's cover and block reach beyond its pages."""
_GROUNDS: Final = {
    "black cloth": Tone(22, 128, 128),
    "felt": Tone(34, 130, 126),
    "cherry": Tone(70, 118, 140),
    "oak": Tone(95, 121, 133),
    "baize": Tone(60, 126, 112),
    "grey card": Tone(130, 126, 130),
    "pale maple": Tone(185, 122, 132),
}


@dataclass(frozen=True, slots=True)
class Laid:
    """One frame.

    Attributes:
        planes: what the camera gives.
        words: the corners of every printed word in the frame, float32, shape (n, 4, 2).
        about: what was chosen, for whoever looks at a miss.
    """

    planes: Planes
    words: Floats
    about: str


def lay(seed: int, n: int) -> Iterator[Laid]:
    """Yield `n` frames, each of a book of its own; the same seed gives the same pixels."""
    for number in range(n):
        rng = default_rng((seed, number))
        # How far the book is read bends its pages: from its first spread to its last.
        camera = SimulatedCamera(seed * 100_003 + number, *SIZE_PX, first_page=2 * int(rng.integers(1, 158)))
        frame = camera.capture(pressed_at_ns=0)
        truth = camera.truth_of(frame.source)
        camera.close()
        canvas, paper = Canvas(Drawn(frame.y, frame.u, frame.v)), "white"
        if rng.random() < 0.4:
            make_yellow(canvas, truth.pages, truth.pixels_per_mm, rng)
            paper = "yellow"
        yield _laid(canvas, truth, paper, rng)


def _laid(canvas: Canvas, truth: FrameTruth, paper: str, rng: Generator) -> Laid:
    book = _book_mask(truth)
    view, turn_deg, share = _view(book, rng)
    name = str(rng.choice(list(_GROUNDS)))
    ground, light, gain = _GROUNDS[name], _light(rng), float(rng.uniform(0.75, 1.0))
    weight = cv2.warpPerspective(book, view, SIZE_PX, flags=cv2.INTER_AREA).astype(np.float32) / 255
    luma = _ground_luma(ground, rng)
    luma += weight * (cv2.warpPerspective(canvas.y, view, SIZE_PX, flags=cv2.INTER_LINEAR) - luma)
    y = np.clip(luma * light * gain + rng.normal(0.0, 1.0, luma.shape), 0, 255).astype(np.uint8)
    # Chroma lies on every second pixel, amid four of luma.
    half = np.array([[0.5, 0, -0.25], [0, 0.5, -0.25], [0, 0, 1]])
    halved, size = half @ view @ np.linalg.inv(half), (SIZE_PX[0] // 2, SIZE_PX[1] // 2)
    chroma = []
    for plane, shade in ((canvas.u, ground.u), (canvas.v, ground.v)):
        moved = cv2.warpPerspective(plane, halved, size, flags=cv2.INTER_LINEAR).astype(np.float32)
        mixed = shade + weight[::2, ::2] * (moved - shade)
        chroma.append(np.clip(128 + (mixed - 128) * light[::2, ::2] * gain, 0, 255).astype(np.uint8))
    quads = np.array([word.quad for page in truth.pages for word in page.words], np.float32)
    words = cv2.perspectiveTransform(quads.reshape(1, -1, 2), view).reshape(-1, 4, 2)
    about = f"{paper} paper, {name}, turned {turn_deg:.1f}, size {share:.2f}, light {light.min():.2f} x {gain:.2f}"
    return Laid(Planes(y, *chroma), words, about)


def _book_mask(truth: FrameTruth) -> Luma:
    outline = np.concatenate([np.array(page.outline, np.float32) for page in truth.pages])
    mask = np.zeros(SIZE_PX[::-1], np.uint8)
    cv2.fillConvexPoly(mask, np.rint(cv2.convexHull(outline)).astype(np.int32), 255)
    side = 2 * round(_COVER_MM * truth.pixels_per_mm) + 1
    return np.asarray(cv2.dilate(mask, np.ones((side, side), np.uint8)), np.uint8)


def _view(book: Luma, rng: Generator) -> tuple[NDArray[np.float64], float, float]:
    """Return a projection (3, 3) that keeps the whole book in the frame, its turn in degrees and its scale."""
    left, top, width, height = cv2.boundingRect(book)
    corners = np.array([[[left, top], [left + width, top], [left + width, top + height], [left, top + height]]], float)
    turn_deg, share = float(rng.uniform(-4, 4)), float(rng.uniform(0.6, 1.0))
    cos, sin = np.cos(np.radians(turn_deg)) * share, np.sin(np.radians(turn_deg)) * share
    tilt = rng.uniform(-3e-5, 3e-5, size=2)
    from_middle = np.array([[1, 0, -left - width / 2], [0, 1, -top - height / 2], [0, 0, 1.0]])
    view = np.array([[cos, -sin, 0], [sin, cos, 0], [*tilt, 1.0]]) @ from_middle
    placed = cv2.perspectiveTransform(corners, view)[0]
    room = np.array(SIZE_PX) - (placed.max(axis=0) - placed.min(axis=0))
    fit = min(1.0, float(((np.array(SIZE_PX) - 12) / (np.array(SIZE_PX) - room)).min()))
    placed, room = placed * fit, np.array(SIZE_PX) - (placed.max(axis=0) - placed.min(axis=0)) * fit
    shift = rng.uniform(0.2, 0.8, size=2) * room - placed.min(axis=0)
    return np.array([[fit, 0, shift[0]], [0, fit, shift[1]], [0, 0, 1]]) @ view, turn_deg, share * fit


def _light(rng: Generator) -> Floats:
    """Return how much of the light arrives where: one lamp at a side, 1.0 at its brightest."""
    x, y = np.meshgrid(np.linspace(-1, 1, SIZE_PX[0]), np.linspace(-1, 1, SIZE_PX[1]))
    angle, fall = rng.uniform(0, 2 * np.pi), rng.uniform(0.0, 0.4)
    return (1 - fall * (1 + (x * np.cos(angle) + y * np.sin(angle)) / np.sqrt(2)) / 2).astype(np.float32)


def _ground_luma(ground: Tone, rng: Generator) -> Floats:
    """Return an empty table: its tone, its grain, long in one direction as wood's is."""
    luma = np.full(SIZE_PX[::-1], float(ground.y), np.float32)
    for cells in ((300, 20), (600, 800)):
        grain = rng.normal(0.0, 0.03 * ground.y + 1.0, cells).astype(np.float32)
        luma += cv2.resize(grain, SIZE_PX, interpolation=cv2.INTER_LINEAR)
    return luma
