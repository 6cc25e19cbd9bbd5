"""Paths and smooth curves through strips that were rolled out along edges, many strips at a time."""

from functools import cache
from typing import Final

import cv2
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Path = NDArray[np.intp]

_STEPS: Final = 2
_NOWHERE: Final = -1e9
_ROUNDS: Final = 5
_SHAPES: Final = 14
"""More of them bend so sharply that no edge of paper is made of them."""
_LOOSE: Final = 1e-2
"""Weight of staying in the middle of the strip: decides only where nothing was seen."""


def best_paths(gain: Floats, stiffness: Floats) -> Path:
    """Return for each row of each strip the column of the path with the most gain and the least wandering.

    Args:
        gain: float32, shape (strips, rows, columns).
        stiffness: what a path pays for each column, at most two, that it moves from one row to the next; float32, shape
            (strips, rows - 1).
    """
    strips, rows, columns = gain.shape
    # The best path through a place is the best way to it from the first row and from the last: both go at once.
    padded = np.full((rows, 2 * strips, columns + 2 * _STEPS), _NOWHERE, np.float32)
    ways = padded[:, :, _STEPS:-_STEPS]
    ways[:, :strips], ways[:, strips:] = gain.transpose(1, 0, 2), gain[:, ::-1].transpose(1, 0, 2)
    from_each = sliding_window_view(padded, columns, axis=2).transpose(0, 2, 1, 3)
    steps = np.abs(np.arange(-_STEPS, _STEPS + 1, dtype=np.float32))
    price = np.concatenate([stiffness, stiffness[:, ::-1]]).T[:, None, :, None] * steps[:, None, None]
    paid, best = np.empty((len(steps), 2 * strips, columns), np.float32), np.empty((2 * strips, columns), np.float32)
    for before, due, way in zip(from_each, price, ways[1:], strict=False):
        np.subtract(before, due, out=paid)
        np.maximum.reduce(paid, axis=0, out=best)
        np.add(way, best, out=way)
    total = ways[:, :strips] + ways[::-1, strips:] - gain.transpose(1, 0, 2)
    return np.asarray(total.argmax(axis=2).T, np.intp)


def fitted(basis: Doubles, place: Doubles, weight: Doubles, stray: float, ridge: Doubles | float = 0.0) -> Doubles:
    """Return for each strip the combination of curves nearest to its places; what strays far cannot bend it.

    Args:
        basis: one column a curve, shape (rows, curves).
        place: shape (strips, rows).
        weight: how far each place is believed, same shape.
        stray: a place so far from the result counts half.
        ridge: how unwelcome each curve is, shape (strips, curves) or one number.
    """
    diagonal = np.zeros((len(place), basis.shape[1])) + ridge
    unwelcome = diagonal[:, :, None] * np.eye(basis.shape[1])
    robust, curve = weight, place
    for _ in range(_ROUNDS):
        weighted = basis.T * robust[:, None, :]
        factors = np.linalg.solve(weighted @ basis + unwelcome, (weighted @ place[:, :, None]))
        curve = (basis @ factors)[:, :, 0]
        robust = weight / (1.0 + ((place - curve) / stray) ** 2)
    return np.asarray(curve, np.float64)


def smoothed(place: Doubles, weight: Doubles, stray: float, bend: float) -> Doubles:
    """Return for each strip a curve that bends as little as its places allow; it tends to 0 where nothing was seen.

    Args:
        place: shape (strips, rows).
        weight: how far each place is believed, 0 to 1, same shape.
        stray: a place so far from the result counts half.
        bend: how unwelcome a bend is.
    """
    shapes, bent = _bends(place.shape[1])
    return fitted(shapes, place, weight, stray, bend * bent + _LOOSE)


@cache
def _bends(rows: int) -> tuple[Doubles, Doubles]:
    """Return the shapes that bend least, one a column, and how much each bends."""
    second = np.diff(np.eye(rows), 2, axis=0)
    bent, shapes = np.linalg.eigh(second.T @ second)
    return np.ascontiguousarray(shapes[:, :_SHAPES]), bent[:_SHAPES]


def steps_across(strip: NDArray[np.uint8], half: int, along: int) -> Floats:
    """Return the mean of `half` columns further in less that of as many further out, the mean of `along` rows.

    Args:
        strip: shape (rows, columns) or (rows, columns, channels); further in is to the right.
        half: columns to either side.
        along: rows; odd.
    """
    across = np.concatenate([np.full(half, -1.0), [0.0], np.ones(half)]) / half
    return np.asarray(
        cv2.sepFilter2D(strip, cv2.CV_32F, across, np.full(along, 1.0 / along), borderType=cv2.BORDER_REPLICATE),
        np.float32,
    )
