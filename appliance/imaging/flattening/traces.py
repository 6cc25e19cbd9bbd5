"""Lines of print followed across a page: each a run of places that were level when the page was printed."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.imaging.planes import Plane, plane

Floats = NDArray[np.float64]
Lines = NDArray[np.intp]

HIGH_PX: Final = 800
"""A page's longer side where lines are looked for: print of 80 lines a page is still told apart."""
NARROWED: Final = 4
"""Lines are smeared along their length anyhow, so the page is this much narrower than high."""
_STEP: Final = 4
"""Columns of the narrowed page from place to place along a line."""
_PAPER: Final = (5, 15)
"""Dark places less wide and high are print."""
_ALONG: Final = 3.0
"""Blur along the lines: letters and words run together ..."""
_ACROSS: Final = 2.2
"""... and across them; what is then darker than above and below it is a line."""
_AROUND: Final = 6.0
_LEAST_INK: Final = 0.006
"""Of the paper's tone: the thin rules of a table tell as much as its print."""
_MOST_INK: Final = 0.35
"""Of the paper's tone: black bars weigh no more than print."""
_END: Final = 0.6
"""Of a line's usual darkness: what is paler lies beyond its end, where only the blur reaches."""
_FEWEST: Final = 4
"""Places in a line that is long enough to tell its direction."""
_TWO: Final = 1.05
"""More places than columns: lines have run together."""
_BORDER_PX: Final = 6


@dataclass(frozen=True, slots=True, eq=False)
class Traces:
    """Places along lines.

    Attributes:
        places: x, y of each, float64, shape (n, 2).
        line: which line each belongs to, from 0 up, shape (n,).
    """

    places: Floats
    line: Lines

    @property
    def lines(self) -> int:
        """How many lines there are."""
        return int(self.line.max()) + 1 if self.line.size else 0


def find_traces(narrowed: Plane) -> Traces:
    """Return the lines of print of a page, in its own pixels.

    Args:
        narrowed: luma of an upright page, up to `HIGH_PX` high and `NARROWED` times narrower than it should be.
    """
    ridge, middle = _ridge(narrowed)
    inside = ridge > _LEAST_INK
    inside[:_BORDER_PX] = inside[-_BORDER_PX:] = False
    count, labels = cv2.connectedComponents(inside.astype(np.uint8), connectivity=4)
    first = _STEP // 2
    above, here, below = ridge[:-2, first::_STEP], ridge[1:-1, first::_STEP], ridge[2:, first::_STEP]
    row, column = np.nonzero((here > above) & (here >= below) & inside[1:-1, first::_STEP])
    up, top, down = above[row, column], here[row, column], below[row, column]
    shift = 0.5 * (up - down) / np.minimum(up - 2 * top + down, -1e-9)
    line = np.asarray(labels[row + 1, first + column * _STEP], np.intp)
    whole = _whole_lines(line, column, count) & (top > _END * _usual(top, line, count)[line])
    _, line = np.unique(line[whole], return_inverse=True)
    places = np.column_stack([middle[row + 1, first + column * _STEP], row + 1.0 + shift])[whole]
    return Traces(places, np.asarray(line, np.intp).ravel())


def _ridge(page: Plane) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return how much darker each place is along a line than above and below it, as a share of the paper's tone.

    And the middle of the ink that makes it so: near the end of a line all of it lies to one side.
    """
    paper = plane(cv2.morphologyEx(page, cv2.MORPH_CLOSE, np.ones(_PAPER[::-1], np.uint8)))
    paper = plane(cv2.GaussianBlur(paper, (0, 0), sigmaX=1.0, sigmaY=4.0))
    ink = np.clip(1.0 - page / np.maximum(paper, 16).astype(np.float32), 0.0, _MOST_INK).astype(np.float32)
    x = np.arange(page.shape[1], dtype=np.float32)
    smeared, moment = (
        cv2.GaussianBlur(each, (0, 0), sigmaX=_ALONG, sigmaY=_ACROSS, borderType=cv2.BORDER_REPLICATE)
        for each in (ink, ink * x)
    )
    around = cv2.GaussianBlur(smeared, (1, 0), sigmaX=1.0, sigmaY=_AROUND, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(smeared - around, np.float32), np.asarray(moment / np.maximum(smeared, 1e-6), np.float32)


def _usual(height: NDArray[np.float32], line: Lines, count: int) -> Floats:
    """Return the mean height of every line's ridge."""
    return np.bincount(line, height, count) / np.maximum(np.bincount(line, minlength=count), 1)


def _whole_lines(line: Lines, column: Lines, count: int) -> NDArray[np.bool_]:
    """Tell which places belong to a line that is long enough and nowhere two."""
    wide = int(column.max(initial=0)) + 1
    places = np.bincount(line, minlength=count)
    columns = np.bincount(np.unique(line * wide + column) // wide, minlength=count)
    good = (places >= _FEWEST) & (places <= _TWO * columns)
    good[0] = False
    return np.asarray(good[line], np.bool_)
