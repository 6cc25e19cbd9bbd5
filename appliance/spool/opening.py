"""Opening a spool: folders, owner, lock, ballast and an index that can be trusted."""

import fcntl
import os
import sqlite3
from collections.abc import Callable
from contextlib import ExitStack, suppress

from appliance.spool import faults
from appliance.spool.files import FILE_MODE, Disk, Paths, make_folders, replace_file
from appliance.spool.schema import Index
from appliance.spool.sweep import move_aside


def prepare(paths: Paths, disk: Disk) -> None:
    """Create the folders that are missing; raises `SpoolError` DISK-07 where that is not allowed."""
    try:
        make_folders(disk, paths.folders())
        if not os.access(paths.root, os.W_OK | os.X_OK):
            raise PermissionError(13, "Permission denied")
    except OSError as error:
        raise faults.no_access(paths.root, error) from error


def claim(paths: Paths, disk: Disk, station: str) -> int:
    """Take the spool for one station process and return the descriptor that holds the lock.

    Raises:
        SpoolError: DISK-03 where another process has it, DISK-04 where it belongs to another station, DISK-07 where the
            disk has just become read-only.
    """
    with ExitStack() as undo:
        try:
            lock = os.open(paths.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
            undo.callback(os.close, lock)
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _own(paths, disk, station)
        except BlockingIOError as error:
            raise faults.in_use(paths.root) from error
        except OSError as error:
            raise faults.no_access(paths.root, error) from error
        undo.pop_all()
        return lock


def _own(paths: Paths, disk: Disk, station: str) -> None:
    owner = owner_of(paths)
    if owner is None:
        replace_file(disk, paths.owner, f"{station}\n".encode())
        disk.sync_folder(paths.root)
    elif owner != station:
        raise faults.other_station(paths.root, owner, station)


def owner_of(paths: Paths) -> str | None:
    """Return the station whose spool this is; None where it has none yet."""
    with suppress(FileNotFoundError):
        return paths.owner.read_text(encoding="utf-8").strip() or None
    return None


def open_index(paths: Paths, disk: Disk, relieve: Callable[[], bool]) -> tuple[Index, bool]:
    """Open the index, moving aside one that cannot be trusted; tells whether that was so.

    Raises:
        SpoolError: the disk itself fails.
    """
    try:
        try:
            return _checked(paths, disk, relieve), False
        except sqlite3.Error as error:
            if not faults.is_corrupt(error):
                raise
            _set_index_aside(paths, disk, str(error))
            return _checked(paths, disk, relieve), True
    except (OSError, sqlite3.Error) as error:
        raise faults.write_failed(error) from error


def release_ballast(paths: Paths) -> bool:
    """Give up the ballast; False where it was given up before."""
    try:
        paths.ballast.unlink()
    except OSError:
        return False
    return True


def _checked(paths: Paths, disk: Disk, relieve: Callable[[], bool]) -> Index:
    index = Index(paths.database, disk, relieve)
    try:
        index.check()
    except BaseException:
        index.close()
        raise
    return index


def _set_index_aside(paths: Paths, disk: Disk, reason: str) -> None:
    # The log and the shared memory belong to the file they were written beside: they go with it.
    database = paths.database
    for file in (database, *(database.with_name(f"{database.name}{tail}") for tail in ("-wal", "-shm"))):
        if file.exists():
            move_aside(disk, paths, file, f"the index could not be read: {reason}")
