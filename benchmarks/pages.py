"""The page pipeline beside its floor (decode, two remaps, two encodes called bare), same run, same frame, one thread.

Two floors: the calls that one would write for a photograph, on interleaved BGR, and the same calls on planes, stricter.
Ratios are medians of the processor's time round by round; a share of the whole is one of `planes to pages`.

Usage: benchmarks/pages [--n 9] [--seed 1] [--seconds 60] [--width 4056] [--height 3040] [--sheet FILE [PHOTO ...]]
"""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np

from appliance.imaging.contact_sheet import Cell, cell, draw
from appliance.imaging.model import Setup
from appliance.imaging.photo import read_photo
from appliance.imaging.pipeline import process
from appliance.imaging.planes import Planes
from appliance.imaging.profiles import DEFAULT_PROFILE
from benchmarks.pages_parts import BARE_BGR, BARE_PLANES, CHECKS, FINDING, PHOTOGRAPH, PLANES, Spent, alternate, ways
from firmware.simulated import SimulatedCamera

_GOALS = {PHOTOGRAPH: 1.3, PLANES: 0.6, FINDING: 0.05}
_CHECKS_GOAL = 0.25
_ON_SHEET = 6


def main(arguments: Sequence[str] | None = None) -> int:
    """Time every way in turn, round after round, and print one table."""
    parser = argparse.ArgumentParser(prog="benchmarks/pages", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("photos", nargs="*", type=Path, metavar="PHOTO", help="for the sheet; none = drawn frames")
    parser.add_argument("--n", type=int, default=9, help="rounds")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=60.0, help="stop after the round that passes this")
    parser.add_argument("--width", type=int, default=4056)
    parser.add_argument("--height", type=int, default=3040)
    parser.add_argument("--sheet", type=Path, metavar="FILE", help="contact sheet of what became of the photographs")
    args = parser.parse_args(arguments)
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        spent = alternate(ways(_drawn(args.seed, args.width, args.height)), args.n, args.seconds)
        print(f"{args.width} x {args.height}, seed {args.seed}; OpenCV with one thread on both sides; ", end="")
        print(f"median of {len(spent[BARE_BGR].wall_s)} rounds")
        print("\n".join(table(spent)))
        if args.sheet is not None:
            cells = _of_photos(args.photos) if args.photos else _of_drawn(args.seed, args.width, args.height)
            draw(list(cells)).save(args.sheet)
    finally:
        cv2.setNumThreads(threads)
    return 0


def table(spent: Mapping[str, Spent]) -> Iterator[str]:
    """Yield the lines of the table."""
    yield f"{'':22}{'wall ms':>9}{'CPU ms':>9}{'of BGR':>9}{'of planes':>11}{'of the whole':>14}   goal"
    for name, own in spent.items():
        bgr, planes, whole = (own.ratio(spent[other]) for other in (BARE_BGR, BARE_PLANES, PLANES))
        goal = f"{_GOALS[name]:.2f} of BGR" if name in _GOALS else ""
        goal = f"{_CHECKS_GOAL:.2f} of the whole" if name == CHECKS else goal
        line = f"{name:22}{own.wall_ms:9.1f}{own.cpu_ms:9.1f}{bgr:9.2f}{planes:11.2f}{whole:14.2f}   {goal}"
        yield line.rstrip()


def _drawn(seed: int, width_px: int, height_px: int) -> Planes:
    frame = SimulatedCamera(seed, width_px, height_px).capture(pressed_at_ns=0)
    return Planes(*(np.ascontiguousarray(each) for each in (frame.y, frame.u, frame.v)))


def _of_photos(photos: Sequence[Path]) -> Iterator[Cell]:
    for photo in photos:
        planes = read_photo(photo.read_bytes())
        yield cell(photo.name, planes, process(planes, Setup(), DEFAULT_PROFILE))


def _of_drawn(seed: int, width_px: int, height_px: int) -> Iterator[Cell]:
    for each in range(seed, seed + _ON_SHEET):
        planes = _drawn(each, width_px, height_px)
        yield cell(f"drawn, seed {each}", planes, process(planes, Setup(), DEFAULT_PROFILE))


if __name__ == "__main__":
    sys.exit(main())
