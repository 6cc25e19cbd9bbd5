"""Small random and mutated pictures through the pipeline: it must neither fail nor hang nor invent pages."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.random import Generator, default_rng
from numpy.typing import NDArray

from appliance.errors import PhotoError
from appliance.imaging.encode import encode
from appliance.imaging.geometry import area, points
from appliance.imaging.model import Processed, Setup
from appliance.imaging.photo import read_photo
from appliance.imaging.pipeline import process
from appliance.imaging.planes import Planes, from_bgr
from appliance.imaging.profiles import DEFAULT_PROFILE
from firmware.simulated import SimulatedCamera

LONGEST_S = 5.0
_MOST_PX = 300_000
_LEAST_PAGE = 0.02
"""Share of the frame; a page is found from 0.06 of it, half of that where it is divided."""
_LAYOUTS = ("spread", "single", "parts")
Pixels = NDArray[np.uint8]


@dataclass(slots=True)
class Fuzzed:
    """What became of the pictures.

    Attributes:
        outcomes: how many were refused, passed whole, empty or cut into pages.
        faults: what went wrong, one line each; empty is well.
        longest_s: that one picture took.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    longest_s: float = 0.0


def fuzz(seed: int, n: int, seconds: float) -> Fuzzed:
    """Send `n` pictures through, or as many as `seconds` allow; the same seed gives the same pictures."""
    fuzzed, sources = Fuzzed(), _sources(seed)
    end_s = time.monotonic() + seconds
    for number in range(n):
        rng = default_rng((seed, number))
        kind = _KINDS[number % len(_KINDS)]
        started_s = time.perf_counter()
        try:
            _one(fuzzed, kind(rng, sources), rng)
        except PhotoError:
            fuzzed.outcomes["refused"] += 1
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what is looked for
            fuzzed.faults.append(f"picture {number} ({kind.__name__.strip('_')}): {error!r}")
        spent_s = time.perf_counter() - started_s
        fuzzed.longest_s = max(fuzzed.longest_s, spent_s)
        if spent_s > LONGEST_S:
            fuzzed.faults.append(f"picture {number}: {spent_s:.1f} s")
        if time.monotonic() > end_s:
            break
    return fuzzed


def _one(fuzzed: Fuzzed, picture: Pixels | bytes, rng: Generator) -> None:
    planes = read_photo(picture) if isinstance(picture, bytes) else from_bgr(picture)
    layout = _LAYOUTS[int(rng.integers(3))]
    processed = process(planes, Setup(layout=layout), DEFAULT_PROFILE)  # type: ignore[arg-type]
    fuzzed.outcomes[_outcome(processed)] += 1
    for page in processed.pages:
        if (wrong := _wrong(points(page.outline), planes, page.planes)) is not None:
            fuzzed.faults.append(f"{planes.width_px} x {planes.height_px}: {wrong}")


def _outcome(processed: Processed) -> str:
    codes = {finding.code for finding in processed.findings}
    return "whole" if "outline_uncertain" in codes else f"{len(processed.pages)} pages"


def _wrong(outline: NDArray[np.float64], frame: Planes, page: Planes) -> str | None:
    """Return what speaks against this being a page or the whole frame."""
    size = np.array([frame.width_px, frame.height_px])
    if not np.isfinite(outline).all() or (outline < -0.1 * size).any() or (outline > 1.1 * size).any():
        return "the outline leaves the frame"
    if area(outline) < _LEAST_PAGE * frame.y.size:
        return f"a page of {area(outline) / frame.y.size:.3f} of the frame"
    if page.y.size > 4 * frame.y.size or min(page.y.shape) < 8:
        return f"a page of {page.width_px} x {page.height_px}"
    return None


def _sources(seed: int) -> list[Pixels]:
    found = []
    for number in range(4):
        frame = SimulatedCamera(seed + number, 632, 474).capture(pressed_at_ns=0)
        u, v = (cv2.resize(each, frame.y.shape[::-1]) for each in (frame.u, frame.v))
        found.append(np.asarray(cv2.cvtColor(cv2.merge([frame.y, v, u]), cv2.COLOR_YCrCb2BGR), np.uint8))
    return found


def _size(rng: Generator) -> tuple[int, int]:
    width = int(rng.integers(8, 900))
    return width, int(rng.integers(8, max(9, min(900, _MOST_PX // width))))


def _noise(rng: Generator, sources: list[Pixels]) -> Pixels:
    width, height = _size(rng)
    cells = (int(rng.integers(1, height + 1)), int(rng.integers(1, width + 1)), 3)
    coarse = rng.integers(0, 256, cells, dtype=np.uint8)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=int(rng.integers(0, 3))), np.uint8)


def _shapes(rng: Generator, sources: list[Pixels]) -> Pixels:
    width, height = _size(rng)
    picture = np.full((height, width, 3), rng.integers(0, 256, 3), np.uint8)
    for _ in range(int(rng.integers(1, 12))):
        colour = tuple(int(value) for value in rng.integers(0, 256, 3))
        corners = rng.integers(-50, 950, (int(rng.integers(3, 7)), 2)).astype(np.int32)
        cv2.fillPoly(picture, [corners], colour)
    return picture


def _bytes(rng: Generator, sources: list[Pixels]) -> bytes:
    content = bytearray(encode(from_bgr(sources[int(rng.integers(len(sources)))])))
    for _ in range(int(rng.integers(1, 30))):
        content[int(rng.integers(len(content)))] = int(rng.integers(256))
    return bytes(content[: int(rng.integers(1, len(content)))] if rng.random() < 0.3 else content)


def _warped(rng: Generator, sources: list[Pixels]) -> Pixels:
    source = sources[int(rng.integers(len(sources)))]
    width, height = _size(rng)
    matrix = np.array([[rng.normal(1, 0.5), rng.normal(0, 0.5), rng.normal(0, 150)]] * 2)
    matrix[1, :2] = rng.normal(0, 0.5), rng.normal(1, 0.5)
    border = int(rng.choice((cv2.BORDER_CONSTANT, cv2.BORDER_REPLICATE, cv2.BORDER_REFLECT, cv2.BORDER_WRAP)))
    return np.asarray(cv2.warpAffine(source, matrix, (width, height), borderMode=border), np.uint8)


def _damaged(rng: Generator, sources: list[Pixels]) -> Pixels:
    picture = sources[int(rng.integers(len(sources)))].copy()
    height, width = picture.shape[:2]
    for _ in range(int(rng.integers(1, 10))):
        x, y = int(rng.integers(width)), int(rng.integers(height))
        part = picture[y : y + int(rng.integers(1, 300)), x : x + int(rng.integers(1, 300))]
        part[:] = (255 - part, rng.integers(0, 256, part.shape), part[::-1], 0, 255)[int(rng.integers(5))]
    power = float(rng.uniform(0.2, 4.0))
    table = (255 * (np.arange(256) / 255) ** power).astype(np.uint8)
    return np.asarray(table[picture], np.uint8)


_KINDS: tuple[Callable[[Generator, list[Pixels]], Pixels | bytes], ...] = (_noise, _shapes, _bytes, _warped, _damaged)
