"""Files of lines that only grow: a line is in the file whole and durable, or it is not in the file."""

from contextlib import suppress
from pathlib import Path

from appliance.spool.files import Disk, replace_file


def append(disk: Disk, file: Path, *lines: bytes) -> None:
    """Add lines to `file`, creating it if need be; durable when this returns.

    Raises:
        OSError: nothing was added, or a torn end was left that `cut_to` must remove before anything is added.
        ValueError: a line holds a line break.
    """
    if any(b"\n" in line for line in lines):
        raise ValueError("A line of a journal holds no line break.")
    is_new = not file.exists()
    disk.append(file, b"".join(line + b"\n" for line in lines))
    if is_new:
        disk.sync_folder(file.parent)


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
    return tuple(content[: whole_size(content)].splitlines())


def whole_size(content: bytes) -> int:
    """Return how many bytes of `content` are whole lines."""
    return content.rfind(b"\n") + 1
