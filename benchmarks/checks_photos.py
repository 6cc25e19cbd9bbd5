"""Photographs of pages with known corners, as they are and with one fault laid over each of them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.random import Generator, default_rng
from numpy.typing import NDArray

from appliance.imaging.model import Processed, Setup, Signature
from appliance.imaging.photo import SUFFIXES, read_photo
from appliance.imaging.pipeline import process
from appliance.imaging.planes import Planes, plane
from appliance.imaging.profiles import DEFAULT_PROFILE
from benchmarks.checks_faults import BOOK_MM, Faulty, Floats, Leaf, blur, cut, expose, glare, grained, motion
from benchmarks.checks_fingers import finger
from benchmarks.outlines_parts import photographed

_SHEET_MM: Final = (210.0, 297.0)
_TIMES: Final = {"blur": 2, "motion": 2, "glare": 2, "finger": 3, "cut": 2}
"""How often each fault is laid over a photograph; the others once."""
_CLIPPED: Final = 255
_LEAST_CLIPPED: Final = 0.05
_UNIT_PPI: Final = 300.0
_MM_PER_INCH: Final = 25.4


@dataclass(frozen=True, slots=True, eq=False)
class Photo:
    """A photograph, clean or with one fault.

    Attributes:
        name: folder and file.
        clean: its pixels without the fault; the same for each fault.
        planes: its pixels.
        fault: None = none.
        strength: of the fault.
    """

    name: str
    clean: Planes
    planes: Planes
    fault: str | None
    strength: float


def photographs(folder: Path, seed: int, most_px: int, only: str = "", *, on_paper: bool = False) -> Iterator[Photo]:
    """Yield every photograph below a folder whose name holds `only`, clean, then with each fault in turn.

    Args:
        folder: holds folders with photographs and `quads.json`, in which pages have corners; those without stay clean.
        seed: the same gives the same pixels.
        most_px: larger ones are made smaller.
        only: part of folder and name.
        on_paper: tell blur and motion in pixels of 300 ppi of paper, not in pixels of the frame.
    """
    for quads in sorted(folder.glob("*/quads.json")):
        for number, case in enumerate(photographed(quads.parent)):
            name = f"{case.folder}/{case.name}"
            if only not in name:
                continue
            planes, scale = _at_most(case.planes, most_px)
            yield Photo(name, planes, planes, None, 0.0)
            size_mm = _SHEET_MM if "_warped_document_" in name else BOOK_MM
            pages = tuple(page * scale for page in case.pages)
            leaves = tuple(_leaf(page, size_mm, pages) for page in pages)
            if leaves:
                yield from _spoilt(name, planes, leaves, seed * 1009 + number, on_paper=on_paper)


def other_photographs(folder: Path, most_px: int, only: str = "") -> Iterator[Photo]:
    """Yield the photographs beside the former that nobody drew corners on."""
    for quads in sorted(folder.glob("*/quads.json")):
        known = json.loads(quads.read_bytes())
        for path in sorted(quads.parent.iterdir()):
            name = f"{path.parent.name}/{path.name}"
            if path.suffix.lower() in SUFFIXES and path.name not in known and only in name:
                planes = _at_most(read_photo(path.read_bytes()), most_px)[0]
                yield Photo(name, planes, planes, None, 0.0)


def _at_most(planes: Planes, most_px: int) -> tuple[Planes, float]:
    scale = min(1.0, float(np.sqrt(most_px / planes.y.size)))
    width, height = (2 * round(side * scale / 2) for side in (planes.width_px, planes.height_px))
    if scale == 1.0:
        return planes, 1.0
    parts = [
        _smaller(planes.y, (width, height)),
        *(_smaller(each, (width // 2, height // 2)) for each in (planes.u, planes.v)),
    ]
    return Planes(*parts), scale


def _smaller(values: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    return plane(cv2.resize(values, size, interpolation=cv2.INTER_AREA))


def _leaf(corners: Floats, size_mm: tuple[float, float], pages: tuple[Floats, ...]) -> Leaf:
    """Return a page with its longer sides where they are seen; facing pages lie against each other's nearest side."""
    sides = np.linalg.norm(np.roll(corners, -1, axis=0) - corners, axis=1)
    size_mm = size_mm if sides[1] + sides[3] >= sides[0] + sides[2] else size_mm[::-1]
    free = [0, 1, 2, 3]
    if len(pages) == 2:
        middles = (corners + np.roll(corners, -1, axis=0)) / 2
        free.remove(int(np.argmin(np.linalg.norm(middles - np.mean(pages, axis=(0, 1)), axis=1))))
    return Leaf(corners, size_mm, tuple(free))


def _spoilt(name: str, planes: Planes, leaves: tuple[Leaf, ...], seed: int, *, on_paper: bool) -> Iterator[Photo]:
    ppi = float(np.mean([leaf.pixels_per_mm for leaf in leaves])) * _MM_PER_INCH
    unit_px = ppi / _UNIT_PPI if on_paper else 1.0
    how = {
        "blur": lambda rng: blur(planes, rng, unit_px),
        "motion": lambda rng: motion(planes, rng, unit_px),
        "glare": lambda rng: glare(planes, leaves, rng),
        "finger": lambda rng: finger(planes, leaves, rng),
        "cut": lambda rng: cut(planes, leaves, rng),
        "dark": lambda _: expose(planes, -1.5),
        "bright": lambda _: expose(planes, 1.5),
        "doubled": lambda rng: _again(planes, rng),
        "empty": lambda rng: _empty(planes, leaves, rng),
    }
    for index, (fault, make) in enumerate(how.items()):
        for turn in range(_TIMES.get(fault, 1)):
            faulty = make(default_rng((seed, index, turn)))
            if fault == "bright" and np.mean(faulty.planes.y == _CLIPPED) < _LEAST_CLIPPED:
                continue  # in so little light it had been too dark before: nothing is lost
            yield Photo(name, planes, faulty.planes, fault, faulty.strength)


def _again(planes: Planes, rng: Generator) -> Faulty:
    """Return the same page taken once more: moved a little, the light a little other, other grain."""
    size = (planes.width_px, planes.height_px)
    moved_px = float(rng.uniform(0.0, 0.02)) * max(size)
    away = float(rng.uniform(0.0, 2 * np.pi))
    matrix = cv2.getRotationMatrix2D((size[0] / 2, size[1] / 2), float(rng.uniform(-1.0, 1.0)), 1.0)
    matrix[:, 2] += moved_px * np.array([np.cos(away), np.sin(away)])
    half = matrix * (1, 1, 0.5)
    parts = [cv2.warpAffine(planes.y, matrix, size, borderMode=cv2.BORDER_REPLICATE)]
    small = (planes.u.shape[1], planes.u.shape[0])
    parts += [cv2.warpAffine(each, half, small, borderMode=cv2.BORDER_REPLICATE) for each in (planes.u, planes.v)]
    light = float(rng.uniform(0.95, 1.04))
    y = np.clip(parts[0].astype(np.float32) * light, 0, 255).astype(np.uint8)
    return Faulty(Planes(grained(y, rng), plane(parts[1]), plane(parts[2])), moved_px)


def _empty(planes: Planes, leaves: tuple[Leaf, ...], rng: Generator) -> Faulty:
    """Return the ground without the page: the tone that the frame mostly has around it, under a lamp that falls off."""
    grounds = []
    for values in (planes.y, planes.u, planes.v):
        scale = values.shape[1] / planes.width_px
        around = np.ones(values.shape, np.uint8)
        for leaf in leaves:
            middle = leaf.corners.mean(axis=0)
            wider = middle + 1.05 * (leaf.corners - middle)
            cv2.fillPoly(around, [np.rint(wider * scale).astype(np.int32)], 0)
        tone = float(np.median(values[around > 0])) if around.any() else float(np.percentile(values, 5))
        grounds.append(np.full(values.shape, tone, np.float32))
    rows, columns = (np.linspace(-1, 1, side, dtype=np.float32) for side in planes.y.shape)
    fall_off = float(rng.uniform(0.0, 0.06))
    y = grounds[0] * (1 - fall_off * (rows[:, None] ** 2 + columns[None, :] ** 2)) + rng.normal(0, 1.5, planes.y.shape)
    return Faulty(Planes(*(np.clip(each, 0, 255).astype(np.uint8) for each in (y, *grounds[1:]))), fall_off)


def judge(photo: Photo, behind: int) -> Processed:
    """Return what the pipeline says of a photograph behind so many captures as sharp as the clean one.

    What was taken again is always judged behind the first one.
    """
    number = max(behind, int(photo.fault == "doubled"))
    return process(photo.planes, Setup(), DEFAULT_PROFILE, (_signature(photo.clean),) * number if number else ())


@lru_cache(maxsize=1)
def _signature(planes: Planes) -> Signature:
    return process(planes, Setup(), DEFAULT_PROFILE).signature
