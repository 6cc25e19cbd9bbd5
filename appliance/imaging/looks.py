"""How a patron's copy of a page looks: as it is, grey, or clean text. Masters are never given a look."""

from typing import Final, Literal, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.imaging.planes import NEUTRAL, Plane, Planes, plane, shrunk, shrunk_to

Look: TypeAlias = Literal["colour", "grey", "text"]

Floats = NDArray[np.float32]

_LONGEST_PX: Final = 400
"""Longer side of the small picture in which paper and pictures are told apart."""
_STROKES: Final = 9
"""Dark places narrower than this in the small picture (7 mm of an A4 sheet) are print."""
_GAPS: Final = 15
"""Pieces of a picture that lie no further apart are one; light places within it are its own."""
_PAPER: Final = 0.82
"""Of the page's own paper: what is darker over a wider place is a picture."""
_PRINT: Final = 0.7
"""Of the local paper's level, on the mean over some lines: print leaves 0.75 and more; less is a drawing."""
_TINT: Final = 36
"""Levels of blue and red difference together between paper and a coloured place; yellowed paper has up to 25."""
_NARROW: Final = 13
"""Dark or coloured places narrower than this in the small picture are edges, shadows in the gutter, bars."""
_LEAST_SHARE: Final = 0.002
"""Of the page: smaller dark places are blots, rules or heavy letters."""
_WHITE: Final = 0.9
"""Of the local paper's level: what is lighter becomes white, also most of what shines through from the other side."""
_INK: Final = 0.5
"""Of the local paper's level: what is darker is ink for sure, and half of it becomes black."""
_BLACK: Final = (0.1, 0.4)
_SMOOTH_PX: Final = 0.5
_STRIP_ROWS: Final = 128
_SPARSE: Final = 4


def with_look(page: Planes, look: Look) -> Planes:
    """Return a copy of a page as a patron wishes to see it; `colour` is the page itself."""
    if look == "colour":
        return page
    if look == "grey":
        return Planes(page.y, *(np.full_like(chroma, NEUTRAL) for chroma in (page.u, page.v)))
    return text_look(page)


def text_look(page: Planes) -> Planes:
    """Return a page with white paper and dark, smooth, grey letters, its pictures as they are.

    Edges of letters keep their steps of grey: nothing is made black or white alone.

    Args:
        page: upright, its light evened; a deep shadow passes for a picture and stays.
    """
    small = shrunk_to(page.y, _LONGEST_PX)
    closed = _closed(small)
    kept = _pictures(page, small, closed)
    paper = _paper_beside(closed, kept)
    black = _ink_level(page.y, paper)
    y, u, v = (np.empty_like(each) for each in (page.y, page.u, page.v))
    for first in range(0, page.height_px, _STRIP_ROWS):
        rows, pairs = slice(first, first + _STRIP_ROWS), slice(first // 2, (first + _STRIP_ROWS) // 2)
        y[rows] = _cleaned(page.y, first, paper, kept, black)
        for chroma, out in ((page.u, u), (page.v, v)):
            part = chroma[pairs]
            weight = _stretched(kept, chroma.shape, first // 2, len(part))
            np.rint(NEUTRAL + (part.astype(np.float32) - NEUTRAL) * weight, out=out[pairs], casting="unsafe")
    return Planes(y, u, v)


def _closed(small: Plane) -> Plane:
    """Return the small picture without print."""
    return plane(cv2.medianBlur(_morphed(small, cv2.MORPH_CLOSE, _STROKES), 5))


def _morphed(values: Plane, how: int, kernel_px: int) -> Plane:
    kernel = np.ones((kernel_px, kernel_px), np.uint8)
    return plane(cv2.morphologyEx(values, how, kernel, borderType=cv2.BORDER_REPLICATE))


def _pictures(page: Planes, small: Plane, closed: Plane) -> Floats:
    """Return 1 where there is a picture or a coloured panel, 0 on paper and print, soft between; of `closed`'s size."""
    size = (closed.shape[1], closed.shape[0])
    tint = np.zeros(closed.shape, np.float32)
    for chroma in (page.u, page.v):
        share = shrunk(chroma, size).astype(np.float32)
        tint += np.abs(share - np.median(share))
    level = float(np.percentile(closed, 90))
    dark = (closed < _PAPER * level) | (cv2.blur(small, (_GAPS, _GAPS)) < _PRINT * closed)
    marks = (dark | (cv2.medianBlur(tint, 5) > _TINT)).astype(np.uint8)
    found = _morphed(_morphed(marks, cv2.MORPH_CLOSE, _GAPS), cv2.MORPH_OPEN, _NARROW)
    outlines, _ = cv2.findContours(found, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    kept = np.zeros(closed.shape, np.float32)
    large = [each for each in outlines if cv2.contourArea(each) > _LEAST_SHARE * closed.size]
    cv2.drawContours(kept, large, -1, 1.0, cv2.FILLED)
    grown = cv2.dilate(kept, np.ones((_STROKES, _STROKES), np.uint8))
    return np.asarray(cv2.GaussianBlur(grown, (0, 0), 1.5), np.float32)


def _paper_beside(closed: Plane, kept: Floats) -> Floats:
    """Return the level of paper everywhere, below pictures as it is around them."""
    there = (kept < 0.01).astype(np.float32)
    level = float(np.percentile(closed, 90))
    total, weight = (
        cv2.GaussianBlur(each, (0, 0), _GAPS, borderType=cv2.BORDER_REPLICATE) for each in (closed * there, there)
    )
    return np.asarray(np.where(weight > 0.01, total / np.maximum(weight, 0.01), level), np.float32)


def _ink_level(luma: Plane, paper: Floats) -> float:
    """Return the level of ink as a share of the paper's; half of what is surely ink is darker."""
    some = luma[::_SPARSE, ::_SPARSE]
    share = some / np.maximum(cv2.resize(paper, (some.shape[1], some.shape[0])), 1.0)
    ink = share[share < _INK]
    return float(np.clip(np.median(ink), *_BLACK)) if ink.size else _BLACK[1]


def _cleaned(luma: Plane, first: int, paper: Floats, kept: Floats, black: float) -> NDArray[np.uint8]:
    """Return a strip of the page, from row `first` down, with white paper and dark ink, pictures as they are."""
    part = luma[max(first - 2, 0) : first + _STRIP_ROWS + 2]
    smooth = cv2.GaussianBlur(part, (0, 0), _SMOOTH_PX)[min(first, 2) :][:_STRIP_ROWS].astype(np.float32)
    own = luma[first : first + _STRIP_ROWS].astype(np.float32)
    level = np.maximum(_stretched(paper, luma.shape, first, len(own)), 1.0)
    weight = _stretched(kept, luma.shape, first, len(own))
    clean = np.clip((smooth / level - black) * (255 / (_WHITE - black)), 0, 255)
    return np.rint(clean + (own - clean) * weight).astype(np.uint8)


def _stretched(values: Floats, shape: tuple[int, ...], first: int, rows: int) -> Floats:
    """Return rows of a small picture that is stretched over a plane of this shape."""
    height, width = shape
    down = values.shape[0] / height
    to_small = np.array([[values.shape[1] / width, 0, 0], [0, down, (first + 0.5) * down - 0.5]])
    to_small[0, 2] = 0.5 * to_small[0, 0] - 0.5
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    stretched = cv2.warpAffine(values, to_small, (width, rows), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(stretched, np.float32)
