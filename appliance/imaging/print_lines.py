"""Which way lines of print run and where they stop. Tells a spine from a rule, two pages from one, up from sideways."""

from typing import Final

import cv2
import numpy as np

from appliance.imaging.geometry import Polygon, homography, points, side_lengths
from appliance.imaging.planes import Plane, plane
from appliance.imaging.ranks import ranked
from appliance.imaging.view import View

_SIZE: Final = 384
_SMEAR: Final = 17
_EDGE_LIMIT: Final = 12.0
_BARE: Final = 0.6
"""Energy that paper without print has: the spine's shadow, grain, the page's own edge."""
_BESIDE: Final = 0.3
_MARGIN: Final = 0.08
_ON: Final = 0.006
_BAND: Final = 0.014
_ENDS: Final = 0.14
"""Of a line's length, left out at both ends: margins, and ground where an outline is rough."""
_BLANK: Final = 3.0
"""Levels of change from place to place that paper has without print."""
_WIDE: Final = 1.1
"""Width over height from which paper may be two pages side by side."""
_ACROSS, _ALONG = 256, 192
_LEANS: Final = (-12, -8, -4, 0, 4, 8, 12)
_HALVES: Final = (slice(31, 92), slice(164, 225))
_MIDDLE: Final = slice(97, 159)
_PARTED: Final = 0.2
"""Measured between two pages 0.02 to 0.18; in the gaps of tables from 0.12, of other print from 0.28."""


def print_across(luma: Plane, line: Polygon) -> tuple[float, float]:
    """Return how much print lies on a line, as a share of the fuller side's; and in a band about it, of the other's.

    Along a spine paper changes little, however dark it is; along a line through print it changes with every line of it.
    Lines of print lie closer together than the band is wide. 0 where a side has no print.
    """
    span = line[1] - line[0]
    length = max(float(np.linalg.norm(span)), 1.0)
    half, apart, near, band = (max(1, round(share * length)) for share in (_BESIDE, _MARGIN, _ON, _BAND))
    rows = max(8, round((1 - 2 * _ENDS) * length))
    normal = np.array([-span[1], span[0]]) / length
    matrix = np.column_stack([normal, span * (1 - 2 * _ENDS) / (rows - 1), line[0] + _ENDS * span - half * normal])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    rolled = cv2.warpAffine(luma, matrix, (2 * half + 1, rows), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    change = cv2.absdiff(rolled[2:], rolled[:-2]).mean(axis=0)
    on, about = change[half - near : half + near + 1].min(), change[half - band : half + band + 1].mean()
    beside = [ranked(each) for each in (change[: half - apart], change[half + apart + 1 :])]
    shares = zip((on, about), (max(beside), min(beside)), strict=True)
    fuller, emptier = (float(here) / there if there > _BLANK else 0.0 for here, there in shares)
    return fuller, emptier


def is_wide(quad: Polygon) -> bool:
    """Tell whether paper is so much wider (along side 0-1) than high that it may be two pages side by side."""
    top, right, bottom, left = side_lengths(quad)
    return bool(top + bottom >= _WIDE * (left + right))


def parted_in_two(view: View, quad: Polygon) -> bool:
    """Tell whether print stands on both halves of a quad (along side 0-1) and no line of it crosses the middle.

    That is how two pages look, whether or not a spine is seen between them.
    """
    flat = points([(0, 0), (_ACROSS - 1, 0), (_ACROSS - 1, _ALONG - 1), (0, _ALONG - 1)])
    flags, size = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, (_ACROSS, _ALONG)
    luma = cv2.warpPerspective(view.y, homography(flat, quad), size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    inner = round(_ENDS * _ALONG)
    change = cv2.blur(cv2.absdiff(luma[2:], luma[:-2])[inner:-inner], (3, 1))
    height = change.shape[0]
    for lean in _LEANS:
        matrix = np.array([[1.0, lean / height, -lean / 2], [0.0, 1.0, 0.0]])
        leaning = cv2.warpAffine(change, matrix, (_ACROSS, height), flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP)
        across = leaning.mean(axis=0)
        print_on_both = min(float(np.median(across[half])) for half in _HALVES)
        if print_on_both > _BLANK and float(across[_MIDDLE].min()) < _PARTED * print_on_both:
            return True
    return False


def direction_of_print(view: View, quad: Polygon, mask: Plane) -> float:
    """Return +1 where print runs from side 3-0 to side 1-2 of `quad`, -1 where it runs across, 0 for no telling."""
    flat = points([(0, 0), (_SIZE - 1, 0), (_SIZE - 1, _SIZE - 1), (0, _SIZE - 1)])
    back, flags = homography(flat, quad), cv2.WARP_INVERSE_MAP
    luma = plane(cv2.warpPerspective(view.y, back, (_SIZE, _SIZE), flags=flags | cv2.INTER_LINEAR))
    paper = plane(cv2.warpPerspective(mask, back, (_SIZE, _SIZE), flags=flags | cv2.INTER_NEAREST))
    paper_luma = plane(cv2.morphologyEx(luma, cv2.MORPH_CLOSE, np.ones((_SMEAR, _SMEAR), np.uint8)))
    ink = plane(cv2.subtract(paper_luma, luma))
    inner = plane(cv2.erode(paper, np.ones((15, 15), np.uint8)))
    if cv2.countNonZero(inner) < 0.1 * inner.size:
        return 0.0
    # Smearing along a line of print keeps it; smearing across it wipes it out.
    lying = _energy(ink, inner, (_SMEAR, 1), (0, 1))
    standing = _energy(ink, inner, (1, _SMEAR), (1, 0))
    printed = float(np.clip((lying + standing - _BARE) / _BARE, 0, 1))
    return printed * float(np.clip(5 * (lying - standing) / (lying + standing + 0.2), -1, 1))


def _energy(ink: Plane, inner: Plane, smear: tuple[int, int], axis: tuple[int, int]) -> float:
    smeared, (x, y) = cv2.blur(ink, smear), axis
    change = cv2.absdiff(smeared[2 * y :, 2 * x :], smeared[: _SIZE - 2 * y, : _SIZE - 2 * x])
    change = cv2.threshold(change, 2 * _EDGE_LIMIT, 255, cv2.THRESH_TRUNC)[1]
    return float(cv2.mean(change, inner[y : _SIZE - y, x : _SIZE - x])[0]) / 2
