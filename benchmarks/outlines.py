"""How exactly pages are found: outlines beside corners drawn by hand, spines, directions; told nothing of the set-up.

The folder, or each folder in it, holds photographs and `quads.json`: for each file `pages` (outlines by name) or
`gutter_line`, and `upright_rotation_cw`. Drawn books (`--n`) are judged beside them. Strict is intersection over
union; banded leaves out what lies within 1.5 % of the width of the true edge (2 % for printed sheets), because hands
draw no better. Flagged frames are counted apart: they are passed whole and say so. Missed: a page that no outline
covers by half; invented: an outline that covers no page by half.

Usage: benchmarks/outlines [--photos FOLDER] [--n 20] [--seed 1] [--seconds 600] [--vary dark=0.6,mirror,rot=3,tint=8]
       [--only NAME] [--each] [--sheet FILE]
"""

import argparse
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from appliance.imaging import contact_sheet
from appliance.imaging.geometry import Polygon, points
from appliance.imaging.model import Processed, Setup
from appliance.imaging.pipeline import process
from appliance.imaging.profiles import DEFAULT_PROFILE
from benchmarks.outlines_parts import (
    SIMULATED,
    Case,
    as_changes,
    is_upright,
    overlap,
    photographed,
    simulated,
    spine_error_px,
    varied,
)

_HALF: Final = 0.5
_GOALS: Final = {
    "cradle": "strict median .975, each .95; banded each .99",
    "spread": "banded median .985, each .93; spine median 8, worst 20",
    "page_in_book": "banded median .97, each .90",
    "inv3d_real bright": "strict median .975, none missed",
    "inv3d_real shadow": "strict median .975, none missed",
    "inv3d_real color": "strict median .955, none missed",
}


@dataclass(slots=True)
class Tally:
    """What was seen in the frames of one group; scores are of frames that were not flagged."""

    frames: int = 0
    flagged: int = 0
    missed: int = 0
    invented: int = 0
    upright: list[bool] = field(default_factory=list)
    strict: list[float] = field(default_factory=list)
    banded: list[float] = field(default_factory=list)
    spines_px: list[float] = field(default_factory=list)

    def add(self, case: Case, processed: Processed) -> str:
        """Count one frame; return what is to be said of it."""
        found = tuple(points(page.outline) for page in processed.pages)
        flagged = any(finding.code == "outline_uncertain" for finding in processed.findings)
        self.frames, self.flagged = self.frames + 1, self.flagged + flagged
        said = ["flagged"] if flagged else []
        if case.corners and found:
            self.upright.append(all(is_upright(outline, case.corners) for outline in found))
            said += [] if self.upright[-1] else [f"turned {processed.pages[0].rotation_cw}, which is wrong"]
        if not flagged:
            said += self._add_outlines(case, found)
        return "  ".join(said)

    def _add_outlines(self, case: Case, found: tuple[Polygon, ...]) -> list[str]:
        size, said = (case.planes.width_px, case.planes.height_px), []
        for page in case.pages:
            strict, banded = max((overlap(each, page, size, case.band) for each in found), default=(0.0, 0.0))
            self.strict.append(strict)
            self.banded.append(banded)
            self.missed += strict < _HALF
            said.append(f"{strict:.3f}/{banded:.3f}")
        if case.pages:
            best = (max(overlap(each, page, size, case.band)[0] for page in case.pages) for each in found)
            extra = sum(value < _HALF for value in best)
            self.invented += extra
            said += [f"{extra} invented"] if extra else []
        if case.spine is not None and len(found) == 2:
            error_px = spine_error_px(found, case.spine, size[0])
            self.spines_px.append(error_px)
            said.append(f"spine {error_px:.0f} px")
        return said

    def row(self, name: str) -> str:
        """Return the group's line of the table."""
        spine = f"{np.median(self.spines_px):.0f}/{max(self.spines_px):.0f}" if self.spines_px else "-"
        upright = f"{sum(self.upright)}/{len(self.upright)}" if self.upright else "-"
        return (
            f"{name:18} {self.frames:6} {_spread(self.strict):>11} {_spread(self.banded):>11} {self.flagged:7}"
            f" {self.missed:6} {self.invented:8} {upright:>7} {spine:>7}   {_GOALS.get(name, '')}"
        ).rstrip()


def main(arguments: Sequence[str] | None = None) -> int:
    """Find, compare, print one table; 1 where a page was missed or invented unflagged."""
    options = _parser().parse_args(arguments)
    if options.photos is None or not _folders(options.photos):
        print("outlines: photographs skipped, --photos names no folder with quads.json")
    changes = as_changes(options.vary)
    tallies, cells = defaultdict[str, Tally](Tally), []
    end_s = time.monotonic() + options.seconds
    for case in _cases(options):
        changed = varied(case, changes) if changes else case
        processed = process(changed.planes, Setup(), DEFAULT_PROFILE)
        said = tallies[case.group].add(changed, processed)
        if options.each:
            print(f"{case.folder:12} {case.name:48} {said}", flush=True)
        if options.sheet is not None:
            cells.append(contact_sheet.cell(f"{case.folder} {case.name} {said}", changed.planes, processed))
        if time.monotonic() > end_s:
            print("stopped: --seconds have passed")
            break
    if options.sheet is not None:
        contact_sheet.draw(cells).save(options.sheet)
    header = f"{'':18} {'frames':>6} {'strict':>11} {'banded':>11} {'flagged':>7} {'missed':>6} {'invented':>8}"
    print(f"{header} {'upright':>7} {'spine':>7}   median/worst; spine in px of 4000; goals")
    for name, tally in tallies.items():
        print(tally.row(name))
    return int(any(tally.missed + tally.invented for tally in tallies.values()))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benchmarks/outlines", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--photos", type=Path, help="a folder with quads.json, or a folder of such")
    parser.add_argument("--n", type=int, default=20, help="drawn spreads")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=600.0, help="stop after the frame that passes this")
    parser.add_argument("--vary", default="", help="mirror,rot=3,scale=.5,dark=.6")
    parser.add_argument("--only", default="", help="photographs whose name holds this")
    parser.add_argument("--each", action="store_true", help="print every frame")
    parser.add_argument("--sheet", type=Path, help="write a contact sheet")
    return parser


def _folders(root: Path) -> list[Path]:
    return sorted(listed.parent for pattern in ("quads.json", "*/quads.json") for listed in root.glob(pattern))


def _cases(options: argparse.Namespace) -> Iterator[Case]:
    for folder in [] if options.photos is None else _folders(options.photos):
        yield from photographed(folder, options.only)
    if options.only in SIMULATED:
        yield from simulated(options.seed, options.n)


def _spread(values: Sequence[float]) -> str:
    return f"{np.median(values):.3f}/{min(values):.3f}" if values else "-"


if __name__ == "__main__":
    raise SystemExit(main())
