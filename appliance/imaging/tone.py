"""Light evened out: shadows and the lamp's fall-off taken off paper. Colour stays; nothing is sharpened."""

from typing import Final, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.imaging.planes import NEUTRAL, Plane, Planes, plane

Floats = NDArray[np.float32]
Sample = TypeVar("Sample", np.uint8, np.int8)

_LONGEST_PX: Final = 400
"""Longer side of the small picture in which light is looked for."""
_STROKES: Final = 9
"""Dark places narrower than this in the small picture (7 mm of an A4 sheet) are print."""
_BARS: Final = 25
"""Dark places narrower than this may be bars or headings: their own level counts for little."""
_BAR_WEIGHT: Final = 0.8
_MAX_GAIN: Final = 3.0
"""Deeper than one and a half stops there is more noise than paper."""
_FALL_OFF: Final = 1.15
"""Gain that a lamp alone may need anywhere; more must be shown to be a shadow upon paper."""
_FLAT: Final = 0.02
"""Change of paper's level from place to place, as a share of it; pictures change more, almost everywhere."""
_PAPER_SHARE: Final = 0.6
"""Measured: 0.66 to 1.0 of large shadows upon printed sheets are flat; 0.3 to 0.55 of most photographs, 0.8 of some."""
_EVEN: Final = 1.03
"""A page that needs less is even: it goes through as it is."""
_STRIP_ROWS: Final = 512


def even_light(page: Planes) -> Planes:
    """Return the page with its paper as bright everywhere as where it is brightest; the same object when it is so.

    Nothing is made darker. Colour is brightened along with luma, so that its hue and saturation stay.
    """
    gain = light_gain(page.y)
    if gain is None:
        return page
    return Planes(_scaled(page.y, gain), _chroma_scaled(page.u, gain), _chroma_scaled(page.v, gain))


def light_gain(luma: Plane) -> Floats | None:
    """Return the factor that each place lacks in light, on a small picture; None when it is nothing to speak of.

    Args:
        luma: of an upright page.
    """
    scale = max(1.0, max(luma.shape) / _LONGEST_PX)
    size = (max(1, round(luma.shape[1] / scale)), max(1, round(luma.shape[0] / scale)))
    small = plane(cv2.resize(luma, size, interpolation=cv2.INTER_AREA))
    paper = np.maximum(_closed(small, _STROKES), _BAR_WEIGHT * _closed(small, _BARS))
    paper = np.maximum(cv2.GaussianBlur(paper, (0, 0), 2.0), 1.0)
    level = float(np.percentile(paper, 90))
    gain = np.asarray(np.clip(level / paper, 1.0, _MAX_GAIN), np.float32)
    gain = _only_on_paper(gain, np.asarray(paper, np.float32))
    return gain if float(np.percentile(gain, 95)) > _EVEN else None


def _closed(small: Plane, kernel_px: int) -> Floats:
    """Return the small picture without what is darker and narrower than the kernel."""
    kernel = np.ones((kernel_px, kernel_px), np.uint8)
    closed = cv2.morphologyEx(small, cv2.MORPH_CLOSE, kernel, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.medianBlur(closed, 5), np.float32)


def _only_on_paper(gain: Floats, paper: Floats) -> Floats:
    """Return the gain, no more than a lamp may need in dark places that are not flat: those are pictures."""
    across, down = (np.abs(cv2.Sobel(paper, cv2.CV_32F, dx, 1 - dx)) / 8 for dx in (1, 0))
    flat = (across + down < _FLAT * paper) & (gain < _MAX_GAIN)
    count, labels = cv2.connectedComponents((gain > _FALL_OFF).astype(np.uint8))
    sizes = np.bincount(labels.ravel(), minlength=count)
    shares = np.bincount(labels.ravel(), weights=flat.ravel(), minlength=count) / np.maximum(sizes, 1)
    picture = shares < _PAPER_SHARE
    picture[0] = False
    return np.where(picture[labels], np.float32(_FALL_OFF), gain)


def _chroma_scaled(values: Plane, gain: Floats) -> Plane:
    """Return a chroma plane as far from neutral as the gain says; with its first bit turned it is signed round 0."""
    neutral = np.uint8(NEUTRAL)
    return np.bitwise_xor(_scaled(np.bitwise_xor(values, neutral).view(np.int8), gain).view(np.uint8), neutral)


def _scaled(values: NDArray[Sample], gain: Floats) -> NDArray[Sample]:
    """Return `values` times the gain, stretched over them; in strips, so that no large map is ever held."""
    height, width = values.shape
    factor = -(-height // gain.shape[0])
    rows, at_once = -(-height // factor), max(1, _STRIP_ROWS // factor)
    wide = cv2.resize(gain, (width, rows), interpolation=cv2.INTER_LINEAR)
    wide = cv2.copyMakeBorder(wide, 1, 1, 0, 0, cv2.BORDER_REPLICATE)
    depth = cv2.CV_8S if values.dtype == np.int8 else cv2.CV_8U
    out = np.empty_like(values)
    for first in range(0, rows, at_once):
        part = wide[first : min(first + at_once, rows) + 2]  # a row more at both ends, so that strips join smoothly
        stretched = cv2.resize(part, (width, len(part) * factor), interpolation=cv2.INTER_LINEAR)[factor:-factor]
        strip = values[first * factor : first * factor + len(stretched)]
        out[first * factor : first * factor + len(strip)] = cv2.multiply(strip, stretched[: len(strip)], dtype=depth)
    return out
