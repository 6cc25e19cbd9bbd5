"""Small disks of our own: ext4 in a file, so that it can run full, fail, and lose what was not flushed."""

import fcntl
import os
import sqlite3
import struct
import subprocess
import tempfile
import threading
from contextlib import closing
from pathlib import Path
from typing import Final

_GOING_DOWN: Final = 0x8004587D
"""ext4's own way to play a power cut: from this moment nothing more reaches the disk."""
_WITHOUT_FLUSHING: Final = struct.pack("I", 2)
FILLER: Final = ".filler"


class Disk:
    """An ext4 file system mounted on a folder."""

    def __init__(self, folder: Path, image: Path, size_mib: int) -> None:
        """Make the image and mount it; raises `OSError` where this user may not."""
        self.folder = folder
        self._image = image
        folder.mkdir(parents=True, exist_ok=True)
        with image.open("wb") as stream:
            stream.truncate(size_mib * 2**20)
        _run("mkfs.ext4", "-q", "-F", "-m", "0", str(image))
        self.mount()
        (folder / "lost+found").rmdir()

    def mount(self) -> None:
        """Mount it."""
        _run("mount", "-o", "loop,errors=remount-ro", str(self._image), str(self.folder))

    def cycle(self) -> None:
        """Switch off and on: whatever happened, the disk is checked and can be written again.

        No process may hold a file of it.
        """
        self._let_go()
        # As at every boot; exit code 1 means that it mended something.
        _run("e2fsck", "-p", str(self._image), fine=(0, 1))
        self.mount()

    def unmount(self) -> None:
        """Let go of it; its content stays in the image."""
        _run("umount", "-l", str(self.folder))

    def _let_go(self) -> None:
        for pause_s in (0.1, 0.2, 0.4, 0.8, 1.6):
            try:
                _run("umount", str(self.folder))
            except OSError:
                # Whoever reads along may have a file open at this moment.
                threading.Event().wait(pause_s)
            else:
                return
        _run("umount", str(self.folder))

    def fill(self) -> None:
        """Leave no byte free."""
        with (self.folder / FILLER).open("ab") as stream:
            for share in (2**28, 2**24, 2**20, 2**16, 2**12):
                _reserve(stream.fileno(), share)

    def empty(self) -> None:
        """Give the room back."""
        (self.folder / FILLER).unlink(missing_ok=True)

    def fail(self) -> None:
        """Meet an error: the kernel makes it read-only under whoever writes."""
        device = Path(_run("findmnt", "-n", "-o", "SOURCE", str(self.folder)).strip()).name
        (Path("/sys/fs/ext4") / device / "trigger_fs_error").write_text("1")

    def lose_power(self) -> None:
        """From this moment nothing reaches the disk, and what was not flushed is gone."""
        descriptor = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.ioctl(descriptor, _GOING_DOWN, _WITHOUT_FLUSHING)
        finally:
            os.close(descriptor)


def can_mount() -> bool:
    """Tell whether this user may mount such disks here."""
    with tempfile.TemporaryDirectory() as made:
        try:
            disk = Disk(Path(made) / "disk", Path(made) / "image", 8)
        except OSError:
            return False
        try:
            disk.lose_power()
        except OSError:
            return False
        finally:
            disk.unmount()
    return True


def hold(database: Path, seconds: float, stop: threading.Event) -> None:
    """Hold the write lock of an SQLite file, as another process would."""
    with closing(sqlite3.connect(database, isolation_level=None, timeout=10)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        stop.wait(seconds)
        connection.execute("ROLLBACK")


def _reserve(descriptor: int, share_bytes: int) -> None:
    while True:
        try:
            os.posix_fallocate(descriptor, os.fstat(descriptor).st_size, share_bytes)
        except OSError:
            return


def _run(*command: str, fine: tuple[int, ...] = (0,)) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    if done.returncode not in fine:
        raise OSError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout
