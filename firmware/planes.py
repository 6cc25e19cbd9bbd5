"""Between colour pictures and the planes of a `Frame`: full-range BT.601 YCbCr 4:2:0, as JPEG means it.

Pure functions on arrays. Sizes may be odd: chroma then has ceil(n / 2) samples.
"""

from typing import NamedTuple, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from firmware.interfaces import Plane


class Planes(NamedTuple):
    """Luma (height, width) and the two chroma planes (ceil(height / 2), ceil(width / 2)), uint8, contiguous."""

    y: Plane
    u: Plane
    v: Plane


def chroma_shape(height_px: int, width_px: int) -> tuple[int, int]:
    """Return the shape of a chroma plane beside a luma plane of this size."""
    return (height_px + 1) // 2, (width_px + 1) // 2


def planes_from_bgr(bgr: NDArray[np.uint8]) -> Planes:
    """Return the planes of a picture, uint8 (height, width, 3) in the order blue, green, red.

    Chroma is the mean of each 2 x 2 block, centred as JPEG centres it.
    """
    y, v, u = cv2.split(cv2.cvtColor(bgr, cv2.COLOR_BGR2YCrCb))
    return Planes(cast(Plane, y), halve(cast(Plane, u)), halve(cast(Plane, v)))


def planes_to_bgr(planes: Planes) -> NDArray[np.uint8]:
    """Return the picture of `planes`, uint8 (height, width, 3) in the order blue, green, red."""
    height, width = planes.y.shape
    full = (planes.u.shape[1] * 2, planes.u.shape[0] * 2)
    u = cv2.resize(planes.u, full, interpolation=cv2.INTER_LINEAR)[:height, :width]
    v = cv2.resize(planes.v, full, interpolation=cv2.INTER_LINEAR)[:height, :width]
    return cast(NDArray[np.uint8], cv2.cvtColor(cv2.merge([planes.y, v, u]), cv2.COLOR_YCrCb2BGR))


def halve(plane: Plane) -> Plane:
    """Return `plane` at half its size in both directions, rounded up; each sample is the mean of four."""
    height, width = plane.shape
    even = cv2.copyMakeBorder(plane, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
    return cast(Plane, cv2.resize(even, (even.shape[1] // 2, even.shape[0] // 2), interpolation=cv2.INTER_AREA))


def split_yuv420(buffer: NDArray[np.uint8], width_px: int, height_px: int, stride_bytes: int) -> Planes:
    """Return copies of the three planes in a camera's YUV420 buffer, without its padding.

    The buffer holds `height_px` rows of luma, `stride_bytes` apart, then half as many rows of U and of V, each
    ``stride_bytes / 2`` apart. Bytes behind them are ignored: drivers round buffers up to whole memory pages.

    Args:
        buffer: uint8, one dimension, at least ``stride_bytes * height_px * 3 / 2`` long.
        width_px: of the picture; even, at most `stride_bytes`.
        height_px: of the picture; even.
        stride_bytes: from one row of luma to the next; even.

    Raises:
        ValueError: the sizes cannot describe this buffer.
    """
    if width_px % 2 or height_px % 2 or stride_bytes % 2 or not 0 < width_px <= stride_bytes or height_px <= 0:
        raise ValueError(f"a YUV420 buffer cannot be {width_px} x {height_px} with a stride of {stride_bytes}")
    luma_bytes = stride_bytes * height_px
    chroma_bytes = luma_bytes // 4
    flat = buffer.reshape(-1)
    if flat.size < luma_bytes + 2 * chroma_bytes:
        raise ValueError(f"a YUV420 buffer of {flat.size} bytes is too short for {width_px} x {height_px}")

    def plane(start: int, rows: int, stride: int, width: int) -> Plane:
        return flat[start : start + rows * stride].reshape(rows, stride)[:, :width].copy()

    return Planes(
        plane(0, height_px, stride_bytes, width_px),
        plane(luma_bytes, height_px // 2, stride_bytes // 2, width_px // 2),
        plane(luma_bytes + chroma_bytes, height_px // 2, stride_bytes // 2, width_px // 2),
    )
