"""The station's side of the spool. What a method has accepted is durable when the method returns."""

import os
import sqlite3
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from appliance.api import Delivery
from appliance.errors import SpoolError
from appliance.spool import faults, intake, journal, opening, queries, retention
from appliance.spool.faults import durably
from appliance.spool.files import Disk, Paths, remove_tree, replace_file
from appliance.spool.retention import RetentionPolicy, Room
from appliance.spool.rows import CaptureRow, Counts, JobRow, SweepReport
from appliance.spool.schema import Index
from appliance.spool.sequence import Sequence
from appliance.spool.state import Clock, EventLog, PublisherState, StationState, read_state, write_state
from appliance.spool.sweep import CHANGES_FILE, RELEASED_FILE, released_line, sweep
from wire.codec import decode_batch, decode_capture, decode_command, decode_pages, encode_pretty
from wire.documents import (
    CAPTURE_FILE,
    LIST_FILE,
    PAGES_FILE,
    BatchDocument,
    CaptureDocument,
    JobListDocument,
    PagesDocument,
)
from wire.ids import is_name
from wire.messages import Command

T = TypeVar("T")

RECENT_CAPTURES: Final = 20


class Spool:
    """The one writer of captures and changes; any thread of the station process may call it.

    Attributes:
        sweep: what the start-up sweep found.
    """

    def __init__(
        self, paths: Paths, index: Index, policy: RetentionPolicy, disk: Disk, clock: Clock, lock: int
    ) -> None:
        """Use `Spool.open`."""
        self._paths = paths
        self._index = index
        self._policy = policy
        self._disk = disk
        self._clock = clock
        self._lock_file = lock
        self._guard = threading.RLock()
        self._events = EventLog(paths.events, clock)
        self._sequence = Sequence(paths, disk)
        self._journals = journal.Journals(disk, lambda: opening.release_ballast(paths))
        self.sweep = SweepReport()

    @classmethod
    def open(
        cls,
        folder: Path,
        station: str,
        policy: RetentionPolicy | None = None,
        *,
        disk: Disk | None = None,
        clock: Clock | None = None,
    ) -> Self:
        """Open the spool in `folder`, creating or repairing what is missing, and sweep it.

        Raises:
            SpoolError: DISK-02 the disk fails, DISK-03 another process has it, DISK-04 it is another station's,
                DISK-07 the folder cannot be used.
        """
        paths, disk, clock = Paths(folder), disk or Disk(), clock or Clock()
        opening.prepare(paths, disk)
        with ExitStack() as undo:
            lock = opening.claim(paths, disk, station)
            undo.callback(os.close, lock)
            index, was_rebuilt = opening.open_index(paths, disk, lambda: opening.release_ballast(paths))
            undo.callback(index.close)
            spool = cls(paths, index, policy or RetentionPolicy(), disk, clock, lock)
            try:
                spool._start(was_rebuilt)
            except OSError as error:
                raise faults.write_failed(error) from error
            undo.pop_all()
        return spool

    def close(self) -> None:
        """Let go of the spool; twice is fine."""
        with self._guard:
            if self._lock_file >= 0:
                self._sequence.close()
                self._index.close()
                os.close(self._lock_file)
                self._lock_file = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # Captures

    def next_sequence(self) -> int:
        """Return the station's next number, from 1; never one that was returned before, whatever happened since."""
        return self._durably(self._sequence.take)

    def add_capture(self, facts: CaptureDocument, frames: Mapping[str, bytes]) -> None:
        """Make a capture safe: when this returns, it survives a power cut.

        Args:
            facts: names every frame with its size and digest.
            frames: the frames' bytes by file name.

        Raises:
            SpoolFull: DISK-01, before anything was written.
            SpoolError: DISK-02, the disk failed; nothing of the capture is left and it may be added again.
            ValueError: `frames` are not the ones that `facts` names.
        """
        size_bytes = sum(map(len, frames.values()))
        free_bytes, _ = self._disk.usage(self._paths.root)
        if not retention.may_capture(free_bytes, size_bytes, self._policy):
            raise faults.full(free_bytes, self._policy.reserve_bytes)
        if self._state_of(facts.capture_id) is not None:
            raise ValueError(f"The capture {facts.capture_id} is safe already.")
        intake.write_capture(self._disk, self._paths, self._index, facts, frames)
        self.log_event("capture.safe", capture_id=facts.capture_id, sequence=facts.sequence, job_id=facts.job_id)

    def add_pages(self, pages: PagesDocument, files: Mapping[str, bytes]) -> None:
        """Record what processing made of a capture; from now on it is delivered. A second time changes nothing.

        Raises:
            SpoolError: DISK-01 or DISK-02; the capture stays unprocessed.
            KeyError: there is no such capture.
            ValueError: `files` are not the ones that `pages` names.
        """
        state = self._state_of(pages.capture_id)
        if state is None:
            raise KeyError(pages.capture_id)
        if state is Delivery.SAFE:
            intake.write_pages(self._disk, self._paths, self._index, pages, files)
            self.log_event("capture.processed", capture_id=pages.capture_id, outcome=pages.outcome)

    def unprocessed(self) -> tuple[str, ...]:
        """Return the captures that need processing, oldest first."""
        return tuple(row.capture_id for row in queries.captures(self._index, "state = 'safe'"))

    def attempts(self, capture_id: str) -> int:
        """Return how often processing of a capture was begun; raises `KeyError`."""
        return self._row(capture_id).attempts

    def note_attempt(self, capture_id: str) -> int:
        """Record, before it begins, that a capture is being processed, and return which attempt this is.

        A capture that took the process down twice is thus known to the third run.
        """
        self._row(capture_id)
        query = "UPDATE captures SET attempts = attempts + 1 WHERE capture_id = ?"
        self._index.write(lambda db: db.execute(query, (capture_id,)))
        return self.attempts(capture_id)

    def captures_of(self, job_id: str) -> tuple[CaptureRow, ...]:
        """Return a job's captures by sequence, those that have left the disk included."""
        return queries.captures(self._index, "job_id = ?", job_id)

    def row(self, capture_id: str) -> CaptureRow:
        """Return what the index knows of a capture; raises `KeyError`."""
        return self._row(capture_id)

    def capture(self, capture_id: str) -> CaptureDocument:
        """Return the facts of a capture on this disk; raises `KeyError` where it has left it."""
        return decode_capture(self._read(capture_id, CAPTURE_FILE))

    def pages(self, capture_id: str) -> PagesDocument | None:
        """Return what processing made of a capture, None while it has not; raises `KeyError` where it has left."""
        self._read(capture_id, CAPTURE_FILE)
        with suppress(KeyError):
            return decode_pages(self._read(capture_id, PAGES_FILE))
        return None

    def path(self, capture_id: str, file_name: str) -> Path:
        """Return where a file of a capture lies; raises `KeyError` where it does not."""
        folder = self._paths.capture(capture_id)
        file = folder / file_name
        if not is_name(capture_id) or file.parent != folder or not file.is_file():
            raise KeyError(f"{capture_id}/{file_name}")
        return file

    # Jobs

    def append_change(self, job_id: str, change: bytes) -> int:
        """Append one line of JSON to a job's change log and return how many the job has now.

        Raises:
            SpoolError: DISK-01 or DISK-02; the change did not happen.
            ValueError: the change holds a line break.
        """
        with self._guard:
            folder = self._paths.job(job_id)
            self._durably(lambda: self._make_job_folder(folder))
            size = self._journals.append(folder / CHANGES_FILE, change)
            changes = len(journal.read(folder / CHANGES_FILE))
            try:
                self._index.write(lambda db: queries.set_changes(db, job_id, changes))
            except SpoolError:
                self._journals.take_back(folder / CHANGES_FILE, size)
                raise
            return changes

    def changes(self, job_id: str) -> tuple[bytes, ...]:
        """Return a job's changes in the order in which they happened."""
        return journal.read(self._paths.job(job_id) / CHANGES_FILE)

    def jobs(self) -> tuple[JobRow, ...]:
        """Return every job, the oldest first."""
        return queries.jobs(self._index)

    def queue_list(self, document: JobListDocument) -> None:
        """Make one revision of a job's list durable and send it; a newer one takes the place of an older one.

        Raises:
            SpoolError: DISK-01 or DISK-02; the list is not queued.
            ValueError: this revision was queued with another content.
        """
        content = encode_pretty(document)
        with self._guard:
            file = self._paths.list_file(document.job_id, document.revision)
            if file.is_file() and file.read_bytes() != content:
                raise ValueError(f"Revision {document.revision} of the list of {document.job_id} exists.")
            self._durably(lambda: self._write_list(file, content))
            entry = intake.entry_of(LIST_FILE, content)
            self._index.write(lambda db: queries.add_list(db, document, entry))
        self.log_event("list.queued", job_id=document.job_id, revision=document.revision)

    def release_due(self) -> tuple[str, ...]:
        """Delete the received captures of every job that is complete at the centre; return which ones.

        Raises:
            SpoolError: DISK-02; what was not deleted will be at the next call or start.
        """
        released: list[str] = []
        for job_id in retention.releasable(self.jobs()):
            rows = queries.captures(self._index, "job_id = ? AND state = 'received'", job_id)
            if rows:
                with self._guard:
                    self._release(job_id, rows)
                released.extend(row.capture_id for row in rows)
        self._restore_ballast()
        return tuple(released)

    # From the centre

    def take_commands(self) -> tuple[Command, ...]:
        """Return what the centre asks of the station itself and has not been taken yet, oldest first.

        They count as answered from now on.
        """
        found = self._index.rows("SELECT command_id, document FROM commands WHERE answered = 0 ORDER BY number")
        if found:
            query = "UPDATE commands SET answered = 1 WHERE command_id = ?"
            self._index.write(lambda db: db.executemany(query, [(row[0],) for row in found]))
        return tuple(decode_command(document.encode()) for _, document in found)

    def batches(self) -> tuple[BatchDocument, ...]:
        """Return the batches that the centre has sent, by id."""
        files = sorted(self._paths.batches.glob("[!.]*.json"))
        return tuple(decode_batch(file.read_bytes()) for file in files)

    # How things are

    def room(self) -> Room:
        """Return what the disk still holds."""
        free_bytes, total_bytes = self._disk.usage(self._paths.root)
        query = "SELECT size_bytes FROM captures WHERE has_pages = 1 ORDER BY sequence DESC LIMIT ?"
        recent = tuple(row[0] for row in self._index.rows(query, RECENT_CAPTURES))
        return retention.room(free_bytes, total_bytes, recent, self._policy)

    def counts(self) -> Counts:
        """Return how many captures are in which state."""
        return queries.counts(self._index)

    def data_version(self) -> int:
        """Return a number that changes when the publisher has recorded something."""
        return self._index.data_version()

    def read_publisher_state(self) -> PublisherState | None:
        """Return how the line to the centre is; None where the publisher is silent."""
        return read_state(self._paths.run / "publisher.json", PublisherState, self._clock)

    def write_station_state(self, state: StationState) -> None:
        """Say how the station is, for the publisher to pass on; silence for ten seconds reads as a dead station."""
        write_state(self._paths.run / "station.json", state, self._clock)

    def log_event(self, name: str, **fields: Any) -> None:
        """Append one line to the event log."""
        self._events.write(name, **fields)

    # Inside

    def _start(self, was_rebuilt: bool) -> None:
        self._events.begin()
        found = sweep(self._paths, self._index, self._disk)
        self.sweep = replace(found, rebuilt=was_rebuilt)
        self._sequence.begin(self._index)
        self._restore_ballast()
        for capture_id in found.adopted:
            self.log_event("capture.adopted", capture_id=capture_id)
        for moved in found.set_aside:
            self.log_event("spool.aside", found=moved.found, now=moved.now, reason=moved.reason)

    def _row(self, capture_id: str) -> CaptureRow:
        rows = queries.captures(self._index, "capture_id = ?", capture_id)
        if not rows:
            raise KeyError(capture_id)
        return rows[0]

    def _state_of(self, capture_id: str) -> Delivery | None:
        with suppress(KeyError):
            return self._row(capture_id).state
        return None

    def _read(self, capture_id: str, file_name: str) -> bytes:
        return self.path(capture_id, file_name).read_bytes()

    def _durably(self, work: Callable[[], T]) -> T:
        return durably(work, lambda: opening.release_ballast(self._paths))

    def _make_job_folder(self, folder: Path) -> None:
        if not folder.is_dir():
            self._disk.make_folder(folder)
        self._disk.sync_folder(folder.parent)

    def _write_list(self, file: Path, content: bytes) -> None:
        self._make_job_folder(file.parent)
        replace_file(self._disk, file, content)
        self._disk.sync_folder(file.parent)

    def _release(self, job_id: str, rows: tuple[CaptureRow, ...]) -> None:
        # The line comes first: an index that is lost later must still know that these captures existed.
        self._journals.append(self._paths.job(job_id) / RELEASED_FILE, *map(released_line, rows))
        query = "UPDATE captures SET state = 'released' WHERE capture_id = ? AND state = 'received'"

        def record(db: sqlite3.Connection) -> list[CaptureRow]:
            return [row for row in rows if db.execute(query, (row.capture_id,)).rowcount]

        for row in self._index.write(record):
            self._durably(lambda row=row: remove_tree(self._disk, self._paths.capture(row.capture_id)))  # type: ignore[misc]
            self.log_event("capture.released", capture_id=row.capture_id)

    def _restore_ballast(self) -> None:
        free_bytes, _ = self._disk.usage(self._paths.root)
        if not self._paths.ballast.exists() and retention.may_restore_ballast(free_bytes, self._policy):
            with suppress(OSError):
                self._disk.reserve(self._paths.ballast, self._policy.ballast_bytes)
