"""The shape of an open page: a cylinder that dives into the gutter, and how a camera above it sees it.

Everything is in millimetres. Across the page `s` runs along the paper from the gutter, `x` along the table; `z` is the
height above the table. Along the spine nothing bends, so one curve describes the whole page.
"""

from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]

CAMERA_HEIGHT_MM: Final = 620.0
"""Above the table: where a 12 MP camera with a standard lens sees an open 14.5 x 20.5 cm book whole."""
_SAMPLES: Final = 600
_ROOT_MM: Final = 11.0
"""How wide the dive into the gutter is."""


@dataclass(frozen=True, slots=True)
class Curl:
    """How a page lies: how high it arches beside the gutter, how high its outer edge rests, where the gutter lies."""

    arch_mm: float
    edge_mm: float
    gutter_mm: float


@dataclass(frozen=True, slots=True)
class Surface:
    """A page's curve, sampled from the gutter outwards.

    Attributes:
        s_mm: along the paper, rising from 0 to the page's width.
        x_mm: along the table, from the gutter.
        z_mm: above the table.
        slope: dz/dx.
    """

    s_mm: Floats
    x_mm: Floats
    z_mm: Floats
    slope: Floats

    @property
    def span_mm(self) -> float:
        """How far the page reaches over the table: less than its width, for it is curved."""
        return float(self.x_mm[-1])


def bend(curl: Curl, width_mm: float) -> Surface:
    """Return the curve of a page `width_mm` wide that lies as `curl` says."""
    x = np.linspace(0.0, width_mm, _SAMPLES)
    rise = 1.0 - np.exp(-x / _ROOT_MM)
    along = x / width_mm
    top = curl.edge_mm - curl.gutter_mm + curl.arch_mm * np.cos(0.5 * np.pi * along**0.8)
    z = curl.gutter_mm + top * rise
    slope = np.gradient(z, x)
    step = np.hypot(np.diff(x), np.diff(z))
    s = np.concatenate(([0.0], np.cumsum(step)))
    end = int(np.searchsorted(s, width_mm))
    x[end] = np.interp(width_mm, s, x)
    z[end] = np.interp(width_mm, s, z)
    s[end] = width_mm
    return Surface(s[: end + 1], x[: end + 1], z[: end + 1], slope[: end + 1])


def seen_from_above(position_mm: Floats, z_mm: Floats) -> Floats:
    """Return where on the table a camera above the origin sees something at `position_mm` and height `z_mm`."""
    return position_mm * CAMERA_HEIGHT_MM / (CAMERA_HEIGHT_MM - z_mm)
