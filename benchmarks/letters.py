"""Vietnamese read off finished pages: drawn spreads through the whole path, Tesseract beside the page lying flat.

Every spread is of a book of its own, read to another place: bent, a little turned and tilted, under a lamp. Its frame
is made into pages, encoded and decoded; Tesseract (`vie`) reads each page, and the same page printed flat at the same
resolution. An error is a character to be changed, put in or taken out, as a share of those printed.

Usage: benchmarks/letters [--n 20] [--seed 1] [--seconds 900] [--width 4056] [--height 3040] [--each] [--save FOLDER]
       [--vary rot=3,dark=0.7]
"""

import argparse
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from appliance.imaging.encode import encode
from appliance.imaging.geometry import apply, homography, points
from appliance.imaging.model import Page, Setup
from appliance.imaging.photo import read_photo
from appliance.imaging.pipeline import process
from appliance.imaging.planes import Planes
from appliance.imaging.profiles import DEFAULT_PROFILE
from benchmarks.letters_parts import Misread, error_rate, misread, plain
from benchmarks.ocr import read, why_not
from benchmarks.outlines_parts import as_changes, changed
from firmware.simulated import FrameTruth, PageTruth, SimulatedCamera, WordTruth
from firmware.simulated.ink import print_page
from firmware.simulated.typeset import set_page

_GOAL: Final = 0.01
_WORSE: Final = 1.2
"""Times the error on the page lying flat."""
_INNER: Final = 0.2
"""Share of a page beside the spine."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One page read twice.

    Attributes:
        error: on the finished page.
        flat_error: on the page as printed.
        characters: printed.
        misread: words of the finished page.
        inner: for each of those, whether it stands near the spine.
    """

    error: float
    flat_error: float
    characters: int
    misread: tuple[Misread, ...]
    inner: tuple[bool, ...]


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw, process, read; 1 where a goal is missed."""
    options = _parser().parse_args(arguments)
    if missing := why_not("vie"):
        print(f"letters: skipped, {missing}")
        return 0
    readings: list[Reading] = []
    flagged = 0
    end_s = time.monotonic() + options.seconds
    changes = as_changes(options.vary)
    for seed, planes, truth in drawn(options.seed, options.n, (options.width, options.height)):
        processed = process(changed(planes, changes), Setup(), DEFAULT_PROFILE)
        flagged += any(finding.code == "outline_uncertain" for finding in processed.findings)
        for page, true in zip(processed.pages, truth.pages, strict=False) if len(processed.pages) == 2 else ():
            readings.append(_read(options, seed, page, true, truth))
        if time.monotonic() > end_s:
            break
    return _print(readings, flagged)


def drawn(seed: int, n: int, size_px: tuple[int, int]) -> Iterator[tuple[int, Planes, FrameTruth]]:
    """Yield the seed of each book, a frame of it and what is true of that frame."""
    for number in range(n):
        own = seed * 2_003 + number
        first = 2 * int(np.random.default_rng((seed, number)).integers(1, 158))
        with closing(SimulatedCamera(own, *size_px, first_page=first)) as camera:
            frame = camera.capture(pressed_at_ns=0)
            planes = Planes(*(np.ascontiguousarray(each) for each in (frame.y, frame.u, frame.v)))
            yield own, planes, camera.truth_of(frame.source)


def printed_flat(seed: int, page: PageTruth, pixels_per_mm: float) -> NDArray[np.uint8]:
    """Return the page as it left the press: luma, no lamp, no bend, the next page faintly through it."""
    behind = page.number - 1 if page.side == "left" else page.number + 1
    return print_page(set_page(seed, page.number), set_page(seed, behind), pixels_per_mm)


def _inner(page: PageTruth, word: WordTruth) -> bool:
    square = points([(0, 0), (1, 0), (1, 1), (0, 1)])
    middle = points(word.quad).mean(axis=0)
    across = float(apply(homography(points(page.corners), square), middle[None, :])[0, 0])
    return (1 - across if page.side == "left" else across) < _INNER


def _read(options: argparse.Namespace, seed: int, page: Page, true: PageTruth, truth: FrameTruth) -> Reading:
    finished = read_photo(encode(page.planes, quality=DEFAULT_PROFILE.jpeg_quality)).y
    flat = printed_flat(seed, true, truth.pixels_per_mm)
    words = [(part, word) for word in true.words for part in plain(word.text).split()]
    texts = [text for text, _ in words]
    wanted, got, best = " ".join(texts), plain(read(finished, "vie")), plain(read(flat, "vie"))
    faults = tuple(misread(texts, got.split()))
    near = tuple(_inner(true, words[each.index][1]) for each in faults)
    reading = Reading(error_rate(wanted, got), error_rate(wanted, best), len(wanted), faults, near)
    if options.each:
        said = ", ".join(f"{each.wanted}>{each.got}{'*' * by}" for each, by in zip(faults, near, strict=True))
        print(f"book {seed} page {true.number}: {reading.error:.4f}, flat {reading.flat_error:.4f}  {said}", flush=True)
    if options.save is not None:
        options.save.mkdir(parents=True, exist_ok=True)
        for name, picture in (("page", finished), ("flat", flat)):
            neutral = np.full((-(-picture.shape[0] // 2), -(-picture.shape[1] // 2)), 128, np.uint8)
            (options.save / f"{seed}-{true.number}-{name}.jpg").write_bytes(encode(Planes(picture, neutral, neutral)))
    return reading


def _print(readings: list[Reading], flagged: int) -> int:
    if not readings:
        print(f"letters: no page read; {flagged} frames flagged")
        return 1
    weights = [reading.characters for reading in readings]
    own, flat = ([getattr(reading, name) for reading in readings] for name in ("error", "flat_error"))
    error, flat_error = float(np.average(own, weights=weights)), float(np.average(flat, weights=weights))
    print(f"{len(readings)} pages, {sum(weights)} characters, {flagged} frames flagged")
    print(f"{'':14} {'together':>9} {'median':>9} {'worst':>9}")
    for name, values, together in (("finished pages", own, error), ("printed flat", flat, flat_error)):
        print(f"{name:14} {together:9.4f} {float(np.median(values)):9.4f} {max(values):9.4f}")
    print(f"goals: at most {_GOAL}, and {_WORSE} times that of the flat page: {error / max(flat_error, 1e-6):.2f}")
    faults, near = Counter[str](), Counter[str]()
    for reading in readings:
        faults.update(each.fault for each in reading.misread)
        near.update(each.fault for each, by in zip(reading.misread, reading.inner, strict=True) if by)
    told = ", ".join(f"{name} {count} ({near[name]})" for name, count in faults.most_common())
    print(f"words misread (of these in the fifth of the page beside the spine): {told or 'none'}")
    return int(error > _GOAL or error > _WORSE * flat_error)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benchmarks/letters", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--n", type=int, default=20, help="spreads")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=900.0, help="stop after the spread that passes this")
    parser.add_argument("--width", type=int, default=4056)
    parser.add_argument("--height", type=int, default=3040)
    parser.add_argument(
        "--each", action="store_true", help="print every page's error and what was misread (* by spine)"
    )
    parser.add_argument("--save", type=Path, help="write what was read into this folder")
    parser.add_argument("--vary", default="", help="rot=3,scale=.8,dark=.6,tint=8: change every frame so")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
