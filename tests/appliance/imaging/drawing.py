"""Pages drawn by code, so that what is true of them is known."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.imaging.planes import Planes, from_bgr

PAPER = (205, 222, 230)
GROUND = (34, 36, 40)


@dataclass(frozen=True, eq=False)
class Drawn:
    """A frame and the corners of its pages, clockwise from their own top left."""

    planes: Planes
    corners: tuple[NDArray[np.float64], ...]


def printed_page(width: int = 620, height: int = 880, *, lines: int = 26, seed: int = 1) -> NDArray[np.uint8]:
    """A page with lines of letter-like strokes: most have ascenders, few descenders, as in Vietnamese."""
    random = np.random.default_rng(seed)
    page = np.full((height, width, 3), PAPER, np.uint8)
    left, top, step = round(0.12 * width), round(0.11 * height), round(0.78 * height / max(lines, 1))
    for line in range(lines):
        y, x = top + line * step, left
        while x < width - left - 12:
            for _ in range(int(random.integers(2, 8))):
                _letter(page, x, y, step, random)
                x += max(4, step // 4)
            x += max(5, step // 3)
    return page


def _letter(page: NDArray[np.uint8], x: int, y: int, step: int, random: np.random.Generator) -> None:
    tall, x_height = round(0.55 * step), round(0.34 * step)
    kind = random.random()
    rise = tall if kind < 0.4 else x_height
    fall = round(0.18 * step) if kind > 0.93 else 0
    cv2.line(page, (x, y - rise), (x, y + fall), (45, 40, 40), 2)
    cv2.line(page, (x, y), (x + max(2, step // 8), y), (45, 40, 40), 2)


def spread(width: int = 1600, height: int = 1200, *, seed: int = 1, lean_deg: float = 1.5, lines: int = 26) -> Drawn:
    """An open book on dark ground: two pages that fall into a shadow between them."""
    left, right = printed_page(lines=lines, seed=seed), printed_page(lines=lines, seed=seed + 1000)
    shade = np.ones(left.shape[1], np.float32)
    shade[-70:] = 1 - 0.6 * np.linspace(0, 1, 70) ** 2
    pages = [_shaded(left, shade), _shaded(right, shade[::-1])]
    scale = 0.86 * height / left.shape[0]
    tops = (0.012 * height, 0.0)
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), lean_deg, 1.0)
    frame = _ground(width, height, seed)
    corners = []
    for page, side in zip(pages, (-1, 0), strict=True):
        x, y = width / 2 + side * page.shape[1] * scale, 0.07 * height
        quad = np.array([[x, y], [x + page.shape[1] * scale, y], [x + page.shape[1] * scale, 0], [x, 0]])
        quad[2:, 1] = y + page.shape[0] * scale
        quad[[1, 2] if side else [0, 3], 1] += np.array([tops[0], -tops[0]])
        quad = quad @ turn[:, :2].T + turn[:, 2]
        _paste(frame, page, quad)
        corners.append(quad)
    return Drawn(from_bgr(_noisy(frame, seed)), tuple(corners))


def single(
    quad: NDArray[np.float64], width: int = 1200, height: int = 1600, *, page: NDArray[np.uint8] | None = None
) -> Drawn:
    """One page on dark ground, its corners at `quad`."""
    frame = _ground(width, height, 3)
    _paste(frame, printed_page() if page is None else page, quad)
    return Drawn(from_bgr(_noisy(frame, 3)), (quad,))


def pale(quad: NDArray[np.float64], width: int = 1200, height: int = 1600, seed: int = 3) -> Drawn:
    """A sheet on crumpled paper of nearly its own tone: its edges and its smoothness tell it from the ground."""
    random = np.random.default_rng(seed)
    facets = cv2.resize(
        random.normal(0, 9, (height // 50, width // 50)), (width, height), interpolation=cv2.INTER_LINEAR
    )
    frame = np.clip(np.full((height, width, 3), 196.0) + facets[..., None], 0, 255).astype(np.uint8)
    shadow = np.zeros((height, width), np.float32)
    cv2.polylines(shadow, [np.rint(quad).astype(np.int32)], True, 34.0, 12)
    frame = np.clip(frame - cv2.GaussianBlur(shadow, (0, 0), 3)[..., None], 0, 255).astype(np.uint8)
    page = np.full((1000, 700, 3), 205, np.uint8)
    for row in range(120, 700, 40):
        for column in range(80, 600, 45):
            cv2.putText(page, "abo", (column, row), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (60, 60, 60), 2, cv2.LINE_AA)
    _paste(frame, page, quad)
    return Drawn(from_bgr(_noisy(frame, seed)), (quad,))


def _ground(width: int, height: int, seed: int) -> NDArray[np.uint8]:
    noise = np.random.default_rng(seed).normal(0, 3, (height, width, 1))
    return np.clip(np.array(GROUND) + noise, 0, 255).astype(np.uint8)


def _shaded(page: NDArray[np.uint8], shade: NDArray[np.float32]) -> NDArray[np.uint8]:
    return (page * shade[None, :, None]).astype(np.uint8)


def _paste(frame: NDArray[np.uint8], page: NDArray[np.uint8], quad: NDArray[np.float64]) -> None:
    height, width = page.shape[:2]
    source = np.array([[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]], np.float32)
    matrix = cv2.getPerspectiveTransform(source, quad.astype(np.float32))
    size = (frame.shape[1], frame.shape[0])
    drawn = cv2.warpPerspective(page, matrix, size, flags=cv2.INTER_LINEAR)
    weight = cv2.warpPerspective(np.full((height, width), 255, np.uint8), matrix, size) > 127
    frame[weight] = drawn[weight]


def _noisy(frame: NDArray[np.uint8], seed: int) -> NDArray[np.uint8]:
    noise = np.random.default_rng(seed + 7).normal(0, 1.2, frame.shape)
    return np.clip(cv2.GaussianBlur(frame, (0, 0), 0.6) + noise, 0, 255).astype(np.uint8)


def turned(planes: Planes, quarter_turns_ccw: int) -> Planes:
    """The frame as a camera lying on its side would store it."""
    return Planes(*(np.ascontiguousarray(np.rot90(each, quarter_turns_ccw)) for each in (planes.y, planes.u, planes.v)))


def changed(planes: Planes, luma: NDArray[np.uint8]) -> Planes:
    """The same frame with another luma."""
    return Planes(np.ascontiguousarray(luma), planes.u, planes.v)


def overlap(first: object, second: object, width: int, height: int) -> float:
    """Intersection over union of two polygons."""
    masks = []
    for polygon in (first, second):
        mask = np.zeros((height, width), np.uint8)
        cv2.fillPoly(mask, [np.rint(np.asarray(polygon, np.float64)).astype(np.int32)], 1)
        masks.append(mask > 0)
    return float((masks[0] & masks[1]).sum() / max(1, (masks[0] | masks[1]).sum()))
