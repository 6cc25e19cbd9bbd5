"""A small picture of the frame in which pages are looked for."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from appliance.imaging.geometry import Polygon
from appliance.imaging.planes import Plane, Planes, plane, shrunk

LONGEST_PX: Final = 640
"""Longer side of the view: print melts into grey lines, edges of paper are still good to a pixel."""

_WHOLE_FACTOR: Final = 4.0
_HALVED: Final = 2.0
_ROWS: Final = 3
_MANY: Final = 6.0
"""Times smaller: then means of some of the samples are as good as of all."""


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """The frame made small; all three planes have the same size.

    Attributes:
        y: luma, uint8, shape (height, width).
        u: blue difference, same shape.
        v: red difference, same shape.
        scale: pixels of the frame for one of the view.
    """

    y: Plane
    u: Plane
    v: Plane
    scale: float

    @property
    def width_px(self) -> int:
        """Width of the view in pixels."""
        return int(self.y.shape[1])

    @property
    def height_px(self) -> int:
        """Height of the view in pixels."""
        return int(self.y.shape[0])

    @property
    def longer_px(self) -> int:
        """The longer of its two sides in pixels."""
        return max(self.width_px, self.height_px)

    def to_frame(self, polygon: Polygon) -> Polygon:
        """Return points of the view in pixels of the frame."""
        return (polygon + 0.5) * self.scale - 0.5

    def from_frame(self, polygon: Polygon) -> Polygon:
        """Return points of the frame in pixels of the view."""
        return (polygon + 0.5) / self.scale - 0.5


def reduced(planes: Planes, longest_px: int = LONGEST_PX) -> View:
    """Return `planes` with the longer side about `longest_px`, edges where they were; small frames keep their size."""
    scale = max(1.0, max(planes.width_px, planes.height_px) / longest_px)
    if scale >= _WHOLE_FACTOR:
        scale = float(round(scale))  # a last row or two is left out
    size = (max(1, int(planes.width_px / scale)), max(1, int(planes.height_px / scale)))
    u, v = (shrunk(chroma, size) for chroma in (planes.u, planes.v))
    return View(_small_luma(planes.y, size, scale), u, v, scale)


def _small_luma(luma: Plane, size: tuple[int, int], scale: float) -> Plane:
    """Return luma as means, because edges of paper are followed in it; of many rows every third is enough.

    Halving is several times faster than other means, but rounds twice: near the size of the view that moves faint edges
    by most of a pixel, and a sheet in coloured light was not found any more.
    """
    if scale < _MANY:
        luma = luma[: round(size[1] * scale), : round(size[0] * scale)]
        return np.ascontiguousarray(plane(cv2.resize(luma, size, interpolation=cv2.INTER_AREA)))
    luma, across, down = luma[1::_ROWS], scale, scale / _ROWS
    while across >= _HALVED:
        rows = 2 if down >= _HALVED else 1
        half = (luma.shape[1] // 2, luma.shape[0] // rows)
        # Linear interpolation amid two samples is their mean.
        luma = plane(cv2.resize(luma[: rows * half[1], : 2 * half[0]], half, interpolation=cv2.INTER_LINEAR))
        across, down = across / 2, down / rows
    luma = luma[: round(size[1] * down), : round(size[0] * across)]
    return plane(cv2.resize(luma, size, interpolation=cv2.INTER_LINEAR))


def without_print(view: View) -> View:
    """Return the view with lines of print closed to the paper between them; edges of paper stay where they are."""
    kernel = np.ones((9, 9), np.uint8)
    y = plane(cv2.morphologyEx(cv2.medianBlur(view.y, 3), cv2.MORPH_CLOSE, kernel))
    u, v = (plane(cv2.medianBlur(chroma, 5)) for chroma in (view.u, view.v))
    return View(y, u, v, view.scale)
