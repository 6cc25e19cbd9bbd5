"""What a camera over a page can see: distance, resolution, depth in focus, and where a lamp must stand.

Thin-lens optics: a thing of size 1 at distance d from a lens of focal length f is m = f / (d - f) on the sensor.
"""

from dataclasses import dataclass
from typing import Final

MM_PER_INCH: Final = 25.4
MARGIN_SHARE: Final = 0.05
"""Of the frame's width and height that stays free around the page, so that a book may lie a little askew."""
_BLUR_PIXELS: Final = 1.5
"""A point spread over so many pixels of the resolution that is asked for still counts as sharp."""


@dataclass(frozen=True, slots=True)
class CameraOptics:
    """A sensor and its lens, from the makers' data sheets.

    Attributes:
        name: what the command line calls it.
        sensor: the maker's name of the sensor.
        width_px: of a full frame.
        height_px: of a full frame.
        pitch_um: distance from pixel to pixel, in micrometres.
        focal_mm: of the lens.
        f_number: at which it works; lenses with an iris are set to this.
    """

    name: str
    sensor: str
    width_px: int
    height_px: int
    pitch_um: float
    focal_mm: float
    f_number: float


CAMERAS: Final = {
    each.name: each
    for each in (
        CameraOptics("hq-6mm", "IMX477", 4056, 3040, 1.55, 6.0, 4.0),
        CameraOptics("hq-16mm", "IMX477", 4056, 3040, 1.55, 16.0, 4.0),
        CameraOptics("module-3", "IMX708", 4608, 2592, 1.40, 4.74, 1.8),
        CameraOptics("16mp", "IMX519", 4656, 3496, 1.22, 4.28, 1.75),
        CameraOptics("64mp", "64 MP, 1/1.7 inch", 9152, 6944, 0.80, 5.1, 1.8),
    )
}

PAPERS_MM: Final = {"A3": (297.0, 420.0), "A4": (210.0, 297.0), "B5": (176.0, 250.0), "A5": (148.0, 210.0)}
"""Width and height of a page, ISO 216."""


@dataclass(frozen=True, slots=True)
class Stand:
    """Where a camera stands over what it photographs.

    Attributes:
        distance_mm: from the lens to the paper.
        ppi: pixels per inch on the paper.
        field_mm: width and height of all that the frame shows.
        magnification: size on the sensor over size on the paper.
    """

    distance_mm: float
    ppi: float
    field_mm: tuple[float, float]
    magnification: float


def ppi_at(camera: CameraOptics, distance_mm: float) -> float:
    """Return pixels per inch on paper at a distance from the lens.

    Raises:
        ValueError: the distance is not beyond the focal length.
    """
    if distance_mm <= camera.focal_mm:
        raise ValueError(f"a lens of {camera.focal_mm} mm sees nothing at {distance_mm} mm")
    magnification = camera.focal_mm / (distance_mm - camera.focal_mm)
    return magnification / (camera.pitch_um / 1000) * MM_PER_INCH


def stand_for(camera: CameraOptics, width_mm: float, height_mm: float, margin_share: float = MARGIN_SHARE) -> Stand:
    """Return the nearest place from which a camera sees all of a sheet, turned so that it fills the frame best.

    Args:
        camera: which.
        width_mm: of the sheet, or of both pages of a spread together.
        height_mm: of the sheet.
        margin_share: of the frame that stays free, 0 up to but not 1.

    Raises:
        ValueError: a size or share that cannot be.
    """
    if min(width_mm, height_mm) <= 0 or not 0 <= margin_share < 1:
        raise ValueError("a sheet has a width and a height, and a margin is less than the whole frame")
    long_mm, short_mm = max(width_mm, height_mm), min(width_mm, height_mm)
    long_px, short_px = max(camera.width_px, camera.height_px), min(camera.width_px, camera.height_px)
    pixels_per_mm = (1 - margin_share) * min(long_px / long_mm, short_px / short_mm)
    magnification = pixels_per_mm * camera.pitch_um / 1000
    return Stand(
        distance_mm=camera.focal_mm * (1 + 1 / magnification),
        ppi=pixels_per_mm * MM_PER_INCH,
        field_mm=(long_px / pixels_per_mm, short_px / pixels_per_mm),
        magnification=magnification,
    )


def depth_mm(camera: CameraOptics, stand: Stand, wanted_ppi: float) -> float:
    """Return how far, in all, paper may lie above and below the plane of focus and still be sharp at a resolution.

    Args:
        camera: which.
        stand: where it stands.
        wanted_ppi: what is asked for; more than the camera resolves counts as what it resolves.
    """
    circle_mm = _BLUR_PIXELS * stand.magnification * MM_PER_INCH / min(wanted_ppi, stand.ppi)
    return 2 * camera.f_number * circle_mm * (1 + stand.magnification) / stand.magnification**2


def least_lamp_offset_mm(distance_mm: float, lamp_height_mm: float, reach_mm: float) -> float:
    """Return how far from the lens's axis a lamp must stand so that flat glass does not mirror it into the picture.

    The lens sees the lamp's mirror image as far below the glass as the lamp is above it; the line of sight must cross
    the glass beyond what the frame shows.

    Args:
        distance_mm: from the lens to the glass.
        lamp_height_mm: of the lamp's lower edge over the glass.
        reach_mm: from the axis to the edge of the field, on the lamp's side.
    """
    return reach_mm * (distance_mm + lamp_height_mm) / distance_mm
