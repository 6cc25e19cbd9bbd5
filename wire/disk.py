"""A disk that is carried by hand, as both sides see it: where things lie on it, and folders that follow no link.

It is the wire where there is no line, so both sides share it, and what it holds is anybody's until a digest or a seal
(`wire.seal`) has proved it. Every name is opened relative to a folder that is open already and never through a link;
only the folder that a person named may be one.
"""

import errno
import fcntl
import os
import shutil
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from wire.errors import CodedError, ExitCode
from wire.ids import is_name
from wire.messages import FileEntry, ObjectRef

ROOT: Final = "lattrang"
OFFER_FILE: Final = "_offer.json"
ANSWER_FILE: Final = "_answer.json"
"""The underscore keeps both apart from an object's own files: no `FileName` begins with one."""
BLOCK_BYTES: Final = 1 << 20
OVERHEAD_BYTES: Final = 64 * 1024
"""An object's folder, its offer and the answer that must still find room on the way back."""
_KINDS: Final = {"capture": "captures", "job_list": "lists"}
_READ: Final = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW
_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
_NOT_OURS: Final = {errno.ELOOP, errno.ENOTDIR, errno.EISDIR, errno.ENXIO, errno.ENOTEMPTY}
_NOT_ALLOWED: Final = {errno.EACCES, errno.EPERM, errno.EROFS}
_NO_ROOM: Final = {errno.ENOSPC, errno.EDQUOT}


class CarryError(CodedError):
    """Something about a disk that is carried."""

    exit_code = ExitCode.STORAGE


class NotOurs(CarryError):
    """What lies there is not what either side would have put there. It is left alone."""

    exit_code = ExitCode.REFUSED

    def __init__(self, what: str, why: str) -> None:
        super().__init__(
            "CARRY-04", f"{what} was passed over: {why}.", "Nothing was changed; see who else uses this disk."
        )


class Unreadable(CarryError):
    """The disk failed, or is gone."""

    def __init__(self, path: Path, error: OSError) -> None:
        super().__init__(
            "CARRY-03",
            f"The disk failed at {shown(path)} ({error.strerror}).",
            "Put it back or take another and run the command again; what was copied whole counts.",
        )


class Folder:
    """An open folder on the disk. Its methods raise `CarryError`, and `FileNotFoundError` where a name is absent."""

    def __init__(self, descriptor: int, path: Path) -> None:
        """Use `Folder.open`."""
        self._descriptor = descriptor
        self.path = path

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open the folder that a person named; raises `CarryError` CARRY-01 where it cannot be used."""
        try:
            with _faults(path):
                return cls(os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC), path)
        except (FileNotFoundError, NotOurs) as error:
            raise _unusable(path, "it is not a folder") from error

    def close(self) -> None:
        """Let go of it; twice is fine."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def child(self, name: str) -> "Folder":
        """Return a folder in this one."""
        with _faults(self.path / name):
            return Folder(os.open(name, _READ | os.O_DIRECTORY, dir_fd=self._descriptor), self.path / name)

    def make(self, name: str) -> "Folder":
        """Return a folder in this one, created and made durable where it was missing."""
        with suppress(FileNotFoundError):
            return self.child(name)
        with _faults(self.path / name):
            os.mkdir(name, dir_fd=self._descriptor)
        self.sync()
        return self.child(name)

    def names(self) -> tuple[str, ...]:
        """Return what is in this folder, sorted; hidden names (a system's own litter) are left out."""
        with _faults(self.path):
            found = os.listdir(self._descriptor)  # noqa: PTH208 - a path could be exchanged meanwhile, this cannot
        return tuple(sorted(name for name in found if not name.startswith(".")))

    def size(self, name: str) -> int:
        """Return the size of a file in bytes."""
        with _faults(self.path / name):
            found = os.stat(name, dir_fd=self._descriptor, follow_symlinks=False)
        if not stat.S_ISREG(found.st_mode):
            raise NotOurs(shown(self.path / name), "it is not a plain file")
        return found.st_size

    def blocks(self, name: str) -> Iterator[bytes]:
        """Yield a file block by block."""
        # Asked before it is opened: opening a device may already do something.
        self.size(name)
        with _faults(self.path / name), _opened(name, _READ | os.O_NONBLOCK, self._descriptor) as descriptor:
            while block := os.read(descriptor, BLOCK_BYTES):
                yield block

    def read(self, name: str, limit_bytes: int) -> bytes:
        """Return the content of a small file; a larger one is not ours."""
        if self.size(name) > limit_bytes:
            raise NotOurs(shown(self.path / name), f"it is over {limit_bytes} bytes")
        return b"".join(self.blocks(name))

    def write_new(self, name: str, blocks: Iterable[bytes]) -> None:
        """Create a file and make its content durable; its name is durable after `sync`."""
        with _faults(self.path / name), _opened(name, _NEW, self._descriptor) as descriptor:
            for block in blocks:
                view = memoryview(block)
                while view:
                    view = view[os.write(descriptor, view) :]
            os.fsync(descriptor)

    def replace(self, name: str, content: bytes) -> None:
        """Write a file whole or not at all; durable when this returns."""
        temporary = f".{name}.tmp"
        self.remove(temporary)
        self.write_new(temporary, (content,))
        with _faults(self.path / name):
            os.rename(temporary, name, src_dir_fd=self._descriptor, dst_dir_fd=self._descriptor)
        self.sync()

    def remove(self, name: str) -> None:
        """Delete a file, a link, or a folder with all in it; one that is gone already is fine."""
        with _faults(self.path / name), suppress(FileNotFoundError):
            found = os.stat(name, dir_fd=self._descriptor, follow_symlinks=False)
            if stat.S_ISDIR(found.st_mode):
                shutil.rmtree(name, dir_fd=self._descriptor)
            else:
                os.unlink(name, dir_fd=self._descriptor)

    def sync(self) -> None:
        """Return when the names in this folder are on the disk."""
        with _faults(self.path):
            os.fsync(self._descriptor)

    def lock(self) -> None:
        """Keep other processes of ours from this folder until it is closed; raises `CarryError` CARRY-09."""
        try:
            with _faults(self.path):
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise CarryError(
                "CARRY-09", f"Another command works on {self.path}.", "Wait until it has ended, then start again."
            ) from error

    def require_writable(self) -> None:
        """Raise `CarryError` CARRY-01 where nothing may be written here."""
        if not os.access(".", os.W_OK | os.X_OK, dir_fd=self._descriptor, effective_ids=True):
            raise _unusable(self.path, "it may not be written")

    def room(self) -> tuple[int, int]:
        """Return the bytes free for us on this disk, and the size of the blocks in which it gives them out."""
        with _faults(self.path):
            found = os.fstatvfs(self._descriptor)
        return found.f_bavail * found.f_frsize, found.f_frsize


def stations(root: Folder) -> tuple[str, ...]:
    """Return the stations that have a folder under `ROOT`."""
    return tuple(name for name in root.names() if is_name(name))


def objects(station: Folder, kind: str) -> tuple[tuple[ObjectRef, ...], tuple[NotOurs, ...]]:
    """Return a station's objects of one kind, and what lies among them and cannot be one."""
    found: list[ObjectRef] = []
    strange: list[NotOurs] = []
    with suppress(FileNotFoundError), station.child(_KINDS[kind]) as folder:
        for name in folder.names():
            try:
                refs, others = _objects_named(folder, kind, name)
            except NotOurs as fault:
                refs, others = [], [fault]
            found += refs
            strange += others
    return tuple(found), tuple(strange)


@contextmanager
def opened_object(station: Folder, ref: ObjectRef, *, create: bool = False) -> Iterator[Folder]:
    """Open the folder of an object."""
    with ExitStack() as stack:
        folder = station
        for name in place(ref):
            folder = stack.enter_context(folder.make(name) if create else folder.child(name))
        yield folder


def place(ref: ObjectRef) -> tuple[str, ...]:
    """Return the folders, from the station's down, that lead to an object."""
    return (_KINDS[ref.kind], ref.id) if ref.kind == "capture" else (_KINDS[ref.kind], ref.id, str(ref.revision))


def remove_object(station: Folder, ref: ObjectRef) -> None:
    """Take an object off the disk. Its offer goes first: what is left by an interruption is then plainly unfinished."""
    *parents, name = place(ref)
    with suppress(FileNotFoundError), ExitStack() as stack:
        folder = station
        for parent in parents:
            folder = stack.enter_context(folder.child(parent))
        with folder.child(name) as inner:
            inner.remove(OFFER_FILE)
            inner.sync()
        folder.remove(name)
        folder.sync()


def fitting(objects_files: Sequence[tuple[FileEntry, ...]], free_bytes: int, block_bytes: int) -> int:
    """Return how many of the objects, taken in their order, the disk has room for."""
    for number, files in enumerate(objects_files):
        blocks = sum(-(-entry.size // block_bytes) for entry in files)
        free_bytes -= blocks * block_bytes + max(OVERHEAD_BYTES, 4 * block_bytes)
        if free_bytes < 0:
            return number
    return len(objects_files)


def shown(path: Path) -> str:
    """Return a path that came from the disk so that a terminal may show it."""
    return ascii(str(path))[1:-1][-200:]


def _objects_named(folder: Folder, kind: str, name: str) -> tuple[list[ObjectRef], list[NotOurs]]:
    if not is_name(name):
        raise NotOurs(shown(folder.path / name), "its name is not one of ours")
    if kind == "capture":
        return [ObjectRef("capture", name)], []
    with folder.child(name) as revisions:
        numbers = revisions.names()
    refs = [ObjectRef("job_list", name, int(number)) for number in numbers if _is_revision(number)]
    strange = [number for number in numbers if not _is_revision(number)]
    return sorted(refs), [NotOurs(shown(folder.path / name / one), "it is not a revision's number") for one in strange]


def _is_revision(number: str) -> bool:
    # As we write it and no other way: a second spelling would be a second place for the same list.
    return number.isascii() and number.isdigit() and len(number) < 16 and str(int(number)) == number


@contextmanager
def _opened(name: str, flags: int, folder: int) -> Iterator[int]:
    descriptor = os.open(name, flags, 0o666, dir_fd=folder)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def _faults(path: Path) -> Iterator[None]:
    """Turn what the disk does to us into our errors; what is absent or locked stays for the caller to see."""
    try:
        yield
    except (FileNotFoundError, BlockingIOError):
        raise
    except OSError as error:
        if error.errno in _NOT_OURS:
            raise NotOurs(shown(path), "it is a link, or a file where a folder belongs, or the reverse") from error
        if error.errno in _NOT_ALLOWED:
            raise _unusable(path, error.strerror or "not allowed") from error
        if error.errno in _NO_ROOM:
            raise full() from error
        raise Unreadable(path, error) from error


def full() -> CarryError:
    """Return the error for a disk without room for more."""
    return CarryError(
        "CARRY-02",
        "The disk is full.",
        "What is on it is whole and may travel; the rest waits for the next trip or a larger disk.",
    )


def _unusable(path: Path, why: str) -> CarryError:
    return CarryError(
        "CARRY-01",
        f"{shown(path)} cannot be used ({why}).",
        "Mount the disk so that this user may write on it, and name its folder.",
    )
