"""Do two frames show the same spread? Features that agree in place and look; thin evidence is no answer."""

from collections.abc import Sequence
from enum import Enum
from typing import Final, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.imaging.model import Signature
from appliance.imaging.planes import Plane, plane, shrunk_to

_LONGEST_PX: Final = 640
_LARGEST_PX: Final = 760
"""A view as it comes is taken as it is."""
_LEAST_PX: Final = 32
_FEATURES: Final = 500
_STEP: Final = 1.3
_LEVELS: Final = 3
"""One camera sees one book from one height: more sizes cost half as much again and tell pages apart no better."""
ENOUGH_FEATURES: Final = 60
"""Features that a frame must have before it may be compared: a blank spread has a handful."""
_SOME: Final = 125
_ALIKE_BITS: Final = 40
_ALIKE_SHARE: Final = 0.15
"""Measured: 0.22 and more where a spread was seen again (dimmed, moved, turned); of others up to 0.21."""
_TOGETHER_SHARE: Final = 0.05
"""Measured of some features: 0.20 and more look alike and move together where a spread was seen again, 0.08 where the
paper had been bent between; others 0.05 at most. Another page that gets past costs time, not a wrong answer."""
_TRIES: Final = 200
"""Of a movement through two features: 1 in 6 that move together are found by 99 in 100."""
_MOST_TRIES: Final = 2000
_FEWEST: Final = 8
_NEAR_PX: Final = 4.0
_AGREE_SHARE: Final = 0.20
_DIFFER_SHARE: Final = 0.10
_SAME_PLACE: Final = 0.2
"""Of the longer side. Parts that overlap by up to two thirds lie further apart; a sheet laid down again does not."""

Places: TypeAlias = NDArray[np.float32]
_NOWHERE: Final = np.empty(0, np.float32)


class Match(Enum):
    """Whether two frames show the same spread."""

    AGREE = "agree"
    DIFFER = "differ"
    UNSURE = "unsure"


def signature(luma: Plane) -> Signature:
    """Return what `same_spread` needs of a picture, usually the reduced luma of a frame with print on it."""
    if min(luma.shape) < _LEAST_PX:
        return Signature(np.empty((0, 2), np.float32), np.empty((0, 32), np.uint8))
    small = shrunk_to(luma, _LONGEST_PX) if max(luma.shape) > _LARGEST_PX else luma
    small = plane(cv2.GaussianBlur(small, (0, 0), 1.2))
    found, descriptors = cv2.ORB.create(_FEATURES, _STEP, _LEVELS).detectAndCompute(small, None)
    if not found:
        return Signature(np.empty((0, 2), np.float32), np.empty((0, 32), np.uint8))
    places = np.array([point.pt for point in found], np.float32) / max(small.shape)
    return Signature(places, plane(descriptors))


def same_spread(first: Signature, second: Signature) -> Match:
    """Compare two signatures; `UNSURE` when either shows too little to tell."""
    return _compared(first, second)[0]


def same_part(first: Signature, second: Signature) -> Match:
    """Compare two parts of large pages, which overlap: only what also lies in the same place is the same part."""
    match, moved = _compared(first, second)
    return Match.DIFFER if match is Match.AGREE and float(np.median(moved)) > _SAME_PLACE else match


def _compared(first: Signature, second: Signature) -> tuple[Match, Places]:
    """Return whether two signatures agree, and how far the features that look alike and move together have moved."""
    fewest = min(len(first.points), len(second.points))
    if fewest < ENOUGH_FEATURES:
        return Match.UNSURE, _NOWHERE
    if differ_at_first_look(first, second):
        return Match.DIFFER, _NOWHERE
    matches = cv2.BFMatcher(cv2.NORM_HAMMING, crossCheck=True).match(first.descriptors, second.descriptors)
    moved = _together(first.points, second.points, matches, _MOST_TRIES)
    share = len(moved) / fewest
    if share >= _AGREE_SHARE:
        return Match.AGREE, moved
    return (Match.DIFFER if share <= _DIFFER_SHARE else Match.UNSURE), moved


def differ_at_first_look(first: Signature, second: Signature) -> bool:
    """Tell by some features whether the others need no look: a tenth of the cost, and other pages go no further."""
    step = max(1, len(first.descriptors) // _SOME)
    places, descriptors = first.points[::step], first.descriptors[::step]
    matches = cv2.BFMatcher(cv2.NORM_HAMMING).match(descriptors, second.descriptors)
    alike = [match for match in matches if match.distance <= _ALIKE_BITS]
    if len(alike) < _ALIKE_SHARE * len(descriptors):
        return True
    return len(_together(places, second.points, alike, _TRIES)) < _TOGETHER_SHARE * len(descriptors)


def _together(first: Places, second: Places, matches: Sequence[cv2.DMatch], tries: int) -> Places:
    """Return how far the matched features that one movement takes from the first picture to the second have moved."""
    if len(matches) < _FEWEST:
        return _NOWHERE
    source = first[[match.queryIdx for match in matches]]
    target = second[[match.trainIdx for match in matches]]
    inliers = cv2.estimateAffinePartial2D(
        source * _LONGEST_PX, target * _LONGEST_PX, ransacReprojThreshold=_NEAR_PX, maxIters=tries
    )[1]
    together = np.flatnonzero(inliers)  # none at all where no movement fits
    return np.asarray(np.linalg.norm((target - source)[together], axis=1), np.float32)
