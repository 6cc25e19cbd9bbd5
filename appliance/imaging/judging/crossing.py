"""What lies across the edge of a rolled-out side: unlike the paper, the same on both sides, and no shadow.

What is as pale as the paper is not unlike it; that it reaches far out over the ground tells of it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.imaging.finding.outline import CHROMA_WEIGHT
from appliance.imaging.ranks import median

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]

OUTSIDE: Final = 16
"""Rows of a strip that lie beyond the edge."""
NARROWEST: Final = 5
"""Steps: fingertips are wider, a bookmark's ribbon is not; a finger of 8 mm upon a sheet of 297 has five."""
_OUTER, _INNER = slice(OUTSIDE - 6, OUTSIDE - 2), slice(OUTSIDE + 2, OUTSIDE + 8)
_INNER_ROWS: Final = tuple(range(_INNER.start, _INNER.stop))
_BOTH_ROWS: Final = (*range(_OUTER.start, _OUTER.stop), *_INNER_ROWS)
_FAR_ROWS: Final = tuple(range(1, OUTSIDE - 1, 2))
"""Outermost first."""
_SLANTS: Final = (-1.2, -0.8, -0.4, 0.0, 0.4, 0.8, 1.2)
"""Steps along the side for one step outwards: what fingers lean."""
_STRAIGHT: Final = _SLANTS.index(0.0)
_MOST: Final = 0.7
_LEAST_PAPER: Final = 0.4
_UNLIKE_PAPER: Final = 29.0
_WIDTHS: Final = (20.0, 12.0, 8.0, 8.0)
"""How far a tone may stray from the usual one before it counts for little, step by step."""
_FULL: Final = 200.0
_PLAIN_EDGE, _FAINT_EDGE = 120.0, 60.0
"""Paper upon dark ground has 170 and more; below the lower one an edge says little by being absent."""
_EDGE_LOST, _ALIKE, _ALIKE_ON_DARK = 0.45, 35.0, 60.0
"""Shading makes of dark skin on both sides of the edge up to 55, where paper upon dark ground has 170."""
_SURELY_ALIKE: Final = 16.0
_SAME_GROUND, _OTHER_GROUND, _SURELY_OTHER_GROUND = 40.0, 60.0, 100.0
_WIDEST_SHARE: Final = 0.6
_ENDS: Final = 4
"""Places at both ends of a side where what lies beyond the corner is in view as well."""
_AT_CORNER, _CLEAR_AT_CORNER = (9, 50), (7, 50)
_CLEAR_EDGE, _CLEAR_GROUND, _CLEAR_FLANK = 90.0, 80.0, 100.0
_PAPER_ON_DARK, _GLOVE_FLANK = 170.0, 150.0
"""Black gloves upon black ground."""
_MOST_COLOUR: Final = 60.0
"""Skin and gloves have up to 50; wood in the sun, which a corner that is a little out shows, 70 and more."""
_FLANK, _SHARP_FLANK = 15.0, 50.0
_DARK, _PALE, _BRIGHT = 0.45, 0.95, 1.25
"""Of the paper's luma: a black glove is darker than shadows are; what is as pale as the paper must differ in colour."""
_TINTED, _COLOURED = 5.0, 12.0
"""How far from the paper's colour: shadows mostly 0 to 3, fingers and gloves mostly 7 and more."""
_UNLIKE: Final = 70.0
_EVEN: Final = 9.0
_UNLIKE_BOTH, _UNLIKE_BROWN, _UNEVEN_BOTH = 50.0, 60.0, 16.0
"""Fingers across the spine of photographed books: 57 and more (dark ones, with little colour, 69), 15 at most; a
picture that ended there: 34."""
_LEAST_FLANK, _LEAST_UNLIKE = 36.0, 40.0
"""Of a thing that looks the same on both sides of the edge: pale fingers 38 and 45 and more."""
_PALEST: Final = 1.15
_SOLID, _FEWEST_ROWS = 0.85, 4
"""A thing that sticks out covers so many of the rows beyond the edge that are in view; fewer tell nothing."""
_NARROWEST_OUT, _WIDEST_OUT_SHARE, _FLANK_OUT = 5, 0.4, 30.0
_DEPTH_OUT: Final = 8
"""Rows of page that are shown of it."""


@dataclass(frozen=True, slots=True, eq=False)
class Strip:
    """A side rolled out: row = distance from the edge (outside first), column = place along it.

    Attributes:
        grid: where each place lies, in pixels of the view, shape (rows, columns, 2).
        tones: luma, blue and red difference there, shape (3, rows, columns).
        size_px: width and height of the view.
    """

    grid: Floats
    tones: Floats
    size_px: tuple[int, int]

    def in_view(self) -> Flags:
        """Tell whether the frame shows each place, shape (rows, columns)."""
        x, y = self.grid[..., 0], self.grid[..., 1]
        return (x >= 0) & (x < self.size_px[0]) & (y >= 0) & (y < self.size_px[1])


@dataclass(frozen=True, slots=True, eq=False)
class _Sides:
    """Both sides of the edge at each place along it, compared along the slant that shows least of an edge.

    Attributes:
        within: tone of the page, shape (3, columns).
        beyond: tone of what lies outside, same shape.
        paper: tone that the page usually has there.
        ground: tone that the outside usually has there.
        across: how unlike both sides are, shape (columns,).
        strange: whether the page is unlike its paper there.
        edge: how unlike both sides usually are.
        other: whether the outside is unlike its ground there.
    """

    within: Floats
    beyond: Floats
    paper: Floats
    ground: Floats
    across: Floats
    strange: Flags
    edge: float
    other: Flags


def crossing(strip: Strip, *, at_spine: bool = False) -> list[tuple[int, int, int]]:
    """Return what lies across the edge: first and last place (excluded) along it, and how many rows deep it reaches.

    Args:
        strip: the side.
        at_spine: another page lies beyond it.
    """
    columns = strip.tones.shape[2]
    sides = _both_sides(strip) if columns >= 4 * NARROWEST else None
    if sides is None:
        return []
    if at_spine:
        return _strange(strip, sides, _is_on_both_sides)
    return _strange(strip, sides, _is_thing) or [(*run, _DEPTH_OUT) for run in _sticking_out(strip, sides)]


def _strange(strip: Strip, sides: _Sides, is_thing: "Callable[[_Piece], bool]") -> list[tuple[int, int, int]]:
    """Return what is unlike the paper and hides its edge."""
    most = _ALIKE_ON_DARK if sides.edge >= _PLAIN_EDGE else _ALIKE
    lost = sides.strange & (sides.across < min(_EDGE_LOST * max(sides.edge, _FAINT_EDGE), most))
    lost = cv2.morphologyEx(lost.astype(np.uint8)[None], cv2.MORPH_CLOSE, np.ones((1, 5), np.uint8))[0] > 0
    runs = [run for run in _runs(lost) if NARROWEST <= run[1] - run[0] <= _WIDEST_SHARE * len(lost)]
    if not runs:
        return []
    change = _change(strip.tones[:, _INNER])
    unlike = apart(strip.tones, sides.paper[:, None]) > _UNLIKE_PAPER
    return [(*run, _depth(unlike, *run)) for run in runs if is_thing(_piece(sides, change, *run))]


def _sticking_out(strip: Strip, sides: _Sides) -> list[tuple[int, int]]:
    """Return the widest that reaches from a page far out over plain ground and has ends: no other page, no light."""
    columns = len(sides.other)
    if sides.edge < _PLAIN_EDGE or np.count_nonzero(sides.other) < _NARROWEST_OUT:
        return []
    far, near = (_slanted(columns, rows) for rows in (_FAR_ROWS, _INNER_ROWS))
    beyond, within, seen = strip.tones[:, *far], strip.tones[:, *near], strip.in_view()[far]
    other = seen & (apart(beyond, sides.ground[:, None, None]) > _OTHER_GROUND)
    rows = seen.sum(axis=1)
    solid = (other.sum(axis=1) >= _SOLID * rows) & (rows >= _FEWEST_ROWS)
    solid &= apart(beyond[:, :, -3:].mean(axis=2), within.mean(axis=2)) < _ALIKE
    solid[:, : _ENDS + 1] = solid[:, -_ENDS - 1 :] = False
    closed = cv2.morphologyEx(solid.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((1, 3), np.uint8)) > 0
    found = []
    for slant, flags in enumerate(closed):
        runs = [run for run in _runs(flags) if _NARROWEST_OUT <= run[1] - run[0] <= _WIDEST_OUT_SHARE * columns]
        change = np.maximum(_change(beyond[:, slant]), _change(within[:, slant])) if runs else np.empty(0, np.float32)
        found += [run for run in runs if min(_at(change, place) for place in run) > _FLANK_OUT]
    return sorted(found, key=lambda run: run[0] - run[1])[:1]


def _change(rows: Floats) -> Floats:
    """Return how much tones change over four places along a side, the usual one of several rows; 0 at its ends."""
    change = np.zeros(rows.shape[2], np.float32)
    change[2:-2] = np.median(apart(rows[:, :, 4:], rows[:, :, :-4]), axis=0)
    return change


def _at(change: Floats, place: int) -> float:
    return float(change[max(0, place - 4) : place + 5].max())


def _both_sides(strip: Strip) -> _Sides | None:
    """Return both sides of the edge, or None where a picture runs off this side: nothing can be told from it."""
    columns = strip.tones.shape[2]
    inner, outer = strip.tones[:, _INNER].mean(axis=1), strip.tones[:, _OUTER].mean(axis=1)
    paper, ground = _usual(inner, bright=True), _usual(outer, bright=False)
    slanted = strip.tones[:, *_slanted(columns, _BOTH_ROWS)]
    depth = _OUTER.stop - _OUTER.start
    within, beyond = slanted[:, :, depth:], slanted[:, :, :depth].mean(axis=2)
    strange = (apart(within, paper[:, None, None]) > _UNLIKE_PAPER).mean(axis=1) >= _MOST
    in_shadow = np.abs(inner[1:] - paper[1:]).sum(axis=0) < _TINTED
    if float(np.mean(strange[_STRAIGHT] & ~in_shadow)) > 1 - _LEAST_PAPER:
        return None
    within = within.mean(axis=2)
    across = apart(within, beyond)
    chosen = (np.where(strange, across, np.inf).argmin(axis=0), np.arange(columns))
    edge = median(apart(inner, outer))
    other = apart(outer, ground) > _OTHER_GROUND
    return _Sides(within[:, *chosen], beyond[:, *chosen], paper, ground, across[chosen], strange[chosen], edge, other)


@cache
def _slanted(columns: int, chosen: tuple[int, ...]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return rows and columns of a strip that lie behind each other along each slant: (slants, rows, columns)."""
    rows = np.array(chosen)
    shift = np.rint(np.outer(_SLANTS, OUTSIDE + 5 - rows)).astype(int)
    along = np.clip(np.arange(columns) + shift[:, :, None], 0, columns - 1)
    return np.broadcast_to(rows[None, :, None], along.shape), along


def _usual(tones: Floats, *, bright: bool) -> Floats:
    """Return the tone that most of a side has, place by place: a parabola along it that strange pieces bend little.

    Args:
        tones: shape (3, columns).
        bright: begin with the brighter half; paper is brighter than most that lies on it.
    """
    values = tones.T.astype(np.float64)
    basis = legendre(len(values), 2)
    chosen = values[values[:, 0] >= median(values[:, 0])] if bright else values
    found = np.broadcast_to([median(tones) for tones in chosen.T], values.shape)
    for width in _WIDTHS:
        weighted = basis / (1.0 + (apart(values.T, found.T) / width) ** 2)[:, None] ** 2
        found = basis @ solved(weighted.T @ basis, weighted.T @ values)
    return np.asarray(found.T, np.float32)


@cache
def legendre(count: int, degree: int) -> NDArray[np.float64]:
    """Return the first Legendre polynomials at `count` places, shape (count, degree + 1); never more than places."""
    places = np.linspace(-1.0, 1.0, count)
    return np.asarray(np.polynomial.legendre.legvander(places, min(degree, count - 1)), np.float64)


def solved(matrix: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what `matrix` makes into `values`; for a few unknowns many times faster than `np.linalg`."""
    return np.asarray(cv2.solve(matrix, values, flags=cv2.DECOMP_LU)[1], np.float64)


def apart(one: NDArray[np.floating], other: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return how unlike two tones are: in colour, and in luma as a share of the brighter, whatever light falls on both.

    Args:
        one: luma, blue and red difference along the first axis.
        other: of a shape that goes with it.
    """
    luma = np.abs(one[0] - other[0]) / np.maximum(np.maximum(one[0], other[0]), _FULL / 4)
    return np.asarray(_FULL * luma + CHROMA_WEIGHT * (np.abs(one[1] - other[1]) + np.abs(one[2] - other[2])))


@dataclass(frozen=True, slots=True)
class _Piece:
    """What is known about one piece of a side without the paper's edge.

    Attributes:
        width: in steps.
        at_end: whether it reaches the corner.
        edge: how unlike both sides of the edge usually are along this side.
        unlike_paper: how unlike the paper it is.
        unlike_ground: how unlike the ground it is beyond the edge.
        across: how unlike its own parts on both sides of the edge are.
        luma: over that of the paper.
        colour: how far from the paper's.
        uneven: how much its luma varies.
        flank: the weaker change at its ends, the corner left out.
    """

    width: int
    at_end: bool
    edge: float
    unlike_paper: float
    unlike_ground: float
    across: float
    luma: float
    colour: float
    uneven: float
    flank: float


def _piece(sides: _Sides, change: Floats, start: int, end: int) -> _Piece:
    ends = (start <= _ENDS, end >= len(change) - _ENDS)
    flanks = [_at(change, place) for place, free in zip((start, end), ends, strict=True) if not free]
    middle = (slice(None), slice(start + (end - start) // 4, end - (end - start) // 4))
    within, beyond, paper, ground = (tones[middle] for tones in (sides.within, sides.beyond, sides.paper, sides.ground))
    return _Piece(
        end - start,
        any(ends),
        sides.edge,
        float(np.median(apart(within, paper))),
        float(np.median(apart(beyond, ground))),
        float(np.median(sides.across[middle[1]])),
        float(np.median(within[0] / np.maximum(paper[0], 1.0))),
        float(np.median(np.abs(within[1:] - paper[1:]).sum(axis=0))),
        float(np.std(within[0])),
        min(flanks, default=0.0),
    )


def _is_thing(piece: _Piece) -> bool:
    """Tell a thing from a shadow, which leaves paper its colour and has soft ends, and from ground that is in view."""
    if _hides_edge(piece):
        return True
    dark, tinted = piece.luma < _DARK, piece.colour >= _TINTED
    pale = piece.luma > _PALE and piece.unlike_paper < _UNLIKE
    if piece.flank < _FLANK or piece.luma > _BRIGHT or (pale and piece.edge < _PLAIN_EDGE):
        return False
    if piece.edge < _FAINT_EDGE:
        return _is_on_both_sides(piece)
    alike = piece.across < _SURELY_ALIKE and (tinted or dark)
    if piece.at_end:
        return alike and piece.colour <= _MOST_COLOUR and _lies_at_corner(piece)
    plain = tinted and piece.uneven < _EVEN and piece.flank >= _SHARP_FLANK
    if piece.unlike_ground < _SAME_GROUND:
        return plain and piece.across < _SURELY_ALIKE / 2
    other = piece.unlike_ground >= _SURELY_OTHER_GROUND and (tinted or dark)
    sharp = piece.unlike_ground >= _UNLIKE_BOTH and piece.flank >= _CLEAR_FLANK and tinted
    on_dark = piece.edge >= _PLAIN_EDGE and (other or (sharp and piece.unlike_paper >= _SURELY_OTHER_GROUND))
    return on_dark or (piece.across < _ALIKE and (alike or piece.colour >= _COLOURED))


def _hides_edge(piece: _Piece) -> bool:
    """Tell a thing that leaves nothing of the paper's edge: no shadow does, whatever the thing's own colour is."""
    hidden = piece.edge >= _FAINT_EDGE and piece.across < _SURELY_ALIKE and not piece.at_end
    other = piece.unlike_ground >= _OTHER_GROUND and piece.unlike_paper >= _LEAST_UNLIKE
    return hidden and other and piece.flank >= _LEAST_FLANK


def _is_on_both_sides(piece: _Piece) -> bool:
    """Tell a thing where both sides are alike, as two pages are, from pictures, which end with theirs or are grey."""
    if piece.uneven >= _UNEVEN_BOTH:
        return False
    if piece.colour >= _COLOURED and piece.across < _SURELY_ALIKE / 2 and not piece.at_end:
        other = piece.unlike_paper >= _LEAST_UNLIKE and piece.unlike_ground >= _LEAST_FLANK
        if other and piece.flank >= _LEAST_FLANK and piece.luma <= _PALEST:
            return True
    least = _UNLIKE_BOTH if piece.colour >= _COLOURED else _UNLIKE_BROWN
    other = piece.unlike_paper >= least and piece.unlike_ground >= _UNLIKE_BOTH
    sharp = piece.flank >= (_CLEAR_FLANK if piece.at_end else _SHARP_FLANK)
    return other and sharp and piece.colour >= _TINTED and piece.luma <= 1.0


def _lies_at_corner(piece: _Piece) -> bool:
    """Tell a thing from ground that is in view at a corner; one with clear ends may be narrower, its ground nearer."""
    clear = piece.edge >= _CLEAR_EDGE and piece.unlike_ground >= _CLEAR_GROUND and piece.flank >= _CLEAR_FLANK
    clear |= piece.edge >= _PAPER_ON_DARK and piece.unlike_ground >= _SAME_GROUND and piece.flank >= _GLOVE_FLANK
    least, most = _CLEAR_AT_CORNER if clear else _AT_CORNER
    other = clear or (piece.unlike_ground >= _OTHER_GROUND and piece.edge >= _PLAIN_EDGE)
    return other and least <= piece.width <= most


def _runs(flags: Flags) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    return [(int(start), int(end)) for start, end in edges.reshape(-1, 2)]


def _depth(unlike: Flags, start: int, end: int) -> int:
    around = slice(max(0, start - (end - start)), end + (end - start))
    present = unlike[OUTSIDE:, around].sum(axis=1) >= 0.5 * (end - start)
    gaps = np.flatnonzero(~present[2:])
    return 2 + (int(gaps[0]) if gaps.size else len(present) - 2)
