"""What a database was before a newer program changed its tables: kept beside it, and put back when that program goes.

Both sides have such a database, an index over folders that are the truth. So what is lost by going back is only what no
folder holds of the minutes in between.
"""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

_TAILS = ("", "-wal", "-shm")


def keep_copy(file: Path, version: int) -> None:
    """Copy one moment of the database beside it, durably, as it was at `version`. Others may use it meanwhile.

    Raises:
        OSError, sqlite3.Error: there is no copy; the database should then stay as it is.
    """
    copy = _copy_of(file, version)
    unfinished = copy.with_name(f"{copy.name}.new")
    unfinished.unlink(missing_ok=True)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("VACUUM INTO ?", (str(unfinished),))
    _like(unfinished, file)
    descriptor = os.open(unfinished, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    unfinished.rename(copy)


def put_back(file: Path, version: int) -> bool:
    """Put the copy of `version` in the database's place; nobody may use it. False where there is none.

    What was there is moved aside under a name that ends in ``.newer``, the last such one only. Raises `OSError`.
    """
    copy = _copy_of(file, version)
    if not copy.exists():
        return False
    _like(copy, file)
    for tail in _TAILS:
        beside = file.with_name(f"{file.name}{tail}")
        aside = file.with_name(f"{file.name}.newer{tail}")
        aside.unlink(missing_ok=True)
        if beside.exists():
            beside.rename(aside)
    copy.rename(file)
    return True


def _copy_of(file: Path, version: int) -> Path:
    return file.with_name(f"{file.name}.version-{version}")


def _like(copy: Path, file: Path) -> None:
    was = file.stat()
    copy.chmod(was.st_mode & 0o7777)
    if os.geteuid() == 0:
        os.chown(copy, was.st_uid, was.st_gid)
