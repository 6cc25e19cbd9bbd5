"""Which way up: the camera's set-up first, then the print itself. What EXIF says is never looked at."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.imaging.finding.sheets import Found
from appliance.imaging.flattening.rectify import plan
from appliance.imaging.geometry import Polygon, turned
from appliance.imaging.planes import Plane, plane
from appliance.imaging.print_lines import direction_of_print
from appliance.imaging.view import View
from wire.documents import QuarterTurn

_LONGEST_PX: Final = 1600
_SHRUNK: Final = 0.8
"""A page made so much smaller mostly keeps its letters apart with straight lines between samples, faster by far than
the cubic (97 photographs: as sure on the mean); small letters part only where they are made larger smoothly."""
_CLEAR_DIRECTION: Final = 0.15
_COLUMNS: Final = 8
_SURE: Final = 0.3
"""Evidence below this says nothing: pictures, vertical writing, no print; lines of capitals alone come to 0.26."""
_PLAIN: Final = 0.6
"""So much from one page of two, and the other is not asked."""
_CERTAIN: Final = 6.0
"""Standard deviations of a coin that letters must differ by to be certain by themselves."""
_BLACK, _PALE = 0.42, 0.22
"""Darker than paper by this share is ink: black print first, whose letters so stay apart; pale print where that says
nothing. Measured on 73 photographed sheets: without a say 23 with the second alone, 5 with the first."""
_LEAST_INK: Final = 14
_SMALLEST_PX: Final = 5
_TALLEST_PX: Final = 60
_FEWEST: Final = 20
_LEVEL: Final = 0.17
"""Of the usual height of letters: feet or heads this near to each other are level, ..."""
_UNLIKE: Final = 0.25
"""... and letters that differ by more are an ascender or a descender beside a plain one."""
_ONE_LINE: Final = 0.9


@dataclass(frozen=True, slots=True, eq=False)
class _Print:
    """What is printed on a page: how bright its paper is, and how much darker each place."""

    paper: Plane
    depth: Plane


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """How a page without its edges lies in a frame.

    Attributes:
        to_frame: perspective from its pixels to those of the frame, shape (3, 3).
        size: width and height.
        shrunk: whether its pixels are larger than those of the frame.
    """

    to_frame: NDArray[np.float64]
    size: tuple[int, int]
    shrunk: bool


def find_rotation(luma: Plane, view: View, found: Found) -> tuple[QuarterTurn, float]:
    """Return the clockwise turn that makes the pages of a frame upright, and how sure that is (0 to 1).

    Lines of print run across the spine and along the page; of the two turns that are left, the right one has more
    letters that stand up from the line (b, d, h, accents) beside plain ones than letters that hang down; and lines end
    steeper at their feet, which tells where letters run into each other.
    """
    quads = [sheet.corners for sheet in found.sheets]
    lying = _direction(view, found)
    options: tuple[QuarterTurn, QuarterTurn] = (0, 180) if lying >= 0 else (90, 270)
    pages = [_seen_page(luma, turned(quad, options[0])) for quad in quads]
    shrunk = all(page.shrunk for page in pages)
    for how in (cv2.INTER_LINEAR, cv2.INTER_CUBIC) if shrunk else (cv2.INTER_CUBIC,):
        evidence = _evidence(luma, pages, how)
        if abs(evidence) >= _SURE:
            return options[0] if evidence > 0 else options[1], min(abs(evidence), 1.0)
    return (0 if abs(lying) < _CLEAR_DIRECTION else options[0]), 0.0


def _evidence(luma: Plane, pages: list[_Seen], how: int) -> float:
    """Return how surely print stands upright (positive) or on its head; a first page that is plain is enough."""
    prints, black, lines = list[_Print](), list[tuple[int, int]](), list[float]()
    for page in pages:
        prints.append(_print(luma, page, how))
        black.append(_level_pairs(_ink(prints[-1], _BLACK)))
        lines.append(_steepness(prints[-1].depth))
        evidence = _by_letters(black) + _together(lines)
        if abs(evidence) >= (_SURE if len(prints) == len(pages) else _PLAIN):
            return evidence
    return _by_letters([_level_pairs(_ink(each, _PALE)) for each in prints]) + _together(lines)


def _together(lines: list[float]) -> float:
    """Return what the lines of all pages say: two that agree say more."""
    return sum(lines) / float(np.sqrt(max(len(lines), 1)))


def _by_letters(counts: list[tuple[int, int]]) -> float:
    """Return how surely letters stand up (1) or hang down (-1) from their lines."""
    below, above = sum(count[0] for count in counts), sum(count[1] for count in counts)
    return float(np.clip((below - above) / max(below + above, 1) ** 0.5 / _CERTAIN, -1, 1))


def _steepness(depth: Plane) -> float:
    """Return how much steeper lines of print end downwards than upwards: positive = upright, -1 to 1."""
    strips = np.array_split(plane(cv2.threshold(depth, 80, 255, cv2.THRESH_TRUNC)[1]), _COLUMNS, axis=1)
    profiles = [np.ravel(cv2.reduce(strip, 1, cv2.REDUCE_AVG, dtype=cv2.CV_32F)) for strip in strips]
    steps = np.asarray(np.diff(np.stack(profiles), axis=1), np.float32)
    total = float(np.sum(np.abs(steps) ** 3))
    return -float(np.sum(steps**3)) / total if total > 0 else 0.0


def _direction(view: View, found: Found) -> float:
    """Return +1 where lines of print lie in the frame as stored, -1 where they stand."""
    if found.gutter is not None:
        return 1.0 if found.upright_gutter else -1.0
    total = 0.0
    for sheet in found.sheets:
        inside = np.zeros(view.y.shape, np.uint8)
        cv2.fillPoly(inside, [np.rint(view.from_frame(sheet.polygon)).astype(np.int32)], 255)
        total += direction_of_print(view, view.from_frame(sheet.corners), inside)
    return total


def _level_pairs(ink: Plane) -> tuple[int, int]:
    """Return how many neighbouring letters of unlike height stand level at their feet, and how many hang level.

    Only neighbours are compared, so lines may be bent and lean.
    """
    # The same pieces in the same order as by default, in a third of the time.
    _, labels, stats, _ = cv2.connectedComponentsWithStatsWithAlgorithm(ink, 8, cv2.CV_32S, cv2.CCL_BBDT)
    left, top, width, height, area = np.asarray(stats, np.intp).T
    letter = (height >= _SMALLEST_PX) & (height <= _TALLEST_PX) & (width <= 2 * height) & (height <= 8 * width)
    letter &= area >= _SMALLEST_PX
    letter[0] = False
    if np.count_nonzero(letter) < _FEWEST:
        return 0, 0
    usual = float(np.median(height[letter]))
    letter &= (height > 0.6 * usual) & (height < 2.4 * usual)
    own = np.flatnonzero(letter)
    after = _neighbours(np.asarray(labels, np.int32), letter, own, (left + width)[own], (top + height / 2)[own], usual)
    own, after = own[after > 0], after[after > 0]
    heads = np.abs(top[own] - top[after]) / usual
    feet = np.abs((top + height)[own] - (top + height)[after]) / usual
    below = (feet < _LEVEL) & (heads > _UNLIKE) & (heads < _ONE_LINE)
    above = (heads < _LEVEL) & (feet > _UNLIKE) & (feet < _ONE_LINE)
    return int(np.count_nonzero(below)), int(np.count_nonzero(above))


def _ink(seen: _Print, share: float) -> Plane:
    """Return 1 where a page is darker than its paper by this share of it."""
    least = np.maximum(cv2.addWeighted(seen.paper, share, seen.paper, 0, 0), _LEAST_INK)
    return plane((seen.depth > least).astype(np.uint8))


def _seen_page(luma: Plane, corners: Polygon) -> _Seen:
    """Return how a page lies in a frame, in its true proportions."""
    page = plan(corners, corners, 0.0, (luma.shape[1], luma.shape[0]))
    scale = _LONGEST_PX / max(page.width_px, page.height_px)
    size = (max(64, round(page.width_px * scale)), max(64, round(page.height_px * scale)))
    grown = np.diag([page.width_px / size[0], page.height_px / size[1], 1.0])
    left, top = size[0] // 12, size[1] // 20
    inner = np.array([[1.0, 0, left], [0, 1, top], [0, 0, 1]])
    size = (size[0] - 2 * left, size[1] - 2 * top)
    return _Seen(np.asarray(page.perspective @ grown @ inner, np.float64), size, scale < _SHRUNK)


def _print(luma: Plane, page: _Seen, how: int) -> _Print:
    """Return the print of a page."""
    flat = plane(cv2.warpPerspective(luma, page.to_frame, page.size, flags=how | cv2.WARP_INVERSE_MAP))
    paper = plane(cv2.morphologyEx(flat, cv2.MORPH_CLOSE, np.ones((15, 15), np.uint8)))
    return _Print(paper, plane(cv2.subtract(paper, flat)))


def _neighbours(
    labels: NDArray[np.int32],
    letter: NDArray[np.bool_],
    own: NDArray[np.intp],
    right: NDArray[np.intp],
    middle: NDArray[np.float64],
    usual: float,
) -> NDArray[np.intp]:
    """Return for each letter the one that follows it on its line, 0 where none is near."""
    found = np.zeros(len(own), np.intp)
    columns = np.minimum(right[:, None] + np.arange(max(2, round(usual))), labels.shape[1] - 1)
    for shift in (0.0, -0.2, 0.2):
        rows = np.clip(np.rint(middle + shift * usual).astype(np.intp), 0, labels.shape[0] - 1)
        near = labels[rows[:, None], columns]
        near = np.where(letter[near] & (near != own[:, None]), near, 0)
        first = near[np.arange(len(own)), (near > 0).argmax(axis=1)]
        found = np.where(found == 0, first, found)
    return found
