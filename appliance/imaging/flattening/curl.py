"""What shape makes a page's lines of print level: one robust fit, and what speaks for it.

Along a line printed at level c, (1 + g z) y = c + b z - terms: linear in the depth z and in the terms. How far apart
lines are is never asked, so all is taken relative to each line's own mean.
"""

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.polynomial import legendre

from appliance.imaging.flattening.pose import Pose
from appliance.imaging.flattening.shape import Shape
from appliance.imaging.flattening.traces import Floats, Lines, Traces

_KNOTS: Final = (0.0, 0.04, 0.09, 0.16, 0.26, 0.4, 0.6, 0.74, 0.84, 0.91, 0.96, 1.0)
"""Across the page: paper bends most beside the gutter."""
_NODES: Final = 257
_DIVE: Final = 0.06
"""Of the width: how narrow the dive into a gutter may be."""
_BEND: Final = 0.2
"""How much paper usually bends: change of slope over a piece as long as its distance from the page's end."""
_ACROSS: Final = 4
_DOWN: Final = 3
_TERMS: Final = tuple((i, j) for i in range(1, _ACROSS + 1) for j in range(_DOWN + 1))
_CORNERS: Final = 0.05
"""How wrong corners may be, in widths: all lines lean (1, 0) or fan out (1, 1)."""
_REST: Final = 0.004
"""What is neither corner nor cylinder, in widths: cheap enough where lines tell of it, too dear where z will do."""
_LINE: Final = 0.0015
"""How far places stray from their line, in widths: a pixel of the small page."""
_WIDE: Final = 0.003
"""Places that stray more bend the shape less and less."""
_ALIKE: Final = 1.5
"""So many neighbouring places err together."""
_ROUNDS: Final = 4
_PARTS: Final = 4
"""Each quarter of the lines is foretold by the others."""


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """A shape and what speaks for it.

    Attributes:
        shape: that makes lines level.
        gain: how much likelier lines are, each quarter with the shape that the other three tell, than if the page
            lay flat; a natural logarithm, below 0 where the lines do not agree.
        moved: how far the shape moves all but the twentieth of the places, in widths of the page.
        left: how far places usually stray from level with the shape, in widths of the page.
    """

    shape: Shape
    gain: float
    moved: float
    left: float


def fit_shape(traces: Traces, pose: Pose, size: tuple[float, float]) -> Fit:
    """Return the shape that makes lines level.

    Args:
        traces: lines of print, in pixels of the page after perspective; at least one.
        pose: of that page.
        size: width and height of that page.
    """
    width, height = size
    order = np.argsort(traces.line, kind="stable")
    (x, y), line = (traces.places[order] / width).T, traces.line[order]
    basis, hold = _splines_and_hold()
    heights = legendre.legvander(np.clip(2 * y * width / height - 1, -1, 1), _DOWN)
    lift = pose.g * width * y - pose.b
    place, stray = x, np.zeros_like(x)
    for _ in range(_ROUNDS):
        splines = _at(basis, place)
        across = legendre.legvander(np.clip(2 * place - 1, -1, 1), _ACROSS)[:, 1:]
        terms = (across[:, :, None] * heights[:, None, :]).reshape(len(x), -1)
        weight = 1.0 / (_ALIKE * _LINE**2 * (1.0 + (stray / _WIDE) ** 2))
        rows = _centred(np.column_stack([splines * lift[:, None], terms, y]), line, weight)
        found = _solved(_squares(rows, weight), hold)
        stray = rows[:, -1] + rows[:, :-1] @ found
        z = splines @ found[: basis.shape[1]]
        place = np.clip(x * (1 + pose.g * width * z) - pose.a * z, 0.0, 1.0)
    table = np.zeros((_ACROSS + 1, _DOWN + 1))
    table[1:] = found[basis.shape[1] :].reshape(_ACROSS, _DOWN + 1) * width
    shape = Shape(pose, width, height, basis @ found[: basis.shape[1]] * width, table)
    moved = float(np.percentile(np.abs(rows[:, -1] - stray), 95))
    return Fit(shape, _gain(rows, line, weight, hold), moved, float(np.median(np.abs(stray))))


def _gain(rows: Floats, line: Lines, weight: Floats, hold: Floats) -> float:
    """Return how much likelier every part of the lines is with what all the others say than as the page is seen."""
    parts = [np.flatnonzero(line % _PARTS == part) for part in range(_PARTS)]
    squares = [_squares(rows[part], weight[part]) for part in parts]
    gain = 0.0
    for part, own in zip(parts, squares, strict=True):
        level = rows[part, -1]
        foretold = level + rows[part, :-1] @ _solved(np.sum(squares, axis=0) - own, hold)
        gain += float(np.sum(_doubt(level) - _doubt(foretold)))
    return gain


def _doubt(stray: Floats) -> Floats:
    """Return how unlikely it is to stray so far, as a natural logarithm; no single place counts for much."""
    return np.asarray(np.log1p((stray / _LINE) ** 2) / (2 * _ALIKE), np.float64)


def _squares(rows: Floats, weight: Floats) -> Floats:
    """Return the weighted products of all columns with each other: of one array, which needs no second thread."""
    rooted = rows * np.sqrt(weight)[:, None]
    return np.asarray(rooted.T @ rooted, np.float64)


def _solved(squares: Floats, hold: Floats) -> Floats:
    """Return the unknowns that bring the last column nearest to 0."""
    return np.asarray(np.linalg.solve(squares[:-1, :-1] + hold, -squares[:-1, -1]), np.float64)


def _centred(rows: Floats, line: Lines, weight: Floats) -> Floats:
    """Return rows, sorted by line, less their line's mean: at what level a line was printed is not known."""
    first = np.flatnonzero(np.diff(line, prepend=-1))
    total = np.add.reduceat(weight, first)
    means = np.add.reduceat(rows * weight[:, None], first, axis=0) / total[:, None]
    return np.asarray(rows - np.repeat(means, np.diff(first, append=len(line)), axis=0), np.float64)


def _at(basis: Floats, place: Floats) -> Floats:
    """Return the splines at places from 0 to 1."""
    scaled = place * (_NODES - 1)
    low = np.minimum(scaled.astype(np.intp), _NODES - 2)
    part = (scaled - low)[:, None]
    return np.asarray(basis[low] * (1 - part) + basis[low + 1] * part, np.float64)


@cache
def _splines_and_hold() -> tuple[Floats, Floats]:
    """Return cubic splines at even places, level on the whole, and what holds all unknowns to what is usual."""
    t = np.linspace(0.0, 1.0, _NODES)
    splines = _splines(t, np.array([0.0] * 3 + [*_KNOTS] + [1.0] * 3))
    plain = np.column_stack([np.ones_like(t), t])
    basis = splines - plain @ np.linalg.lstsq(plain, splines, rcond=None)[0]  # a plane is no bend
    bend = np.gradient(np.gradient(basis, t, axis=0), t, axis=0)
    length = np.minimum(t, 1 - t) + _DIVE
    unusual = bend * (length**1.5 / _BEND)[:, None]
    count = basis.shape[1]
    hold = np.diag([1e-3] * count + [_usual(i, j) ** -2 for i, j in _TERMS])
    hold[:count, :count] += unusual.T @ unusual / _NODES
    return basis, hold


def _usual(i: int, j: int) -> float:
    """Return how large a term usually is, in widths."""
    return _CORNERS if i == 1 and j <= 1 else _REST / (i * (1 + 0.5 * j))


def _splines(t: Floats, knots: Floats) -> Floats:
    """Return the cubic B-splines over `knots` at the places `t`, one a column (Cox and de Boor)."""
    last = int(np.flatnonzero(np.diff(knots) > 0)[-1])
    inside = (t[:, None] >= knots[:-1]) & (t[:, None] < knots[1:])
    inside[t >= knots[-1], last] = True
    values = inside.astype(np.float64)
    for degree in range(1, 4):
        rise = (t[:, None] - knots[: -degree - 1]) * _inverse(knots[degree:-1] - knots[: -degree - 1])
        fall = (knots[degree + 1 :] - t[:, None]) * _inverse(knots[degree + 1 :] - knots[1:-degree])
        values = rise * values[:, :-1] + fall * values[:, 1:]
    return values


def _inverse(spans: Floats) -> Floats:
    return np.asarray(np.where(spans > 0, 1.0 / np.where(spans > 0, spans, 1.0), 0.0), np.float64)
