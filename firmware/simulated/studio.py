"""What stays the same between captures of one station: the cradle, the lamp's fall-off, the sensor's noise."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.random import Generator, default_rng
from numpy.typing import NDArray

from firmware.interfaces import Plane
from firmware.planes import Planes, chroma_shape
from firmware.simulated.canvas import Tone

_FELT: Final = Tone(34, 130, 126)
LAMP_FULL: Final = 65_535
_NOISE_TILE_PX: Final = 1536
NOISE_UNIT: Final = 24
"""Noise is kept in steps of 1/24 of a standard deviation, so that a signed byte holds five of them."""
COVERS: Final = (Tone(70, 112, 160), Tone(58, 142, 116), Tone(62, 122, 120), Tone(82, 120, 141), Tone(50, 132, 128))
"""Dark red, blue, green, brown and black cloth."""


@dataclass(frozen=True, slots=True)
class Studio:
    """The unchanging parts, drawn once per camera.

    Attributes:
        backdrop: the empty cradle in full light.
        lamp: how much light arrives, uint16 of the frame's size, `LAMP_FULL` = all of it.
        lamp_chroma: the same for the chroma planes, uint8, 255 = all of it.
        noise: int8, standard normal in units of 1 / `NOISE_UNIT`, to be rolled for each capture.
        light_x: where the lamp hangs sideways: its direction's dx / dz.
        cover: the book's cloth.
    """

    backdrop: Planes
    lamp: NDArray[np.uint16]
    lamp_chroma: Plane
    noise: NDArray[np.int8]
    light_x: float
    cover: Tone


def furnish(seed: int, width_px: int, height_px: int) -> Studio:
    """Return the station of `seed` as a camera of this size sees it."""
    rng = default_rng((seed, 0))
    size = (width_px, height_px)
    lamp_x, lamp_y = rng.uniform(-0.12, 0.12, size=2)
    lamp = _lamp(size, float(lamp_x), float(lamp_y))
    chroma = chroma_shape(height_px, width_px)
    normal = rng.standard_normal((_NOISE_TILE_PX, _NOISE_TILE_PX), dtype=np.float32)
    return Studio(
        backdrop=_felt(rng, size),
        lamp=lamp,
        lamp_chroma=cv2.resize(lamp >> 8, chroma[::-1], interpolation=cv2.INTER_AREA).astype(np.uint8),
        noise=np.clip(np.rint(normal * NOISE_UNIT), -127, 127).astype(np.int8),
        light_x=float(2.5 * lamp_x),
        cover=COVERS[seed % len(COVERS)],
    )


def _lamp(size: tuple[int, int], centre_x: float, centre_y: float) -> NDArray[np.uint16]:
    small_width, small_height = max(2, size[0] // 16), max(2, size[1] // 16)
    x = np.linspace(-1.0, 1.0, small_width)[None, :]
    y = np.linspace(-1.0, 1.0, small_height)[:, None] * size[1] / size[0]
    distance = (x - centre_x) ** 2 + (y - centre_y) ** 2
    light = LAMP_FULL / (1.0 + 0.20 * distance) ** 1.5
    return cv2.resize(light.astype(np.float32), size, interpolation=cv2.INTER_LINEAR).astype(np.uint16)


def _felt(rng: Generator, size: tuple[int, int]) -> Planes:
    width, height = size
    y = np.full((height, width), float(_FELT.y), np.float32)
    for step, strength in ((1 / 2, 1.4), (1 / 5, 2.0), (1 / 90, 1.8)):
        scaled = max(2, round(height * step)), max(2, round(width * step))
        grain = rng.standard_normal(scaled, dtype=np.float32) * strength
        y += cv2.resize(grain, size, interpolation=cv2.INTER_LINEAR)
    # The joint of the cradle's two halves.
    joint = max(2, width // 400)
    y[:, width // 2 - joint : width // 2 + joint] *= 0.35
    chroma = chroma_shape(height, width)
    return Planes(
        np.clip(y, 0, 255).astype(np.uint8),
        np.full(chroma, _FELT.u, np.uint8),
        np.full(chroma, _FELT.v, np.uint8),
    )
