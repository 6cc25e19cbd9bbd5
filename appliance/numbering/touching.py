"""Parts letters that touch each other: the serifs of `xv` make one sign of two."""

from itertools import chain, combinations
from typing import Final

import numpy as np

from appliance.numbering.glyphs import CLASSES, Floats, Ink, classify

_LETTERS: Final = [CLASSES.index(name) for name in ("i", "v", "x", "L", "c", "stroke")]
_MOST_CUTS: Final = 4
_VALLEY: Final = 0.75
"""Ink of a column over that of the fullest one; letters join where there is less."""
_NARROWEST: Final = 0.2
"""Of a part, its width over the height of the whole."""
_INKED: Final = 0.45
_BELIEVED: Final = 0.5


def parted(piece: Ink) -> tuple[Floats, list[int]] | None:
    """Return the letters of a piece, a row of beliefs for each, and their heights; None where it is no few letters."""
    height, width = piece.shape
    cuts = _valleys(piece)
    ends = [0, *cuts, width]
    spans = [(first, last) for first, last in combinations(ends, 2) if last - first >= _NARROWEST * height]
    parts = {span: _tight(piece[:, slice(*span)]) for span in spans}
    known = {span: part for span, part in parts.items() if min(part.shape) > 1}
    beliefs = dict(zip(known, classify(list(known.values())), strict=True))
    best, chosen = _BELIEVED, None
    for cut in chain.from_iterable(combinations(cuts, count) for count in range(1, len(cuts) + 1)):
        way = list(zip((0, *cut), (*cut, width), strict=True))
        least = min(float(beliefs[span][_LETTERS].max()) if span in beliefs else 0.0 for span in way)
        if least > best:
            best, chosen = least, way
    if chosen is None:
        return None
    return np.stack([beliefs[span] for span in chosen]), [known[span].shape[0] for span in chosen]


def _valleys(piece: Ink) -> list[int]:
    """Return the columns with the least ink around them, from left to right."""
    columns = piece.sum(axis=0)
    lowest = [
        place
        for place in range(2, len(columns) - 2)
        if columns[place] == columns[place - 2 : place + 3].min() and columns[place] < _VALLEY * columns.max()
    ]
    return sorted(sorted(lowest, key=lambda place: float(columns[place]))[:_MOST_CUTS])


def _tight(part: Ink) -> Ink:
    """Cut to what is dark."""
    rows, columns = (np.flatnonzero((part > _INKED).any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return part[:0]
    return part[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
