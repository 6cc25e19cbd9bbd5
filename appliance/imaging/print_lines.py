"""Which way lines of print run. Used to tell a spine from a rule, and up from sideways."""

from typing import Final

import cv2
import numpy as np

from appliance.imaging.geometry import Polygon, homography, points
from appliance.imaging.planes import Plane, plane
from appliance.imaging.view import View

_SIZE: Final = 384
_SMEAR: Final = 17
_EDGE_LIMIT: Final = 12.0
_BARE: Final = 0.6
"""Energy that paper without print has: the spine's shadow, grain, the page's own edge."""


def direction_of_print(view: View, quad: Polygon, mask: Plane) -> float:
    """Return +1 where print runs from side 3-0 to side 1-2 of `quad`, -1 where it runs across, 0 for no telling."""
    flat = points([(0, 0), (_SIZE - 1, 0), (_SIZE - 1, _SIZE - 1), (0, _SIZE - 1)])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    back = homography(flat, quad)
    luma, paper = (plane(cv2.warpPerspective(values, back, (_SIZE, _SIZE), flags=flags)) for values in (view.y, mask))
    paper_luma = plane(cv2.morphologyEx(luma, cv2.MORPH_CLOSE, np.ones((_SMEAR, _SMEAR), np.uint8)))
    ink = plane(cv2.subtract(paper_luma, luma))
    inner = cv2.erode(paper, np.ones((15, 15), np.uint8)) > 0
    if np.count_nonzero(inner) < 0.1 * inner.size:
        return 0.0
    # Smearing along a line of print keeps it; smearing across it wipes it out.
    lying = _energy(ink, inner, (_SMEAR, 1), (0, 1))
    standing = _energy(ink, inner, (1, _SMEAR), (1, 0))
    printed = float(np.clip((lying + standing - _BARE) / _BARE, 0, 1))
    return printed * float(np.clip(5 * (lying - standing) / (lying + standing + 0.2), -1, 1))


def _energy(ink: Plane, inner: np.typing.NDArray[np.bool_], smear: tuple[int, int], axis: tuple[int, int]) -> float:
    change = np.abs(cv2.Sobel(cv2.blur(ink, smear), cv2.CV_32F, axis[0], axis[1], ksize=3)) / 8
    return float(np.minimum(change[inner], _EDGE_LIMIT).mean())
