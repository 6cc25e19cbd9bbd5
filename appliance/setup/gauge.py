"""How well the station is set up, as a list of checks and one thing to do about the worst of them.

`Gauge` is what the calibration screen stands on. An engine that measures a printed target takes its place there;
until then a blank sheet of paper tells what paper can tell, and says of the rest that it was not measured. Pure.
"""

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final, Literal, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from firmware.interfaces import Plane
from firmware.optics import MM_PER_INCH, PAPERS_MM

Check = Literal["corners", "ppi", "sharpness", "evenness", "colour"]
CHECKS: Final[tuple[Check, ...]] = ("corners", "ppi", "sharpness", "evenness", "colour")
Standing = Literal["good", "poor", "unmeasured"]
Advice = Literal[
    "lay-paper", "centre", "more-light", "less-light", "lamp-left", "lamp-right", "lamp-top", "lamp-bottom", "nearer",
    "focus", "done",
]  # fmt: skip
"""One physical instruction. For a lamp, the side that is darker: it is to be moved nearer there."""

LEAST_PPI: Final = 294.0
"""Of the profile for printed books, FADGI's 300 less two parts in a hundred (`appliance.imaging.profiles`)."""
WIDEST_EDGE_PX: Final = 2.0
"""Standard deviation of an edge: the same that profiles ask of print."""
MOST_UNEVEN: Final = 15.0
"""Percent between the darkest and the lightest part of white paper that the pipeline still levels out."""
_LEAST_LEVEL, _MOST_LEVEL = 150.0, 250.0
"""Grey levels of paper: less is dark for the profiles, more begins to be cut off."""
_SMALL_PX: Final = 1000
_LEAST_SHARE: Final = 0.08
"""Of the frame that the sheet must cover to be it."""
_SAME_SHAPE: Final = 0.04
_LEAST_BLANK: Final = 0.985
_TILES: Final = 8
_SIDE_OF_EDGE_PX: Final = 24
_ALONG_PX: Final = 40
_SIGMAS_10_TO_90: Final = 2.563
"""Between the points where a blurred edge has passed a tenth and nine tenths of its height, for a Gaussian blur."""
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Row:
    """One check: what was measured, the limit it is held against, and how it stands."""

    check: Check
    standing: Standing = "unmeasured"
    value: float | None = None
    limit: float | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """One look: a row for each of `CHECKS`, in that order, and what to do next."""

    advice: Advice
    rows: tuple[Row, ...] = field(default_factory=lambda: tuple(Row(check) for check in CHECKS))

    @property
    def is_good(self) -> bool:
        """Whether everything that could be measured is as it should be."""
        return self.advice == "done"


class Gauge(Protocol):
    """Measures how the station stands by a frame of what the operator was asked to lay under the camera."""

    def read(self, luma: Plane) -> Reading:
        """Return what a frame's luma (uint8, height x width) shows."""
        ...


class PaperGauge:
    """Implements `Gauge` on a blank white sheet of A4 on the empty, darker cradle. Of colour it knows nothing."""

    def read(self, luma: Plane) -> Reading:
        """Return what a frame's luma shows."""
        sheet = _sheet(luma)
        if sheet is None:
            return Reading("lay-paper")
        corners, within = sheet
        flat = _flattened(luma, corners)
        tiles = np.asarray(cv2.resize(flat, (_TILES, _TILES), interpolation=cv2.INTER_AREA), np.float64)
        level = float(np.median(tiles))
        uneven = float(100.0 * (tiles.max() - tiles.min()) / tiles.max())
        rows = [Row("corners", "good" if within == 4 else "poor", within, 4)]
        ppi = _ppi(corners) if within == 4 else None
        edge_px = _edge_px(luma, corners) if within == 4 else None
        rows += [
            Row("ppi") if ppi is None else Row("ppi", _standing(ppi >= LEAST_PPI), ppi, LEAST_PPI),
            Row("sharpness")
            if edge_px is None
            else Row("sharpness", _standing(edge_px <= WIDEST_EDGE_PX), edge_px, WIDEST_EDGE_PX),
            Row("evenness", _standing(uneven <= MOST_UNEVEN), uneven, MOST_UNEVEN)
            if _LEAST_LEVEL <= level <= _MOST_LEVEL
            else Row("evenness"),
            Row("colour"),
        ]
        return Reading(_advice(rows, level, tiles), tuple(rows))


def _standing(is_good: bool) -> Standing:
    return "good" if is_good else "poor"


def _advice(rows: list[Row], level: float, tiles: Floats) -> Advice:
    """Return the first thing to do: what comes later in this order cannot be judged before it is done."""
    poor = {row.check for row in rows if row.standing == "poor"}
    if "corners" in poor:
        return "centre"
    if level < _LEAST_LEVEL:
        return "more-light"
    if level > _MOST_LEVEL:
        return "less-light"
    if "evenness" in poor:
        half = _TILES // 2
        sides: dict[Advice, float] = {
            "lamp-left": float(tiles[:, :half].mean()),
            "lamp-right": float(tiles[:, half:].mean()),
            "lamp-top": float(tiles[:half].mean()),
            "lamp-bottom": float(tiles[half:].mean()),
        }
        return min(sides, key=lambda side: sides[side])
    if "ppi" in poor:
        return "nearer"
    return "focus" if "sharpness" in poor else "done"


def _sheet(luma: Plane) -> tuple[Floats, int] | None:
    """Return the corners of a blank sheet, clockwise, in pixels, and how many of them lie within the frame."""
    scale = max(1.0, max(luma.shape) / _SMALL_PX)
    size = (round(luma.shape[1] / scale), round(luma.shape[0] / scale))
    small = np.asarray(cv2.resize(luma, size, interpolation=cv2.INTER_AREA), np.uint8)
    _, light = cv2.threshold(cv2.GaussianBlur(small, (5, 5), 0), 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    outlines, _ = cv2.findContours(light, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    largest = max(outlines, key=cv2.contourArea, default=None)
    if largest is None or cv2.contourArea(largest) < _LEAST_SHARE * small.size:
        return None
    corners = cv2.approxPolyDP(largest, 0.02 * cv2.arcLength(largest, closed=True), closed=True).reshape(-1, 2)
    if len(corners) != 4 or not cv2.isContourConvex(corners) or not _is_blank(small, corners):
        return None
    inside = (corners > 2) & (corners < np.array(size) - 3)
    found = _on_edges(largest.reshape(-1, 2).astype(np.float64), corners.astype(np.float64))
    within = int(inside.all(axis=1).sum())
    ordered = (found + 0.5) * scale - 0.5
    if within == 4 and abs(_shape(ordered) / _A4_SHAPE - 1.0) > _SAME_SHAPE:
        return None
    return ordered, within


def _on_edges(outline: Floats, corners: Floats) -> Floats:
    """Return corners as the crossings of lines through the whole of each side, which no pixel's corner moves."""
    lines = []
    for start, end in pairwise([*corners, corners[0]]):
        along = (end - start) / np.linalg.norm(end - start)
        away = (outline - start) @ np.array([-along[1], along[0]])
        far = (outline - start) @ along / np.linalg.norm(end - start)
        near = outline[(np.abs(away) < 4.0) & (far > 0.1) & (far < 0.9)]
        middle = near.mean(axis=0) if len(near) > 8 else (start + end) / 2
        direction = np.linalg.svd(near - middle)[2][0] if len(near) > 8 else along
        lines.append((middle, direction))
    crossings = []
    for (first, towards), (second, aside) in pairwise([lines[-1], *lines]):
        steps = np.linalg.lstsq(np.column_stack([towards, -aside]), second - first, rcond=None)[0]
        crossings.append(first + steps[0] * towards)
    return np.array(crossings)


def _is_blank(small: Plane, corners: NDArray[Any]) -> bool:
    mask = cv2.fillConvexPoly(np.zeros_like(small), corners.astype(np.int32), 255)
    inner = cv2.erode(mask, np.ones((15, 15), np.uint8)) > 0
    ground = cv2.medianBlur(small, 21)
    return bool(inner.any() and np.mean(ground[inner] < small[inner].astype(np.int16) + 12) > _LEAST_BLANK)


_A4_SHAPE: Final = PAPERS_MM["A4"][1] / PAPERS_MM["A4"][0]


def _sides_px(corners: Floats) -> tuple[float, float]:
    """Return the mean length of the longer and of the shorter pair of sides."""
    lengths = [float(np.linalg.norm(end - start)) for start, end in pairwise([*corners, corners[0]])]
    pairs = sorted(((lengths[0] + lengths[2]) / 2, (lengths[1] + lengths[3]) / 2))
    return pairs[1], pairs[0]


def _shape(corners: Floats) -> float:
    longer, shorter = _sides_px(corners)
    return longer / shorter


def _ppi(corners: Floats) -> float:
    longer, shorter = _sides_px(corners)
    width_mm, height_mm = PAPERS_MM["A4"]
    return MM_PER_INCH * float(np.sqrt(longer * shorter / (width_mm * height_mm)))


def _flattened(luma: Plane, corners: Floats) -> Plane:
    """Return the sheet without its rim, upright as in the frame, small."""
    middle = corners.mean(axis=0)
    start = int(np.argmin((corners - middle).sum(axis=1)))
    inner = middle + (np.roll(corners, -start, axis=0) - middle) * 0.94
    first, second = inner[1] - inner[0], inner[2] - inner[1]
    if first[0] * second[1] < first[1] * second[0]:
        inner = inner[[0, 3, 2, 1]]
    size = _TILES * 16
    there = np.array([[0, 0], [size, 0], [size, size], [0, size]], np.float32)
    way = cv2.getPerspectiveTransform(inner.astype(np.float32), there)
    calm = cv2.resize(luma, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    quarter = np.diag([4.0, 4.0, 1.0])
    return np.asarray(cv2.warpPerspective(calm, way @ quarter, (size, size), borderMode=cv2.BORDER_REPLICATE), np.uint8)


def _edge_px(luma: Plane, corners: Floats) -> float | None:
    """Return how wide the sheet's own edge is at the worst of its corners, as a standard deviation in pixels."""
    worst = []
    for before, corner, after in zip(np.roll(corners, 1, axis=0), corners, np.roll(corners, -1, axis=0), strict=True):
        widths = [
            width
            for other in (before, after)
            if (width := _width_across(luma, corner + 0.12 * (other - corner), other - corner)) is not None
        ]
        if widths:
            worst.append(float(np.mean(widths)))
    return max(worst) if len(worst) == 4 else None


def _width_across(luma: Plane, at: Floats, along: Floats) -> float | None:
    angle = float(np.degrees(np.arctan2(along[1], along[0])))
    turn = cv2.getRotationMatrix2D((float(at[0]), float(at[1])), angle, 1.0)
    turn[:, 2] += np.array((_ALONG_PX / 2 - at[0], _SIDE_OF_EDGE_PX - at[1]))
    size = (_ALONG_PX, 2 * _SIDE_OF_EDGE_PX)
    rise = cv2.warpAffine(luma, turn, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    profile = np.asarray(rise, np.float64).mean(axis=1)
    if profile[0] > profile[-1]:
        profile = profile[::-1]
    low, high = float(profile[:6].mean()), float(profile[-6:].mean())
    if high - low < 30.0:
        return None
    share = np.maximum.accumulate((profile - low) / (high - low))
    places = np.arange(len(share))
    tenth, nine_tenths = (float(np.interp(level, share, places)) for level in (0.1, 0.9))
    return (nine_tenths - tenth) / _SIGMAS_10_TO_90
