"""Draws books whose captures are clean or have one fault, has them judged as a station would, and counts."""

from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.random import Generator, default_rng

from appliance.imaging.model import Processed, Setup, Signature
from appliance.imaging.pipeline import process
from appliance.imaging.planes import Planes
from appliance.imaging.profiles import DEFAULT_PROFILE
from benchmarks import checks_faults as faults
from benchmarks import checks_pages as pages
from benchmarks.checks_fingers import finger
from firmware.planes import Planes as Drawn
from firmware.simulated import Fault, FrameTruth, SimulatedCamera
from firmware.simulated.canvas import Canvas

WANTED = {
    "blur": {"blur", "motion"},
    "motion": {"blur", "motion"},
    "glare": {"glare"},
    "finger": {"finger"},
    "cut": {"cut_edge"},
    "dark": {"exposure_dark"},
    "bright": {"exposure_bright"},
    "doubled": {"duplicate"},
    "empty": {"empty_frame"},
}
"""By fault: the findings that name it."""
CLEAN = ("print", "yellow", "blank", "plate", "map")
_CLEAN_SHARES = (0.65, 0.15, 0.10, 0.05, 0.05)
_YELLOW_SHARE = 0.2
"""Of the faulty captures too."""
_BOOK = (6, 24)
_REMEMBERED = 8
"""Signatures a station keeps."""
_SIZES = ((1600, 1200), (1800, 1350), (2000, 1500))


@dataclass(frozen=True, slots=True)
class Case:
    """One capture: what lies there, what is wrong with it (None = nothing), how much."""

    planes: Planes
    content: str
    fault: str | None
    strength: float
    first_of_book: bool


@dataclass(slots=True)
class Tally:
    """What became of the captures of one kind.

    Attributes:
        n: captures.
        named: with a finding that names the fault.
        flagged: with any finding a person would look at, the fault's name or not.
        judged: by judgement.
        warned: with a finding of severity `warn` or `bad`, `outline_uncertain` counted.
        codes: findings of severity `warn` and `bad`.
    """

    n: int = 0
    named: int = 0
    flagged: int = 0
    bad: int = 0
    warn: int = 0
    codes: Counter[str] = field(default_factory=Counter)

    def add(self, fault: str | None, processed: Processed) -> bool:
        """Count one capture; tell whether it was judged as it should be."""
        findings = processed.all_findings
        severities = {finding.severity for finding in findings}
        self.n += 1
        self.bad += "bad" in severities
        self.warn += "warn" in severities and "bad" not in severities
        self.flagged += bool(severities & {"warn", "bad"})
        self.codes.update({finding.code for finding in findings if finding.severity != "info"})
        if fault is None:
            return not severities & {"warn", "bad"}
        named = bool(WANTED[fault] & {finding.code for finding in findings})
        self.named += named
        return named


def draw(seed: int, n: int) -> Iterator[Case]:
    """Yield `n` captures in books, clean and faulty in turn; the same seed gives the same pixels."""
    book = 0
    while n > 0:
        rng = default_rng((seed, book))
        length = min(n, int(rng.integers(*_BOOK)))
        yield from _book(rng, seed * 100_003 + book, length)
        n, book = n - length, book + 1


def _book(rng: Generator, seed: int, length: int) -> Iterator[Case]:
    width, height = _SIZES[int(rng.integers(len(_SIZES)))]
    names = tuple(WANTED)
    chosen = {number: names[int(rng.integers(len(names)))] for number in range(2, length + 1, 2)}
    drawn = {"doubled": Fault.DOUBLED, "empty": Fault.EMPTY}
    plan = {number: drawn[name] for number, name in chosen.items() if name in drawn}
    camera = SimulatedCamera(seed, width, height, faults=plan, first_page=2 * int(rng.integers(1, 140)))
    yellow_book = rng.random() < _YELLOW_SHARE
    for number in range(1, length + 1):
        frame = camera.capture(pressed_at_ns=0)
        truth = camera.truth_of(frame.source)
        fault = chosen.get(number)
        content = "yellow" if yellow_book else "print"
        if fault is None and chosen.get(number + 1) != "doubled":  # what is doubled must show print
            content = "yellow" if yellow_book else str(rng.choice(CLEAN, p=_CLEAN_SHARES))
        planes = _laid(Drawn(frame.y, frame.u, frame.v), truth, content, seed, number)
        yield _spoilt(planes, truth, fault, content, default_rng((seed, number)), number == 1)
    camera.close()


def _laid(planes: Drawn, truth: FrameTruth, content: str, seed: int, number: int) -> Planes:
    canvas, scale = Canvas(planes), truth.pixels_per_mm
    rng = default_rng((seed, 7 if content == "yellow" else number))  # one book is of one paper
    if content == "yellow":
        pages.make_yellow(canvas, truth.pages, scale, rng)
    elif content != "print":
        chosen = truth.pages if rng.random() < 0.5 else truth.pages[:1]
        for page in chosen:
            if content == "blank":
                pages.make_blank(canvas, page, scale)
            else:
                pages.lay_picture(canvas, page, scale, rng, chart=content == "map")
    return Planes(*(np.ascontiguousarray(each) for each in (canvas.y, canvas.u, canvas.v)))


def _spoilt(planes: Planes, truth: FrameTruth, fault: str | None, content: str, rng: Generator, first: bool) -> Case:
    spoil: dict[str, Callable[[], faults.Faulty]] = {
        "blur": lambda: faults.blur(planes, rng),
        "motion": lambda: faults.motion(planes, rng),
        "glare": lambda: faults.glare(planes, faults.leaves_of(truth), rng),
        "finger": lambda: finger(planes, faults.leaves_of(truth), rng),
        "cut": lambda: faults.cut(planes, faults.leaves_of(truth), rng),
        "dark": lambda: faults.expose(planes, -1.5),
        "bright": lambda: faults.expose(planes, 1.5),
    }
    if fault not in spoil:
        return Case(planes, content, fault, 0.0, first)
    faulty = spoil[fault]()
    return Case(faulty.planes, content, fault, faulty.strength, first)


class Station:
    """Judges the captures of one book after another and remembers what a station remembers."""

    def __init__(self, *, remembers: bool) -> None:
        self._remembers = remembers
        self._previous: deque[Signature] = deque(maxlen=_REMEMBERED)

    def judge(self, case: Case) -> Processed:
        """Return what the pipeline says of a capture."""
        if case.first_of_book:
            self._previous.clear()
        earlier = tuple(self._previous)
        if not self._remembers and case.fault != "doubled":
            earlier = ()
        processed = process(case.planes, Setup(), DEFAULT_PROFILE, earlier)
        self._previous.append(processed.signature)
        return processed
