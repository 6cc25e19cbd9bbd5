"""Do two frames show the same spread? Features that agree in place and look; thin evidence is no answer."""

from enum import Enum
from typing import Final

import cv2
import numpy as np

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
"""Measured: 0.38 and more where a spread was seen again (dimmed, moved, turned); of others 0.02, at most 0.21."""
_NEAR_PX: Final = 4.0
_AGREE_SHARE: Final = 0.20
_DIFFER_SHARE: Final = 0.10


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
    fewest = min(len(first.points), len(second.points))
    if fewest < ENOUGH_FEATURES:
        return Match.UNSURE
    if _share_alike(first, second) < _ALIKE_SHARE:
        return Match.DIFFER
    share = _agreeing(first, second) / fewest
    if share >= _AGREE_SHARE:
        return Match.AGREE
    return Match.DIFFER if share <= _DIFFER_SHARE else Match.UNSURE


def _share_alike(first: Signature, second: Signature) -> float:
    """Return the share of some features that look like one of the other's: most pages are told apart by that alone."""
    some = first.descriptors[:: max(1, len(first.descriptors) // _SOME)]
    matches = cv2.BFMatcher(cv2.NORM_HAMMING).match(some, second.descriptors)
    return sum(match.distance <= _ALIKE_BITS for match in matches) / len(some)


def _agreeing(first: Signature, second: Signature) -> int:
    """Return how many features look alike and move together."""
    matches = cv2.BFMatcher(cv2.NORM_HAMMING, crossCheck=True).match(first.descriptors, second.descriptors)
    if len(matches) < 8:
        return 0
    source = first.points[[match.queryIdx for match in matches]] * _LONGEST_PX
    target = second.points[[match.trainIdx for match in matches]] * _LONGEST_PX
    inliers = cv2.estimateAffinePartial2D(source, target, ransacReprojThreshold=_NEAR_PX)[1]
    return int(np.count_nonzero(inliers))  # none at all where no movement fits
