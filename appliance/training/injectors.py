"""What training does to a picture: out of focus, a lamp's reflection, a finger. Pure, on the planes of a frame.

Each is as a person would see it on paper, in the size that it has there: lengths are shares of the page, whose outline
the last capture has told. That the station's own checks find them is tested.
"""

from typing import Final, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.training.view import Flaw
from firmware.interfaces import Plane
from firmware.planes import Planes

Outline = tuple[tuple[float, float], ...]
Points = NDArray[np.float64]

_SIGMA: Final = 0.0023
"""Of a page's longer side: half a millimetre out of focus on a common book…"""
_MOST_SIGMA_PX: Final = 3.0
"""…but no more: measured on nine photographs of books, 2.5 to 3.5 is found on all and the spread is still known for the
same one; at 5 so little is left of print on half of them that nothing can be measured."""
_LEAST_SIGMA_PX: Final = 1.6
_GLARE_RADII: Final = (0.075, 0.10)
_FINGER_WIDTH: Final = 0.085
_FINGER_REACH: Final = 0.2
_SKIN: Final = (168, 109, 150)
_WHITE: Final = (255, 128, 128)


def spoil(planes: Planes, flaw: Flaw, outlines: tuple[Outline, ...] = (), attempt: int = 0) -> Planes:
    """Return a picture with a flaw.

    Args:
        planes: of a frame; left as they are.
        flaw: which.
        outlines: of the pages, in pixels of the frame; left out, a spread in the middle of it is taken for granted.
        attempt: from 0; each puts the finger elsewhere, for grounds differ in how well a finger shows on them.
    """
    pages = [np.array(outline, np.float64) for outline in outlines] or _usual(planes)
    page = pages[-1]
    match flaw:
        case Flaw.BLUR:
            sigma = min(_MOST_SIGMA_PX, max(_LEAST_SIGMA_PX, _SIGMA * _length(page)))
            return planes._replace(y=cast(Plane, cv2.GaussianBlur(planes.y, (0, 0), sigma)))
        case Flaw.GLARE:
            return _painted(planes, _ellipse(page), _WHITE, soften_px=0.006 * _length(page))
        case Flaw.FINGER:
            ways = _ways_in(pages)
            return _painted(planes, _finger(*ways[attempt % len(ways)]), _SKIN, soften_px=0.001 * _length(page))


def _usual(planes: Planes) -> list[Points]:
    height, width = planes.y.shape
    left, top, right, bottom = 0.1 * width, 0.1 * height, 0.9 * width, 0.9 * height
    middle = width / 2
    sides = ((left, middle), (middle, right))
    return [np.array([(x0, top), (x1, top), (x1, bottom), (x0, bottom)]) for x0, x1 in sides]


def _length(page: Points) -> float:
    """Return a page's longer side, lying as it may."""
    return float(max(cv2.minAreaRect(page.astype(np.float32))[1]))


def _ellipse(page: Points) -> Points:
    """Return where the lamp shows: over print, so a little above the middle."""
    angles = np.linspace(0.0, 2 * np.pi, 48, endpoint=False)
    radii = _length(page) * np.array(_GLARE_RADII)
    return np.asarray(page.mean(axis=0) + radii * np.column_stack((np.cos(angles), np.sin(angles))))


def _ways_in(pages: list[Points]) -> list[tuple[Points, Points]]:
    """Return over which page, and from where, a finger may come: never over the gutter of a spread."""
    if len(pages) == 1:
        return [(pages[0], np.array(outwards)) for outwards in ((1.0, 0.0), (-1.0, 0.0), (0.0, -1.0))]
    apart = pages[-1].mean(axis=0) - pages[0].mean(axis=0)
    apart = apart / max(float(np.linalg.norm(apart)), 1e-6)
    return [(pages[-1], apart), (pages[0], -apart)]


def _finger(page: Points, outwards: Points) -> Points:
    """Return a finger that comes over the page's edge from there."""
    length, middle = _length(page), page.mean(axis=0)
    edge = middle + outwards * float(((page - middle) @ outwards).max())
    along = np.array([-outwards[1], outwards[0]])
    tip, root = edge - outwards * _FINGER_REACH * length, edge + outwards * 0.4 * length + along * 0.06 * length
    radius = _FINGER_WIDTH / 2 * length
    way = np.arctan2(*(root - tip)[::-1])
    rounds = [np.linspace(way + start, way + start + np.pi, 20) for start in (np.pi / 2, -np.pi / 2)]
    ends = zip((tip, root), rounds, strict=True)
    return np.vstack([end + radius * np.column_stack((np.cos(turn), np.sin(turn))) for end, turn in ends])


def _painted(planes: Planes, outline: Points, colour: tuple[int, int, int], *, soften_px: float) -> Planes:
    return Planes(
        _filled(planes.y, outline, colour[0], soften_px),
        _filled(planes.u, outline / 2, colour[1], soften_px / 2),
        _filled(planes.v, outline / 2, colour[2], soften_px / 2),
    )


def _filled(plane: Plane, outline: Points, value: int, soften_px: float) -> Plane:
    """Return `plane` with a soft-edged spot, white all over where it is not soft."""
    mask: NDArray[np.float32] = np.zeros(plane.shape, np.float32)
    cv2.fillPoly(mask, [np.rint(outline * 16).astype(np.int32)], 1.0, lineType=cv2.LINE_AA, shift=4)
    soft = cv2.GaussianBlur(mask, (0, 0), max(0.6, soften_px))
    return cast(Plane, np.rint(plane + (value - plane.astype(np.float32)) * soft).astype(np.uint8))
