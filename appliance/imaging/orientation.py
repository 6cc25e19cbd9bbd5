"""Which way up: the camera's set-up first, then the print itself. What EXIF says is never looked at."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.imaging.geometry import Polygon, homography, points, side_lengths, turned
from appliance.imaging.planes import Plane, plane
from appliance.imaging.print_lines import direction_of_print
from appliance.imaging.sheets import Found
from appliance.imaging.view import View
from wire.documents import QuarterTurn

_LONGEST_PX: Final = 1600
_CLEAR_DIRECTION: Final = 0.15
_COLUMNS: Final = 8
_SURE_BY_LINES: Final = 0.25
_SURE: Final = 2.0
"""Evidence below this (standard deviations of a coin) says nothing: pictures, vertical writing, capitals, no print."""
_CERTAIN: Final = 6.0
_INK: Final = 0.22
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
    """What is printed on a page: `depth` = how much darker than its paper, `ink` = 1 where that is print."""

    depth: Plane
    ink: Plane


def find_rotation(luma: Plane, view: View, found: Found) -> tuple[QuarterTurn, float]:
    """Return the clockwise turn that makes the pages of a frame upright, and how sure that is (0 to 1).

    Lines of print run across the spine and along the page; of the two turns that are left, the right one has more
    letters that stand up from the line (b, d, h, accents) beside plain ones than letters that hang down.
    """
    quads = [sheet.corners for sheet in found.sheets]
    lying = _direction(view, found)
    options: tuple[QuarterTurn, QuarterTurn] = (0, 180) if lying >= 0 else (90, 270)
    prints = [_print(luma, turned(quad, options[0])) for quad in quads]
    evidence = _by_letters(prints) or _by_lines(prints)
    if not evidence:
        return (0 if abs(lying) < _CLEAR_DIRECTION else options[0]), 0.0
    return options[0] if evidence > 0 else options[1], abs(evidence)


def _by_letters(prints: list[_Print]) -> float:
    """Return how surely letters stand up (1) or hang down (-1) from their lines, 0 where too few tell."""
    counts = [_level_pairs(each.ink) for each in prints]
    below, above = sum(count[0] for count in counts), sum(count[1] for count in counts)
    evidence = (below - above) / max(below + above, 1) ** 0.5
    return float(np.clip(evidence / _CERTAIN, -1, 1)) if abs(evidence) >= _SURE else 0.0


def _by_lines(prints: list[_Print]) -> float:
    """Return the same from whole lines, where letters run into each other; lines end steeper at their feet."""
    evidence = sum(_steepness(each.depth) for each in prints)
    evidence /= max(len(prints), 1) ** 0.5  # two pages that agree say more than one
    return float(np.clip(evidence, -1, 1)) if abs(evidence) >= _SURE_BY_LINES else 0.0


def _steepness(depth: Plane) -> float:
    """Return how much steeper lines of print end downwards than upwards: positive = upright, -1 to 1."""
    strips = np.array_split(np.minimum(depth, 80).astype(np.float32), _COLUMNS, axis=1)
    steps = np.diff(np.stack([strip.mean(axis=1) for strip in strips]), axis=1)
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
    _, labels, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    left, top, width, height, area = np.asarray(stats, np.intp).T
    letter = (height >= _SMALLEST_PX) & (height <= _TALLEST_PX) & (width <= 3 * height) & (height <= 8 * width)
    letter &= area >= _SMALLEST_PX
    letter[0] = False
    if np.count_nonzero(letter) < _FEWEST:
        return 0, 0
    usual = float(np.median(height[letter]))
    letter &= (height > 0.6 * usual) & (height < 2.4 * usual)
    own = np.flatnonzero(letter)
    after = _neighbours(np.asarray(labels, np.intp), letter, own, (left + width)[own], (top + height / 2)[own], usual)
    own, after = own[after > 0], after[after > 0]
    heads = np.abs(top[own] - top[after]) / usual
    feet = np.abs((top + height)[own] - (top + height)[after]) / usual
    below = (feet < _LEVEL) & (heads > _UNLIKE) & (heads < _ONE_LINE)
    above = (heads < _LEVEL) & (feet > _UNLIKE) & (feet < _ONE_LINE)
    return int(np.count_nonzero(below)), int(np.count_nonzero(above))


def _print(luma: Plane, corners: Polygon) -> _Print:
    """Return the print of a page made rectangular; the page's edges are left out."""
    top, right, bottom, left = side_lengths(corners)
    width, height = max(top, bottom), max(left, right)
    scale = min(1.0, _LONGEST_PX / max(width, height))
    size = (max(64, round(width * scale)), max(64, round(height * scale)))
    flat = points([(0, 0), (size[0] - 1, 0), (size[0] - 1, size[1] - 1), (0, size[1] - 1)])
    flags = cv2.INTER_AREA | cv2.WARP_INVERSE_MAP
    page = plane(cv2.warpPerspective(luma, homography(flat, corners), size, flags=flags))
    paper = plane(cv2.morphologyEx(page, cv2.MORPH_CLOSE, np.ones((15, 15), np.uint8)))
    inner = slice(size[1] // 20, -(size[1] // 20)), slice(size[0] // 12, -(size[0] // 12))
    depth, paper = plane(cv2.subtract(paper, page)[inner]), plane(paper[inner])
    ink = depth > np.maximum(cv2.addWeighted(paper, _INK, paper, 0, 0), _LEAST_INK)
    return _Print(depth, plane(ink.astype(np.uint8)))


def _neighbours(
    labels: NDArray[np.intp],
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
