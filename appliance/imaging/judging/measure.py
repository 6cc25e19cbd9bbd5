"""Numbers about a page. No judgement here: `checks` holds them against a profile."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.imaging.planes import Plane, plane
from appliance.imaging.ranks import median, percentile
from wire.documents import Place

_CELL_PX: Final = 48
_ROWS: Final = 16
"""Rows of cells that are measured, spread over the page: more of them tell nothing new."""
_CELLS, _FEW_ROWS = 400, 8
"""On large pages fewer rows have as many cells; all are asked where these hold too little print."""
_MIN_CELLS: Final = 12
_MIN_SHARE: Final = 0.03
"""Of the cells: a table with some words has this much."""
_MIN_STROKES: Final = 0.35
"""Of the cells that have contrast, this many must be strokes: 0.35 and more of print, 0.23 at most of plates."""
_MIN_CONTRAST, _MIN_RANGE = 0.24, 24.0
"""Of paper's luma, and levels: the print of the back shows through by 0.2 at most."""
_LIKE_DARKEST: Final = 0.6
_IN_SHADOW: Final = 0.4
_THICKEST_PX: Final = 16.0
"""Thicker strokes are no print, or so large that their edges say little."""
_MOST_INK: Final = 0.38
"""Of a cell; measured: print 0.1 to 0.3, out of focus too; pictures about a half."""
_SHARPEST_PERCENT: Final = 2.0
"""Of the places with contrast: blurred by 2.5 px they are 1.6 px wide and more, of clean plates 0.9 at most."""
_MOSTLY_PAPER: Final = 0.78
"""Middle luma over that of paper: pages of print 0.80 and more, in a shadow too, pictures that fill a page 0.70."""
_TONE_PX: Final = 280
_WHITE: Final = 254
_INK: Final = 40
_SMALL_PX: Final = 800
_STRIPS: Final = 12
_SKEWS_DEG: Final = np.arange(-4.0, 4.01, 0.25)


@dataclass(frozen=True, slots=True)
class Tone:
    """How bright a page is.

    Attributes:
        middle: median of luma.
        paper: luma that a tenth of the page exceeds.
        white_share: share of the page at full white.
        white_place: where the largest white patch lies, in pixels of the page; None where there is none.
        patch_share: share of the page that this patch covers.
    """

    middle: float
    paper: float
    white_share: float
    white_place: Place | None
    patch_share: float = 0.0


@dataclass(frozen=True, slots=True)
class Edges:
    """How sharp print is.

    Attributes:
        sigma_px: half width (Gaussian sigma) of the sharper edges, in pixels, in the direction where they are wider;
            None = too little print to tell.
        sharper_px: the same in the other direction: defocus widens both.
        ratio: width in the worse direction over width across it, uprights and diagonals together; 1 = no difference.
        cells: in how many cells of the page there was print to measure.
        ink: middle luma of the darkest places of those cells; None where there were none.
        faint: luma of that ink as a share of the paper's beside it: what is blurred has less contrast, too.
        smear_px: the wider of both upright directions, times how much wider edges are along one diagonal.
        soft_lines_px: where there was too little print to measure, but lines of print are seen: how wide the page's
            sharpest places are; 0 where no lines are seen.
    """

    sigma_px: float | None
    sharper_px: float
    ratio: float
    cells: int
    ink: float | None = None
    faint: float = 0.0
    smear_px: float = 0.0
    soft_lines_px: float = 0.0


def tone(luma: Plane, paper_percent: float = 90.0) -> Tone:
    """Measure brightness; `paper_percent` is the percentile of luma that is taken for paper."""
    scale = max(1, min(luma.shape) // _TONE_PX)
    sample = luma[::scale, ::scale]
    middle, paper = _percentiles(sample, 50.0, paper_percent)
    white = (sample >= _WHITE).astype(np.uint8)
    share = float(np.count_nonzero(white)) / white.size
    place, patch = _largest_patch(white, scale) if share > 0 else (None, 0.0)
    return Tone(middle, paper, share, place, patch)


def _percentiles(values: Plane, *percents: float) -> list[float]:
    """Return the same as `np.percentile`, from how often each of the 256 values is there."""
    counts = np.cumsum(cv2.calcHist([values], [0], None, [256], [0, 256]), dtype=np.float64)
    found = []
    for percent in percents:
        place = percent / 100 * (values.size - 1)
        below, above = (int(np.searchsorted(counts, index, "right")) for index in (int(place), int(np.ceil(place))))
        found.append(below + (place - int(place)) * (above - below))
    return found


def _largest_patch(white: Plane, scale: int) -> tuple[Place | None, float]:
    joined = cv2.morphologyEx(white, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    count, _, stats, _ = cv2.connectedComponentsWithStats(joined)
    if count < 2:
        return None, 0.0
    x, y, width, height, area = (int(value) for value in stats[1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())])
    return Place(x * scale, y * scale, width * scale, height * scale), area / white.size


def edges(luma: Plane) -> Edges:
    """Measure the width of edges: the range of a cell over its steepest slope is 2.5 sigma of a blurred step.

    Only cells with both paper and strokes of ink count, so that soft pictures do not pass for blurred print. Contrast
    is taken as a share of the paper beside it: shadows and blur leave less of it.
    """
    inner = _without_border(luma, 0.04)
    rows, columns = inner.shape[0] // _CELL_PX, inner.shape[1] // _CELL_PX
    if not rows or not columns:
        return Edges(None, 0.0, 1.0, 0)
    bands = inner[: rows * _CELL_PX, : columns * _CELL_PX].reshape(rows, _CELL_PX, -1)
    most = min(rows, _ROWS)
    fewer = min(most, max(_FEW_ROWS, _CELLS // columns))
    for count in sorted({fewer, most}):
        cut = bands[np.unique(np.linspace(0, rows - 1, count).astype(int))].reshape(-1, columns * _CELL_PX)
        highest, lowest = _per_cell(cut, np.maximum), _per_cell(cut, np.minimum)
        printed = _printed(cut, highest, lowest)
        if printed.any():
            return _edges(cut, printed, highest, lowest)
    return Edges(None, 0.0, 1.0, 0, soft_lines_px=_soft_lines_px(luma, cut, highest - lowest))


def _soft_lines_px(luma: Plane, cut: Plane, spans: NDArray[np.float64]) -> float:
    """Return how wide the sharpest places of a page are that shows lines, but no strokes; 0 where it shows no lines.

    Print far out of focus has lost its strokes, not its lines; captions have sharp places, soft pictures less paper.
    """
    marked, sample = spans >= _MIN_RANGE, cut[::4, ::4]
    bright = percentile(sample, 50) >= _MOSTLY_PAPER * percentile(sample, 90)
    if not bright or np.count_nonzero(marked) < _MIN_CELLS or lean(small_ink(luma)) is None:
        return 0.0
    return min(_width(each, spans, marked, _SHARPEST_PERCENT) for each in _differences(cut)[0])


def _edges(cut: Plane, printed: NDArray[np.bool_], highest: NDArray[np.float64], lowest: NDArray[np.float64]) -> Edges:
    """Return what the cells that hold print tell."""
    spans, cells = highest - lowest, int(np.count_nonzero(printed))
    upright, slanting = ([_width(each, spans, printed) for each in pair] for pair in _differences(cut))
    lean = max(slanting) / max(min(slanting), 0.1)
    ratio = float(np.exp(np.hypot(np.log(lean), np.log(max(upright) / max(min(upright), 0.1)))))
    faint = median(lowest[printed] / highest[printed])
    ink = median(lowest[printed])
    widest = max(*upright, lean * min(upright))
    return Edges(widest, min(upright), ratio, cells, ink, faint, smear_px=max(upright) * lean)


def _printed(cut: Plane, highest: NDArray[np.float64], lowest: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell for each cell whether it holds print to measure; none does where too little is surely print."""
    contrast = (highest - lowest) / np.maximum(highest, 1.0)
    lit = highest >= _IN_SHADOW * percentile(highest, 75)
    printed = (contrast >= _MIN_CONTRAST) & (highest - lowest >= _MIN_RANGE) & lit
    marked = int(np.count_nonzero(printed))
    if marked < _MIN_CELLS:
        return np.zeros_like(printed)
    thickness = np.full(len(printed), np.inf)
    thickness[printed] = _stroke_px(cut, printed, (highest + lowest) / 2)
    printed = thickness <= _THICKEST_PX
    strokes = int(np.count_nonzero(printed))
    if strokes < max(_MIN_CELLS, _MIN_STROKES * marked):
        return np.zeros_like(printed)
    printed &= contrast >= _LIKE_DARKEST * percentile(contrast[printed], 90)
    enough = np.count_nonzero(printed) >= max(_MIN_CELLS, _MIN_SHARE * printed.size)
    return printed if enough else np.zeros_like(printed)


def _stroke_px(luma: Plane, asked: NDArray[np.bool_], middle: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how thick the strokes of the cells asked for are; infinite where darkness fills too much of one."""
    rows, columns = luma.shape[0] // _CELL_PX, luma.shape[1] // _CELL_PX
    cells = luma.reshape(rows, _CELL_PX, columns, _CELL_PX).swapaxes(1, 2)[asked.reshape(rows, columns)]
    dark = cells < middle[asked, None, None].astype(np.uint8)
    inked = _count(dark)
    # A stroke begins and ends. What only does one of both within a cell is a shadow, the gutter's above all.
    across, down = _count(dark[:, :, 1:] != dark[:, :, :-1]) / 2, _count(dark[:, 1:] != dark[:, :-1]) / 2
    thickness = inked / np.maximum(np.maximum(across, down), 1)
    return np.where(inked <= _MOST_INK * _CELL_PX**2, thickness, np.inf)


def _count(flags: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Return how many flags of each cell are set; by bits, four times faster than one by one."""
    bits = np.packbits(flags.reshape(len(flags), -1), axis=1)
    return np.asarray(np.bitwise_count(bits).sum(axis=1, dtype=np.intp))


def _differences(luma: Plane) -> tuple[tuple[Plane, Plane], tuple[Plane, Plane]]:
    """Return how much luma changes over two pixels: to the right and downwards, and along both diagonals.

    Strokes have few slanting edges, so that diagonals are only compared with each other. 0 where a cell row ends.
    """
    right, down, falling, rising = (np.zeros_like(luma) for _ in range(4))
    cv2.absdiff(luma[:, 2:], luma[:, :-2], right[:, 1:-1])
    cv2.absdiff(luma[2:], luma[:-2], down[1:-1])
    cv2.absdiff(luma[2:, 2:], luma[:-2, :-2], falling[1:-1, 1:-1])
    cv2.absdiff(luma[2:, :-2], luma[:-2, 2:], rising[1:-1, 1:-1])
    for each in (down, falling, rising):
        each[::_CELL_PX] = each[_CELL_PX - 1 :: _CELL_PX] = 0  # the next row of cells may lie elsewhere on the page
    return (right, down), (falling, rising)


def _width(twice: Plane, spans: NDArray[np.float64], printed: NDArray[np.bool_], percent: float = 25.0) -> float:
    """Return the sigma of the sharper quarter (or so many) of cells from their differences over two pixels."""
    slopes = np.maximum(_per_cell(twice, np.maximum)[printed] / 2, 1.0)
    return percentile(spans[printed] / np.sqrt(2 * np.pi) / slopes, percent)


def _per_cell(values: Plane, how: np.ufunc) -> NDArray[np.float64]:
    """Return the highest or lowest value of each cell, shape (cells,)."""
    rows, columns = values.shape[0] // _CELL_PX, values.shape[1] // _CELL_PX
    by_row = how.reduce(values.reshape(rows, _CELL_PX, -1), axis=1)
    return np.asarray(how.reduce(by_row.reshape(rows, columns, _CELL_PX), axis=2), np.float64).ravel()


def small_ink(luma: Plane) -> Plane:
    """Return how much darker than the paper around it each place is, on the page made small (about 800 px)."""
    scale = max(1.0, max(luma.shape) / _SMALL_PX)
    size = (max(1, round(luma.shape[1] / scale)), max(1, round(luma.shape[0] / scale)))
    small = plane(cv2.resize(luma, size, interpolation=cv2.INTER_AREA))
    paper = cv2.morphologyEx(small, cv2.MORPH_CLOSE, np.ones((15, 15), np.uint8))
    return plane(cv2.subtract(paper, small))


def ink_share(ink: Plane) -> float:
    """Return the share of a page that is clearly darker than its paper, its border left out."""
    inner = _without_border(ink, 0.05)
    return float(np.count_nonzero(inner > _INK)) / max(inner.size, 1)


def lean(ink: Plane) -> float | None:
    """Return by how many degrees lines of print fall to the right, or None when there are too few to tell."""
    inner = _without_border(ink, 0.06)
    if inner.shape[1] < 4 * _STRIPS or inner.shape[0] < 64:
        return None
    strips = np.array_split(plane(cv2.threshold(inner, 60, 255, cv2.THRESH_TRUNC)[1]), _STRIPS, axis=1)
    profiles = np.stack([cv2.reduce(strip, 1, cv2.REDUCE_AVG, dtype=cv2.CV_32F).ravel() for strip in strips])
    middle = (np.arange(_STRIPS) - (_STRIPS - 1) / 2) * inner.shape[1] / _STRIPS
    rounds = np.concatenate([profiles, profiles], axis=1)
    order = np.zeros(len(_SKEWS_DEG))
    for place in range(0, len(order), 2):
        order[place] = _order(rounds, middle * np.tan(np.radians(_SKEWS_DEG[place])))
    usual, best = median(order[::2]), int(order.argmax())
    for place in (best - 1, best + 1):  # between these the peak lies
        if 0 <= place < len(order):
            order[place] = _order(rounds, middle * np.tan(np.radians(_SKEWS_DEG[place])))
    best = int(order.argmax())
    if order[best] < 1.25 * usual or best in (0, len(order) - 1):
        return None
    return float(_SKEWS_DEG[best])


def _order(rounds: NDArray[np.float32], shifts: NDArray[np.float64]) -> float:
    """Return how strongly rows alternate between ink and paper once each strip is moved up by its shift.

    Args:
        rounds: profile of every strip, twice over, shape (strips, 2 * rows).
        shifts: in rows, one a strip.
    """
    length = rounds.shape[1] // 2
    total = np.zeros(length, np.float32)
    for strip, first in zip(rounds, np.rint(shifts).astype(int) % length, strict=True):
        total += strip[first : first + length]
    return float(total.var())


def _without_border(values: Plane, share: float) -> Plane:
    rows, columns = (round(side * share) for side in values.shape)
    return values[rows : values.shape[0] - rows, columns : values.shape[1] - columns]


def print_along_sides(ink: Plane, outline: NDArray[np.float64]) -> tuple[int, int, int, int]:
    """Return how many separate pieces of ink lie along the top, right, bottom and left of a page.

    Lines of print that run into an edge are many pieces; ground that shows beyond the outline is none of the page's.

    Args:
        ink: of the page.
        outline: the page's edge in pixels of `ink`, shape (n, 2).
    """
    skip, band = 2 * round(0.005 * max(ink.shape)) + 3, 2 * round(0.012 * max(ink.shape)) + 1
    paper = np.zeros((ink.shape[0] + 2, ink.shape[1] + 2), np.uint8)
    cv2.fillPoly(paper, [np.rint(outline + 1).astype(np.int32)], 1)
    paper[0] = paper[-1] = paper[:, 0] = paper[:, -1] = 0
    inner = cv2.erode(paper, np.ones((skip, skip), np.uint8), borderValue=0)
    ring = (inner - cv2.erode(inner, np.ones((band, band), np.uint8), borderValue=0))[1:-1, 1:-1]
    dark = (ink > _INK) & (ring > 0)
    rows, columns = (np.linspace(0, 1, side, dtype=np.float32) for side in ink.shape)
    away = (rows[:, None], 1 - columns[None, :], 1 - rows[:, None], columns[None, :])
    nearest = np.minimum(np.minimum(away[0], away[2]), np.minimum(away[1], away[3]))
    top, right, bottom, left = (
        int(np.count_nonzero(np.diff((dark & (far <= nearest)).any(axis=axis).astype(np.int8)) > 0))
        for axis, far in zip((0, 1, 0, 1), away, strict=True)
    )
    return top, right, bottom, left
