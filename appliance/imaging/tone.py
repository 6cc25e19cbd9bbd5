"""Light evened out: shadows and the lamp's fall-off taken off paper. Colour stays; nothing is sharpened."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.imaging.planes import NEUTRAL, Plane, Planes, plane, shrunk_to

Floats = NDArray[np.float32]

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
_SPARSE: Final = 2
"""Every second row and column tells as much of how light is spread as all of them."""


def even_light(page: Planes, small: Plane | None = None) -> Planes:
    """Return the page with its paper as bright everywhere as where it is brightest; the same object when it is so.

    Nothing is made darker. Colour is brightened along with luma, so that its hue and saturation stay.

    Args:
        page: upright.
        small: its luma made small, where that is at hand; at least 400 px long, or as long as the page.
    """
    gain = light_gain(page.y if small is None else small)
    if gain is None:
        return page
    return Planes(_brighter(page.y, gain), _stronger(page.u, gain), _stronger(page.v, gain))


def light_gain(luma: Plane) -> Floats | None:
    """Return the factor that each place lacks in light, on a small picture; None when it is nothing to speak of.

    Args:
        luma: of an upright page, of any size.
    """
    small = shrunk_to(luma, _LONGEST_PX)
    paper = np.maximum(_closed(small, _STROKES), _BAR_WEIGHT * _closed(small, _BARS))
    paper = np.maximum(cv2.GaussianBlur(paper, (0, 0), 2.0), 1.0)
    level = float(np.percentile(paper[::_SPARSE, ::_SPARSE], 90))
    gain = np.asarray(np.clip(level / paper, 1.0, _MAX_GAIN), np.float32)
    if not _speaks(gain):
        return None
    gain = _only_on_paper(gain, np.asarray(paper, np.float32))
    return gain if _speaks(gain) else None


def _speaks(gain: Floats) -> bool:
    """Tell whether a twentieth of the page lacks so much light that it is worth evening."""
    return float(np.percentile(gain[::_SPARSE, ::_SPARSE], 95)) > _EVEN


def _closed(small: Plane, kernel_px: int) -> Floats:
    """Return the small picture without what is darker and narrower than the kernel."""
    kernel = np.ones((kernel_px, kernel_px), np.uint8)
    closed = cv2.morphologyEx(small, cv2.MORPH_CLOSE, kernel, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.medianBlur(closed, 5), np.float32)


def _only_on_paper(gain: Floats, paper: Floats) -> Floats:
    """Return the gain, no more than a lamp may need in dark places that are not flat: those are pictures."""
    if float(gain.max()) <= _FALL_OFF:
        return gain
    dark = gain > _FALL_OFF
    across, down = (np.abs(cv2.Sobel(paper, cv2.CV_32F, dx, 1 - dx, scale=1 / 8))[dark] for dx in (1, 0))
    flat = (across + down < _FLAT * paper[dark]) & (gain[dark] < _MAX_GAIN)
    count, labels = cv2.connectedComponents(dark.astype(np.uint8))
    inside = labels[dark]
    sizes, flats = np.bincount(inside, minlength=count), np.bincount(inside[flat], minlength=count)
    picture = flats < _PAPER_SHARE * sizes
    return np.where(picture[labels], np.float32(_FALL_OFF), gain)


def _brighter(values: Plane, gain: Floats) -> Plane:
    """Return luma times the gain, which is stretched over it."""
    more = _stretched(gain, values.shape, 255)
    cv2.multiply(values, more, dst=more, scale=(float(gain.max()) - 1.0) / 255)
    return plane(cv2.add(values, more, dst=more))


def _stronger(values: Plane, gain: Floats) -> Plane:
    """Return a chroma plane as far from neutral as the gain says; with its first bit turned it is signed round 0."""
    neutral = np.uint8(NEUTRAL)
    signed, more = np.bitwise_xor(values, neutral).view(np.int8), _stretched(gain, values.shape, 127).view(np.int8)
    cv2.multiply(signed, more, dst=more, scale=(float(gain.max()) - 1.0) / 127)
    return np.bitwise_xor(cv2.add(signed, more, dst=more).view(np.uint8), neutral)


def _stretched(gain: Floats, shape: tuple[int, ...], most: int) -> Plane:
    """Return how much is to be added at every place of a plane, the greatest gain as `most`.

    Bytes are as good as floats here and several times faster: what is added is wrong by less than one level of light.
    """
    scale = most / (float(gain.max()) - 1.0)
    added = cv2.convertScaleAbs(gain, alpha=scale, beta=-scale)
    return plane(cv2.resize(added, shape[::-1], interpolation=cv2.INTER_LINEAR))
