"""Luma under a perspective: as near to the truth and as sharp as by the plain cubic, in three quarters of its time.

A cubic of its own for every pixel is slow. Halfway between samples the cubic is four fixed weights, which whole rows
take at once; on the grid that is twice as fine, straight lines between samples serve as well.
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.imaging.geometry import apply, points
from appliance.imaging.planes import Plane, plane

_OUTER: Final = 0.115
"""Taken from the outer two of four neighbours. Drawn print seen through a perspective, against the truth: 0.4 dB below
OpenCV's cubic to 1.4 dB above, with a camera's noise 0.3 to 0.8 above; contrast of fine print within 2 % of it."""
_ROWS: Final = 128
"""Of the page, made at once: what lies between stays in the processor's cache."""
_MOST_WASTE: Final = 1.35
"""Samples doubled for each pixel of the page: one that lies aslant takes the plain cubic, which is faster then."""
_LEAST_DEPTH: Final = 0.1
"""Of the greatest: a perspective steeper than this may have its horizon within the page."""

Matrix = NDArray[np.float64]
Box = tuple[int, int, int, int]


def sample(source: Plane, to_source: Matrix, size: tuple[int, int]) -> Plane:
    """Return `source` seen through a perspective; beyond its border the last sample goes on.

    Args:
        source: luma.
        to_source: perspective from pixels of the result to pixels of `source`, shape (3, 3).
        size: width and height of the result.
    """
    width, height = size
    depths = np.array([(0, 0, 1), (width, 0, 1), (width, height, 1), (0, height, 1)]) @ to_source[2]
    if depths.min() < _LEAST_DEPTH * depths.max():
        return _warped(source, to_source, np.empty((height, width), np.uint8), cv2.INTER_CUBIC)
    left, top, right, bottom = _box(source, to_source, (0, 0, width, height), 3)
    lying = _moved(-left, -top) @ to_source
    part = source[top:bottom, left:right]
    if abs(lying[1, 0]) > abs(lying[0, 0]):  # rows of the page run down the frame
        part, lying = plane(cv2.transpose(part)), lying[[1, 0, 2]]
    strips = [(0, first, width, min(first + _ROWS, height)) for first in range(0, height, _ROWS)]
    boxes = [_box(part, lying, strip, 0) for strip in strips]
    areas = [(box[2] - box[0] + 3) * (box[3] - box[1] + 3) for box in boxes]
    if sum(areas) > _MOST_WASTE * width * height:
        return _warped(source, to_source, np.empty((height, width), np.uint8), cv2.INTER_CUBIC)
    out, room = np.empty((height, width), np.uint8), np.empty(7 * max(areas), np.uint8)
    for strip, box in zip(strips, boxes, strict=True):
        fine = _doubled(_with_neighbours(part, box), room)
        onto = np.diag([2.0, 2.0, 1.0]) @ _moved(-box[0], -box[1]) @ lying @ _moved(0, strip[1])
        _warped(fine, onto, out[strip[1] : strip[3]], cv2.INTER_LINEAR)
    return out


def _warped(source: Plane, to_source: Matrix, out: Plane, how: int) -> Plane:
    flags, size = how | cv2.WARP_INVERSE_MAP, (out.shape[1], out.shape[0])
    return plane(cv2.warpPerspective(source, to_source, size, dst=out, flags=flags, borderMode=cv2.BORDER_REPLICATE))


def _moved(x: float, y: float) -> Matrix:
    return np.array([[1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]])


def _box(source: Plane, to_source: Matrix, part: Box, margin: int) -> Box:
    """Return left, top, right and bottom (excluded) of what a part of the page needs of the source."""
    left, top, right, bottom = part
    corners = points([(left, top), (right - 1, top), (right - 1, bottom - 1), (left, bottom - 1)])
    there, last = apply(to_source, corners), (source.shape[1] - 1, source.shape[0] - 1)
    low = np.clip(np.floor(there.min(axis=0)) - margin, 0, last).astype(int)
    high = np.clip(np.floor(there.max(axis=0)) + 1 + margin, 0, last).astype(int) + 1
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def _with_neighbours(source: Plane, box: Box) -> Plane:
    """Return a part of a plane with one more row and column before it and two behind it."""
    left, top, right, bottom = box
    height, width = source.shape
    part = source[max(top - 1, 0) : bottom + 2, max(left - 1, 0) : right + 2]
    border = (int(top < 1), max(bottom + 2 - height, 0), int(left < 1), max(right + 2 - width, 0))
    return plane(cv2.copyMakeBorder(part, *border, cv2.BORDER_REPLICATE)) if any(border) else part


def _doubled(part: Plane, room: Plane) -> Plane:
    """Return the samples of a part, and those halfway to the next, in both directions.

    Args:
        part: with one more row and column before it and two behind it.
        room: memory to work in, at least seven times as large; what is returned lies in it.
    """
    rows, height, width = part.shape[0], part.shape[0] - 3, part.shape[1] - 3
    once = rows * width
    between, spare = room[:once].reshape(rows, width), room[once : 3 * once]
    fine = room[3 * once : 7 * once].reshape(2 * rows, 2 * width)
    columns = [part[:, first : first + width] for first in range(4)]
    _halfway(columns, between, spare[:once].reshape(rows, width))
    cv2.merge([columns[1], between], dst=fine.reshape(2 * rows, width, 2)[::2])
    lines = [fine[2 * first : 2 * (first + height) : 2] for first in range(4)]
    _halfway(lines, fine[3 : 3 + 2 * height : 2], spare[: 2 * height * width].reshape(height, 2 * width))
    return fine[2 : 2 + 2 * height]


def _halfway(four: list[Plane], out: Plane, spare: Plane) -> None:
    """Fill `out` with what lies halfway between the inner two of four neighbours."""
    cv2.addWeighted(four[1], 0.5, four[2], 0.5, 0, dst=out)
    cv2.addWeighted(four[0], 0.5, four[3], 0.5, 0, dst=spare)
    cv2.addWeighted(out, 1 + 2 * _OUTER, spare, -2 * _OUTER, 0, dst=out)
