"""Does the paper, with print on it, go on beyond an outline? Then the outline is wrong and would lose text."""

from typing import Final

import cv2
import numpy as np

from appliance.imaging.geometry import Polygon
from appliance.imaging.outline import CHROMA_WEIGHT
from appliance.imaging.view import View

_NEAR: Final = 0.04
_FAR: Final = 0.16
_LIKE: Final = 40.0
_DARKEST: Final = 0.3
_INK: Final = 28
_MIN_INK: Final = 0.03
_MIN_PAPER: Final = 0.45


def print_beyond(view: View, clean: View, start: Polygon, end: Polygon, paper: tuple[float, float, float]) -> bool:
    """Tell whether beyond the side from `start` to `end` (the page to its right) there is printed paper.

    Args:
        view: where to look.
        clean: the same without print.
        start: a corner, shape (2,), in pixels of the view.
        end: the next corner, clockwise.
        paper: luma, blue and red difference of the page's paper.
    """
    length = float(np.linalg.norm(end - start))
    if length < 8:
        return False
    outward = np.array([end[1] - start[1], start[0] - end[0]]) / length
    band = np.stack([start + _NEAR * length * outward, end + _NEAR * length * outward])
    band = np.concatenate([band, (band + (_FAR - _NEAR) * length * outward)[::-1]])
    mask = np.zeros(view.y.shape, np.uint8)
    cv2.fillPoly(mask, [np.rint(band).astype(np.int32)], 255)
    inside = mask > 0
    if np.count_nonzero(inside) < 0.3 * (_FAR - _NEAR) * length * length:
        return False  # the frame ends before
    y, u, v = (plane[inside].astype(np.float32) for plane in (clean.y, clean.u, clean.v))
    unlike = CHROMA_WEIGHT * (np.abs(u - paper[1]) + np.abs(v - paper[2])) + np.maximum(y - paper[0], 0)
    like = (unlike < _LIKE) & (y > _DARKEST * paper[0])
    if float(like.mean()) < _MIN_PAPER:
        return False
    ink = y[like] - view.y[inside][like] > _INK
    return float(ink.mean()) > _MIN_INK
