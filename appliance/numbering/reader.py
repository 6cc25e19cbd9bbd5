"""Finds the number printed on a page: a word of digits or roman letters that stands alone at the head or the foot."""

from dataclasses import dataclass
from typing import Final, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.numbering.glyphs import Floats, Ink, classify
from appliance.numbering.labels import Reading
from appliance.numbering.spelling import is_leaf_word, is_strange, spelt
from appliance.numbering.touching import parted

_TALL_PX: Final = 1800
"""Pages are looked at no taller than this: nine pixels a millimetre on a common book."""
_STRIP: Final = 0.18
_LEAST_INK: Final = 38.0
_HEIGHTS: Final = (0.006, 0.04)
"""Height of a digit over that of the page: 1.2 to 8 mm on 205 mm."""
_WORD_GAP: Final = 0.75
_ALONE_GAP: Final = 1.2
_LONGEST: Final = 7
"""Signs: `lxxxvii`, and a leaf's number has a letter."""
_WIDEST, _PARTED = 4.5, 0.8
"""Width over height: of letters that touch each other at most, and at least."""
_DOT_WIDEST: Final = 0.6
"""Width over height of what may bear a dot: the stroke of an i."""
_BEYOND: Final = 1.5
_SURE: Final = 0.6
_AS_DARK: Final = 0.55
"""Of the print beside it: a number is printed with the same ink; grain of a table beyond the page is paler."""


@dataclass(frozen=True, slots=True)
class _Box:
    x: int
    y: int
    width: int
    height: int

    @property
    def right(self) -> int:
        return self.x + self.width

    @property
    def foot(self) -> int:
        return self.y + self.height

    def with_(self, other: "_Box") -> "_Box":
        x, y = min(self.x, other.x), min(self.y, other.y)
        return _Box(x, y, max(self.right, other.right) - x, max(self.foot, other.foot) - y)

    def shared_width(self, other: "_Box") -> int:
        return min(self.right, other.right) - max(self.x, other.x)

    def gap_to(self, other: "_Box") -> int:
        return max(other.x - self.right, self.x - other.right)

    def beside(self, other: "_Box") -> bool:
        shared = min(self.foot, other.foot) - max(self.y, other.y)
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
    words = [word for word in lines if _may_be_number(word, strip.shape, at_head)]
    beliefs = classify([_cut(ink, box) for word in words for box in word])
    usual = float(np.median([box.height for box in print_boxes])) if print_boxes else 0.0
    darkness = float(np.median([_darkness(ink, box) for box in print_boxes])) if print_boxes else 0.0
    own_of = {}
    for word in words:
        own_of[word[0]], beliefs = beliefs[: len(word)], beliefs[len(word) :]
    leaf_words = [word for word in words if leaves and is_leaf_word(own_of[word[0]])]
    found: list[tuple[int, Reading]] = []
    for word in words:
        beside = [box for each in leaf_words if each is not word for box in each]
        if not _stands_alone(word, [box for box in boxes if box not in beside], print_boxes, at_head):
            continue
        reading = spelt(*_letters(ink, word, own_of[word[0]]), leaves=leaves, bare=_are_bare(ink, word))
        as_dark = min(_darkness(ink, box) for box in word) >= _AS_DARK * darkness
        if reading is not None and as_dark and max(box.height for box in word) >= 0.8 * usual:
            found.append((word[0].y if at_head else -word[0].y, reading))
    sure = [each for each in found if each[1].confidence >= _SURE]
    return [min(sure, key=lambda each: each[0])[1]] if sure else []


def _letters(ink: NDArray[np.uint8], word: list[_Box], beliefs: Floats) -> tuple[Floats, list[int]]:
    """Return the beliefs in each sign and their heights, those parted that are several letters."""
    rows: list[Floats] = []
    heights: list[int] = []
    for box, own in zip(word, beliefs, strict=True):
        wide = box.width > _PARTED * box.height and is_strange(own)
        parts = parted(_cut(ink, box)) if wide else None
        own_rows, own_heights = parts if parts is not None else (own[None], [box.height])
        rows.append(own_rows)
        heights += own_heights
    return np.concatenate(rows), heights


def _may_be_number(word: list[_Box], shape: tuple[int, ...], at_head: bool) -> bool:
    """Tell whether a word is short, its signs are no bars, and it does not run off the page."""
    if len(word) > _LONGEST or any(box.width > _WIDEST * box.height for box in word):
        return False
    left, right = word[0].x, max(box.right for box in word)
    ends = min(box.y for box in word) > 0 if at_head else max(box.foot for box in word) < shape[0]
    return left > 0 and right < shape[1] and ends


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
    pieces = [_Box(*map(int, row[:4])) for row in stats[1:]]
    large = [box for box in pieces if max(7.0, lowest) <= box.height <= highest and box.width <= 6 * box.height]
    small = [box for box in pieces if 2 <= box.height < max(7.0, lowest)]
    return sorted((_with_dot(box, small) for box in _joined(large)), key=lambda box: box.x)


def _joined(boxes: list[_Box]) -> list[_Box]:
    """Return the boxes, those made one that lie over each other: a thin stroke broke a sign in two."""
    boxes = sorted(boxes, key=lambda box: box.x)
    joined: list[_Box] = []
    for box in boxes:
        for index in range(len(joined) - 1, max(-1, len(joined) - 6), -1):
            other = joined[index]
            both = other.with_(box)
            narrower = min(box.width, other.width)
            sign = both.width <= both.height <= 1.2 * max(box.height, other.height)
            if other.shared_width(box) >= 0.5 * narrower and other.beside(box) and sign:
                joined[index] = both
                break
        else:
            joined.append(box)
    return joined


def _with_dot(box: _Box, small: list[_Box]) -> _Box:
    """Return a narrow box with the dot over it."""
    if box.width > _DOT_WIDEST * box.height:
        return box
    for dot in small:
        gap = box.y - dot.foot
        like_stroke = dot.width <= 1.2 * box.width and dot.height <= 0.4 * box.height
        if like_stroke and 0 < gap <= 0.4 * box.height and dot.shared_width(box) >= 0.5 * dot.width:
            return box.with_(dot)
    return box


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


def _are_bare(ink: NDArray[np.uint8], word: list[_Box]) -> bool:
    """Tell whether no accent stands over any sign: roman numbers have none, words of the same letters may."""
    limit = 0.45 * max(_darkness(ink, box) for box in word)
    over = (ink[max(0, box.y - box.height // 2) : max(0, box.y - 1), box.x : box.right] for box in word)
    return not any(each.size and float(each.max()) > limit for each in over)
