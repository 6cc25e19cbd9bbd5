"""Files of lines that only grow: a line is in the file whole and durable, or it is not in the file."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from appliance.errors import SpoolError
from appliance.spool.faults import durably
from appliance.spool.files import Disk, replace_file


class Journals:
    """Appends to journals, and remembers which of them an error left with more than was acknowledged."""

    def __init__(self, disk: Disk, relieve: Callable[[], bool]) -> None:
        """Prepare.

        Args:
            disk: takes the steps.
            relieve: makes room on a full disk; False where it could not.
        """
        self._disk = disk
        self._relieve = relieve
        self._torn: dict[Path, int] = {}

    def append(self, file: Path, *lines: bytes) -> int:
        """Add lines to `file`, creating it if need be, and return its size before; durable when this returns.

        Raises:
            SpoolError: DISK-01 or DISK-02; the file is as it was.
            ValueError: a line holds a line break.
        """
        if any(b"\n" in line for line in lines):
            raise ValueError("A line of a journal holds no line break.")
        durably(lambda: self._cut_torn(file), self._relieve)
        size = file.stat().st_size if file.exists() else 0
        try:
            durably(lambda: self._append(file, size, lines), self._relieve)
        except SpoolError:
            self.take_back(file, size)
            raise
        return size

    def take_back(self, file: Path, size: int) -> None:
        """Remove what follows the first `size` bytes: now or, where even that fails, before the next line."""
        self._torn[file] = size
        with suppress(OSError):
            self._cut_torn(file)

    def _append(self, file: Path, size: int, lines: tuple[bytes, ...]) -> None:
        self._cut_torn(file)
        self._torn[file] = size
        self._disk.append(file, b"".join(line + b"\n" for line in lines))
        if size == 0:
            self._disk.sync_folder(file.parent)
        del self._torn[file]

    def _cut_torn(self, file: Path) -> None:
        if file in self._torn:
            cut_to(self._disk, file, self._torn[file])
            del self._torn[file]


def cut_to(disk: Disk, file: Path, size: int) -> None:
    """Keep only the first `size` bytes of `file`.

    The file is written anew: after a failed fsync nobody knows what the old one holds.
    """
    if size == 0:
        disk.remove_file(file)
    else:
        replace_file(disk, file, file.read_bytes()[:size])
    disk.sync_folder(file.parent)


def read(file: Path) -> tuple[bytes, ...]:
    """Return the whole lines of `file`, without line breaks; none where there is no file."""
    content = b""
    with suppress(FileNotFoundError):
        content = file.read_bytes()
    return tuple(content.split(b"\n")[:-1])


def whole_size(content: bytes) -> int:
    """Return how many bytes of `content` are whole lines."""
    return content.rfind(b"\n") + 1
