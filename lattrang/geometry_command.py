"""`lattrang station geometry`: where camera and lamps stand over a page, and how many pixels an inch of it gets."""

import argparse
import re
from typing import Final

from firmware.optics import CAMERAS, PAPERS_MM, CameraOptics, depth_mm, least_lamp_offset_mm, ppi_at, stand_for
from wire.errors import CodedError, ExitCode

_PPI_TOLERANCE: Final = 0.02
"""A measured 294 still counts as 300: the scale may be off by two parts in a hundred."""
_WIDTHS: Final = (9, 12, 16, 9, 12, 15, 6)
_SIZE: Final = re.compile(r"(\d{2,4}(?:\.\d+)?)x(\d{2,4}(?:\.\d+)?)")


class GeometryError(CodedError):
    """What was asked for cannot be worked out."""

    exit_code = ExitCode.USAGE


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes."""
    parser.add_argument("--camera", choices=sorted(CAMERAS), help="one camera only (default: all that we know)")
    parser.add_argument("--page", default="A4", metavar="SIZE", help="A3, A4, B5, A5, or WIDTHxHEIGHT in mm (A4)")
    parser.add_argument("--spread", action="store_true", help="two facing pages of that size in one frame")
    parser.add_argument("--ppi", type=float, default=300.0, metavar="N", help="resolution that is wanted (300)")
    parser.add_argument("--rise", type=float, default=30.0, metavar="MM", help="how much the page rises or sinks (30)")
    parser.add_argument("--lamp", type=float, default=400.0, metavar="MM", help="height of the lamps (400)")


def run(arguments: argparse.Namespace) -> int:
    """Print one table; return 0, or 1 when no camera that was asked for reaches the resolution.

    Raises:
        GeometryError: GEO-01, a size or number that cannot be.
    """
    width_mm, height_mm = _page_mm(arguments.page)
    if min(arguments.ppi, arguments.lamp) <= 0 or arguments.rise < 0:
        raise GeometryError("GEO-01", "Resolution and lamp are more than 0, the rise is not less.", "Look at --help.")
    if arguments.spread:
        width_mm *= 2
    cameras = [CAMERAS[arguments.camera]] if arguments.camera else list(CAMERAS.values())
    held = f"the page held within +-{arguments.rise:g}"
    print(f"{width_mm:g} x {height_mm:g} mm at {arguments.ppi:g} ppi; lengths in mm, {held}")
    print(_line("camera", "lens to page", "ppi (near..far)", "field", "sharp within", "lamps from axis", "enough"))
    reached = [_print_row(each, width_mm, height_mm, arguments) for each in cameras]
    return 0 if any(reached) else 1


def _print_row(camera: CameraOptics, width_mm: float, height_mm: float, arguments: argparse.Namespace) -> bool:
    stand = stand_for(camera, width_mm, height_mm)
    far = ppi_at(camera, stand.distance_mm + arguments.rise)
    near = ppi_at(camera, max(stand.distance_mm - arguments.rise, camera.focal_mm * 1.01))
    lamp = least_lamp_offset_mm(stand.distance_mm, arguments.lamp, stand.field_mm[0] / 2)
    wanted_ppi: float = arguments.ppi
    enough = far >= wanted_ppi * (1 - _PPI_TOLERANCE)
    print(
        _line(
            camera.name,
            f"{stand.distance_mm:.0f}",
            f"{stand.ppi:.0f} ({near:.0f}..{far:.0f})",
            f"{stand.field_mm[0]:.0f} x {stand.field_mm[1]:.0f}",
            f"{depth_mm(camera, stand, wanted_ppi):.0f}",
            f">= {lamp:.0f}",
            "yes" if enough else "no",
        )
    )
    return enough


def _line(*cells: str) -> str:
    """Return one line of the table."""
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, _WIDTHS, strict=True)).rstrip()


def _page_mm(size: str) -> tuple[float, float]:
    """Return width and height of a page in millimetres."""
    if size.upper() in PAPERS_MM:
        return PAPERS_MM[size.upper()]
    match = _SIZE.fullmatch(size)
    if match is None:
        names = ", ".join(PAPERS_MM)
        raise GeometryError(
            "GEO-01", f"{size!r} is no size of a page.", f"Say {names}, or width x height like 160x240."
        )
    return float(match[1]), float(match[2])
