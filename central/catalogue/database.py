"""Opens the catalogue: here SQLite and PostgreSQL are told to be durable and to let processes write in turn."""

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import SQLAlchemyError

from central.catalogue.schema import MIGRATIONS, migrate
from central.errors import CatalogueError
from wire import database_copy
from wire.lock import alone_in

BUSY_TIMEOUT_S: Final = 30.0
_WRITERS_LOCK: Final = 0x4C545247  # any number that no other program in the database takes


class Catalogue:
    """A catalogue in SQLite or PostgreSQL. May be shared by threads and, each with its own object, by processes."""

    def __init__(self, url: str) -> None:
        """Open and migrate the catalogue at `url` (SQLAlchemy's form).

        Raises:
            CatalogueError: CAT-01 it cannot be reached, CAT-02 it is of a newer version.
        """
        self._engine = _engine(url)
        self._writer = self._engine.execution_options(writes=True)
        self.changed = threading.Event()
        """Set after every write of this process: whoever waits for work may look."""
        try:
            with self.write() as connection:
                # Nobody else writes meanwhile, and what is not committed is not in the copy.
                migrate(connection, partial(_keep_copy, url))
        except CatalogueError:
            self.close()
            raise

    @contextlib.contextmanager
    def write(self) -> Iterator[Connection]:
        """Give one transaction that may write; it is committed at the end, or undone by an exception.

        Raises:
            CatalogueError: CAT-01.
        """
        with _reachable(), self._writer.begin() as connection:
            yield connection
        self.changed.set()

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """Give one transaction that only reads: one moment of the catalogue. Raises `CatalogueError` CAT-01."""
        with _reachable(), self._engine.connect() as connection:
            yield connection

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def put_back(url: str) -> bool:
    """Go back to the catalogue from before a newer program changed its tables; nobody may use it.

    False, and nothing changed, where it is not newer than this program, no copy was kept, or it is not SQLite's.

    Raises:
        CatalogueError: CAT-01.
    """
    file = _file_of(url)
    if file is None or not file.exists():
        return False
    try:
        with contextlib.closing(sqlite3.connect(file)) as connection:
            (version,) = connection.execute("SELECT MAX(version) FROM schema_versions").fetchone()
        return bool(version and version > len(MIGRATIONS)) and database_copy.put_back(file, len(MIGRATIONS))
    except (OSError, sqlite3.Error) as error:
        raise _unusable(error) from error


def _keep_copy(url: str, version: int) -> None:
    file = _file_of(url)
    if file is None:
        return
    try:
        database_copy.keep_copy(file, version)
    except (OSError, sqlite3.Error) as error:
        raise _unusable(error) from error


def _file_of(url: str) -> Path | None:
    parsed = make_url(url)
    return Path(parsed.database) if parsed.get_backend_name() == "sqlite" and parsed.database else None


@contextlib.contextmanager
def _reachable() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        raise _unusable(error) from error


def _unusable(error: Exception) -> CatalogueError:
    return CatalogueError(
        "CAT-01", f"The catalogue cannot be used ({error}).", "Check store.database in central.toml and its disk."
    )


def _engine(url: str) -> Engine:
    with _reachable():
        parsed = make_url(url)
        if parsed.get_backend_name() == "postgresql":
            return _postgresql(parsed)
        engine = create_engine(parsed, connect_args={"timeout": BUSY_TIMEOUT_S, "check_same_thread": False})
    folder = Path(parsed.database or ".").parent

    def prepare(connection: Any, _record: Any) -> None:
        _prepare_sqlite(connection, folder)

    event.listen(engine, "connect", prepare)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _postgresql(url: URL) -> Engine:
    engine = create_engine(
        url.set(drivername="postgresql+psycopg"),
        pool_pre_ping=True,
        # A receipt follows a commit: a server that was told not to flush is told otherwise here.
        connect_args={"options": "-c synchronous_commit=on"},
    )
    event.listen(engine, "begin", _begin_postgresql)
    return engine


def _begin_postgresql(connection: Connection) -> None:
    if connection.get_execution_options().get("writes", False):
        # One writer at a time, as in SQLite: what was read before writing stays true until the commit.
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITERS_LOCK})")
    else:
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")


def _prepare_sqlite(connection: Any, folder: Path) -> None:
    # The driver's own, late BEGIN would let a reader become a writer half-way and fail: we say BEGIN ourselves.
    connection.isolation_level = None
    if connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
        try:
            with alone_in(folder):
                # SQLite does not wait here: of two that turn a new catalogue to WAL at once, one is told "locked".
                connection.execute("PRAGMA journal_mode=WAL")
        except OSError as error:
            raise _unusable(error) from error
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
