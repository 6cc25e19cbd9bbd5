"""Whether what lies under the camera was moved and lies still again: the moment to measure anew. Pure."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from firmware.interfaces import Plane

STILL_NS: Final = 1_000_000_000
_SMALL_PX: Final = (32, 24)
"""Each of these cells is the mean of some 900 pixels of a live picture: its noise is far below a grey level."""
_MOVED_LEVELS: Final = 4.0
"""A sheet of paper that moves by a millimetre changes a cell on its edge by more, and so does a lamp a hand moves."""
Small = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Watched:
    """What was seen so far.

    Attributes:
        seen: the last picture, made small.
        since_ns: when what it shows came to lie as it does.
        measured: the picture, made small, when it was last time to measure; None where something has moved since.
    """

    seen: Small | None = None
    since_ns: int = 0
    measured: Small | None = None


def watch(before: Watched, luma: Plane, at_ns: int) -> tuple[Watched, bool]:
    """Return what is known after one more live picture, and whether it is time to measure.

    Args:
        before: what was known.
        luma: of the picture, uint8, height x width.
        at_ns: monotonic, when it was taken.
    """
    small = np.asarray(cv2.resize(luma, _SMALL_PX, interpolation=cv2.INTER_AREA), np.float32)
    if before.seen is None or _differ(before.seen, small):
        return Watched(small, at_ns), False
    # A lamp is moved so slowly that no two pictures differ: what counts is how it was when it was measured.
    is_measured = before.measured is not None and not _differ(before.measured, small)
    if is_measured or at_ns - before.since_ns < STILL_NS:
        return Watched(small, before.since_ns, before.measured if is_measured else None), False
    return Watched(small, before.since_ns, small), True


def _differ(one: Small, other: Small) -> bool:
    return bool(np.abs(one - other).max() > _MOVED_LEVELS)
