"""The spool's errors, each with its code and cure in one place."""

import errno
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from appliance.errors import SpoolError, SpoolFull

T = TypeVar("T")


def full(free_bytes: int, need_bytes: int) -> SpoolFull:
    """Return the error for a disk without room for another capture."""
    return SpoolFull(
        "DISK-01",
        f"The disk has {free_bytes // 2**20} MiB left and {need_bytes // 2**20} MiB must stay free.",
        "Wait until the centre has taken what is waiting, or make room on the disk; what was captured is safe.",
    )


def write_failed(error: OSError | sqlite3.Error) -> SpoolError:
    """Return the error for bytes that could not be made durable; a disk without room becomes `SpoolFull`."""
    if is_disk_full(error):
        return SpoolFull("DISK-01", "The disk is full.", "Make room on the disk; what was captured before is safe.")
    return SpoolError(
        "DISK-02",
        f"The disk did not keep what was written ({error}).",
        "Take the picture again; if this repeats, copy the spool to another disk and replace this one.",
    )


def durably(work: Callable[[], T], relieve: Callable[[], bool]) -> T:
    """Do `work`, once more where the disk is full and `relieve` has made room; its failures become our errors.

    Raises:
        SpoolError: DISK-01 or DISK-02.
    """
    try:
        try:
            return work()
        except OSError as error:
            if not (is_disk_full(error) and relieve()):
                raise
            return work()
    except OSError as error:
        raise write_failed(error) from error


def is_disk_full(error: OSError | sqlite3.Error) -> bool:
    """Tell whether there was no room, as opposed to a disk that fails."""
    if isinstance(error, OSError):
        return error.errno in {errno.ENOSPC, errno.EDQUOT}
    return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL


def is_corrupt(error: sqlite3.Error) -> bool:
    """Tell whether the index itself is at fault, as opposed to the disk or to another process."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)
    return code & 0xFF in {sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT}


def in_use(folder: Path) -> SpoolError:
    """Return the error for a spool that another station process holds."""
    return SpoolError(
        "DISK-03", f"Another process works on the spool {folder}.", "Stop the other station process, then start again."
    )


def other_station(folder: Path, owner: str, station: str) -> SpoolError:
    """Return the error for a spool written under another station's name."""
    return SpoolError(
        "DISK-04",
        f"The spool {folder} belongs to the station '{owner}', not to '{station}'.",
        "Set the station's name back, or choose another folder for the spool.",
    )


def unreadable_index(error: Exception) -> SpoolError:
    """Return the error for an index that only the station process may repair."""
    return SpoolError(
        "DISK-05",
        f"The spool's index cannot be read ({error}).",
        "Start the station service: it rebuilds the index from the folders.",
    )


class FileDamaged(SpoolError):
    """A file of an object is no longer what it was when it was made safe."""

    def __init__(self, file: str) -> None:
        super().__init__(
            "DISK-06",
            f"The file {file} is not what was written.",
            "Capture that page again and have the disk checked; the damaged file is kept.",
        )
        self.file = file


DAMAGES: Final = frozenset({errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EIO, errno.EUCLEAN, errno.EBADMSG})
"""What a disk answers for a file that it no longer has. Everything else (no descriptors, no memory) may pass."""


def read_failed(file: str, error: OSError) -> SpoolError:
    """Return the error for a file that could not be read: damaged, or only not to be had just now."""
    if error.errno in DAMAGES:
        return FileDamaged(file)
    return SpoolError(
        "DISK-11",
        f"The file {file} cannot be read now ({error.strerror}).",
        "Nothing is lost and it is tried again; if this stays, restart the station and have the disk checked.",
    )


def no_access(folder: Path, error: OSError) -> SpoolError:
    """Return the error for a spool folder that cannot be created or written."""
    return SpoolError(
        "DISK-07",
        f"The spool {folder} cannot be used ({error.strerror}).",
        "Create the folder and give the station's user and group the right to write in it.",
    )


def no_spool(folder: Path) -> SpoolError:
    """Return the error for a folder that holds no spool."""
    return SpoolError(
        "DISK-08",
        f"There is no spool in {folder}.",
        "Name the folder that holds 'captures', and the station with --station where it is not known.",
    )
