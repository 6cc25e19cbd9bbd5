"""Makes the thumbnail of every page. The catalogue is the queue, so a restart goes on where it was.

Pictures are opened in a child process only: it may die or hang, a page that makes it fail twice is marked and left.
"""

import json
import logging
import os
import selectors
import subprocess
import sys
import threading
import time
from types import TracebackType
from typing import IO, Final, Self

from sqlalchemy import select, update

from central import files
from central.catalogue import Catalogue
from central.catalogue.schema import captures, pages
from central.errors import CatalogueError
from central.pulse import Beat, unheard
from central.receiving.staging import StoreLayout
from central.thumbnail_child import DISK_ANSWER

log = logging.getLogger(__name__)

MAX_ATTEMPTS: Final = 2
PICTURE_TIMEOUT_S: Final = 60.0
_BATCH: Final = 16
_WAIT_S: Final = 0.5


class Derivatives:
    """Works through the pages that have no thumbnail. One thread owns it."""

    def __init__(self, catalogue: Catalogue, layout: StoreLayout, *, disk_retry_s: float = 5.0) -> None:
        self._catalogue = catalogue
        self._layout = layout
        self._disk_retry_s = disk_retry_s

    def run(self, stop: threading.Event, beat: Beat = unheard) -> None:
        """Work until `stop` is set, looking for new pages as they come; every picture and every turn is a beat.

        A disk that is full or fails is waited for: the screens must stay up to show it, and no picture is to blame.
        """
        with PictureChild() as child:
            while not stop.is_set():
                words = ""
                try:
                    wait_s = 0.0 if self.work_once(child, stop, beat) else _WAIT_S
                except (OSError, CatalogueError) as error:
                    log.warning("thumbnails wait for the disk: %s", error)
                    wait_s, words = self._disk_retry_s, "thumbnails wait for the disk"
                beat(words)
                stop.wait(wait_s)

    def work_once(self, child: "PictureChild", stop: threading.Event | None = None, beat: Beat = unheard) -> int:
        """Make some of the thumbnails that are missing; returns how many pages were looked at.

        Raises:
            OSError: the disk is full or fails.
            CatalogueError: the catalogue cannot be used.
        """
        query = (
            select(pages.c.capture_id, pages.c.side, pages.c.file, pages.c.attempts)
            .join(captures, captures.c.capture_id == pages.c.capture_id)
            .where(pages.c.thumbnail == "waiting")
            .order_by(pages.c.attempts, captures.c.stored_at)
            .limit(_BATCH)
        )
        with self._catalogue.read() as connection:
            rows = connection.execute(query).all()
        outcomes = []
        for row in rows:
            if stop is not None and stop.is_set():
                break
            made = self._make(child, row.capture_id, row.side, row.file)
            outcomes.append((row.capture_id, row.side, made, row.attempts + 1))
            beat("")
        self._record(outcomes)
        return len(outcomes)

    def _make(self, child: "PictureChild", capture_id: str, side: str, file: str) -> bool:
        target = self._layout.thumbnail_file(capture_id, side)
        target.parent.mkdir(exist_ok=True)
        temporary = target.with_suffix(".tmp")
        answer = child.make(str(self._layout.staging / capture_id / file), str(temporary))
        if answer == DISK_ANSWER:
            raise OSError("the disk did not take a thumbnail")
        if answer != "ok":
            log.warning("no thumbnail capture=%s side=%s reason=%s", capture_id, side, answer)
            temporary.unlink(missing_ok=True)
            return False
        # "Made" is for ever: a row that outlives its picture would show an empty place that nobody fills again.
        files.sync_file(temporary)
        temporary.replace(target)
        files.sync_folder(target.parent)
        files.sync_folder(self._layout.thumbnails)
        return True

    def _record(self, outcomes: list[tuple[str, str, bool, int]]) -> None:
        if not outcomes:
            return
        with self._catalogue.write() as connection:
            for capture_id, side, made, attempts in outcomes:
                state = "made" if made else "failed" if attempts >= MAX_ATTEMPTS else "waiting"
                key = pages.c.capture_id == capture_id, pages.c.side == side
                connection.execute(update(pages).where(*key).values(thumbnail=state, attempts=attempts))


class PictureChild:
    """The child process, started when it is needed and again when it died."""

    def __init__(self, *, timeout_s: float = PICTURE_TIMEOUT_S) -> None:
        self._timeout_s = timeout_s
        self._process: subprocess.Popen[bytes] | None = None

    def make(self, source: str, target: str) -> str:
        """Return ``ok``, the name of what was wrong with the picture, or ``died`` or ``timeout`` for the child."""
        requests, answers = self._pipes()
        try:
            requests.write(json.dumps([source, target]).encode() + b"\n")
            requests.flush()
        except BrokenPipeError:
            self.close()
            return "died"
        answer = _read_line(answers.fileno(), time.monotonic() + self._timeout_s)
        if not answer:
            self.close()
            return "timeout" if answer is None else "died"
        return answer.decode().strip()

    def close(self) -> None:
        """End the child; harmless when repeated."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        process = self._running()
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("the child was started without pipes")
        return process.stdin, process.stdout

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self.close()
            environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
            self._process = subprocess.Popen(
                [sys.executable, "-m", "central.thumbnail_child"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=environment,
            )
        return self._process


def _read_line(descriptor: int, deadline_s: float) -> bytes | None:
    """Return a line, b"" at the end of the stream, None when time is over first."""
    line = b""
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        while not line.endswith(b"\n"):
            if not selector.select(max(0.0, deadline_s - time.monotonic())):
                return None
            block = os.read(descriptor, 4096)
            if not block:
                return b""
            line += block
    return line
