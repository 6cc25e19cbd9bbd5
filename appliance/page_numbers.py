"""The late stage: printed numbers are read from finished pages, captures behind, and tell which pages are missing.

Nothing waits for it: a verdict never depends on a number, and a number that cannot be read is left out.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.api import CaptureView, Listing
from appliance.imaging.judging.similarity import Match, same_spread, signature
from appliance.numbering.labels import Reading, parse, written
from appliance.numbering.reader import read_number
from appliance.numbering.sequence import Run, find_gaps
from appliance.page_looks import seen_while_capturing, worth_a_look
from appliance.places import GapView
from appliance.spool.store import Spool
from wire.documents import AnsweredGap, Numbering, ReadingDirection, Side

log = logging.getLogger(__name__)

UNCOUNTED: Final = frozenset({"cover", "spine", "endpaper", "plate", "target"})
"""Page types that take no part in the count. A foldout, a blank page and an insert may bear numbers or be counted."""
_TURN_S: Final = 0.5
Key = tuple[str, Side]


class PageNumbers:
    """Reads numbers on a thread of its own and remembers them while the process lives.

    Args:
        spool: where the pages are.
        is_free: tells whether nobody waits for a picture; while somebody does, no page is begun. On one processor the
            pages of a long book, read anew after a start, took from the camera half the time that it needs.
    """

    def __init__(self, spool: Spool, is_free: Callable[[], bool] = lambda: True) -> None:
        self._spool = spool
        self._is_free = is_free
        self._changed = threading.Condition()
        self._waiting: deque[tuple[Key, bool]] = deque()
        self._known: dict[tuple[Key, bool], Reading | None] = {}
        self._doubted: deque[tuple[Key, Key]] = deque()
        self._alike: dict[tuple[Key, Key], bool] = {}
        self._stopped = False

    def run(self) -> None:
        """Read, and look again where numbers leave a doubt, until stopped: the body of the thread."""
        while (work := self._next()) is not None:
            first, second = work
            if isinstance(second, bool):
                reading = self._read(*first, second)
                with self._changed:
                    self._known[first, second] = reading
            else:
                alike = self._look(first, second)
                with self._changed:
                    self._alike[first, second] = alike

    def stop(self) -> None:
        """End after the page in hand."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def listing(
        self,
        captures: tuple[CaptureView, ...],
        numbering: Numbering,
        direction: ReadingDirection,
        answered: tuple[AnsweredGap, ...],
    ) -> Listing:
        """Return what the numbers read so far tell of this list, and have the others read."""
        if numbering == "none":
            return Listing(captures)
        leaves = numbering == "leaves"
        pages = [(capture, side) for capture in captures for side in _sides(capture, direction)]
        with self._changed:
            wanted = [((capture.capture_id, side), leaves) for capture, side in pages]
            missing = [work for work in wanted if work not in self._known]
            self._waiting = deque(missing)
            self._changed.notify_all()
            readings = [self._known.get(work) for work in wanted]
        said = _with_labels(pages, readings, leaves)
        run, doubted = self._run(pages, said, waits=bool(missing))
        read: dict[str, tuple[str, ...]] = {}
        for (capture, _), reading in zip(pages, said, strict=True):
            if reading is not None:
                read[capture.capture_id] = (
                    *read.get(capture.capture_id, ()),
                    written(reading.style, reading.place),
                )
        return replace(listing(captures, pages, run, answered, unread=len(missing) + doubted), read=read)

    def _run(
        self, pages: Sequence[tuple[CaptureView, Side]], said: Sequence[Reading | None], *, waits: bool
    ) -> tuple[Run, int]:
        """Return what numbers and looks tell, and how many pages are still to be compared; first all are read."""
        keys: list[Key] = [(capture.capture_id, side) for capture, side in pages]
        place_of = {key: place for place, key in enumerate(keys)}
        with self._changed:
            looked = {pair for pair, alike in self._alike.items() if alike and place_of.keys() >= set(pair)}
            known = self._alike.keys()
            alike = {(place_of[one], place_of[other]) for one, other in looked} | seen_while_capturing(pages)
            run = find_gaps(said, alike)
            pairs = [] if waits else sorted(worth_a_look(pages, said, run) - alike)
            self._doubted = deque(pair for one, other in pairs if (pair := (keys[one], keys[other])) not in known)
            self._changed.notify_all()
            return run, len({page for _, page in self._doubted})

    def _next(self) -> tuple[Key, bool] | tuple[Key, Key] | None:
        with self._changed:
            while not self._stopped:
                if self._is_free():
                    while self._waiting:
                        if (work := self._waiting.popleft()) not in self._known:
                            return work
                    if self._doubted:
                        return self._doubted.popleft()
                self._changed.wait(timeout=_TURN_S)
        return None

    def _read(self, capture_id: str, side: Side, leaves: bool) -> Reading | None:
        try:
            return read_number(_luma(self._spool.path(capture_id, f"{side}.jpg")), leaves=leaves)
        except (KeyError, OSError, ValueError, cv2.error) as error:
            # A page that has left the disk, or that only looks like one: no number is the honest answer.
            log.info("number not read capture=%s side=%s: %s", capture_id, side, error)
            return None

    def _look(self, one: Key, other: Key) -> bool:
        try:
            first, second = (
                signature(_luma(self._spool.path(capture, f"{side}.jpg"))) for capture, side in (one, other)
            )
            return same_spread(first, second) is Match.AGREE
        except (KeyError, OSError, ValueError, cv2.error) as error:
            log.info("pages not compared %s %s: %s", one, other, error)
            return False


def listing(
    captures: tuple[CaptureView, ...],
    pages: Sequence[tuple[CaptureView, Side]],
    run: Run,
    answered: tuple[AnsweredGap, ...],
    *,
    unread: int = 0,
) -> Listing:
    """Return the list with the labels of its pages and the gaps between them. Pure.

    Args:
        captures: of the list, in order.
        pages: those of them that take part in the count, in reading order.
        run: what their numbers tell.
        answered: gaps that a person has explained.
        unread: pages that have not been read yet.
    """
    labels: dict[str, tuple[str, ...]] = {}
    for (capture, _), number in zip(pages, run.numbers, strict=True):
        if number is not None:
            labels[capture.capture_id] = (*labels.get(capture.capture_id, ()), written(*number))
    gaps = []
    for gap in run.gaps:
        first, last = written(gap.style, gap.first), written(gap.style, gap.last)
        before = pages[gap.after + 1][0].capture_id if gap.after + 1 < len(pages) else ""
        answer = next((one.answer for one in answered if (one.first, one.last) == (first, last)), None)
        gaps.append(GapView(first, last, pages[gap.after][0].capture_id, before, answer))
    again = {pages[page][0].capture_id: pages[earlier][0].capture_id for earlier, page in run.seen_again}
    return Listing(captures, labels, tuple(gaps), unread, again=again)


def _sides(capture: CaptureView, direction: ReadingDirection) -> list[Side]:
    if capture.page_type in UNCOUNTED:
        return []
    sides: list[Side] = [page.side for page in capture.pages]
    return sides[::-1] if direction == "right-to-left" else sides


def _with_labels(
    pages: Sequence[tuple[CaptureView, Side]], readings: Sequence[Reading | None], leaves: bool
) -> list[Reading | None]:
    """Return the readings with what a person said of a capture's first page, and so of its second, in their place."""
    said: list[Reading | None] = []
    earlier, page = "", 0
    for (capture, _), reading in zip(pages, readings, strict=True):
        page = page + 1 if capture.capture_id == earlier else 0
        earlier = capture.capture_id
        typed = parse(capture.label, leaves=leaves) if capture.label else None
        said.append(replace(typed, place=typed.place + page) if typed else reading)
    return said


def _luma(file: Path) -> NDArray[np.uint8]:
    found = cv2.imdecode(np.frombuffer(file.read_bytes(), np.uint8), cv2.IMREAD_GRAYSCALE)
    if found is None:
        raise ValueError("not a picture")
    return np.asarray(found, np.uint8)
