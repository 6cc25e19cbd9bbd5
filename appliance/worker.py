"""The worker: one thread that makes pages of frames, in the order of the presses, and tells the session.

Capture never waits for it: its queue is bounded, and a full queue refuses the next press in words. Frames travel with
the work while they are in memory; after a restart they are read back from the spool.
"""

import logging
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from appliance.api import Verdict
from appliance.errors import SpoolError
from appliance.imaging.judging.similarity import Match, same_part, same_spread
from appliance.imaging.model import Processed, Setup, Signature
from appliance.imaging.pipeline import process
from appliance.imaging.planes import Planes, from_jpeg
from appliance.imaging.profiles import DEFAULT_PROFILE, PROFILES, Profile
from appliance.model import CaptureSetup, verdict_of
from appliance.results import failed, to_document
from appliance.spool.store import Spool
from appliance.threads import Beat, unheard
from wire.documents import CaptureDocument, PagesDocument
from wire.errors import ProtocolError

log = logging.getLogger(__name__)
T = TypeVar("T")
Alike = Callable[[Signature, Signature], Match]

QUEUE_LIMIT: Final = 4
TURN_S: Final = 0.5
"""How often an idle worker comes round, so that whoever watches it knows that it is only idle."""
ATTEMPTS: Final = 2
"""A capture whose processing was begun this often without an end is delivered as it is, so that none can loop."""
_REMEMBERED: Final = 8
"""Captures whose features are kept: a page shot twice is nearly always shot twice in a row."""


class Process(Protocol):
    """The page pipeline."""

    def __call__(
        self, planes: Planes, setup: Setup, profile: Profile, previous: tuple[Signature, ...] = ()
    ) -> Processed:
        """Return what was made of one frame."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Work:
    """A capture to process.

    Attributes:
        capture_id: of a capture that is safe.
        previous: the capture before it in the list, to compare with.
        frames: one picture a camera, or None to read them from the spool.
    """

    capture_id: str
    previous: str | None = None
    frames: tuple[Planes, ...] | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """A capture was processed, and what was made of it is durable. `match` is with `Work.previous`."""

    pages: PagesDocument
    verdict: Verdict
    match: Match


class Worker:
    """Processes captures one after another.

    Args:
        spool: takes the pages.
        setup: of the station.
        limit: captures that may wait or be in work before the queue counts as full.
        pipeline: makes pages of one frame.
        disk_retry_s: how long to wait before pages that the disk did not take are written again.
    """

    def __init__(
        self,
        spool: Spool,
        setup: CaptureSetup,
        *,
        limit: int = QUEUE_LIMIT,
        pipeline: Process = process,
        disk_retry_s: float = 5.0,
    ) -> None:
        self.limit = limit
        self._spool = spool
        self._setup = setup
        self._pipeline = pipeline
        self._disk_retry_s = disk_retry_s
        self._report: Callable[[Done], None] = lambda _: None
        self._beat: Beat = unheard
        self._changed = threading.Condition()
        self._waiting: deque[Work] = deque()
        self._open = 0
        self._stopped = False
        self._job_id = ""
        self._signatures: OrderedDict[str, tuple[Signature, ...]] = OrderedDict()

    def listen(self, report: Callable[[Done], None]) -> None:
        """Call `report` from the worker's thread with every capture done; it must only hand it on."""
        self._report = report

    def submit(self, work: Work) -> None:
        """Take a capture. Whoever presses asks `is_full` first; what is safe already is never turned away."""
        with self._changed:
            self._waiting.append(work)
            self._open += 1
            self._changed.notify_all()

    def heard(self) -> None:
        """Take note that a report has arrived: until then its capture counts as being worked on."""
        with self._changed:
            self._open -= 1

    def length(self) -> int:
        """Return how many captures wait, are in work, or are done without anybody having heard of it."""
        with self._changed:
            return self._open

    def is_full(self) -> bool:
        """Tell whether another capture would have to wait too long."""
        return self.length() >= self.limit

    def stop(self) -> None:
        """End after the capture in work; what still waits is found unprocessed at the next start."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def run(self, beat: Beat = unheard) -> None:
        """Work until stopped: the body of the worker's thread."""
        self._beat = beat
        while (work := self._next()) is not None:
            try:
                if (done := self._process(work)) is not None:
                    self._report(done)
            except (KeyError, ProtocolError, OSError):
                # The start-up sweep finds and names what is no longer whole; nothing can be made of it here.
                log.exception("capture cannot be read id=%s", work.capture_id)
                self.heard()

    def _next(self) -> Work | None:
        with self._changed:
            while True:
                self._beat("")
                if self._changed.wait_for(self._is_wanted, timeout=TURN_S):
                    break
            return None if self._stopped else self._waiting.popleft()

    def _is_wanted(self) -> bool:
        """Tell whether there is work or the end has come. For whoever holds the condition."""
        return bool(self._waiting) or self._stopped

    def _process(self, work: Work) -> Done | None:
        facts = self._spool.capture(work.capture_id)
        if facts.job_id != self._job_id:
            self._signatures.clear()
            self._job_id = facts.job_id
        while (attempt := self._durably(lambda: self._spool.note_attempt(work.capture_id))) is not None:
            made = self._attempt(work, facts) if attempt <= ATTEMPTS else (failed(facts), {}, Match.UNSURE)
            if made is not None:
                return self._keep(*made)
        return None

    def _keep(self, pages: PagesDocument, files: dict[str, bytes], match: Match) -> Done | None:
        def keep() -> Done:
            self._spool.add_pages(pages, files)
            return Done(pages, verdict_of(pages), match)

        return self._durably(keep)

    def _attempt(self, work: Work, facts: CaptureDocument) -> tuple[PagesDocument, dict[str, bytes], Match] | None:
        profile = PROFILES.get(facts.profile, DEFAULT_PROFILE)
        started = time.monotonic()
        try:
            results = self._results(facts, work.frames or self._frames(facts), profile)
            match = self._remember(work, results, same_part if facts.layout == "parts" else same_spread)
            return *to_document(facts, profile, results, time.monotonic() - started), match
        except Exception:
            # Whatever a picture does to the pipeline, the capture must go on to the centre.
            log.exception("processing failed id=%s", work.capture_id)
            return None

    def _durably(self, write: Callable[[], T]) -> T | None:
        """Write until the disk takes it, waiting in between; None when told to stop first."""
        while True:
            try:
                return write()
            except SpoolError as error:
                log.warning("the spool does not take pages, trying again code=%s", error.code)
            self._beat("the disk takes no pages")
            with self._changed:
                if self._changed.wait_for(lambda: self._stopped, timeout=self._disk_retry_s):
                    return None

    def _frames(self, facts: CaptureDocument) -> tuple[Planes, ...]:
        return tuple(from_jpeg(self._spool.path(facts.capture_id, entry.file).read_bytes()) for entry in facts.frames)

    def _results(
        self, facts: CaptureDocument, frames: tuple[Planes, ...], profile: Profile
    ) -> tuple[tuple[str, Processed], ...]:
        results = []
        for camera, (entry, planes) in enumerate(zip(facts.frames, frames, strict=True)):
            setup = Setup(facts.layout, self._setup.rotation_of(camera), facts.page_type)
            earlier = tuple(signatures[camera] for signatures in self._signatures.values() if camera < len(signatures))
            results.append((entry.file, self._pipeline(planes, setup, profile, earlier)))
        return tuple(results)

    def _remember(self, work: Work, results: tuple[tuple[str, Processed], ...], alike: Alike) -> Match:
        own = tuple(result.signature for _, result in results)
        match = compare(own, self._signatures.get(work.previous, ()), alike) if work.previous else Match.UNSURE
        self._signatures[work.capture_id] = own
        while len(self._signatures) > _REMEMBERED:
            self._signatures.popitem(last=False)
        return match


def compare(first: tuple[Signature, ...], second: tuple[Signature, ...], alike: Alike = same_spread) -> Match:
    """Compare two captures camera by camera: they agree when all frames do, and differ when one does."""
    if not first or len(first) != len(second):
        return Match.UNSURE
    matches = {alike(one, other) for one, other in zip(first, second, strict=True)}
    if matches == {Match.AGREE}:
        return Match.AGREE
    return Match.DIFFER if Match.DIFFER in matches else Match.UNSURE
