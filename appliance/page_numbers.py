"""The late stage: printed numbers are read from finished pages, captures behind, and tell which pages are missing.

Nothing waits for it: a verdict never depends on a number, and a number that cannot be read is left out.
"""

import logging
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.api import CaptureView, Listing
from appliance.numbering.labels import Reading, parse, written
from appliance.numbering.reader import read_number
from appliance.numbering.sequence import Run, find_gaps
from appliance.places import GapView
from appliance.spool.store import Spool
from wire.documents import AnsweredGap, Numbering, ReadingDirection, Side

log = logging.getLogger(__name__)

UNCOUNTED: Final = frozenset({"cover", "spine", "endpaper", "plate", "target"})
"""Page types that take no part in the count. A foldout, a blank page and an insert may bear numbers or be counted."""
_TURN_S: Final = 0.5
Key = tuple[str, Side]


class PageNumbers:
    """Reads numbers on a thread of its own and remembers them while the process lives."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._changed = threading.Condition()
        self._waiting: deque[tuple[Key, bool]] = deque()
        self._known: dict[tuple[Key, bool], Reading | None] = {}
        self._stopped = False

    def run(self) -> None:
        """Read until stopped: the body of the thread."""
        while (work := self._next()) is not None:
            (capture_id, side), leaves = work
            reading = self._read(capture_id, side, leaves)
            with self._changed:
                self._known[work] = reading

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
        read: dict[str, tuple[str, ...]] = {}
        for (capture, _), reading in zip(pages, said, strict=True):
            if reading is not None:
                read[capture.capture_id] = (
                    *read.get(capture.capture_id, ()),
                    written(reading.style, reading.place),
                )
        return replace(listing(captures, pages, find_gaps(said), answered, unread=len(missing)), read=read)

    def _next(self) -> tuple[Key, bool] | None:
        with self._changed:
            while not self._stopped:
                while self._waiting:
                    if (work := self._waiting.popleft()) not in self._known:
                        return work
                self._changed.wait(timeout=_TURN_S)
        return None

    def _read(self, capture_id: str, side: Side, leaves: bool) -> Reading | None:
        try:
            return read_number(_luma(self._spool.path(capture_id, f"{side}.jpg")), leaves=leaves)
        except (KeyError, OSError, ValueError, cv2.error) as error:
            # A page that has left the disk, or that only looks like one: no number is the honest answer.
            log.info("number not read capture=%s side=%s: %s", capture_id, side, error)
            return None


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
    return Listing(captures, labels, tuple(gaps), unread)


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
