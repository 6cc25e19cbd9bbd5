"""The steps that make bytes durable: each is one system call or two, in the order that survives a power cut."""

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

from central.errors import StoreError, StoreFull


@contextlib.contextmanager
def storing(what: str) -> Iterator[None]:
    """Turn what the disk does to us into coded errors; `what` names the thing being stored.

    Raises:
        StoreFull: STORE-02, no room left.
        StoreError: STORE-03, anything else. What was being written must be thrown away: after a failed fsync the
            kernel may have dropped the pages, and a second fsync would lie.
    """
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StoreFull(
                "STORE-02", f"The disk is full while storing {what}.", "Free or add disk space; stations keep waiting."
            ) from error
        raise StoreError(
            "STORE-03",
            f"{what} could not be stored ({error}).",
            "Check the disk; the station tries again.",
        ) from error


def write_durable(path: Path, content: bytes) -> None:
    """Write a new file and return when it is on the disk; its folder still has to be synced."""
    with path.open("xb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def sync_file(path: Path) -> None:
    """Return when what another process wrote to `path` is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Return when the names in `folder` are on the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def rename_new(source: Path, target: Path) -> bool:
    """Give a folder its final name, durably; False where another one has that name already (durably or not yet).

    Raises:
        OSError: it does not have the name, or has it and nobody knows for how long.
    """
    try:
        source.rename(target)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
            return False
        raise
    try:
        sync_folder(target.parent)
    except OSError:
        # A name whose flush failed must not be found by the next offer and be taken for a proof.
        with contextlib.suppress(OSError):
            target.rename(source)
        raise
    return True


def read_blocks(path: Path, block_bytes: int = 1 << 20) -> Iterator[bytes]:
    """Yield a file block by block."""
    with path.open("rb") as stream:
        while block := stream.read(block_bytes):
            yield block
