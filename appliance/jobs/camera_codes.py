"""Finds the codes on a picture of a cover: however the book lies, small, worn or a little out of focus. Pure.

A reader of barcodes goes along rows and columns of a picture. So stripes are looked for first, by the direction that
edges share where they are dense, and each patch of them is laid straight and enlarged before it is read.
"""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import cv2
import numpy as np
import zxingcpp
from numpy.typing import NDArray

Picture: TypeAlias = NDArray[np.uint8]
Symbology: TypeAlias = Literal["stripes", "square", "article"]
"""Of a code: one of those that libraries print on their labels, a two-dimensional one, or a trader's article number."""

_DARK: Final = 40
"""Mean grey level of a picture taken with the lamp off: a lit table with a black cover on it gives 60 and more."""
_STRIPES: Final = zxingcpp.BarcodeFormats(
    [
        zxingcpp.BarcodeFormat.Code128,
        zxingcpp.BarcodeFormat.Code39,
        zxingcpp.BarcodeFormat.Code93,
        zxingcpp.BarcodeFormat.Codabar,
        zxingcpp.BarcodeFormat.ITF,
        zxingcpp.BarcodeFormat.EAN13,
        zxingcpp.BarcodeFormat.EAN8,
        zxingcpp.BarcodeFormat.UPCA,
        zxingcpp.BarcodeFormat.UPCE,
    ]
)
_SQUARES: Final = zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.QRCode, zxingcpp.BarcodeFormat.DataMatrix])
_CELL_PX: Final = 8
"""Edges are pooled in squares of this size, on the picture at half its size."""
_POOL_CELLS: Final = 7
_STEEP: Final = 8.0
"""Grey levels a pixel: an edge. Worn labels out of focus have 10 and more, the grain of a frame 3."""
_DENSE: Final = 0.2
"""Share of pixels that are edges: 0.25 and more in stripes, 0.05 along the border of a page."""
_PARALLEL: Final = 0.7
"""Of the edges' energy that lies in one direction: stripes have 0.8 to 0.99, lines of print 0.2 to 0.5."""
_LEAST_CELLS: Final = 12
_LEAST_ACROSS_PX: Final = 140
"""A code of four characters has some 80 modules, and fewer than two pixels for each are not read."""
_MOST_ALONG: Final = 2.0
"""Times its width that a code may be high; the edge of a closed book has stripes, too, but is long."""
_MOST_PATCHES: Final = 8
_STRIP_PX: Final = 1600
_BLURS_PX: Final = (0.0, 2.0, 4.0, 8.0)
"""What is tried to be taken back, in pixels of an enlarged patch: a focus that misses by up to half a module."""


@dataclass(frozen=True, slots=True)
class Code:
    """A code on a picture, as it is written."""

    text: str
    symbology: Symbology


@dataclass(frozen=True, slots=True)
class Look:
    """What one look gave.

    Attributes:
        codes: each once.
        has_unread: there are stripes that could not be read.
        is_dark: there is hardly any light.
    """

    codes: tuple[Code, ...]
    has_unread: bool = False
    is_dark: bool = False


@dataclass(frozen=True, slots=True)
class _Patch:
    """Stripes: centre, length across them and along them in pixels, and the direction across them in degrees."""

    x: float
    y: float
    across_px: float
    along_px: float
    degrees: float


def look(picture: Picture) -> Look:
    """Return the codes on a grey picture (uint8, height x width)."""
    half = np.asarray(cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)
    codes: dict[Code, None] = {}
    has_unread = False
    for patch in _patches(half):
        found = _read_patch(picture, patch)
        codes.update(dict.fromkeys(found))
        has_unread |= not found
    codes.update(dict.fromkeys(_read(half, _SQUARES)))
    if not codes:
        codes.update(dict.fromkeys(_read(picture, _STRIPES)))
    return Look(tuple(codes), has_unread and not codes, float(half.mean()) < _DARK)


def _patches(half: Picture) -> list[_Patch]:
    """Return where stripes are, the largest first."""
    slope_x = cv2.Scharr(half, cv2.CV_32F, 1, 0, scale=1 / 16)
    slope_y = cv2.Scharr(half, cv2.CV_32F, 0, 1, scale=1 / 16)
    across, down, both = slope_x * slope_x, slope_y * slope_y, slope_x * slope_y
    is_edge = (across + down > _STEEP**2).astype(np.float32)
    xx, yy, xy = _pooled(across), _pooled(down), _pooled(both)
    is_striped = (_pooled(is_edge) > _DENSE) & (np.hypot(xx - yy, 2 * xy) > _PARALLEL * (xx + yy))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(is_striped.astype(np.uint8))
    largest = sorted(range(1, count), key=lambda one: -stats[one, cv2.CC_STAT_AREA])[:_MOST_PATCHES]
    patches = [_patch(labels == one, xx, yy, xy) for one in largest if stats[one, cv2.CC_STAT_AREA] >= _LEAST_CELLS]
    return [
        patch
        for patch in patches
        if patch.across_px >= _LEAST_ACROSS_PX and patch.along_px <= _MOST_ALONG * patch.across_px
    ]


def _pooled(values: NDArray[np.float32]) -> NDArray[np.float32]:
    height, width = values.shape
    size = (max(1, width // _CELL_PX), max(1, height // _CELL_PX))
    cells = cv2.resize(values, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.blur(cells, (_POOL_CELLS, _POOL_CELLS)), np.float32)


def _patch(
    mask: NDArray[np.bool_], xx: NDArray[np.float32], yy: NDArray[np.float32], xy: NDArray[np.float32]
) -> _Patch:
    direction = 0.5 * np.arctan2(2 * xy[mask].sum(), xx[mask].sum() - yy[mask].sum())
    rows, columns = np.nonzero(mask)
    across = columns * np.cos(direction) + rows * np.sin(direction)
    along = rows * np.cos(direction) - columns * np.sin(direction)
    middle_across, middle_along = (across.min() + across.max()) / 2, (along.min() + along.max()) / 2
    to_px = 2.0 * _CELL_PX
    return _Patch(
        x=float(middle_across * np.cos(direction) - middle_along * np.sin(direction) + 0.5) * to_px,
        y=float(middle_across * np.sin(direction) + middle_along * np.cos(direction) + 0.5) * to_px,
        across_px=float(np.ptp(across) + 1) * to_px,
        along_px=float(np.ptp(along) + 1) * to_px,
        degrees=float(np.degrees(direction)),
    )


def _read_patch(picture: Picture, patch: _Patch) -> tuple[Code, ...]:
    strip = _laid_straight(picture, patch)
    found = _read(strip, _STRIPES, is_straight=True)
    if len(found) == 1:
        return found
    # Many kinds of code have a weak check of their own or none. Rows that agree are the proof, and a mean has no rows
    # left: so each half is read for itself. Where rows say different things, it decides, too.
    halves = np.array_split(strip, 2)
    for sigma_px in _BLURS_PX:
        upper, lower = (_read(_cleared(half, sigma_px), _STRIPES, is_straight=True) for half in halves)
        if upper and upper == lower:
            return upper
    return ()


def _laid_straight(picture: Picture, patch: _Patch) -> Picture:
    """Return a patch with its stripes upright, about `_STRIP_PX` wide."""
    # The quiet zone beside a code belongs to it, and pooling has eaten into its ends.
    across_px = patch.across_px * 1.3 + 60
    scale = min(4.0, max(1.0, _STRIP_PX / across_px))
    width, height = round(across_px * scale), max(24, round(patch.along_px * scale))
    turn = cv2.getRotationMatrix2D((patch.x, patch.y), patch.degrees, scale)
    turn[:, 2] += np.array((width / 2 - patch.x, height / 2 - patch.y))
    strip = cv2.warpAffine(picture, turn, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(strip, np.uint8)


def _cleared(strip: Picture, sigma_px: float) -> Picture:
    """Return stripes without grain and scratches, and with a blur of `sigma_px` taken back as far as it can be."""
    # Along a stripe nothing changes: the mean there leaves the stripe and takes grain, scratches and ink.
    mean = cv2.resize(strip, (strip.shape[1], 1), interpolation=cv2.INTER_AREA)
    if sigma_px:
        mean = cv2.addWeighted(mean, 4.0, cv2.GaussianBlur(mean, (0, 0), sigma_px), -3.0, 0.0)
    return np.repeat(mean, 16, axis=0)


def _read(picture: Picture, formats: zxingcpp.BarcodeFormats, *, is_straight: bool = False) -> tuple[Code, ...]:
    found = zxingcpp.read_barcodes(np.ascontiguousarray(picture), formats, try_rotate=not is_straight)
    return tuple(Code(one.text, _symbology(one.format)) for one in found)


def _symbology(kind: zxingcpp.BarcodeFormat) -> Symbology:
    if kind in (zxingcpp.BarcodeFormat.QRCode, zxingcpp.BarcodeFormat.DataMatrix):
        return "square"
    is_article = kind in (
        zxingcpp.BarcodeFormat.EAN13,
        zxingcpp.BarcodeFormat.EAN8,
        zxingcpp.BarcodeFormat.UPCA,
        zxingcpp.BarcodeFormat.UPCE,
    )
    return "article" if is_article else "stripes"
