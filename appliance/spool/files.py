"""Every way in which the spool changes the disk, in steps small enough to fail one by one.

A step is announced before it is taken (`Disk.step`), so a test can stop after any of them; nothing else in the spool
writes. Files are made under a name that no reader looks for and renamed when they are whole: rename is atomic only
inside one file system, so the temporary name always lies in the same spool.
"""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

FILE_MODE = 0o660
FOLDER_MODE = 0o770
"""Station and publisher are two users of one group; the folder's setgid bit and ``UMask=0007`` do the rest."""


class Disk:
    """The elementary steps, in the order in which they reach the disk."""

    def step(self, name: str, path: Path) -> None:
        """Announce the step about to be taken; the real disk has nothing to say."""

    def usage(self, folder: Path) -> tuple[int, int]:
        """Return the bytes free for us and the size in bytes of the disk that holds `folder`."""
        usage = shutil.disk_usage(folder)
        return usage.free, usage.total

    def make_folder(self, folder: Path) -> None:
        """Create one folder; raises `FileExistsError` where there is one."""
        self.step("mkdir", folder)
        folder.mkdir(FOLDER_MODE)

    def write_new(self, file: Path, content: bytes) -> None:
        """Create `file` and make its content durable. Its name is durable after `sync_folder`."""
        self.step("write", file)
        with _opened(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL) as descriptor:
            _write_all(descriptor, content)
            self.step("sync", file)
            os.fsync(descriptor)

    def append(self, file: Path, line: bytes) -> None:
        """Add `line` to the end of `file` with one write and make it durable."""
        self.step("append", file)
        with _opened(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND) as descriptor:
            _write_all(descriptor, line)
            self.step("sync", file)
            os.fsync(descriptor)

    def rename(self, source: Path, target: Path) -> None:
        """Give `source` its new name, replacing a file of that name. Durable after `sync_folder` of the parents."""
        self.step("rename", target)
        source.rename(target)

    def sync_file(self, file: Path) -> None:
        """Make durable what another run wrote to `file` and may not have synced."""
        self.step("sync", file)
        with _opened(file, os.O_RDONLY) as descriptor:
            os.fsync(descriptor)

    def sync_folder(self, folder: Path) -> None:
        """Make the names in `folder` durable."""
        self.step("sync-folder", folder)
        with _opened(folder, os.O_RDONLY | os.O_DIRECTORY) as descriptor:
            os.fsync(descriptor)

    def remove_file(self, file: Path) -> None:
        """Delete a file that may be gone already."""
        self.step("remove", file)
        file.unlink(missing_ok=True)

    def remove_folder(self, folder: Path) -> None:
        """Delete an empty folder."""
        self.step("rmdir", folder)
        folder.rmdir()

    def reserve(self, file: Path, size: int) -> None:
        """Create `file` with `size` bytes that really belong to it."""
        self.step("reserve", file)
        with _opened(file, os.O_WRONLY | os.O_CREAT) as descriptor:
            os.posix_fallocate(descriptor, 0, size)

    def commit(self, connection: sqlite3.Connection, file: Path) -> None:
        """Commit a transaction of the index."""
        self.step("commit", file)
        connection.execute("COMMIT")


@dataclass(frozen=True, slots=True)
class Paths:
    """Where everything of a spool lies."""

    root: Path

    @property
    def database(self) -> Path:
        """The index."""
        return self.root / "station.db"

    @property
    def captures(self) -> Path:
        """Captures that have their name."""
        return self.root / "captures"

    @property
    def unfinished(self) -> Path:
        """Captures that are being written."""
        return self.root / "tmp"

    @property
    def jobs(self) -> Path:
        """Change logs and lists."""
        return self.root / "jobs"

    @property
    def batches(self) -> Path:
        """Batches that the centre has sent."""
        return self.root / "batches"

    @property
    def aside(self) -> Path:
        """What the sweep could not explain."""
        return self.root / "aside"

    @property
    def run(self) -> Path:
        """How each service is at the moment."""
        return self.root / "run"

    @property
    def events(self) -> Path:
        """The event log."""
        return self.root / "log" / "events.jsonl"

    @property
    def ballast(self) -> Path:
        """Bytes to give up so that the index can still commit."""
        return self.root / "ballast"

    @property
    def sequence(self) -> Path:
        """The first sequence number that was certainly never given out."""
        return self.root / "sequence"

    @property
    def owner(self) -> Path:
        """The name of the station whose spool this is."""
        return self.root / "station"

    @property
    def lock(self) -> Path:
        """Held by the one station process."""
        return self.root / "lock"

    def folders(self) -> tuple[Path, ...]:
        """Every folder that must exist, parents first."""
        return (
            self.root,
            self.captures,
            self.unfinished,
            self.jobs,
            self.batches,
            self.aside,
            self.run,
            self.events.parent,
        )

    def capture(self, capture_id: str) -> Path:
        """The folder of a capture."""
        return self.captures / capture_id

    def job(self, job_id: str) -> Path:
        """The folder of a job."""
        return self.jobs / job_id

    def list_file(self, job_id: str, revision: int) -> Path:
        """One revision of a job's list."""
        return self.job(job_id) / f"list-{revision:06d}.json"


def replace_file(disk: Disk, file: Path, content: bytes) -> None:
    """Write `file` whole or not at all. Its name is durable after `sync_folder` of its folder."""
    # A leading dot is no FileName, so a temporary file can never be taken for one of ours.
    temporary = file.with_name(f".{file.name}.tmp")
    disk.remove_file(temporary)
    disk.write_new(temporary, content)
    disk.rename(temporary, file)


def make_folders(disk: Disk, folders: tuple[Path, ...]) -> None:
    """Create those of `folders` that are missing and make their names durable."""
    for folder in folders:
        if not folder.is_dir():
            folder.parent.mkdir(parents=True, exist_ok=True)
            # The other service may be creating the same folder at this moment.
            with _already_there_is_fine():
                disk.make_folder(folder)
            disk.sync_folder(folder.parent)


def remove_tree(disk: Disk, folder: Path) -> None:
    """Delete a folder and all in it; a folder that is gone already is fine."""
    if not folder.is_dir():
        return
    for entry in sorted(folder.iterdir()):
        if entry.is_dir() and not entry.is_symlink():
            remove_tree(disk, entry)
        else:
            disk.remove_file(entry)
    disk.remove_folder(folder)


def read_at(file: Path, offset: int, length: int) -> bytes:
    """Return up to `length` bytes of `file` from `offset`; fewer only where the file ends."""
    with _opened(file, os.O_RDONLY) as descriptor:
        parts = []
        while length > 0 and (part := os.pread(descriptor, length, offset)):
            parts.append(part)
            offset += len(part)
            length -= len(part)
        return b"".join(parts)


@contextmanager
def _opened(path: Path, flags: int) -> Iterator[int]:
    descriptor = os.open(path, flags | os.O_CLOEXEC, FILE_MODE)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def _already_there_is_fine() -> Iterator[None]:
    try:
        yield
    except FileExistsError as error:
        if not Path(error.filename).is_dir():
            raise


def _write_all(descriptor: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]
