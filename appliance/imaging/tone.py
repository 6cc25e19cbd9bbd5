"""Light evened out: shadows and the lamp's fall-off taken off paper. Colour stays; nothing is sharpened."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.imaging.planes import NEUTRAL, Plane, Planes, plane, shrunk, shrunk_to
from appliance.imaging.ranks import median, percentile

Floats = NDArray[np.float32]
Counts = NDArray[np.intp]

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
_COLOUR: Final = 0.16
"""A shadow leaves paper its colour, blue and red difference together as shares of luma. Measured: shadows in the sun at
most 0.125; a coloured panel 0.51."""
_EVEN: Final = 1.03
"""A page that needs less is even: it goes through as it is."""
_STRIP_PAIRS: Final = 112
_SOME: Final = (slice(None, None, 2), slice(None, None, 2))
"""Every second row and column tells as much of how light is spread as all of them, for one level every fourth."""


def even_light(page: Planes, small: Plane | None = None) -> Planes:
    """Return the page with its paper as bright everywhere as where it is brightest, in its own memory.

    Large pages are never held twice, and what `page` held is gone.

    Args:
        page: upright, and nobody else's yet.
        small: its luma made small, where that is at hand; at least 400 px long, or as long as the page.
    """
    gain = light_gain(page, page.y if small is None else small)
    if gain is not None:
        brighten(page, gain)
    return page


def light_gain(page: Planes, luma: Plane) -> Floats | None:
    """Return the factor that each place lacks in light, on a small picture; None when it is nothing to speak of.

    Args:
        page: upright.
        luma: its own, of any size.
    """
    small = shrunk_to(luma, _LONGEST_PX)
    paper = cv2.max(_closed(small, _STROKES), cv2.convertScaleAbs(_closed(small, _BARS), alpha=_BAR_WEIGHT))
    smooth = np.asarray(cv2.medianBlur(paper, 5), np.float32)
    paper = np.maximum(cv2.GaussianBlur(smooth, (0, 0), 2.0), 1.0)
    level = percentile(paper[_SOME][_SOME], 90)
    gain = np.asarray(np.clip(level / paper, 1.0, _MAX_GAIN), np.float32)
    if not _speaks(gain):
        return None
    gain = _only_on_paper(gain, np.asarray(paper, np.float32), page)
    return gain if _speaks(gain) else None


def brighten(page: Planes, gain: Floats) -> None:
    """Give every place of a page the light it lacks, in the page's own memory.

    Nothing is made darker. Colour is brightened along with luma, so that its hue and saturation stay. What is to be
    added is stretched over the page as bytes, in strips, once for every two rows: several times faster than floats, and
    wrong by less than one level of light.
    """
    pairs, width, scale = page.u.shape[0], page.width_px, 255 / (float(gain.max()) - 1.0)
    factor = -(-pairs // gain.shape[0])
    rows = -(-pairs // factor)
    more = cv2.resize(cv2.convertScaleAbs(gain, alpha=scale, beta=-scale), (gain.shape[1], rows))
    more = cv2.copyMakeBorder(more, 1, 1, 0, 0, cv2.BORDER_REPLICATE)
    at_once = max(1, _STRIP_PAIRS // factor)
    room, spare = np.empty((2, (at_once + 2) * factor, width), np.uint8)
    for first in range(0, rows, at_once):
        part = more[first : first + at_once + 2]  # a row more at both ends, so that strips join smoothly
        tall = room[: len(part) * factor]
        cv2.resize(part, (width, len(tall)), dst=tall)
        top, tall = first * factor, tall[factor:-factor][: pairs - first * factor]
        for luma in (page.y[2 * top + odd : 2 * (top + len(tall)) : 2] for odd in (0, 1)):
            added = cv2.multiply(luma, tall[: len(luma)], dst=spare[: len(luma)], scale=1 / scale)
            cv2.add(luma, added, dst=luma)
        halves = (tall[:, ::2] >> 1).view(np.int8)
        for chroma in (page.u[top : top + len(tall)], page.v[top : top + len(tall)]):
            np.bitwise_xor(chroma, NEUTRAL, out=chroma)  # with its first bit turned it is signed round 0
            signed = chroma.view(np.int8)
            cv2.add(signed, cv2.multiply(signed, halves, scale=2 / scale), dst=signed)
            np.bitwise_xor(chroma, NEUTRAL, out=chroma)


def _speaks(gain: Floats) -> bool:
    """Tell whether a twentieth of the page lacks so much light that it is worth evening."""
    return bool(np.count_nonzero(gain > _EVEN) > 0.05 * gain.size)


def _closed(small: Plane, kernel_px: int) -> Plane:
    """Return the small picture without what is darker and narrower than the kernel."""
    kernel = np.ones((kernel_px, kernel_px), np.uint8)
    return plane(cv2.morphologyEx(small, cv2.MORPH_CLOSE, kernel, borderType=cv2.BORDER_REPLICATE))


def _only_on_paper(gain: Floats, paper: Floats, page: Planes) -> Floats:
    """Return the gain, no more than a lamp may need in dark places that are not flat, or coloured: pictures, panels."""
    if float(gain.max()) <= _FALL_OFF:
        return gain
    across, down = (np.abs(cv2.Sobel(paper, cv2.CV_32F, dx, 1 - dx, scale=1 / 8)[_SOME]) for dx in (1, 0))
    own, level = gain[_SOME], paper[_SOME]
    dark, flat = (own > _FALL_OFF).astype(np.uint8), (across + down < _FLAT * level) & (own < _MAX_GAIN)
    colour = _colour(page, dark == 0, level)
    picture = _pictures(dark, flat, colour)
    if not picture.any():
        return gain
    ground = _ground(dark, colour)  # a shadow goes on upon it, and is none of its own colour
    if ground.any():
        picture = ground | _pictures(dark & ~ground, flat, colour)
    everywhere = cv2.resize(picture.astype(np.uint8), gain.shape[::-1], interpolation=cv2.INTER_NEAREST)
    return np.where(everywhere > 0, np.minimum(gain, np.float32(_FALL_OFF)), gain)


def _pictures(dark: Plane, flat: NDArray[np.bool_], colour: tuple[Floats, Floats]) -> NDArray[np.bool_]:
    """Return where dark places are no shadow upon paper: too few of them flat, or of another colour on the whole."""
    count, labels = cv2.connectedComponents(dark)
    where = np.flatnonzero(dark)
    places = labels.ravel()[where].astype(np.intp)
    sizes, *sums = (np.bincount(places, each, count) for each in (None, *(of.ravel()[where] for of in (flat, *colour))))
    flats, blue, red = sums
    far = (np.abs(blue) + np.abs(red)) / np.maximum(sizes, 1)
    picture = (flats < _PAPER_SHARE * sizes) | (far > _COLOUR)  # of the light places, 0, there are none
    return np.asarray(picture[labels], np.bool_)


def _ground(dark: Plane, colour: tuple[Floats, Floats]) -> NDArray[np.bool_]:
    """Return the dark places of another colour than the light ones that reach the page's rim."""
    blue, red = colour
    count, labels = cv2.connectedComponents(dark & (np.abs(blue) + np.abs(red) > _COLOUR))
    at_rim = np.zeros(count, np.bool_)
    for side in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
        at_rim[side] = True
    at_rim[0] = False
    return np.asarray(at_rim[labels], np.bool_)


def _colour(page: Planes, light: NDArray[np.bool_], paper: Floats) -> tuple[Floats, Floats]:
    """Return the blue and the red difference of each place as a share of its luma, less what light paper has."""
    size = (paper.shape[1], paper.shape[0])
    blue, red = ((shrunk(each, size).astype(np.float32) - NEUTRAL) / paper for each in (page.u, page.v))
    if light.any():  # the median: light ground beside the paper does not count
        blue, red = (each - np.float32(median(each[light])) for each in (blue, red))
    return blue, red
