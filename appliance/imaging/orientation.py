"""Which way up: the camera's set-up first, then the print itself. What EXIF says is never looked at."""

from typing import Final

import cv2
import numpy as np

from appliance.imaging.geometry import Polygon, homography, points, side_lengths, turned
from appliance.imaging.planes import Plane, plane
from appliance.imaging.print_lines import direction_of_print
from appliance.imaging.sheets import Found
from appliance.imaging.view import View
from wire.documents import QuarterTurn

_LONGEST_PX: Final = 1600
_COLUMNS: Final = 8
_CLEAR_DIRECTION: Final = 0.15
SURE: Final = 0.15
"""Evidence below this says nothing: a page of pictures, vertical writing, no print at all."""


def find_rotation(luma: Plane, view: View, found: Found) -> tuple[QuarterTurn, float]:
    """Return the clockwise turn that makes the pages of a frame upright, and how sure that is (0 to 1).

    Lines of print run across the spine and along the page; of the two turns that are left, the right one has more ink
    standing up from the lines (b, d, h, and nearly every Vietnamese accent) than hanging down.
    """
    quads = [sheet.corners for sheet in found.sheets]
    lying = _direction(view, found, quads)
    options: tuple[QuarterTurn, QuarterTurn] = (0, 180) if lying >= 0 else (90, 270)
    evidence = sum(_standing_up(luma, turned(quad, options[0])) for quad in quads)
    evidence /= max(len(quads), 1) ** 0.5  # two pages that agree say more than one
    if abs(evidence) < SURE:
        return (0 if abs(lying) < _CLEAR_DIRECTION else options[0]), 0.0
    return options[0] if evidence > 0 else options[1], min(1.0, abs(evidence))


def _direction(view: View, found: Found, quads: list[Polygon]) -> float:
    """Return +1 where lines of print lie in the frame as stored, -1 where they stand."""
    if found.gutter is not None:
        return 1.0 if found.upright_gutter else -1.0
    whole = np.full(view.y.shape, 255, np.uint8)
    return sum(direction_of_print(view, view.from_frame(quad), whole) for quad in quads)


def _standing_up(luma: Plane, corners: Polygon) -> float:
    """Return how much steeper lines of print end downwards than upwards: positive = upright, -1 to 1."""
    top, right, bottom, left = side_lengths(corners)
    width, height = max(top, bottom), max(left, right)
    scale = min(1.0, _LONGEST_PX / max(width, height))
    size = (max(_COLUMNS * 8, round(width * scale)), max(64, round(height * scale)))
    flat = points([(0, 0), (size[0] - 1, 0), (size[0] - 1, size[1] - 1), (0, size[1] - 1)])
    flags = cv2.INTER_AREA | cv2.WARP_INVERSE_MAP
    page = plane(cv2.warpPerspective(luma, homography(flat, corners), size, flags=flags))
    paper = cv2.morphologyEx(page, cv2.MORPH_CLOSE, np.ones((15, 15), np.uint8))
    ink = cv2.subtract(plane(paper), page)[size[1] // 20 : -(size[1] // 20), size[0] // 12 : -(size[0] // 12)]
    strips = np.array_split(np.minimum(ink, 80).astype(np.float32), _COLUMNS, axis=1)
    steps = np.diff(np.stack([strip.mean(axis=1) for strip in strips]), axis=1)
    total = float(np.sum(np.abs(steps) ** 3))
    return -float(np.sum(steps**3)) / total if total > 0 else 0.0
