"""A frame in the making: planes that can be painted through masks.

Masks are uint8 of a rectangle of the frame, 255 where paint covers wholly. Luma is painted at full size and chroma at
half size from the same mask, so that they always agree.
"""

from typing import NamedTuple, TypeAlias, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from firmware.interfaces import Plane
from firmware.planes import Planes, halve
from firmware.simulated.surface import Floats

_FRACTION_BITS = 6


class Tone(NamedTuple):
    """A colour as full-range BT.601: luma, blue difference, red difference, each 0-255."""

    y: int
    u: int
    v: int


class Mask(NamedTuple):
    """How much paint goes where: `weight` covers the frame from column `left` and row `top`, both even."""

    left: int
    top: int
    weight: Plane

    @property
    def rows(self) -> slice:
        """Rows of the luma plane."""
        return slice(self.top, self.top + self.weight.shape[0])

    @property
    def columns(self) -> slice:
        """Columns of the luma plane."""
        return slice(self.left, self.left + self.weight.shape[1])


Painted: TypeAlias = NDArray[np.uint8] | int


class Canvas:
    """Planes being painted."""

    def __init__(self, planes: Planes) -> None:
        self.y, self.u, self.v = (plane.copy() for plane in planes)

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height."""
        return self.y.shape[1], self.y.shape[0]

    def planes(self) -> Planes:
        """Return what has been painted."""
        return Planes(self.y, self.u, self.v)

    def paint(self, mask: Mask, tone: Tone, *, luma: Plane | None = None, shade: Plane | None = None) -> None:
        """Cover with `tone`, or with `luma` of the mask's size in its place; `shade` (half size) dims the colour."""
        _blend(self.y[mask.rows, mask.columns], mask.weight, tone.y if luma is None else luma)
        weight = halve(mask.weight)
        for plane, value in ((self.u, tone.u), (self.v, tone.v)):
            colour: Painted = value if shade is None else dim_chroma(value, shade)
            _blend(plane[_half(mask.rows), _half(mask.columns)], weight, colour)

    def darken(self, mask: Mask, strength: float) -> None:
        """Take away up to `strength` (0.0-1.0) of the light."""
        keep = cv2.convertScaleAbs(mask.weight, alpha=-strength, beta=255.0)
        area = self.y[mask.rows, mask.columns]
        cv2.multiply(area, keep, dst=area, scale=1 / 255)
        keep = halve(cast(Plane, keep))
        for plane in (self.u, self.v):
            area = plane[_half(mask.rows), _half(mask.columns)]
            area[...] = dim_plane(area, keep)

    def whiten(self, mask: Mask, strength: float) -> None:
        """Add white light; above `strength` 1.0 it is clipped in a middle that grows."""
        light = cv2.convertScaleAbs(mask.weight, alpha=strength)
        area = self.y[mask.rows, mask.columns]
        cv2.add(area, light, dst=area)
        keep = cv2.bitwise_not(halve(cast(Plane, light)))
        for plane in (self.u, self.v):
            area = plane[_half(mask.rows), _half(mask.columns)]
            area[...] = dim_plane(area, cast(Plane, keep))


def polygon_mask(size_px: tuple[int, int], outline: Floats, *, soften_px: float = 0.0) -> Mask:
    """Return the mask of a polygon (n, 2) given in the frame's pixels, its edge softened by a Gaussian."""
    margin = 2 + int(3 * soften_px)
    left, right = _within(outline[:, 0], margin, size_px[0])
    top, bottom = _within(outline[:, 1], margin, size_px[1])
    weight = np.zeros((bottom - top, right - left), np.uint8)
    fixed = np.rint((outline - (left, top)) * (1 << _FRACTION_BITS)).astype(np.int32)
    cv2.fillPoly(weight, [fixed], 255, cv2.LINE_AA, _FRACTION_BITS)
    if soften_px > 0:
        weight = blurred(weight, soften_px)
    return Mask(left, top, weight)


def _within(positions: Floats, margin: int, limit: int) -> tuple[int, int]:
    """Return where the pixels that cover `positions` begin (even) and end: never none, which OpenCV refuses."""
    first = min(max(int(np.floor(positions.min())) - margin, 0), limit - 1) & ~1
    return first, min(max(int(np.ceil(positions.max())) + margin + 1, first + 2), limit)


def blurred(plane: Plane, sigma_px: float) -> Plane:
    """Return `plane` blurred; wide blurs are done on a reduction, where nobody can tell."""
    step = max(1, int(sigma_px / 3))
    if step == 1:
        return cast(Plane, cv2.GaussianBlur(plane, (0, 0), sigma_px))
    height, width = plane.shape
    small = cv2.resize(plane, (max(1, width // step), max(1, height // step)), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma_px / step)
    return cast(Plane, cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR))


def dim_chroma(value: int, light: Plane) -> Plane:
    """Return a chroma plane of one colour under `light`, 255 = full."""
    return cast(Plane, cv2.convertScaleAbs(light, alpha=(value - 128) / 255, beta=128.0))


def dim_plane(chroma: Plane, light: Plane) -> Plane:
    """Return a chroma plane under `light` (same shape, 255 = full): less light, less colour."""
    grey = cv2.convertScaleAbs(cv2.bitwise_not(light), alpha=128 / 255)
    return cast(Plane, cv2.add(cv2.multiply(chroma, light, scale=1 / 255), grey))


def _blend(area: Plane, weight: Plane, painted: Painted) -> None:
    if isinstance(painted, int):
        over = cv2.convertScaleAbs(weight, alpha=painted / 255)
    else:
        over = cv2.multiply(weight, painted, scale=1 / 255)
    under = cv2.multiply(area, cv2.bitwise_not(weight), scale=1 / 255)
    cv2.add(over, under, dst=area)


def _half(pixels: slice) -> slice:
    return slice(pixels.start // 2, (pixels.stop + 1) // 2)
