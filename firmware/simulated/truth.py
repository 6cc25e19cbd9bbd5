"""What is really in a drawn frame: the answers against which finding pages and judging them is measured.

Positions are in pixels of the frame, the centre of the first pixel at (0, 0); they may lie outside it (a cut edge).
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from firmware.simulated.faults import Fault

Point: TypeAlias = tuple[float, float]
Polygon: TypeAlias = tuple[Point, ...]
PageSide: TypeAlias = Literal["left", "right"]


@dataclass(frozen=True, slots=True)
class WordTruth:
    """A printed word and the four corners of its ink, clockwise from its top left."""

    text: str
    quad: Polygon


@dataclass(frozen=True, slots=True)
class PageTruth:
    """One page in the frame.

    Attributes:
        side: where it lies: geometry, not recto or verso.
        number: its place in the book.
        printed_number: what stands at its foot; None where nothing is printed.
        outline: its edge, following the curve, clockwise from the page's own top left corner.
        corners: top left, top right, bottom right, bottom left.
        words: in reading order, running head and page number included; those a finger hides too.
    """

    side: PageSide
    number: int
    printed_number: str | None
    outline: Polygon
    corners: tuple[Point, Point, Point, Point]
    words: tuple[WordTruth, ...]


@dataclass(frozen=True, slots=True)
class FaultTruth:
    """A fault that was drawn; `side` and `outline` where it has a place."""

    fault: Fault
    side: PageSide | None = None
    outline: Polygon = ()


@dataclass(frozen=True, slots=True)
class FrameTruth:
    """Everything true of one frame.

    Attributes:
        source: the frame's `source`.
        capture: which capture of the camera this is, from 1.
        spread: which opening of the book, from 0.
        pages: left, right; empty where there is no book.
        gutter: the valley between the pages, top and bottom; None where there is no book.
        pixels_per_mm: on the paper at the pages' outer edges.
        faults: what was injected.
    """

    source: str
    capture: int
    spread: int
    pages: tuple[PageTruth, ...]
    gutter: tuple[Point, Point] | None
    pixels_per_mm: float
    faults: tuple[FaultTruth, ...]
