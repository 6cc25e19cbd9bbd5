"""Numbers about a page. No judgement here: `checks` holds them against a profile."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.imaging.planes import Plane, plane


@dataclass(frozen=True, slots=True)
class Tone:
    """How bright a page is: luma at percentiles, and the share of it at full white."""

    dark: float
    middle: float
    paper: float
    clipped_share: float


@dataclass(frozen=True, slots=True)
class Edges:
    """How sharp print is.

    Attributes:
        sigma_px: half width (Gaussian sigma) of the sharper edges, in pixels; None = too little print to tell.
        across_px: of edges that run up and down.
        along_px: of edges that run left and right.
        cells: in how many cells of the page there was print to measure.
    """

    sigma_px: float | None
    across_px: float
    along_px: float
    cells: int


_CELL_PX = 48
_MIN_CELLS = 12
_MIN_RANGE = 60


def tone(luma: Plane) -> Tone:
    """Return the percentiles 2, 50 and 90 of a page's luma and the share of it at 254 or more."""
    sample = luma[::4, ::4] if luma.size > 65_536 else luma
    dark, middle, paper = np.percentile(sample, (2, 50, 90))
    return Tone(float(dark), float(middle), float(paper), float(np.count_nonzero(sample >= 254)) / sample.size)


def edges(luma: Plane) -> Edges:
    """Measure the width of edges: the range of a cell over its steepest slope is 2.5 sigma of a blurred step."""
    across, along, ranges = _slopes(luma)
    printed = ranges >= _MIN_RANGE
    cells = int(np.count_nonzero(printed))
    if cells < _MIN_CELLS:
        return Edges(None, 0.0, 0.0, cells)
    span = ranges[printed] / np.sqrt(2 * np.pi)
    across_px = float(np.percentile(span / np.maximum(across[printed], 1.0), 25))
    along_px = float(np.percentile(span / np.maximum(along[printed], 1.0), 25))
    return Edges(max(across_px, along_px), across_px, along_px, cells)


def _slopes(luma: Plane) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return for each cell the steepest slope to the right, downwards, and the range of luma."""
    rows, columns = luma.shape[0] // _CELL_PX, luma.shape[1] // _CELL_PX
    if not rows or not columns:
        return (np.zeros(0), np.zeros(0), np.zeros(0))
    cut = luma[: rows * _CELL_PX, : columns * _CELL_PX]
    right = cv2.convertScaleAbs(cv2.Sobel(cut, cv2.CV_16S, 1, 0, ksize=1), alpha=1)
    down = cv2.convertScaleAbs(cv2.Sobel(cut, cv2.CV_16S, 0, 1, ksize=1), alpha=1)
    span = _per_cell(cut, rows, columns, np.max) - _per_cell(cut, rows, columns, np.min)
    return _per_cell(plane(right), rows, columns, np.max) / 2, _per_cell(plane(down), rows, columns, np.max) / 2, span


def _per_cell(values: Plane, rows: int, columns: int, how: object) -> NDArray[np.float64]:
    cells = values.reshape(rows, _CELL_PX, columns, _CELL_PX)
    reduced = cells.max(axis=(1, 3)) if how is np.max else cells.min(axis=(1, 3))
    return reduced.astype(np.float64).ravel()


def ink_share(luma: Plane) -> float:
    """Return the share of a page that is clearly darker than the paper around it."""
    scale = max(1, max(luma.shape) // 800)
    small = plane(cv2.resize(luma, (luma.shape[1] // scale, luma.shape[0] // scale), interpolation=cv2.INTER_AREA))
    inner = small[
        small.shape[0] // 20 : -(small.shape[0] // 20) or None, small.shape[1] // 20 : -(small.shape[1] // 20) or None
    ]
    paper = cv2.medianBlur(cv2.dilate(inner, np.ones((9, 9), np.uint8)), 15)
    return float(np.count_nonzero(cv2.subtract(paper, inner) > 40)) / inner.size
