"""How a page's plane lies to a camera whose lens nobody told: its true proportions, and which way its normals point."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from appliance.imaging.geometry import Polygon, homography, points

_FOCAL: Final = 1.2
"""Focal length in longer sides of the frame: between a telephone's 0.75 and the 1.8 of a lens that sees a book from
afar. The error is small: proportions of steeply photographed sheets come out within 2 % of the truth (median 0.8 %)."""


@dataclass(frozen=True, slots=True)
class Pose:
    """What the plane of a page tells of places above and below it.

    A place (x, y) of the page that lies z behind the plane, in pixels of the page, is seen where the plane has
    ((x + a z) / (1 + g z), (y + b z) / (1 + g z)).

    Attributes:
        a: see above, without unit.
        b: see above, without unit.
        g: one over the distance of the camera, in pixels of the page.
        stretch: how much longer a pixel's step down is than its step across, on the paper.
    """

    a: float
    b: float
    g: float
    stretch: float


def pose_of(
    to_frame: NDArray[np.float64], frame_px: tuple[int, int], camera: NDArray[np.float64] | None = None
) -> Pose:
    """Return the pose of the plane that a perspective shows in a frame of this width and height.

    Args:
        to_frame: from pixels of the page to pixels of the frame, shape (3, 3).
        frame_px: width and height.
        camera: its matrix, shape (3, 3), where it is calibrated.
    """
    if camera is None:
        focal = _FOCAL * max(frame_px)
        camera = np.array([[focal, 0, (frame_px[0] - 1) / 2], [0, focal, (frame_px[1] - 1) / 2], [0, 0, 1.0]])
    across, down, _ = (np.linalg.inv(camera) @ to_frame).T
    step, step_down = (max(float(np.linalg.norm(each)), 1e-12) for each in (across, down))
    normal = np.cross(across, down)
    normal *= step / max(float(np.linalg.norm(normal)), 1e-12)
    a, b, g = np.linalg.inv(to_frame) @ camera @ normal
    return Pose(float(a), float(b), float(g), step_down / step)


def true_proportion(corners: Polygon, frame_px: tuple[int, int]) -> float:
    """Return height over width of the rectangle whose corners, clockwise from its own top left, are seen so."""
    unit = points([(0, 0), (1, 0), (1, 1), (0, 1)])
    return pose_of(homography(unit, corners), frame_px).stretch
