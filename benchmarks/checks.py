"""How many faults the checks find, and how often they cry over nothing: drawn captures with one fault or none.

Half of the captures are clean (a tenth of them blank, a tenth plates and maps, some on yellow paper with its back
showing through); every other one has one fault. Strengths are in pixels of the frame and millimetres of the page.
`named` is the share with the finding that names the fault, `flagged` the share with any warning.

With `--fuzz N` small random and mutated pictures go through instead.

Usage: benchmarks/checks [--n 2000] [--seed 1] [--seconds 1200] [--alone] [--misses FOLDER] [--fuzz N]
"""

import argparse
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from appliance.imaging.encode import encode
from benchmarks.checks_fuzz import fuzz
from benchmarks.checks_parts import CLEAN, WANTED, Station, Tally, draw

_HARD = frozenset({"glare", "finger"})
_GOAL, _HARD_GOAL, _BAD_GOAL, _WARN_GOAL = 0.98, 0.95, 0.01, 0.03


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw, judge and count captures; print one table."""
    parser = argparse.ArgumentParser(prog="benchmarks/checks", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--n", type=int, default=2000, help="captures")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=1200.0, help="stop after the capture that passes this")
    parser.add_argument("--alone", action="store_true", help="judge each capture as the first of its job")
    parser.add_argument("--misses", type=Path, help="write what was judged wrongly into this folder")
    parser.add_argument("--fuzz", type=int, default=0, help="send this many random pictures through instead")
    args = parser.parse_args(arguments)
    if args.fuzz:
        return _fuzz(args.seed, args.fuzz, args.seconds)
    station, tallies = Station(remembers=not args.alone), defaultdict[str, Tally](Tally)
    end_s = time.monotonic() + args.seconds
    for number, case in enumerate(draw(args.seed, args.n)):
        processed = station.judge(case)
        right = tallies[case.fault or case.content].add(case.fault, processed)
        if not right and args.misses:
            args.misses.mkdir(parents=True, exist_ok=True)
            name = f"{case.fault or 'clean'}-{case.content}-{number:04}-{case.strength:.2f}"
            (args.misses / f"{name}.jpg").write_bytes(encode(case.planes))
            codes = [f"{each.code}={each.value}" for each in processed.all_findings]
            print(f"{name}: {' '.join(codes) or 'nothing found'}")
        if time.monotonic() > end_s:
            break
    _print_faults(tallies)
    _print_clean(tallies)
    return 0


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
    print(f"\n{'clean':10} {'n':>5} {'bad':>7} {'warn':>7}   findings")
    whole = Tally()
    for name in CLEAN:
        if (tally := tallies.get(name)) is not None:
            _print_clean_row(name, tally)
            whole.n, whole.bad, whole.warn = whole.n + tally.n, whole.bad + tally.bad, whole.warn + tally.warn
    if whole.n:
        _print_clean_row("together", whole)
        print(f"{'goal':10} {'':5} {_BAD_GOAL:7.3f} {_WARN_GOAL:7.3f}")


def _print_clean_row(name: str, tally: Tally) -> None:
    codes = ", ".join(f"{code} {count}" for code, count in tally.codes.most_common())
    print(f"{name:10} {tally.n:5} {tally.bad / tally.n:7.3f} {tally.warn / tally.n:7.3f}   {codes}")


if __name__ == "__main__":
    sys.exit(main())
