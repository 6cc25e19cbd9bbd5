"""How much of printed sheets can be read once they are pages: photographs, made flat, read by Tesseract.

The folder holds, for every sheet, `NAME_ground_truth_words.json` and `NAME_flat_document.png`, its photographs
`NAME_warped_document_KIND_LIGHT.jpg`, and the corners of some in `quads.json`. A score is the share of the sheet's
words that are found. `found` is the whole pipeline, which is told nothing; `true` is given the corners (where they are
known) and only takes out perspective and evens the light; `flat` is the original that was photographed.

Usage: benchmarks/rectification --photos FOLDER [--kinds perspective,curled,fewfold] [--lights bright,shadow,color]
       [--ways found,true] [--only NAME] [--n 10] [--seconds 1200] [--save FOLDER] [--each]
"""

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from appliance.imaging.encode import encode
from appliance.imaging.flattening.rectify import plan, rectify
from appliance.imaging.geometry import Polygon, points
from appliance.imaging.model import Setup
from appliance.imaging.photo import read_photo
from appliance.imaging.pipeline import process
from appliance.imaging.planes import Planes
from appliance.imaging.profiles import DEFAULT_PROFILE
from appliance.imaging.tone import even_light
from benchmarks.ocr import read, share_found, why_not

_KINDS: Final = ("perspective", "curled", "fewfold")
_LIGHTS: Final = ("bright", "shadow", "color")
_WAYS: Final = ("found", "true", "flat")
_GOALS: Final = {"perspective": (0.88, 0.60), "curled": (0.80, 0.50)}
"""Median and tenth percentile over all lights; folds are reported only."""


@dataclass(frozen=True, slots=True)
class Photograph:
    """One photograph of one sheet.

    Attributes:
        name: of the sheet.
        kind: how the sheet lies.
        light: what falls on it.
        file: the photograph.
        flat: the original.
        words: what is printed on it.
        corners: of the paper, clockwise from its own top left; None where unknown.
    """

    name: str
    kind: str
    light: str
    file: Path
    flat: Path
    words: tuple[str, ...]
    corners: Polygon | None


def photographs(folder: Path) -> Iterator[Photograph]:
    """Yield every photograph of a folder, sheet by sheet."""
    quads = json.loads((folder / "quads.json").read_text()) if (folder / "quads.json").exists() else {}
    for listed in sorted(folder.glob("*_ground_truth_words.json")):
        name = listed.name.removesuffix("_ground_truth_words.json")
        words = tuple(entry["text"] for entry in json.loads(listed.read_text()))
        for file in sorted(folder.glob(f"{name}_warped_document_*_*.jpg")):
            kind, light = file.stem.split("_")[-2:]
            quad = quads.get(file.name)
            corners = None if quad is None else points(quad["pages"]["paper"])
            yield Photograph(name, kind, light, file, folder / f"{name}_flat_document.png", words, corners)


def pages_of(photograph: Photograph, way: str) -> tuple[list[Planes], str] | None:
    """Return what a way makes of a photograph and says of it; None where it needs corners that are unknown."""
    if way == "flat":
        return [read_photo(photograph.flat.read_bytes())], ""
    photo = read_photo(photograph.file.read_bytes())
    if way == "found":
        processed = process(photo, Setup(), DEFAULT_PROFILE)
        said = [finding.code for finding in processed.findings]
        said += [f"turned {page.rotation_cw}" for page in processed.pages if page.rotation_cw]
        return [page.planes for page in processed.pages], " ".join(said)
    if photograph.corners is None:
        return None
    mapping = plan(
        photograph.corners, photograph.corners, DEFAULT_PROFILE.margin_share, (photo.width_px, photo.height_px)
    )
    return [even_light(rectify(photo, mapping))], ""


def main(arguments: Sequence[str] | None = None) -> int:
    """Make pages, read them, print one table; 1 where a goal is missed."""
    options = _parser().parse_args(arguments)
    if options.photos is None or not any(options.photos.glob("*_ground_truth_words.json")):
        print("rectification: skipped, --photos names no folder with *_ground_truth_words.json")
        return 0
    if missing := why_not("eng"):
        print(f"rectification: skipped, {missing}")
        return 0
    scores: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    end_s = time.monotonic() + options.seconds
    for photograph in _chosen(options):
        for way in options.ways:
            made = pages_of(photograph, way)
            if made is not None:
                score = share_found(photograph.words, " ".join(read(page.y, "eng") for page in made[0]))
                scores[way, photograph.kind, photograph.light].append(score)
                _keep(options.save, photograph, way, made[0])
                if options.each:
                    name = f"{photograph.name} {photograph.kind} {photograph.light}"
                    print(f"{name} {way}: {score:.3f}  {made[1]}".rstrip(), flush=True)
        if time.monotonic() > end_s:
            print("stopped: --seconds have passed")
            break
    return _print_table(scores)


def _parser() -> argparse.ArgumentParser:
    def names(text: str) -> list[str]:
        return text.split(",")

    parser = argparse.ArgumentParser(prog="benchmarks/rectification", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--photos", type=Path, help="folder with sheets, their words and their photographs")
    parser.add_argument("--kinds", type=names, default=[*_KINDS])
    parser.add_argument("--lights", type=names, default=[*_LIGHTS])
    parser.add_argument("--ways", type=names, default=["found", "true"], help=f"of {', '.join(_WAYS)}")
    parser.add_argument("--only", default="", help="sheets whose name begins so")
    parser.add_argument("--n", type=int, default=10_000, help="sheets")
    parser.add_argument("--seconds", type=float, default=1200.0, help="stop after the photograph that passes this")
    parser.add_argument("--save", type=Path, help="write the pages into this folder")
    parser.add_argument("--each", action="store_true", help="print every photograph's score")
    return parser


def _chosen(options: argparse.Namespace) -> Iterator[Photograph]:
    sheets: set[str] = set()
    for photograph in photographs(options.photos):
        wanted = photograph.kind in options.kinds and photograph.light in options.lights
        if wanted and photograph.name.startswith(options.only):
            sheets.add(photograph.name)
            if len(sheets) > options.n:
                return
            yield photograph


def _keep(folder: Path | None, photograph: Photograph, way: str, pages: list[Planes]) -> None:
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        for number, page in enumerate(pages):
            name = f"{photograph.name}_{photograph.kind}_{photograph.light}_{way}_{number}.jpg"
            (folder / name).write_bytes(encode(page))


def _print_table(scores: dict[tuple[str, str, str], list[float]]) -> int:
    """Print a row a kind and light, and one over all lights beside the goal; 1 where `found` misses it."""
    print(f"{'way':6} {'kind':12} {'light':8} {'n':>3} {'median':>7} {'tenth':>7}   share of words found")
    missed = False
    for way, kind in dict.fromkeys((way, kind) for way, kind, _ in scores):
        rows = {light: values for (own, lies, light), values in scores.items() if (own, lies) == (way, kind)}
        together = [value for values in rows.values() for value in values]
        for light, values in (*rows.items(), ("all", together)):
            median, tenth = float(np.median(values)), float(np.percentile(values, 10))
            goal = _GOALS.get(kind) if light == "all" and way == "found" else None
            note = "" if goal is None else f"   goal {goal[0]:.2f} {goal[1]:.2f}"
            missed |= goal is not None and (median < goal[0] or tenth < goal[1])
            print(f"{way:6} {kind:12} {light:8} {len(values):3} {median:7.3f} {tenth:7.3f}{note}")
    return int(missed)


if __name__ == "__main__":
    raise SystemExit(main())
