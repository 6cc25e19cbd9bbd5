"""Pictures as YCbCr 4:2:0 planes, the one form that cameras, the pipeline and JPEG share. Decodes; opens no file."""

from dataclasses import dataclass
from typing import Any, Final, TypeAlias, cast

import cv2
import numpy as np
import simplejpeg
from numpy.typing import NDArray

Plane: TypeAlias = NDArray[np.uint8]
"""A picture of one channel: uint8, shape (height, width)."""

NEUTRAL: Final = 128
"""The value of a chroma plane without colour."""

_STRIP_ROWS: Final = 32
"""Converted at once: what lies between stays in the processor's cache. Even, so that chroma needs no overlap."""


@dataclass(frozen=True, slots=True, eq=False)
class Planes:
    """Full-range BT.601 YCbCr 4:2:0, which is what JPEG uses.

    Attributes:
        y: luma, uint8, shape (height, width).
        u: blue difference, uint8, shape (ceil(height / 2), ceil(width / 2)); samples sit amid four luma samples.
        v: red difference, same shape as `u`.
    """

    y: Plane
    u: Plane
    v: Plane

    def __post_init__(self) -> None:
        half = half_size(self.width_px, self.height_px)
        if self.y.size == 0 or any(plane.dtype != np.uint8 for plane in (self.y, self.u, self.v)):
            raise ValueError("planes are uint8 and not empty")
        if (self.u.shape[1], self.u.shape[0]) != half or self.u.shape != self.v.shape:
            raise ValueError(f"chroma of {self.width_px} x {self.height_px} must be {half[0]} x {half[1]}")

    @property
    def width_px(self) -> int:
        """Width of the picture in pixels."""
        return int(self.y.shape[1])

    @property
    def height_px(self) -> int:
        """Height of the picture in pixels."""
        return int(self.y.shape[0])


def half_size(width_px: int, height_px: int) -> tuple[int, int]:
    """Return width and height of the chroma planes of a picture; odd sizes round up."""
    return (width_px + 1) // 2, (height_px + 1) // 2


def from_jpeg(content: bytes) -> Planes:
    """Decode a colour or grey JPEG.

    Against the camera's own planes each sample is within 3 levels of what JPEG compression left of it.

    Raises:
        ValueError: the bytes are not a whole JPEG.
    """
    _, _, colour_space, _ = simplejpeg.decode_jpeg_header(content)
    if colour_space == "Gray":
        return from_grey(simplejpeg.decode_jpeg(content, colorspace="GRAY")[:, :, 0])
    # Chroma is only repeated, not smoothed: the mean of every two by two samples gives back what the file holds.
    return from_bgr(simplejpeg.decode_jpeg(content, colorspace="BGR", fastupsample=True))


def from_bgr(bgr: NDArray[np.uint8]) -> Planes:
    """Return the planes of an interleaved picture, shape (height, width, 3), blue first."""
    height, width = bgr.shape[:2]
    half = half_size(width, height)
    y, u, v = np.empty((height, width), np.uint8), np.empty(half[::-1], np.uint8), np.empty(half[::-1], np.uint8)
    for first in range(0, height, _STRIP_ROWS):
        strip, rows = bgr[first : first + _STRIP_ROWS], slice(first // 2, (first + _STRIP_ROWS) // 2)
        cv2.cvtColor(strip, cv2.COLOR_BGR2GRAY, dst=y[first : first + _STRIP_ROWS])
        colour = cv2.cvtColor(halved(strip), cv2.COLOR_BGR2YCrCb)
        cv2.extractChannel(colour, 2, dst=u[rows])
        cv2.extractChannel(colour, 1, dst=v[rows])
    return Planes(y, u, v)


def from_grey(grey: Plane) -> Planes:
    """Return the planes of a picture without colour, shape (height, width)."""
    width, height = half_size(grey.shape[1], grey.shape[0])
    neutral = np.full((height, width), NEUTRAL, np.uint8)
    return Planes(np.ascontiguousarray(grey), neutral, neutral.copy())


def to_bgr(planes: Planes) -> NDArray[np.uint8]:
    """Return the picture interleaved, shape (height, width, 3), blue first; for sheets and derivatives."""
    size = (planes.width_px, planes.height_px)
    u, v = (cv2.resize(chroma, size, interpolation=cv2.INTER_LINEAR) for chroma in (planes.u, planes.v))
    return plane(cv2.cvtColor(cv2.merge([planes.y, v, u]), cv2.COLOR_YCrCb2BGR))


def halved(full: Plane) -> Plane:
    """Return the mean of every two by two samples, of each channel; an odd last row or column counts double."""
    height, width = full.shape[:2]
    if height % 2 or width % 2:
        full = plane(cv2.copyMakeBorder(full, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE))
    return plane(cv2.resize(full, half_size(width, height), interpolation=cv2.INTER_AREA))


def shrunk(values: Plane, size: tuple[int, int]) -> Plane:
    """Return `values` at another width and height.

    Halved as often as it goes, then interpolated: several times faster than means over areas that are no whole samples.
    An odd last row or column counts for nothing.
    """
    while values.shape[1] >= 2 * size[0] and values.shape[0] >= 2 * size[1]:
        width, height = values.shape[1] // 2, values.shape[0] // 2
        values = plane(cv2.resize(values[: 2 * height, : 2 * width], (width, height), interpolation=cv2.INTER_AREA))
    return plane(cv2.resize(values, size, interpolation=cv2.INTER_LINEAR))


def shrunk_to(values: Plane, longest_px: int) -> Plane:
    """Return `values` with the longer side at most `longest_px`; what is smaller already comes back as it is."""
    scale = max(values.shape) / longest_px
    if scale <= 1.0:
        return values
    return shrunk(values, (max(1, round(values.shape[1] / scale)), max(1, round(values.shape[0] / scale))))


def plane(array: Any) -> Plane:
    """Narrow what OpenCV returns (typed as Any) to the bytes it is."""
    return cast(Plane, array)
