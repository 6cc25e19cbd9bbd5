"""Tells single printed signs apart: ten digits and the few letters that page numbers are made of.

A small network (one hidden layer) on the directions of a sign's edges and its coarse picture. `tools/learn_glyphs.py`
makes its weights, `glyphs.npz`, from typefaces alone; no photograph and no foreign network went into them.
"""

from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files
from typing import Final, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Ink: TypeAlias = NDArray[np.float32]
"""How dark a place is beside its paper: 0.0 paper, 1.0 the darkest of this sign; shape (height, width)."""
Floats: TypeAlias = NDArray[np.float32]

CLASSES: Final = (*"0123456789", "a", "b", "c", "i", "v", "x", "L", "stroke", "o", "other")
"""`stroke` is l and I, `o` also O: in many typefaces nothing tells them from 1 and 0."""
SIDE_PX: Final = 20
_PAD_PX: Final = 2
_CELLS: Final = 4
_DIRECTIONS: Final = 8
_COARSE: Final = 12
_GEOMETRY: Final = 2


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """The network: `first` (features + 1, hidden) and `second` (hidden + 1, classes); the last rows are biases."""

    first: Floats
    second: Floats


def normalised(ink: Ink) -> tuple[Ink, float]:
    """Return the sign as a square of `SIDE_PX`, its proportions kept and centred, and its width over its height."""
    height, width = ink.shape
    scale = SIDE_PX / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = cv2.resize(ink, size, interpolation=way)
    square = np.zeros((SIDE_PX, SIDE_PX), np.float32)
    top, left = (SIDE_PX - size[1]) // 2, (SIDE_PX - size[0]) // 2
    square[top : top + size[1], left : left + size[0]] = small
    darkest = float(square.max())
    return (square / darkest if darkest > 0 else square), width / height


def features(squares: Floats, shapes: Floats) -> Floats:
    """Return one row of numbers a sign.

    Args:
        squares: normalised signs, shape (n, SIDE_PX, SIDE_PX).
        shapes: width over height of each, shape (n,).
    """
    count = len(squares)
    padded = np.pad(squares, ((0, 0), (_PAD_PX, _PAD_PX), (_PAD_PX, _PAD_PX)))
    across = np.zeros_like(padded)
    down = np.zeros_like(padded)
    across[:, :, 1:-1] = padded[:, :, 2:] - padded[:, :, :-2]
    down[:, 1:-1] = padded[:, 2:] - padded[:, :-2]
    strength = np.hypot(across, down)
    turn = np.arctan2(down, across) * (_DIRECTIONS / (2 * np.pi)) % _DIRECTIONS
    lower = np.floor(turn)
    share = turn - lower
    cell = padded.shape[1] // _CELLS
    histograms = []
    for direction in range(_DIRECTIONS):
        own = np.where(lower == direction, 1 - share, 0) + np.where((lower + 1) % _DIRECTIONS == direction, share, 0)
        histograms.append((strength * own).reshape(count, _CELLS, cell, _CELLS, cell).sum(axis=(2, 4)))
    edges = np.stack(histograms, axis=3).reshape(count, -1)
    edges = np.sqrt(edges / (edges.sum(axis=1, keepdims=True) + 1e-6))
    coarse = np.stack([cv2.resize(each, (_COARSE, _COARSE), interpolation=cv2.INTER_AREA) for each in padded])
    geometry = np.column_stack((shapes, np.minimum(1 / shapes, 4.0)))
    return np.concatenate((edges * 4, coarse.reshape(count, -1), geometry), axis=1).astype(np.float32)


def answer(rows: Floats, weights: Weights) -> Floats:
    """Return the share of belief in each class, shape (n, len(CLASSES)), for rows of `features`."""
    hidden = np.maximum(rows @ weights.first[:-1] + weights.first[-1], 0)
    scores = hidden @ weights.second[:-1] + weights.second[-1]
    beliefs = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(beliefs / beliefs.sum(axis=1, keepdims=True), np.float32)


@cache
def learnt() -> Weights:
    """Return the weights that come with the program."""
    with as_file(files(__package__).joinpath("glyphs.npz")) as path, np.load(path) as stored:
        return Weights(stored["first"].astype(np.float32), stored["second"].astype(np.float32))


def classify(signs: list[Ink]) -> Floats:
    """Return the share of belief in each class for every sign, shape (n, len(CLASSES))."""
    if not signs:
        return np.zeros((0, len(CLASSES)), np.float32)
    squares, shapes = zip(*(normalised(sign) for sign in signs), strict=True)
    return answer(features(np.stack(squares), np.array(shapes, np.float32)), learnt())
