"""Where everything lies in one drawn frame: pure geometry, from a seed and a shot. No pixels here."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final, cast

import numpy as np
from numpy.random import Generator, default_rng
from numpy.typing import NDArray

from firmware.simulated.faults import Fault
from firmware.simulated.surface import Curl, Floats, Surface, bend, seen_from_above
from firmware.simulated.truth import PageSide, Point, Polygon
from firmware.simulated.typeset import PAGE_HEIGHT_MM, PAGE_WIDTH_MM, PageSetting, set_blank, set_page

BOOK_PAGES: Final = 320
_CUT_MM: Final = 24.0
"""How much of a page a cut edge loses: its margin of 15 mm and some of its text."""
_EDGE_POINTS: Final = 24
SIDES: Final[tuple[PageSide, PageSide]] = ("left", "right")


@dataclass(frozen=True, slots=True)
class Shot:
    """The recipe of one capture: the same recipe, seed and size give the same pixels."""

    capture: int
    spread: int
    faults: frozenset[Fault] = frozenset()


@dataclass(frozen=True, slots=True)
class Sheet:
    """One page where it lies. Page coordinates are millimetres from the page's own top left corner."""

    side: PageSide
    surface: Surface
    spine_mm: Point
    to_frame_matrix: Floats
    setting: PageSetting

    def to_frame(self, page_mm: Floats) -> Floats:
        """Return the frame's pixels (n, 2) of points (n, 2) on the page, or level with it beyond its outer edge."""
        along = self.from_gutter(page_mm[:, 0])
        z = np.interp(along, self.surface.s_mm, self.surface.z_mm)
        beyond = np.maximum(along - PAGE_WIDTH_MM, 0.0)
        across = np.interp(along, self.surface.s_mm, self.surface.x_mm) + beyond
        x = self.spine_mm[0] + self._outwards * across
        y = self.spine_mm[1] + page_mm[:, 1] - PAGE_HEIGHT_MM / 2
        return project(self.to_frame_matrix, np.column_stack((seen_from_above(x, z), seen_from_above(y, z))))

    def to_page(self, table_mm: Floats) -> tuple[Floats, Floats, Floats]:
        """Return, for points (n, 2) of the table as seen from above, what of the page is seen there.

        Returns:
            x and y on the page, and the way along the paper from the gutter; beyond the page's edges, its edge.
        """
        seen = seen_from_above(self.spine_mm[0] + self._outwards * self.surface.x_mm, self.surface.z_mm)
        outwards = seen * self._outwards
        along = np.interp(table_mm[:, 0] * self._outwards, outwards, self.surface.s_mm)
        z = np.interp(along, self.surface.s_mm, self.surface.z_mm)
        y = table_mm[:, 1] * seen_from_above(np.ones(1), z) ** -1 - self.spine_mm[1] + PAGE_HEIGHT_MM / 2
        return self.from_gutter(along), y, along

    def from_gutter(self, x_mm: Floats) -> Floats:
        """Turn page coordinates across into the way from the gutter, and back."""
        return PAGE_WIDTH_MM - x_mm if self.side == "left" else x_mm

    def outline(self) -> Polygon:
        """Return the page's edge in the frame, clockwise from its own top left corner."""
        across = np.linspace(0.0, PAGE_WIDTH_MM, _EDGE_POINTS)
        top = np.column_stack((across, np.zeros(_EDGE_POINTS)))
        bottom = np.column_stack((across[::-1], np.full(_EDGE_POINTS, PAGE_HEIGHT_MM)))
        return as_polygon(self.to_frame(np.vstack((top, bottom))))

    @property
    def _outwards(self) -> float:
        return -1.0 if self.side == "left" else 1.0


class Scene:
    """One capture's geometry.

    Args:
        seed: of the book and its station.
        shot: which capture.
        width_px: of the frame.
        height_px: of the frame.
        first_page: number of the left page of spread 0; even.
    """

    def __init__(self, seed: int, shot: Shot, width_px: int, height_px: int, first_page: int) -> None:
        self.shot = shot
        self.size_px = (width_px, height_px)
        self.pixels_per_mm = min(0.86 * width_px / (2 * PAGE_WIDTH_MM + 8), 0.84 * height_px / (PAGE_HEIGHT_MM + 8))
        self._seed = seed
        self._first_page = first_page
        rng = self.rng(0)
        self.faulty_side: PageSide = SIDES[int(rng.integers(2))]
        self.spine_mm = self._place(rng)
        self.to_frame_matrix = self._look(rng)
        self._arch = rng.normal(1.0, 0.08, size=2)

    def rng(self, stream: int) -> Generator:
        """Return the random numbers of this capture for one purpose; each purpose has its own stream."""
        return default_rng((self._seed, self.shot.capture, stream))

    @cached_property
    def sheets(self) -> tuple[Sheet, ...]:
        """The pages: left, right; none where there is no book."""
        if Fault.EMPTY in self.shot.faults:
            return ()
        return tuple(
            Sheet(side, self._surface(side), self.spine_mm, self.to_frame_matrix, self._setting(side)) for side in SIDES
        )

    @property
    def read_share(self) -> float:
        """How far into the book this spread is, 0.0-1.0: the left block grows as the right one shrinks."""
        return min(1.0, (self._first_page + 2 * self.shot.spread) / BOOK_PAGES)

    def table_to_frame(self, table_mm: Floats) -> Floats:
        """Return the frame's pixels (n, 2) of points (n, 2) on the table, measured from below the camera."""
        return project(self.to_frame_matrix, table_mm)

    def frame_to_table(self, points_px: Floats) -> Floats:
        """Return the points (n, 2) of the table that are seen at the frame's pixels (n, 2)."""
        return project(cast(Floats, np.linalg.inv(self.to_frame_matrix)), points_px)

    def _place(self, rng: Generator) -> Point:
        x, y = np.clip(rng.normal(0.0, (2.0, 1.5)), -4.0, 4.0)
        if Fault.CUT_EDGE in self.shot.faults:
            reach = self.size_px[0] / 2 / self.pixels_per_mm - PAGE_WIDTH_MM
            x = (reach + _CUT_MM) * (-1.0 if self.faulty_side == "left" else 1.0)
        return float(x), float(y)

    def _look(self, rng: Generator) -> Floats:
        turn = np.radians(np.clip(rng.normal(0.0, 0.35), -0.9, 0.9))
        tilt_x, tilt_y = np.clip(rng.normal(0.0, 8e-6, size=2), -1.6e-5, 1.6e-5)
        k = self.pixels_per_mm
        to_centre = np.array(
            [
                [k * np.cos(turn), -k * np.sin(turn), 0.0],
                [k * np.sin(turn), k * np.cos(turn), 0.0],
                [tilt_x, tilt_y, 1.0],
            ]
        )
        middle = np.array(
            [[1.0, 0.0, (self.size_px[0] - 1) / 2], [0.0, 1.0, (self.size_px[1] - 1) / 2], [0.0, 0.0, 1.0]]
        )
        return cast(Floats, middle @ to_centre)

    def _surface(self, side: PageSide) -> Surface:
        share = self.read_share if side == "left" else 1.0 - self.read_share
        arch = (4.5 + 7.0 * share) * self._arch[SIDES.index(side)]
        return bend(Curl(arch_mm=float(arch), edge_mm=3.0 + 9.0 * share, gutter_mm=1.0), PAGE_WIDTH_MM)

    def _setting(self, side: PageSide) -> PageSetting:
        number = self._first_page + 2 * self.shot.spread + SIDES.index(side)
        if Fault.BLANK in self.shot.faults and side == self.faulty_side:
            return set_blank(number)
        return set_page(self._seed, number)


def project(matrix: Floats, points: Floats) -> Floats:
    """Return points (n, 2) after a projective matrix (3, 3)."""
    x, y, w = matrix @ np.column_stack((points, np.ones(len(points)))).T
    return np.column_stack((x / w, y / w))


def as_polygon(points: NDArray[np.floating]) -> Polygon:
    """Return points (n, 2) as plain pairs."""
    return tuple((float(x), float(y)) for x, y in points)
