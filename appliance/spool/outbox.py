"""The publisher's side of the spool: what waits, and what the centre has answered. It deletes nothing."""

import hashlib
import sqlite3
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from appliance.spool import answers, faults, opening, queries
from appliance.spool.faults import FileDamaged
from appliance.spool.files import Disk, Paths, read_at, replace_file
from appliance.spool.retention import RetentionPolicy, Room, room
from appliance.spool.rows import Counts, JobRow, Pending
from appliance.spool.schema import Index
from appliance.spool.state import Clock, EventLog, PublisherState, StationState, read_state, write_state
from wire.codec import decode_batch
from wire.digest import sha256_of
from wire.documents import CAPTURE_FILE, LIST_FILE, PAGES_FILE
from wire.errors import ProtocolError
from wire.limits import KIB, MAX_OFFER_BYTES, MIB
from wire.messages import (
    Command,
    Complete,
    FileEntry,
    Missing,
    ObjectRef,
    Offer,
    OfferBatch,
    Receipt,
    Rejected,
)

ANSWERED_LISTED: Final = 16
"""As many as a status may carry; older ones are listed again when the centre repeats them."""
INLINE_BYTES: Final = (MAX_OFFER_BYTES - 64 * KIB) // 2
"""JSON inside JSON grows by its escapes, twofold at worst; the rest of the offer needs its share."""
DOCUMENTS: Final = frozenset({CAPTURE_FILE, PAGES_FILE, LIST_FILE})


class Outbox:
    """One per publisher process."""

    def __init__(self, paths: Paths, disk: Disk, clock: Clock) -> None:
        """Use `Outbox.open`."""
        self._paths = paths
        self._disk = disk
        self._clock = clock
        self._events = EventLog(paths.events, clock)
        self._refused: set[ObjectRef] = set()
        self._index = self._open_index()

    @classmethod
    def open(cls, folder: Path, *, disk: Disk | None = None, clock: Clock | None = None) -> Self:
        """Open the outbox of the spool in `folder`; either service may be the first to start.

        Raises:
            SpoolError: DISK-05 where the index waits for the station to repair it, DISK-07 where the folder cannot be
                used, DISK-02 where the disk fails.
        """
        paths, disk = Paths(folder), disk or Disk()
        opening.prepare(paths, disk)
        return cls(paths, disk, clock or Clock())

    def close(self) -> None:
        """Let go of the index; twice is fine."""
        self._index.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def refresh(self) -> bool:
        """Open the index anew where the station has rebuilt it; tells whether that was so.

        Raises:
            SpoolError: DISK-05 where it cannot be read yet.
        """
        if not self._index.is_replaced():
            return False
        self._index.close()
        self._index = self._open_index()
        return True

    # What waits

    def pending(self, limit: int) -> tuple[Pending, ...]:
        """Return the newest list of each job that is not complete, then the oldest `limit` captures that wait."""
        return (*self._pending_lists(), *self._pending_captures(limit))

    def offer(self, station: str, pending: Pending) -> Offer:
        """Return the offer of an object, its small documents inside.

        Raises:
            FileDamaged: a document is not what was written.
        """
        inline = {}
        for entry in pending.files:
            if entry.name in pending.inline:
                content = self.read(pending.ref, entry.name, 0, entry.size)
                if sha256_of(content) != entry.sha256:
                    raise FileDamaged(entry.name)
                inline[entry.name] = content.decode()
        return Offer(station=station, object=pending.ref, files=pending.files, inline=inline)

    def read(self, ref: ObjectRef, file: str, offset: int, length: int) -> bytes:
        """Return `length` bytes of an object's file.

        Raises:
            FileDamaged: they are not there.
            SpoolError: DISK-11 where they cannot be read now, but perhaps later.
        """
        try:
            content = read_at(self._file(ref, file), offset, length)
        except OSError as error:
            raise faults.read_failed(file, error) from error
        if len(content) != length:
            raise FileDamaged(file)
        return content

    def prove(self, ref: ObjectRef, entry: FileEntry) -> None:
        """Take a file's digest once more.

        Raises:
            FileDamaged: it is not the one that the file was made safe with.
            SpoolError: DISK-11 where it cannot be read now, but perhaps later.
        """
        digest = hashlib.sha256()
        for offset in range(0, entry.size, MIB):
            digest.update(self.read(ref, entry.name, offset, min(MIB, entry.size - offset)))
        if digest.hexdigest() != entry.sha256:
            raise FileDamaged(entry.name)

    def files(self, ref: ObjectRef) -> tuple[FileEntry, ...]:
        """Return an object's files by name; none where the object is not known."""
        return queries.files(self._index, ref)

    def is_received(self, ref: ObjectRef) -> bool:
        """Tell whether the centre has proved that it holds an object."""
        if ref.kind == "capture":
            query = "SELECT 1 FROM captures WHERE capture_id = ? AND state IN ('received', 'released')"
            return bool(self._index.rows(query, ref.id))
        query = "SELECT 1 FROM lists WHERE job_id = ? AND revision = ? AND state IN ('received', 'complete')"
        return bool(self._index.rows(query, ref.id, ref.revision))

    def data_version(self) -> int:
        """Return a number that changes when the station has recorded something."""
        return self._index.data_version()

    def counts(self) -> Counts:
        """Return how many captures are in which state."""
        return queries.counts(self._index)

    def jobs(self) -> tuple[JobRow, ...]:
        """Return every job, the oldest first."""
        return queries.jobs(self._index)

    def room(self) -> Room:
        """Return what the disk still holds."""
        free_bytes, total_bytes = self._disk.usage(self._paths.root)
        return room(free_bytes, total_bytes, (), RetentionPolicy())

    # What the centre has answered

    def record_receipt(self, receipt: Receipt) -> bool:
        """Record that the centre holds an object; False where the receipt is not of exactly what we have.

        Raises:
            SpoolError: DISK-01 or DISK-02; the object will be offered again, and the same receipt will come.
        """
        ref = receipt.object
        ours = queries.files(self._index, ref)
        if not ours:
            return False
        if sorted(ours, key=_by_name) != sorted(receipt.files, key=_by_name):
            self._tell_once_that_refused(ref)
            return False
        if self._index.write(lambda db: answers.record_receipt(db, receipt)):
            self._events.write(f"{ref.kind}.received", **_named(ref))
        return True

    def record_rejection(self, rejected: Rejected) -> None:
        """Record that the centre will not take an object; it stays here until a manager decides."""
        ref = rejected.object
        if self._index.write(lambda db: answers.record_rejection(db, rejected)):
            self._events.write(f"{ref.kind}.rejected", code=rejected.code, **_named(ref))

    def record_damaged(self, ref: ObjectRef, file: str) -> None:
        """Record that a file of an object is not what was written: it is shown and never sent as if it were whole."""
        if self._index.write(lambda db: answers.record_damaged(db, ref, file)):
            self._events.write(f"{ref.kind}.damaged", file=file, **_named(ref))

    def record_list_answer(self, answer: Complete | Missing) -> None:
        """Record what the centre says of a list. What it misses and we believed received is offered again."""
        if self._index.write(lambda db: answers.record_list_answer(db, answer)):
            name = "job_list.complete" if isinstance(answer, Complete) else "job_list.missing"
            self._events.write(name, **_named(answer.object))

    # What the centre asks

    def accept(self, command: Command) -> None:
        """Carry out or keep a command; it counts as answered when it is durable. A repeated one is only answered again.

        Raises:
            SpoolError: DISK-01 or DISK-02; the command is not answered and will come again.
        """
        if isinstance(command, OfferBatch) and not self._store_batch(command):
            return
        self._index.write(lambda db: answers.accept(db, command))

    def answered(self) -> tuple[str, ...]:
        """Return the commands answered last, newest first."""
        query = "SELECT command_id FROM commands WHERE answered = 1 ORDER BY number DESC LIMIT ?"
        return tuple(row[0] for row in self._index.rows(query, ANSWERED_LISTED))

    # How things are

    def write_state(self, state: PublisherState) -> None:
        """Say how the line is, for the station's screens."""
        write_state(self._paths.run / "publisher.json", state, self._clock)

    def read_publisher_state(self) -> PublisherState | None:
        """Return what the publisher said last; None where it is silent."""
        return read_state(self._paths.run / "publisher.json", PublisherState, self._clock)

    def read_station_state(self) -> StationState | None:
        """Return how the station is; None where it is silent."""
        return read_state(self._paths.run / "station.json", StationState, self._clock)

    # Inside

    def _tell_once_that_refused(self, ref: ObjectRef) -> None:
        # A worker that goes on saying the same wrong thing must not fill the disk with our astonishment.
        if ref not in self._refused:
            self._refused.add(ref)
            self._events.write("receipt.refused", **_named(ref))

    def _open_index(self) -> Index:
        try:
            index = Index(self._paths.database, self._disk, lambda: opening.release_ballast(self._paths))
        except sqlite3.Error as error:
            if faults.is_corrupt(error):
                raise faults.unreadable_index(error) from error
            raise faults.write_failed(error) from error
        except OSError as error:
            raise faults.no_access(self._paths.root, error) from error
        return index

    def _pending_captures(self, limit: int) -> tuple[Pending, ...]:
        rows = queries.captures(self._index, "state = 'processed'", limit=limit)
        refs = tuple(ObjectRef("capture", row.capture_id) for row in rows)
        return tuple(_pending(ref, queries.files(self._index, ref)) for ref in refs)

    def _pending_lists(self) -> tuple[Pending, ...]:
        found = self._index.rows(
            """
            SELECT job_id, revision, (
                SELECT COUNT(*) FROM captures
                WHERE captures.job_id = lists.job_id AND captures.state NOT IN ('received', 'released')
            ) FROM lists
            WHERE state != 'complete' AND rejected_code IS NULL
                AND revision = (SELECT MAX(revision) FROM lists AS newer WHERE newer.job_id = lists.job_id)
            ORDER BY job_id
            """
        )
        return tuple(
            _pending(ref, queries.files(self._index, ref), outstanding)
            for ref, outstanding in ((ObjectRef("job_list", job, revision), rest) for job, revision, rest in found)
        )

    def _file(self, ref: ObjectRef, file: str) -> Path:
        if ref.kind == "capture":
            return self._paths.capture(ref.id) / file
        return self._paths.list_file(ref.id, ref.revision)

    def _store_batch(self, command: OfferBatch) -> bool:
        content = command.document.encode()
        try:
            batch = decode_batch(content)
        except ProtocolError:
            batch = None
        if batch is None or sha256_of(content) != command.sha256 or batch.batch_id != command.object.id:
            self._events.write("batch.refused", batch_id=command.object.id)
            return False
        file = self._paths.batches / f"{batch.batch_id}.json"
        with suppress(OSError, ProtocolError):
            if decode_batch(file.read_bytes()).revision >= batch.revision:
                return True
        try:
            replace_file(self._disk, file, content)
            self._disk.sync_folder(file.parent)
        except OSError as error:
            raise faults.write_failed(error) from error
        self._events.write("batch.received", batch_id=batch.batch_id, revision=batch.revision)
        return True


def _pending(ref: ObjectRef, files: tuple[FileEntry, ...], outstanding: int = 0) -> Pending:
    inline: set[str] = set()
    room_bytes = INLINE_BYTES
    for entry in files:
        if entry.name in DOCUMENTS and entry.size <= room_bytes:
            inline.add(entry.name)
            room_bytes -= entry.size
    return Pending(ref, files, frozenset(inline), outstanding)


def _named(ref: ObjectRef) -> dict[str, str | int]:
    return {"capture_id": ref.id} if ref.kind == "capture" else {"job_id": ref.id, "revision": ref.revision}


def _by_name(entry: FileEntry) -> str:
    return entry.name
