"""The statements of the index: rows in, rows out. Each runs inside a transaction or a read of its caller."""

import sqlite3
from collections.abc import Iterable
from typing import Final

from appliance.api import Delivery
from appliance.spool.rows import CaptureRow, Counts, JobRow
from appliance.spool.schema import Index
from wire.documents import CaptureDocument, JobListDocument
from wire.messages import FileEntry, ObjectRef

_COLUMNS: Final = "capture_id, job_id, sequence, state, rejected_code, damaged_file, size_bytes, has_pages, attempts"


def add_capture(
    db: sqlite3.Connection, facts: CaptureDocument, files: tuple[FileEntry, ...], damaged_file: str | None = None
) -> None:
    """Record a capture that is durable in its folder; recording it again changes nothing."""
    state = Delivery.DAMAGED if damaged_file else Delivery.SAFE
    db.execute("INSERT INTO jobs (job_id) VALUES (?) ON CONFLICT DO NOTHING", (facts.job_id,))
    db.execute(
        "INSERT INTO captures (capture_id, job_id, sequence, state, damaged_file, size_bytes) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT DO NOTHING",
        (facts.capture_id, facts.job_id, facts.sequence, state.value, damaged_file, _size(files)),
    )
    add_files(db, ObjectRef("capture", facts.capture_id), files)


def add_pages(db: sqlite3.Connection, capture_id: str, files: tuple[FileEntry, ...]) -> None:
    """Record that a capture is processed."""
    db.execute(
        "UPDATE captures SET has_pages = 1, size_bytes = size_bytes + ?,"
        " state = CASE state WHEN 'safe' THEN 'processed' ELSE state END WHERE capture_id = ? AND has_pages = 0",
        (_size(files), capture_id),
    )
    add_files(db, ObjectRef("capture", capture_id), files)


def add_files(db: sqlite3.Connection, ref: ObjectRef, files: Iterable[FileEntry]) -> None:
    """Record an object's files."""
    db.executemany(
        "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?)",
        [(ref.kind, ref.id, ref.revision, entry.name, entry.size, entry.sha256) for entry in files],
    )


def add_list(db: sqlite3.Connection, document: JobListDocument, entry: FileEntry) -> None:
    """Record a list revision that is durable in its job's folder."""
    db.execute("INSERT INTO jobs (job_id) VALUES (?) ON CONFLICT DO NOTHING", (document.job_id,))
    db.execute(
        "INSERT INTO lists (job_id, revision, handed_over) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        (document.job_id, document.revision, document.state != "open"),
    )
    add_files(db, ObjectRef("job_list", document.job_id, document.revision), [entry])


def set_changes(db: sqlite3.Connection, job_id: str, changes: int) -> None:
    """Record how many changes a job's log holds."""
    db.execute(
        "INSERT INTO jobs (job_id, changes) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET changes = ?2", (job_id, changes)
    )


def set_state(db: sqlite3.Connection, capture_id: str, state: Delivery, *, damaged_file: str | None = None) -> None:
    """Record a capture's state."""
    db.execute(
        "UPDATE captures SET state = ?, damaged_file = ?, rejected_code = NULL WHERE capture_id = ?",
        (state.value, damaged_file, capture_id),
    )


def add_released(db: sqlite3.Connection, row: CaptureRow) -> None:
    """Record a capture that has left the disk already."""
    db.execute("INSERT INTO jobs (job_id) VALUES (?) ON CONFLICT DO NOTHING", (row.job_id,))
    db.execute(
        "INSERT INTO captures (capture_id, job_id, sequence, state, size_bytes, has_pages) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET state = excluded.state",
        (row.capture_id, row.job_id, row.sequence, Delivery.RELEASED.value, row.size_bytes, row.has_pages),
    )


def captures(index: Index, where: str = "1", *values: object, limit: int = -1) -> tuple[CaptureRow, ...]:
    """Return captures by sequence. `where` is one of our own conditions, never a caller's text."""
    query = f"SELECT {_COLUMNS} FROM captures WHERE {where} ORDER BY sequence LIMIT ?"  # noqa: S608
    found = index.rows(query, *values, limit)
    return tuple(
        CaptureRow(one, job, sequence, Delivery(state), rejected, damaged, size, bool(has_pages), attempts)
        for one, job, sequence, state, rejected, damaged, size, has_pages, attempts in found
    )


def files(index: Index, ref: ObjectRef) -> tuple[FileEntry, ...]:
    """Return an object's files by name; none where the object is not known."""
    found = index.rows(
        "SELECT name, size, sha256 FROM files WHERE kind = ? AND id = ? AND revision = ? ORDER BY name",
        ref.kind,
        ref.id,
        ref.revision,
    )
    return tuple(FileEntry(*entry) for entry in found)


def jobs(index: Index) -> tuple[JobRow, ...]:
    """Return every job, the oldest first."""
    found = index.rows(
        """
        SELECT jobs.job_id, changes,
            (SELECT COUNT(*) FROM captures WHERE captures.job_id = jobs.job_id),
            (SELECT COUNT(*) FROM captures WHERE captures.job_id = jobs.job_id AND state IN ('received', 'released')),
            revision, COALESCE(state, 'none'), COALESCE(handed_over, 0), COALESCE(missing, 0)
        FROM jobs LEFT JOIN lists ON lists.job_id = jobs.job_id
            AND revision = (SELECT MAX(revision) FROM lists AS newer WHERE newer.job_id = jobs.job_id)
        ORDER BY jobs.rowid
        """
    )
    return tuple(
        JobRow(job, changes, captured, received, revision, state, bool(hands_over), missing)
        for job, changes, captured, received, revision, state, hands_over, missing in found
    )


def counts(index: Index) -> Counts:
    """Return how many captures are in which state."""
    found = dict(index.rows("SELECT state, COUNT(*) FROM captures GROUP BY state"))
    return Counts(unprocessed=found.pop("safe", 0), **found)


def _size(files: tuple[FileEntry, ...]) -> int:
    return sum(entry.size for entry in files)
