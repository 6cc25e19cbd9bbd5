"""The values that go into and come out of the page pipeline."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from appliance.imaging.calibration import Calibration
from appliance.imaging.planes import Planes
from wire.documents import FindingEntry, Layout, PageType, QuarterTurn, Side

Point: TypeAlias = tuple[float, float]
"""x to the right and y down in pixels of the frame; a pixel's middle has whole numbers."""

Outline: TypeAlias = tuple[Point, ...]
"""A closed polygon of 4 to 64 points, clockwise as seen."""

Judgement: TypeAlias = Literal["ok", "warn", "bad", "unsure"]


@dataclass(frozen=True, slots=True)
class Setup:
    """What the station knows about this frame before looking at it.

    Attributes:
        layout: `spread` expects two pages in a frame, `parts` a part of one, every other layout one.
        rotation_cw: the turn that makes this camera's frames upright; None = look at the text.
        page_type: what the operator said it shows; `target` is never judged as a page.
        edge_sigma_px: how wide a sharp edge is on this station (calibrated), None = use the profile's limit.
        calibration: of the camera over its cradle; None = sizes on paper are not known.
        page_height_mm: how high the pages lie above the calibrated plane: 0 under a glass that lies in it.
    """

    layout: Layout = "spread"
    rotation_cw: QuarterTurn | None = None
    page_type: PageType = "page"
    edge_sigma_px: float | None = None
    calibration: Calibration | None = None
    page_height_mm: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Signature:
    """What is needed to tell later whether another frame shows the same spread.

    Attributes:
        points: positions of features as shares of the frame's longer side, float32, shape (n, 2).
        descriptors: one binary descriptor a feature, uint8, shape (n, 32).
        edge_sigma_px: how wide the edges of print were; None where there was too little print.
    """

    points: NDArray[np.float32]
    descriptors: NDArray[np.uint8]
    edge_sigma_px: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """One page cut from a frame and made upright.

    Attributes:
        side: where it lies in the upright frame; `single` when it is the only one.
        outline: clockwise from the page's own top left, in pixels of the frame as stored.
        rotation_cw: the turn that made it upright.
        planes: the page's pixels.
        ppi: measured resolution, None while the station is not calibrated.
        findings: what the checks say about it; places are in pixels of the page.
    """

    side: Side
    outline: Outline
    rotation_cw: QuarterTurn
    planes: Planes
    ppi: float | None
    findings: tuple[FindingEntry, ...]

    @property
    def width_px(self) -> int:
        """Width of the page's picture in pixels."""
        return self.planes.width_px

    @property
    def height_px(self) -> int:
        """Height of the page's picture in pixels."""
        return self.planes.height_px


@dataclass(frozen=True, slots=True, eq=False)
class Processed:
    """What the pipeline made of one frame.

    Attributes:
        pages: none, one, or left before right as the upright frame shows them.
        findings: what concerns the frame as a whole; places are in pixels of the frame.
        signature: for `similarity.same_spread`.
    """

    pages: tuple[Page, ...]
    findings: tuple[FindingEntry, ...]
    signature: Signature

    @property
    def all_findings(self) -> tuple[FindingEntry, ...]:
        """The findings of the frame and of every page."""
        return self.findings + tuple(finding for page in self.pages for finding in page.findings)

    @property
    def judgement(self) -> Judgement:
        """The worst that was found; `unsure` when nothing is wrong but the pages could not be told apart."""
        severities = {finding.severity for finding in self.all_findings if finding.code != "outline_uncertain"}
        if "bad" in severities:
            return "bad"
        if "warn" in severities:
            return "warn"
        return "unsure" if any(f.code == "outline_uncertain" for f in self.findings) else "ok"
