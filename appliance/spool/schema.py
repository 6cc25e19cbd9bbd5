"""The index: SQLite tables over the folders, opened in one place with every choice for durability made explicit."""

import os
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, Final, TypeVar

from appliance.spool import faults
from appliance.spool.files import FILE_MODE, Disk
from wire import database_copy
from wire.lock import alone_in

T = TypeVar("T")

BUSY_TIMEOUT_MS: Final = 10_000
"""The other service's transactions take milliseconds; an SD card's worst flush takes seconds."""

MIGRATIONS: Final[tuple[str, ...]] = (
    """
    CREATE TABLE captures (
        capture_id TEXT PRIMARY KEY,
        job_id TEXT NOT NULL,
        sequence INTEGER NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('safe','processed','received','released','rejected','damaged')),
        rejected_code TEXT,
        damaged_file TEXT,
        size_bytes INTEGER NOT NULL,
        has_pages INTEGER NOT NULL DEFAULT 0,
        attempts INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE INDEX captures_by_state ON captures (state, sequence);
    CREATE INDEX captures_by_job ON captures (job_id, sequence);
    CREATE TABLE files (
        kind TEXT NOT NULL,
        id TEXT NOT NULL,
        revision INTEGER NOT NULL DEFAULT 0,
        name TEXT NOT NULL,
        size INTEGER NOT NULL,
        sha256 TEXT NOT NULL,
        PRIMARY KEY (kind, id, revision, name)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE jobs (
        job_id TEXT PRIMARY KEY,
        changes INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE TABLE lists (
        job_id TEXT NOT NULL,
        revision INTEGER NOT NULL,
        state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting','received','complete')),
        handed_over INTEGER NOT NULL,
        missing INTEGER NOT NULL DEFAULT 0,
        rejected_code TEXT,
        PRIMARY KEY (job_id, revision)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE receipts (
        kind TEXT NOT NULL,
        id TEXT NOT NULL,
        revision INTEGER NOT NULL,
        document TEXT NOT NULL,
        PRIMARY KEY (kind, id, revision)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE commands (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        command_id TEXT NOT NULL UNIQUE,
        document TEXT NOT NULL,
        answered INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    """,
)
"""Ordered; each is applied once, in one transaction with its own number. Never edit one that was released."""


class Index:
    """One connection to the index, shared by the threads of one process.

    Every write is one short `BEGIN IMMEDIATE`, because the other service writes too.
    """

    def __init__(self, file: Path, disk: Disk, relieve: Callable[[], bool] = lambda: False) -> None:
        """Open or create the index and bring its schema up to date.

        Args:
            file: the database.
            disk: takes the commits.
            relieve: called when the disk is full; returns True where it made room and the write may be tried again.

        Raises:
            sqlite3.DatabaseError: the file is not a whole database.
            SpoolError: DISK-02 where it cannot be written.
        """
        self._file = file
        self._disk = disk
        self._relieve = relieve
        self._lock = threading.RLock()
        # SQLite would create the file without the group's right to write, and the other service would be locked out.
        os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE))
        self._inode = file.stat().st_ino
        self._connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        try:
            self._connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
            self._connection.execute("PRAGMA synchronous = FULL")
            with alone_in(file.parent):
                # SQLite does not wait here: of two that turn a new database to WAL at once, one is told "locked".
                self._connection.execute("PRAGMA journal_mode = WAL")
                self._migrate_if_needed()
        except BaseException:
            self._connection.close()
            raise

    def close(self) -> None:
        """Close the connection; twice is fine."""
        with self._lock:
            self._connection.close()

    def check(self) -> None:
        """Raise `sqlite3.DatabaseError` where the file's pages do not hang together or a table is missing."""
        verdict = self._select("PRAGMA quick_check(1)")[0][0]
        if verdict != "ok":
            raise sqlite3.DatabaseError(verdict)
        for table in ("captures", "files", "jobs", "lists", "receipts", "commands"):
            self._select(f"SELECT * FROM {table} LIMIT 1")  # noqa: S608 - the names are the literals above

    def is_replaced(self) -> bool:
        """Tell whether the file under our name is no longer the one we opened."""
        try:
            return self._file.stat().st_ino != self._inode
        except FileNotFoundError:
            return True

    def data_version(self) -> int:
        """Return a number that changes when another process has committed."""
        return int(self.rows("PRAGMA data_version")[0][0])

    def rows(self, query: str, *values: Any) -> list[Any]:
        """Return all rows of a query; raises `SpoolError` DISK-05 where the index cannot be read."""
        try:
            return self._select(query, *values)
        except sqlite3.Error as error:
            raise faults.unreadable_index(error) from error

    def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` in a transaction that is durable when this returns; all of it or nothing happened.

        Raises:
            SpoolFull: DISK-01, no room although everything that could be given up was.
            SpoolError: DISK-02, the disk failed.
        """
        try:
            return self._transaction(work)
        except (sqlite3.Error, OSError) as error:
            if not (faults.is_disk_full(error) and self._relieve()):
                raise faults.write_failed(error) from error
        try:
            return self._transaction(work)
        except (sqlite3.Error, OSError) as error:
            raise faults.write_failed(error) from error

    def _select(self, query: str, *values: Any) -> list[Any]:
        with self._lock:
            return self._connection.execute(query, values).fetchall()

    def _migrate_if_needed(self) -> None:
        version = self._select("PRAGMA user_version")[0][0]
        if 0 < version < len(MIGRATIONS):
            database_copy.keep_copy(self._file, version)
        if version < len(MIGRATIONS):
            self._transaction(_migrate)

    def _transaction(self, work: Callable[[sqlite3.Connection], T]) -> T:
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                result = work(self._connection)
                self._disk.commit(self._connection, self._file)
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
            return result


def put_back(file: Path) -> bool:
    """Go back to the index from before a newer program changed its tables; nobody may use it.

    False, and nothing changed, where it is not newer than this program or no copy was kept. Raises `OSError`.
    """
    if not file.exists():
        return False
    with closing(sqlite3.connect(file)) as connection:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
    return bool(version > len(MIGRATIONS)) and database_copy.put_back(file, len(MIGRATIONS))


def _migrate(connection: sqlite3.Connection) -> None:
    # Asked inside the transaction: the other service may have been first.
    applied = connection.execute("PRAGMA user_version").fetchone()[0]
    for number, script in enumerate(MIGRATIONS[applied:], start=applied + 1):
        for statement in filter(str.strip, script.split(";")):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {number}")
