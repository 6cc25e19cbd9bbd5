"""Does the paper, with print on it, go on beyond an outline? Then the outline is wrong and would lose text."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.imaging.finding.outline import CHROMA_WEIGHT
from appliance.imaging.geometry import Polygon
from appliance.imaging.planes import Plane
from appliance.imaging.view import View

_NEAR: Final = 0.04
_FAR: Final = 0.16
_LIKE: Final = 40.0
_OTHER_COLOUR: Final = 0.08
"""Of luma: how far blue and red difference of paper may be from the page's, together."""
_IN_SHADE: Final = 0.75
_DARKEST: Final = 0.3
_INK: Final = 28
_FAINT_INK: Final = 0.14
"""Of the paper's own tone: print in a shadow is as much fainter as its paper."""
_LEAST_INK: Final = 10
_QUIET: Final = 0.012
"""Paper is smooth between its lines; a ground that is rough all over is not printed."""
_ROWS: Final = 64
_INWARD: Final = 0.01
_GAP: Final = 0.92
_ALONG: Final = 0.8
_RIM: Final = 0.6
"""Of what is light on both its sides."""
_RIM_PX: Final = 3
_RIM_ROWS: Final = 160
_MIN_INK: Final = 0.03
_MIN_PAPER: Final = 0.35
_MIN_INSIDE: Final = 0.3


def print_beyond(
    view: View,
    clean: View,
    start: Polygon,
    end: Polygon,
    paper: tuple[float, float, float],
    *,
    may_face: bool = True,
) -> bool:
    """Tell whether beyond the side from `start` to `end` (the page to its right) there is printed paper.

    Args:
        view: where to look.
        clean: the same without print.
        start: a corner, shape (2,), in pixels of the view.
        end: the next corner, clockwise.
        paper: luma, blue and red difference of the page's paper.
        may_face: whether paper behind a dark gap is taken for the facing page.
    """
    length = float(np.linalg.norm(end - start))
    if length < 8:
        return False
    outward = np.array([end[1] - start[1], start[0] - end[0]]) / length
    size = (max(1, round(length)), max(1, round((_FAR - _NEAR) * length)))
    back = np.column_stack([(end - start) / size[0], outward, start + _NEAR * length * outward])
    inside = _in_frame(view, back, size)
    if float(inside.mean()) < _MIN_INSIDE:
        return False  # the frame ends before
    y = _rolled(clean.y, back, size)[inside]
    if float(np.mean(y > _DARKEST * paper[0])) < _MIN_PAPER:
        return False
    u, v = (_rolled(plane, back, size)[inside] for plane in (clean.u, clean.v))
    unlike = CHROMA_WEIGHT * (np.abs(u - paper[1]) + np.abs(v - paper[2])) + np.maximum(y - paper[0], 0)
    like = (unlike < _LIKE) & (y > _DARKEST * paper[0])
    if float(like.mean()) < _MIN_PAPER:
        return False
    tone, ink = y[like], y[like] - _rolled(view.y, back, size)[inside][like]
    faint = np.maximum(_FAINT_INK * tone, _LEAST_INK)
    smooth = float(np.median(ink)) <= _QUIET * float(np.median(tone))
    printed = float((ink > (np.minimum(faint, _INK) if smooth else _INK)).mean()) > _MIN_INK
    if printed and not smooth and float(np.median(tone)) < _IN_SHADE * paper[0]:
        # A shadow leaves paper its colour; a rough ground that is as dark has its own.
        shares = [(each[like] - 128) / tone - (own - 128) / paper[0] for each, own in ((u, paper[1]), (v, paper[2]))]
        printed = sum(float(np.median(np.abs(share))) for share in shares) < _OTHER_COLOUR
    return printed and not (may_face and (_apart(clean, start, end, outward) or _rimmed(view, start, end, outward)))


def _in_frame(view: View, back: Polygon, size: tuple[int, int]) -> NDArray[np.bool_]:
    """Return which places of a band lie in the frame."""
    corners = np.array([(0, 0), (size[0], 0), (0, size[1]), size]) @ back[:, :2].T + back[:, 2]
    if bool((corners >= 0).all()) and bool((corners <= (view.width_px - 1, view.height_px - 1)).all()):
        return np.ones(size[::-1], np.bool_)
    x, y = (row[0] * np.arange(size[0]) + row[1] * np.arange(size[1])[:, None] + row[2] for row in back)
    return np.asarray((x >= 0) & (x <= view.width_px - 1) & (y >= 0) & (y <= view.height_px - 1), np.bool_)


def _rolled(values: Plane, back: Polygon, size: tuple[int, int]) -> NDArray[np.float32]:
    """Return a band rolled out."""
    flags = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(values, back, size, flags=flags, borderMode=cv2.BORDER_REPLICATE), np.float32)


def _apart(clean: View, start: Polygon, end: Polygon, outward: Polygon) -> bool:
    """Tell whether a dark gap runs along the side: then what lies beyond it is the facing page, not this one.

    The edge of a shadow that falls across a page has no gap: one of its sides is as dark as the edge.
    """
    length = float(np.linalg.norm(end - start))
    places = start + np.linspace(0.02, 0.98, _ROWS)[:, None] * (end - start)
    steps = np.arange(-_INWARD * length, _NEAR * length + 1)
    grid = np.rint(places[:, None, :] + steps[None, :, None] * outward).astype(np.intp)
    at = np.clip(grid, 0, (clean.width_px - 1, clean.height_px - 1))
    luma = clean.y[at[..., 1], at[..., 0]].astype(np.float32)
    before, after = np.maximum.accumulate(luma, axis=1), np.maximum.accumulate(luma[:, ::-1], axis=1)[:, ::-1]
    return float(np.mean((luma < _GAP * np.minimum(before, after)).any(axis=1))) > _ALONG


def _rimmed(view: View, start: Polygon, end: Polygon, outward: Polygon) -> bool:
    """Tell whether a dark rim too narrow for `_apart` runs along the side: a cover, or the shadow below the paper.

    Print is broken by the spaces between its words, and its rules are thin; a rim is neither.
    """
    length = float(np.linalg.norm(end - start))
    places = start + np.linspace(0.02, 0.98, _RIM_ROWS)[:, None] * (end - start)
    steps = np.arange(-_INWARD * length, _NEAR * length + 1)
    grid = np.rint(places[:, None, :] + steps[None, :, None] * outward).astype(np.intp)
    at = np.clip(grid, 0, (view.width_px - 1, view.height_px - 1))
    wide = cv2.dilate(view.y[at[..., 1], at[..., 0]], np.ones((1, _RIM_PX), np.uint8))
    unbroken = cv2.morphologyEx(wide, cv2.MORPH_CLOSE, np.ones((_RIM_ROWS // 8 | 1, 1), np.uint8))
    luma = np.asarray(unbroken, np.float32)
    before, after = np.maximum.accumulate(luma, axis=1), np.maximum.accumulate(luma[:, ::-1], axis=1)[:, ::-1]
    return float(np.mean((luma < _RIM * np.minimum(before, after)).any(axis=1))) > _ALONG
