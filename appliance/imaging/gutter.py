"""Where the spine of an open book runs: between the shadow that both pages fall into and the pinch of their edges."""

from dataclasses import dataclass

import cv2
import numpy as np

from appliance.imaging.geometry import Polygon, points
from appliance.imaging.outline import Region
from appliance.imaging.view import View


@dataclass(frozen=True, slots=True, eq=False)
class Gutter:
    """The line between two facing pages, in pixels of the view.

    Attributes:
        line: two points, the first at the top (or left, where the spine lies across the frame).
        confidence: 0 to 1.
    """

    line: Polygon
    confidence: float


def find_gutter(view: View, region: Region) -> Gutter | None:
    """Return the spine of an upright spread, or None when nothing speaks for one."""
    left, top, width, height = cv2.boundingRect(region.contour.astype(np.float32))
    if width < 1.1 * height or width < 32:
        return None
    low, high = left + int(0.35 * width), left + int(0.65 * width)
    band = cv2.GaussianBlur(view.y, (0, 0), 1.5)[top : top + height, low:high].astype(np.float32)
    inside = region.mask[top : top + height, low:high] > 0
    rows = inside.any(axis=1)
    if rows.sum() < 16:
        return None
    profile = np.percentile(band[rows], 70, axis=0)
    dip = float(np.median(profile) - profile.min())
    x = low + float(np.argmin(profile))
    column = np.flatnonzero(region.mask[:, round(x)])
    line = points([(x, column.min()), (x, column.max())]) if column.size else points([(x, top), (x, top + height)])
    return Gutter(line, min(1.0, dip / 20.0))
