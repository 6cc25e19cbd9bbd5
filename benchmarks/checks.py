"""How many faults the checks find, and how often they cry over nothing: drawn captures with one fault or none.

Half of the captures are clean (a tenth of them blank, a tenth plates and maps, some on yellow paper with its back
showing through); every other one has one fault. Strengths are in pixels of the frame and millimetres of the page.
`named` is the share with the finding that names the fault, `flagged` the share with any warning.

With `--photos FOLDER` faults are laid over photographs instead (the folders in it hold pictures and `quads.json`), each
judged as the first of its job, or behind `--behind N` captures as sharp as the clean one. `--on-paper` tells blur and
motion in pixels of 300 ppi of paper. With `--fuzz N` small random and mutated pictures go through.

Usage: benchmarks/checks [--n 2000] [--seed 1] [--seconds 1200] [--alone] [--misses FOLDER]
       benchmarks/checks --photos FOLDER [--only NAME] [--megapixels 3] [--on-paper] [--behind 0] [--misses FOLDER]
       benchmarks/checks --fuzz N
"""

import argparse
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from appliance.imaging.encode import encode
from appliance.imaging.model import Processed
from appliance.imaging.planes import Planes
from benchmarks.checks_fuzz import fuzz
from benchmarks.checks_parts import WANTED, Station, Tally, draw
from benchmarks.checks_photos import judge, other_photographs, photographs

_HARD = frozenset({"glare", "finger"})
_GOAL, _HARD_GOAL, _BAD_GOAL, _WARN_GOAL = 0.98, 0.95, 0.01, 0.03


@dataclass(frozen=True, slots=True)
class _Judged:
    """A capture, what is true of it and what was said of it; `content` is what it is counted with if clean."""

    name: str
    content: str
    fault: str | None
    planes: Planes
    processed: Processed


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw, judge and count captures; print one table."""
    parser = argparse.ArgumentParser(prog="benchmarks/checks", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--n", type=int, default=2000, help="captures")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=1200.0, help="stop after the capture that passes this")
    parser.add_argument("--alone", action="store_true", help="judge each capture as the first of its job")
    parser.add_argument("--misses", type=Path, help="write what was judged wrongly into this folder")
    parser.add_argument("--fuzz", type=int, default=0, help="send this many random pictures through instead")
    parser.add_argument("--photos", type=Path, help="lay the faults over the photographs in this folder's folders")
    parser.add_argument("--only", default="", help="photographs whose folder and name hold this")
    parser.add_argument("--megapixels", type=float, default=3.0, help="make larger photographs smaller")
    parser.add_argument("--on-paper", action="store_true", help="blur and motion in pixels of 300 ppi of paper")
    parser.add_argument("--behind", type=int, default=0, help="captures of the same job before each photograph")
    args = parser.parse_args(arguments)
    if args.fuzz:
        return _fuzz(args.seed, args.fuzz, args.seconds)
    tallies = _count(_judged_photos(args) if args.photos else _judged_drawings(args), args.misses, args.seconds)
    _print_faults(tallies)
    _print_clean(tallies)
    return 0


def _judged_drawings(args: argparse.Namespace) -> Iterator[_Judged]:
    station = Station(remembers=not args.alone)
    for number, case in enumerate(draw(args.seed, args.n)):
        name = f"{case.fault or 'clean'}-{case.content}-{number:04}-{case.strength:.2f}"
        yield _Judged(name, case.content, case.fault, case.planes, station.judge(case))


def _judged_photos(args: argparse.Namespace) -> Iterator[_Judged]:
    most_px = round(args.megapixels * 1e6)
    chosen = photographs(args.photos, args.seed, most_px, args.only, on_paper=args.on_paper)
    for number, photo in enumerate(chain(chosen, other_photographs(args.photos, most_px, args.only))):
        folder, _, stem = photo.name.partition("/")
        name = f"{photo.fault or 'clean'}-{stem}-{number:04}-{photo.strength:.2f}"
        yield _Judged(name, folder, photo.fault, photo.planes, judge(photo, args.behind))


def _count(judged: Iterator[_Judged], misses: Path | None, seconds: float) -> dict[str, Tally]:
    tallies = defaultdict[str, Tally](Tally)
    end_s = time.monotonic() + seconds
    for each in judged:
        right = tallies[each.fault or each.content].add(each.fault, each.processed)
        if not right and misses:
            misses.mkdir(parents=True, exist_ok=True)
            (misses / f"{each.name}.jpg").write_bytes(encode(each.planes))
            codes = [f"{finding.code}={finding.value}" for finding in each.processed.all_findings]
            print(f"{each.name}: {' '.join(codes) or 'nothing found'}", flush=True)
        if time.monotonic() > end_s:
            break
    return tallies


def _fuzz(seed: int, n: int, seconds: float) -> int:
    fuzzed = fuzz(seed, n, seconds)
    outcomes = ", ".join(f"{name} {count}" for name, count in sorted(fuzzed.outcomes.items()))
    print(f"{sum(fuzzed.outcomes.values())} pictures: {outcomes}; longest {fuzzed.longest_s:.2f} s")
    print("\n".join(fuzzed.faults) or "no crash, no hang, no page that is none")
    return 1 if fuzzed.faults else 0


def _print_faults(tallies: dict[str, Tally]) -> None:
    print(f"{'fault':10} {'n':>5} {'named':>7} {'flagged':>8} {'goal':>6}")
    for name in WANTED:
        if (tally := tallies.get(name)) is not None:
            goal = _HARD_GOAL if name in _HARD else _GOAL
            print(f"{name:10} {tally.n:5} {tally.named / tally.n:7.3f} {tally.flagged / tally.n:8.3f} {goal:6.2f}")


def _print_clean(tallies: dict[str, Tally]) -> None:
    print(f"\n{'clean':14} {'n':>5} {'bad':>7} {'warn':>7}   findings")
    whole = Tally()
    for name, tally in tallies.items():
        if name not in WANTED:
            _print_clean_row(name, tally)
            whole.n, whole.bad, whole.warn = whole.n + tally.n, whole.bad + tally.bad, whole.warn + tally.warn
    if whole.n:
        _print_clean_row("together", whole)
        print(f"{'goal':14} {'':5} {_BAD_GOAL:7.3f} {_WARN_GOAL:7.3f}")


def _print_clean_row(name: str, tally: Tally) -> None:
    codes = ", ".join(f"{code} {count}" for code, count in tally.codes.most_common())
    print(f"{name:14} {tally.n:5} {tally.bad / tally.n:7.3f} {tally.warn / tally.n:7.3f}   {codes}")


if __name__ == "__main__":
    sys.exit(main())
