"""What is kept of a database before its tables change."""

import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from appliance.spool import schema
from appliance.spool.files import Disk
from central.catalogue import Catalogue, database
from central.catalogue import schema as tables
from central.errors import CatalogueError
from wire import database_copy


def made(file: Path, version: int, rows: int) -> Path:
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(f"PRAGMA journal_mode=WAL; CREATE TABLE t (n); PRAGMA user_version={version};")
        connection.executemany("INSERT INTO t VALUES (?)", [(number,) for number in range(rows)])
        connection.commit()
    file.chmod(0o660)
    return file


def rows(file: Path) -> tuple[int, int]:
    with closing(sqlite3.connect(file)) as connection:
        (version,), (number,) = (
            connection.execute(f"{q}").fetchone() for q in ("PRAGMA user_version", "SELECT COUNT(*) FROM t")
        )
    return version, number


def test_the_copy_is_one_moment_and_whoever_uses_the_database_is_not_disturbed(tmp_path: Path) -> None:
    file = made(tmp_path / "a.db", 4, 10)
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("INSERT INTO t VALUES (99)")
        database_copy.keep_copy(file, 4)
        other.execute("COMMIT")
    assert (rows(file), rows(tmp_path / "a.db.version-4")) == ((4, 11), (4, 10))
    assert stat.S_IMODE((tmp_path / "a.db.version-4").stat().st_mode) == 0o660


def test_going_back_moves_the_newer_one_aside_with_all_that_belongs_to_it(tmp_path: Path) -> None:
    file = made(tmp_path / "a.db", 4, 10)
    database_copy.keep_copy(file, 4)
    other = sqlite3.connect(file)
    other.execute("INSERT INTO t VALUES (99)")
    other.commit()
    assert (tmp_path / "a.db-wal").exists()
    assert database_copy.put_back(file, 4)
    other.close()
    assert rows(file) == (4, 10)
    assert rows(tmp_path / "a.db.newer") == (4, 11)
    assert not database_copy.put_back(file, 4)


def test_a_new_database_leaves_no_copy_and_a_known_one_is_not_copied_again(tmp_path: Path) -> None:
    for _ in range(2):
        Catalogue(f"sqlite:///{tmp_path}/catalogue.db").close()
        schema.Index(tmp_path / "station.db", Disk()).close()
    assert not list(tmp_path.glob("*.version-*"))


def test_where_no_copy_can_be_kept_the_tables_stay_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"sqlite:///{tmp_path}/catalogue.db"
    Catalogue(url).close()
    known = len(tables.MIGRATIONS)
    (tmp_path / f"catalogue.db.version-{known}.new").mkdir()
    steps = (*tables.MIGRATIONS, lambda connection: connection.exec_driver_sql("DROP TABLE captures"))
    monkeypatch.setattr(tables, "MIGRATIONS", steps)
    with pytest.raises(CatalogueError, match="CAT-01"):
        Catalogue(url)
    monkeypatch.undo()
    with Catalogue(url) as catalogue, catalogue.read() as connection:
        assert connection.exec_driver_sql("SELECT COUNT(*) FROM captures").scalar() == 0
    assert not database.put_back(url)
