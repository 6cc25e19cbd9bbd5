"""What was measured of a camera over its cradle: with it, pixels of the frame are millimetres on the page."""

from dataclasses import dataclass
from typing import Final

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MM_PER_INCH: Final = 25.4
_SAME_SHAPE: Final = 0.002
"""How much a frame's proportions may differ from those that were calibrated, as rounding makes them."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """A camera, and the plane on which pages lie, as OpenCV measures them with a printed board.

    Attributes:
        frame_px: width and height of the frames it was measured on; it serves other sizes of the same proportions.
        camera: focal lengths across and down, and the middle, in pixels of those frames.
        rotation: from the plane to the camera, a vector along its axis, as long as the angle in radians.
        position_mm: of the plane's origin as the camera sees it.
        distortion: of the lens: k1, k2, p1, p2, k3.
    """

    frame_px: tuple[int, int]
    camera: tuple[float, float, float, float]
    rotation: tuple[float, float, float]
    position_mm: tuple[float, float, float]
    distortion: tuple[float, float, float, float, float] = (0.0, 0.0, 0.0, 0.0, 0.0)

    def serves(self, frame_px: tuple[int, int]) -> bool:
        """Tell whether frames of this width and height can come from the same camera, seeing as much."""
        scale = np.array(frame_px) / np.array(self.frame_px)
        return bool(abs(scale[0] / scale[1] - 1.0) < _SAME_SHAPE)

    def camera_matrix(self, frame_px: tuple[int, int]) -> Floats:
        """Return the camera's matrix, shape (3, 3), in pixels of a frame of this width and height."""
        across, down, x, y = self.camera
        to_frame = np.diag([frame_px[0] / self.frame_px[0], frame_px[1] / self.frame_px[1], 1.0])
        return np.asarray(to_frame @ np.array([[across, 0, x], [0, down, y], [0, 0, 1.0]]), np.float64)

    def on_page_mm(self, polygon: Floats, frame_px: tuple[int, int], height_mm: float) -> Floats:
        """Return where on a page points of the frame lie, in millimetres from the plane's origin, shape (n, 2).

        Args:
            polygon: in pixels of the frame, shape (n, 2).
            frame_px: width and height of that frame.
            height_mm: of the page above the plane, towards the camera; 0 under a glass that lies in it.
        """
        seen = cv2.undistortPoints(
            polygon.reshape(-1, 1, 2), self.camera_matrix(frame_px), np.array(self.distortion, np.float64)
        )
        turn, _ = cv2.Rodrigues(np.array(self.rotation, np.float64))
        origin = np.array(self.position_mm, np.float64)
        upwards = -np.sign(turn[:, 2] @ origin) * turn[:, 2]
        to_seen = np.column_stack([turn[:, 0], turn[:, 1], origin + height_mm * upwards])
        lifted = np.column_stack([seen.reshape(-1, 2), np.ones(len(polygon))]) @ np.linalg.inv(to_seen).T
        return np.asarray(lifted[:, :2] / lifted[:, 2:], np.float64)


def read_calibration(content: bytes) -> Calibration:
    """Return a calibration from JSON with the names of its attributes.

    Raises:
        ValueError: it is none.
    """
    try:
        found = msgspec.json.decode(content, type=Calibration)
    except msgspec.MsgspecError as error:
        raise ValueError(str(error)) from error
    numbers = (*found.camera, *found.rotation, *found.position_mm, *found.distortion)
    if not np.isfinite(numbers).all() or min(*found.frame_px, *found.camera[:2], found.position_mm[2]) <= 0:
        raise ValueError("sizes, focal lengths and the distance of the plane are numbers above 0")
    return found
