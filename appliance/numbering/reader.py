"""Finds and reads the number printed on a page: a word of digits that stands alone at the head or the foot."""

from dataclasses import dataclass
from typing import Final, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.numbering.glyphs import CLASSES, Floats, Ink, classify
from appliance.numbering.labels import Reading, parse

_TALL_PX: Final = 1800
"""Pages are looked at no taller than this: nine pixels a millimetre on a common book."""
_STRIP: Final = 0.18
_LEAST_INK: Final = 38.0
_HEIGHTS: Final = (0.006, 0.04)
"""Height of a digit over that of the page: 1.2 to 8 mm on 205 mm."""
_WORD_GAP: Final = 0.75
_ALONE_GAP: Final = 1.2
_LONGEST: Final = 4
_BEYOND: Final = 1.5
_SURE: Final = 0.6
_AS_DARK: Final = 0.55
"""Of the print beside it: a number is printed with the same ink; grain of a table beyond the page is paler."""
_O, _STROKE, _A, _B = (CLASSES.index(name) for name in ("o", "stroke", "a", "b"))


@dataclass(frozen=True, slots=True)
class _Box:
    x: int
    y: int
    width: int
    height: int

    def gap_to(self, other: "_Box") -> int:
        return max(other.x - self.x - self.width, self.x - other.x - other.width)

    def beside(self, other: "_Box") -> bool:
        shared = min(self.y + self.height, other.y + other.height) - max(self.y, other.y)
        return shared >= 0.5 * min(self.height, other.height)


def read_number(luma: NDArray[np.uint8], *, leaves: bool = False) -> Reading | None:
    """Return the number printed on an upright page, or None where none is clear.

    Args:
        luma: the page, shape (height, width).
        leaves: leaves are numbered; `a` or `b` may follow.
    """
    scale = min(1.0, _TALL_PX / luma.shape[0])
    strip_px = round(luma.shape[0] * _STRIP)
    if min(luma.shape) * scale < 64:
        return None
    found: list[Reading] = []
    for strip, at_head in ((luma[:strip_px], True), (luma[-strip_px:], False)):
        small = cv2.resize(strip, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else strip
        found += _read_strip(cast(NDArray[np.uint8], small), luma.shape[0] * scale, at_head, leaves)
    found.sort(key=lambda each: each.confidence, reverse=True)
    rivals = [each for each in found[1:] if each.place != found[0].place]
    if not found or found[0].confidence < _SURE or (rivals and rivals[0].confidence > 0.9 * found[0].confidence):
        return None
    return found[0]


def _read_strip(strip: NDArray[np.uint8], page_px: float, at_head: bool, leaves: bool) -> list[Reading]:
    ink = _ink(strip)
    boxes = _signs(ink, page_px)
    lines = _words(boxes)
    print_boxes = [box for word in lines if len(word) >= 3 for box in word]
    words = [word for word in lines if _stands_alone(word, boxes, print_boxes, at_head)]
    signs = [[_cut(ink, box) for box in word] for word in words]
    beliefs = classify([sign for word in signs for sign in word])
    usual = float(np.median([box.height for box in print_boxes])) if print_boxes else 0.0
    darkness = float(np.median([_darkness(ink, box) for box in print_boxes])) if print_boxes else 0.0
    found: list[tuple[int, Reading]] = []
    for word in words:
        own, beliefs = beliefs[: len(word)], beliefs[len(word) :]
        reading = _spelt(own, leaves)
        as_dark = min(_darkness(ink, box) for box in word) >= _AS_DARK * darkness
        if reading is not None and as_dark and max(box.height for box in word) >= 0.8 * usual:
            found.append((word[0].y if at_head else -word[0].y, reading))
    sure = [each for each in found if each[1].confidence >= _SURE]
    return [min(sure, key=lambda each: each[0])[1]] if sure else []


def _ink(strip: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return how much darker than its paper every place is: 0 paper, 255 black."""
    small = cv2.resize(strip, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    paper = cv2.blur(cv2.dilate(cv2.medianBlur(small, 3), np.ones((15, 15), np.uint8)), (15, 15))
    paper = cv2.resize(paper, strip.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return cast(NDArray[np.uint8], 255 - cv2.divide(cv2.min(strip, paper), paper, scale=255))


def _signs(ink: NDArray[np.uint8], page_px: float) -> list[_Box]:
    """Return the boxes of all dark pieces of the size of print, from left to right."""
    span = max(15, round(page_px * 0.02)) | 1
    nearby = cv2.dilate(ink, np.ones((span, span), np.uint8))
    limit = np.maximum(nearby * np.float32(0.45), _LEAST_INK)
    broken = (ink > limit).astype(np.uint8)  # thin strokes, as between the bar and the bowl of a 5
    dark = cv2.morphologyEx(broken, cv2.MORPH_CLOSE, np.ones((3, 1), np.uint8))
    _, _, stats, _ = cv2.connectedComponentsWithStats(dark, connectivity=8)
    lowest, highest = (share * page_px for share in _HEIGHTS)
    return sorted(
        (
            _Box(int(x), int(y), int(width), int(height))
            for x, y, width, height, _ in stats[1:]
            if max(7.0, lowest) <= height <= highest and width <= 6 * height
        ),
        key=lambda box: box.x,
    )


def _words(boxes: list[_Box]) -> list[list[_Box]]:
    words: list[list[_Box]] = []
    for box in boxes:
        for word in reversed(words[-40:]):
            last = word[-1]
            if last.beside(box) and last.gap_to(box) <= _WORD_GAP * max(last.height, box.height):
                word.append(box)
                break
        else:
            words.append([box])
    return words


def _stands_alone(word: list[_Box], boxes: list[_Box], printed: list[_Box], at_head: bool) -> bool:
    """Tell whether nothing is printed beside the word, nor beyond it towards the edge of the page."""
    if len(word) > _LONGEST + 1:
        return False
    tall = max(box.height for box in word)
    hull = _Box(word[0].x, min(b.y for b in word), word[-1].x + word[-1].width - word[0].x, tall)
    others = [box for box in boxes if box not in word]
    if any(hull.beside(box) and hull.gap_to(box) < _ALONE_GAP * tall for box in others):
        return False
    edge = hull.y if at_head else hull.y + hull.height
    away = _BEYOND * tall  # what stands a little further out belongs to the same line, bent
    return not any(
        (box.y + box.height < edge - away if at_head else box.y > edge + away) for box in printed if box not in word
    )


def _cut(ink: NDArray[np.uint8], box: _Box) -> Ink:
    piece = ink[box.y : box.y + box.height, box.x : box.x + box.width].astype(np.float32)
    return cast(Ink, np.clip(piece / max(26.0, float(np.percentile(piece, 98))), 0, 1))


def _darkness(ink: NDArray[np.uint8], box: _Box) -> float:
    return float(np.percentile(ink[box.y : box.y + box.height, box.x : box.x + box.width], 98))


def _spelt(beliefs: Floats, leaves: bool) -> Reading | None:
    """Return the digits that are believed most, and the least belief in any of them."""
    digits = beliefs[:, :10].copy()
    digits[:, 0] += beliefs[:, _O]
    digits[:, 1] += beliefs[:, _STROKE]
    label, least = "", 1.0
    for place, row in enumerate(digits):
        side = max((_A, _B), key=lambda name: beliefs[place, name])
        if leaves and place == len(digits) - 1 and place and beliefs[place, side] > row.max():
            label, least = label + CLASSES[side], min(least, float(beliefs[place, side]))
        else:
            label, least = label + str(int(row.argmax())), min(least, float(row.max()))
    if len(digits) == 1:
        least *= 0.75 - 0.75 * float(beliefs[0, _STROKE])  # any upright mark looks like a 1
    elif float(beliefs[:, _STROKE].min()) > 0.5:
        least *= 0.75  # so do two or three
    return parse(label, leaves=leaves, confidence=min(1.0, least)) if not label.startswith("0") else None
