"""What outlines are held against: photographs with corners drawn by hand, drawn books that know theirs, variations."""

import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.imaging.geometry import Polygon, apply, points, turned
from appliance.imaging.photo import read_photo
from appliance.imaging.planes import NEUTRAL, Plane, Planes, plane
from firmware.simulated import SimulatedCamera

SIMULATED: Final = "simulated"
_GRID_PX: Final = 1000
"""Longer side of the picture on which areas are compared."""
_HALF: Final = np.array([[0.5, 0, -0.25], [0, 0.5, -0.25], [0, 0, 1]])
"""From luma to chroma, whose sample i lies at 2 i + 0.5."""
_ARTWORK: Final = "artwork"


@dataclass(frozen=True, slots=True)
class Case:
    """One frame and what is true of it.

    Attributes:
        folder: where it is from.
        group: what it is counted with.
        name: of its file.
        planes: its pixels.
        pages: the outline of every page in it; none where only the spine is known.
        spine: its two ends, where two pages meet; None where there is none.
        corners: of every page, clockwise from its own top left as one reads it; none where that is unknown.
        band: how far from the true edge nothing counts, as a share of the width: hands draw no better.
    """

    folder: str
    group: str
    name: str
    planes: Planes
    pages: tuple[Polygon, ...]
    spine: Polygon | None
    corners: tuple[Polygon, ...]
    band: float


def photographed(folder: Path, only: str = "") -> Iterator[Case]:
    """Yield the photographs of a folder's `quads.json` whose name holds `only`."""
    for name, entry in json.loads((folder / "quads.json").read_text()).items():
        if only in name:
            # Of a printed sheet the paper's corners count, not those of what is printed on it.
            pages = {key: points(quad) for key, quad in entry.get("pages", {}).items() if key != _ARTWORK}
            sheet = "_warped_document_" in name
            group = f"{folder.name} {name.rsplit('_', 1)[1].split('.')[0]}" if sheet else folder.name
            turn = entry.get("upright_rotation_cw", 0 if sheet else None)
            planes, truth = read_photo((folder / name).read_bytes()), tuple(pages.values())
            corners = () if turn is None else tuple(turned(page, turn) for page in truth)
            yield Case(folder.name, group, name, planes, truth, _spine(entry, pages), corners, 0.02 if sheet else 0.015)


def simulated(seed: int, n: int, size_px: tuple[int, int] = (1600, 1200)) -> Iterator[Case]:
    """Yield drawn spreads, each of a book of its own, read to another place."""
    for number in range(n):
        first = 2 * int(np.random.default_rng((seed, number)).integers(1, 158))
        with closing(SimulatedCamera(seed * 100_003 + number, *size_px, first_page=first)) as camera:
            frame = camera.capture(pressed_at_ns=0)
            truth = camera.truth_of(frame.source)
        planes = Planes(*(np.ascontiguousarray(each) for each in (frame.y, frame.u, frame.v)))
        pages = tuple(points(page.outline) for page in truth.pages)
        spine = None if truth.gutter is None else points(truth.gutter)
        corners = tuple(points(page.corners) for page in truth.pages)
        yield Case(SIMULATED, SIMULATED, frame.source, planes, pages, spine, corners, 0.015)


def _spine(entry: Mapping[str, object], pages: Mapping[str, Polygon]) -> Polygon | None:
    if "gutter_line" in entry:
        return points(entry["gutter_line"])
    if {"left", "right"} <= pages.keys():
        left, right = pages["left"], pages["right"]
        return points([(left[1] + right[0]) / 2, (left[2] + right[3]) / 2])
    return None


def overlap(found: Polygon, true: Polygon, size_px: tuple[int, int], band: float) -> tuple[float, float]:
    """Return intersection over union of two outlines: of everything, and of what is not near the true edge."""
    scale = _GRID_PX / max(size_px)
    shape = (int(size_px[1] * scale) + 1, int(size_px[0] * scale) + 1)
    first, second, near = (np.zeros(shape, np.uint8) for _ in range(3))
    drawn, quad = (np.rint(each * scale).astype(np.int32) for each in (found, true))
    cv2.fillPoly(first, [drawn], 1)
    cv2.fillPoly(second, [quad], 1)
    cv2.polylines(near, [quad], True, 1, max(1, 2 * round(band * size_px[0] * scale)))
    both, either, counts = (first & second) > 0, (first | second) > 0, near == 0
    strict = both.sum() / max(1, int(either.sum()))
    return float(strict), float((both & counts).sum() / max(1, int((either & counts).sum())))


def spine_error_px(pages: tuple[Polygon, ...], spine: Polygon, width_px: int) -> float:
    """Return how far the sides at which two pages meet lie from the true spine, in pixels of a frame 4000 px wide."""
    worst = 0.0
    for share in (0.1, 0.5, 0.9):  # not the ends: where a page ends along its spine is another question
        x, y = spine[0] + share * (spine[1] - spine[0])
        away = (abs(cv2.pointPolygonTest(page.astype(np.float32), (float(x), float(y)), True)) for page in pages)
        worst = max(worst, *away)
    return worst * 4000 / width_px


def is_upright(outline: Polygon, corners: tuple[Polygon, ...]) -> bool:
    """Tell whether an outline begins at the top left, as one reads, of the page that lies where it lies."""
    middle = outline.mean(axis=0)
    nearest = min(corners, key=lambda page: float(np.linalg.norm(page.mean(axis=0) - middle)))
    return int(np.argmin(np.linalg.norm(nearest - outline[0], axis=1))) == 0


def as_changes(text: str) -> dict[str, float]:
    """Return the changes named by `mirror,rot=3,dark=0.6`: see `changed`."""
    return {key: float(value or 1) for key, _, value in (each.partition("=") for each in text.split(",") if each)}


def varied(case: Case, changes: Mapping[str, float]) -> Case:
    """Return a frame `changed` and what is true of it then."""
    move = _movement(case.planes, changes)
    pages = tuple(_clockwise(apply(move, page)) for page in case.pages)
    spine = None if case.spine is None else apply(move, case.spine)
    corners = () if "mirror" in changes else tuple(apply(move, each) for each in case.corners)
    return replace(case, planes=changed(case.planes, changes), pages=pages, spine=spine, corners=corners)


def changed(planes: Planes, changes: Mapping[str, float]) -> Planes:
    """Return a frame changed: `mirror`, `rot` (degrees), `scale`, `dark` (factor), `tint` (steps of chroma)."""
    move, scale = _movement(planes, changes), changes.get("scale", 1.0)
    y, u, v = planes.y, planes.u, planes.v
    if not np.allclose(move, np.eye(3)):
        size, half = (int(planes.width_px * scale) // 2 * 2, int(planes.height_px * scale) // 2 * 2), _HALF
        y = _moved(y, move, size, scale)
        u, v = (_moved(each, half @ move @ np.linalg.inv(half), (size[0] // 2, size[1] // 2), scale) for each in (u, v))
    dark, tint = changes.get("dark", 1.0), changes.get("tint", 0.0)
    return Planes(_toned(y, dark, 0.0, 0.0), _toned(u, dark, tint, NEUTRAL), _toned(v, dark, -tint, NEUTRAL))


def _movement(planes: Planes, changes: Mapping[str, float]) -> NDArray[np.float64]:
    """Return where a frame's points go, homogeneous, shape (3, 3)."""
    width, height, scale = planes.width_px, planes.height_px, changes.get("scale", 1.0)
    turn = np.vstack([cv2.getRotationMatrix2D((width / 2, height / 2), -changes.get("rot", 0.0), 1.0), (0, 0, 1)])
    mirror = np.array([[-1, 0, width - 1], [0, 1, 0], [0, 0, 1]]) if "mirror" in changes else np.eye(3)
    return np.asarray(np.diag([scale, scale, 1.0]) @ turn @ mirror, np.float64)


def _moved(values: Plane, move: NDArray[np.float64], size: tuple[int, int], scale: float) -> Plane:
    smooth = cv2.GaussianBlur(values, (0, 0), 0.4 / scale) if scale < 1 else values
    moved = cv2.warpPerspective(smooth, move, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return plane(moved)


def _toned(values: Plane, dark: float, shift: float, neutral: float) -> Plane:
    if dark == 1.0 and shift == 0.0:
        return values
    return plane(np.clip((values - np.float32(neutral)) * dark + neutral + shift, 0, 255).astype(np.uint8))


def _clockwise(page: Polygon) -> Polygon:
    return page if cv2.contourArea(page.astype(np.float32), oriented=True) > 0 else page[::-1].copy()
