"""The page pipeline beside its floor (decode, two remaps, two encodes called bare), same run, same frame.

Usage: benchmarks/pages [--n 9] [--seed 1] [--seconds 60] [--width 4056] [--height 3040]
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Sequence

import numpy as np

from appliance.imaging.encode import encode
from appliance.imaging.model import Setup
from appliance.imaging.pipeline import process
from appliance.imaging.planes import Planes, from_jpeg
from appliance.imaging.profiles import DEFAULT_PROFILE
from appliance.imaging.rectify import plan, rectify
from appliance.imaging.sheets import find_sheets
from appliance.imaging.similarity import signature
from appliance.imaging.view import reduced, without_print
from firmware.simulated import SimulatedCamera


def rows(planes: Planes) -> dict[str, Callable[[], object]]:
    """Return what is timed, by name; the first is the floor."""
    jpeg = encode(planes)
    view = reduced(planes)
    sheets = find_sheets(planes, view, without_print(view)).sheets
    mappings = [plan(sheet.corners, sheet.polygon, DEFAULT_PROFILE.margin_share) for sheet in sheets]

    def floor() -> None:
        decoded = from_jpeg(jpeg)
        for mapping in mappings:
            encode(rectify(decoded, mapping))

    def whole(source: Planes) -> None:
        for page in process(source, Setup(rotation_cw=0), DEFAULT_PROFILE).pages:
            encode(page.planes)

    def finding() -> None:
        view = reduced(planes)
        find_sheets(planes, view, without_print(view))

    return {
        "floor: decode, 2 remaps, 2 encodes": floor,
        "photograph to pages": lambda: whole(from_jpeg(jpeg)),
        "planes to pages": lambda: whole(planes),
        "finding alone": finding,
        "signature alone": lambda: signature(reduced(planes).y),
        "remaps alone": lambda: [rectify(planes, mapping) for mapping in mappings],
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Time every row in turn, round after round, and print medians and ratios to the floor."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--n", type=int, default=9, help="rounds")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=60.0, help="stop after the round that passes this")
    parser.add_argument("--width", type=int, default=4056)
    parser.add_argument("--height", type=int, default=3040)
    args = parser.parse_args(arguments)
    frame = SimulatedCamera(args.seed, args.width, args.height).capture(pressed_at_ns=0)
    timed = rows(Planes(*(np.ascontiguousarray(each) for each in (frame.y, frame.u, frame.v))))
    spent: dict[str, list[float]] = {name: [] for name in timed}
    end_s = time.perf_counter() + args.seconds
    for number in range(args.n + 1):
        for name, call in timed.items():
            start_s = time.perf_counter()
            call()
            if number:  # the first round warms caches
                spent[name].append(time.perf_counter() - start_s)
        if number and time.perf_counter() > end_s:
            break
    medians = {name: statistics.median(times) for name, times in spent.items()}
    base = next(iter(medians.values()))
    print(f"{args.width} x {args.height}, median of {len(spent[next(iter(spent))])}")
    for name, median in medians.items():
        print(f"{name:36} {median * 1000:8.1f} ms   {median / base:5.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
