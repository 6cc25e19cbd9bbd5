"""Where objects become durable: chunks are written to ``incoming/``, proved, and renamed into the store.

A folder has its final name only when every file in it was hashed against the offer and synced, ``receipt.json``
among them. So a name in ``staging/`` or ``lists/`` is itself the proof, and the database only an index.
"""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from central import files
from central.errors import StoreError
from wire import codec
from wire.errors import ProtocolError
from wire.messages import FileEntry, ObjectRef, Receipt

RECEIPT_FILE: Final = "receipt.json"
_READ_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class StoreLayout:
    """The folders of the store."""

    root: Path

    @property
    def incoming(self) -> Path:
        """Chunks of open grants, one folder each, named by worker and grant."""
        return self.root / "incoming"

    @property
    def staging(self) -> Path:
        """Captures."""
        return self.root / "staging"

    @property
    def lists(self) -> Path:
        """Job lists, one folder for each job, in it one for each revision."""
        return self.root / "lists"

    @property
    def quarantine(self) -> Path:
        """Records of what was refused."""
        return self.root / "quarantine"

    @property
    def thumbnails(self) -> Path:
        """Derivatives that can be made again."""
        return self.root / "thumbnails"

    def create(self) -> None:
        """Make the folders; raises `StoreError` STORE-01 where that is not allowed."""
        try:
            for folder in (self.incoming, self.staging, self.lists, self.quarantine, self.thumbnails):
                folder.mkdir(parents=True, exist_ok=True)
            files.sync_folder(self.root)
        except OSError as error:
            raise StoreError(
                "STORE-01", f"The store {self.root} cannot be written ({error}).", "Give its owner the right to write."
            ) from error

    def object_folder(self, ref: ObjectRef) -> Path:
        """Return where an object has its final place."""
        return self.staging / ref.id if ref.kind == "capture" else self.lists / ref.id / str(ref.revision)

    def thumbnail_file(self, capture_id: str, side: str) -> Path:
        """Return where the thumbnail of a page is, or will be."""
        return self.thumbnails / capture_id / f"{side}.jpg"

    def free_bytes(self) -> int:
        """Return the room left for us on the store's disk."""
        return shutil.disk_usage(self.root).free

    def objects(self) -> Iterator[Path]:
        """Yield every stored object's folder, captures first."""
        yield from sorted(one for one in self.staging.iterdir() if one.is_dir())
        yield from sorted((one for one in self.lists.glob("*/*") if one.is_dir()), key=_by_revision)


def read_receipt(folder: Path) -> Receipt | None:
    """Return the receipt kept with a stored object, or None where there is none that can be read."""
    try:
        reply = codec.decode_reply((folder / RECEIPT_FILE).read_bytes())
    except (OSError, ProtocolError):
        return None
    return reply if isinstance(reply, Receipt) else None


class Incoming:
    """The files of one grant while they come in."""

    def __init__(self, folder: Path, entries: tuple[FileEntry, ...]) -> None:
        self.folder = folder
        self._writers = {entry.name: _Writer(folder / entry.name) for entry in entries}

    def write(self, name: str, offset: int, content: bytes) -> None:
        """Put bytes in their place; raises `StoreError` as `files.storing` says."""
        with files.storing(f"{name} of {self.folder.name}"):
            self._writers[name].write(offset, content)

    def prove(self, entry: FileEntry) -> bool:
        """Tell whether a file that has all its bytes has the digest that was offered; if so it is synced too."""
        with files.storing(f"{entry.name} of {self.folder.name}"):
            return self._writers[entry.name].finish(entry.size) == entry.sha256

    def restart(self, name: str) -> None:
        """Begin one file anew, from nothing."""
        with files.storing(f"{name} of {self.folder.name}"):
            self._writers[name].close()
            (self.folder / name).unlink(missing_ok=True)
            self._writers[name] = _Writer(self.folder / name)

    def rest(self) -> None:
        """Hold no file open while nothing comes; the next byte opens it again."""
        for writer in self._writers.values():
            writer.close()

    def read(self, name: str) -> bytes:
        """Return a whole file that was proved: for documents, never for pictures. Raises `StoreError`."""
        with files.storing(f"{name} of {self.folder.name}"):
            return (self.folder / name).read_bytes()

    def discard(self) -> None:
        """Remove everything that came; harmless when repeated."""
        for writer in self._writers.values():
            writer.close()
        shutil.rmtree(self.folder, ignore_errors=True)


class Staging:
    """One worker's hand on the store. Its name is locked: no second process may use it at the same time."""

    def __init__(self, layout: StoreLayout, worker: str) -> None:
        """Take the name `worker` and remove what an earlier life of it left unfinished.

        Raises:
            StoreError: STORE-01 where the store cannot be written, STORE-04 where the name is taken.
        """
        layout.create()
        self.layout = layout
        self._worker = worker
        self._lock = (layout.incoming / f"{worker}.lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._lock.close()
            raise StoreError(
                "STORE-04", f"Another worker named {worker} uses this store.", "Give every worker a name of its own."
            ) from error
        for stale in layout.incoming.glob(f"{worker}.*"):
            if stale.is_dir():
                shutil.rmtree(stale, ignore_errors=True)

    def close(self) -> None:
        """Give the name back."""
        self._lock.close()

    def open(self, grant_id: str, entries: tuple[FileEntry, ...], inline: dict[str, str]) -> Incoming:
        """Return a place for an object's files, the inline ones already in it; raises `StoreError`."""
        folder = self.layout.incoming / f"{self._worker}.{grant_id}"
        with files.storing(grant_id):
            folder.mkdir()
        incoming = Incoming(folder, entries)
        try:
            for name, text in inline.items():
                incoming.write(name, 0, text.encode())
        except StoreError:
            incoming.discard()
            raise
        return incoming

    def keep(self, incoming: Incoming, receipt: Receipt) -> Receipt:
        """Give proved files their final place and return the receipt that now holds for the object.

        Where another worker was faster, that is its receipt, and ours is thrown away: the caller compares digests.

        Raises:
            StoreError: nothing has its final name; the object must come again.
        """
        target = self.layout.object_folder(receipt.object)
        with files.storing(receipt.object.id):
            files.write_durable(incoming.folder / RECEIPT_FILE, codec.encode(receipt))
            files.sync_folder(incoming.folder)
            if receipt.object.kind != "capture":
                # Synced even where it is there: whoever made it may have died, or not have come to it yet.
                target.parent.mkdir(exist_ok=True)
                files.sync_folder(target.parent.parent)
            if files.rename_new(incoming.folder, target):
                return receipt
            files.sync_folder(target.parent)
        incoming.discard()
        existing = read_receipt(target)
        if existing is None:
            raise StoreError(
                "STORE-05", f"{target} is there but has no readable receipt.", "Run: lattrang central audit"
            )
        return existing


class _Writer:
    """One file: bytes in any order, hashed on the way where they come in order."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._digest = hashlib.sha256()
        self._hashed_to = 0
        self._stream: int | None = None

    def write(self, offset: int, content: bytes) -> None:
        view = memoryview(content)
        position = offset
        while view:
            written = os.pwrite(self._open(), view, position)
            view, position = view[written:], position + written
        if offset == self._hashed_to:
            self._digest.update(content)
            self._hashed_to += len(content)

    def finish(self, size: int) -> str:
        descriptor = self._open()
        while self._hashed_to < size:
            block = os.pread(descriptor, min(_READ_BYTES, size - self._hashed_to), self._hashed_to)
            if not block:
                break
            self._digest.update(block)
            self._hashed_to += len(block)
        os.fsync(descriptor)
        self.close()
        return self._digest.hexdigest()

    def close(self) -> None:
        if self._stream is not None:
            os.close(self._stream)
            self._stream = None

    def _open(self) -> int:
        if self._stream is None:
            self._stream = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o640)
        return self._stream


def _by_revision(folder: Path) -> tuple[str, int]:
    return folder.parent.name, int(folder.name) if folder.name.isdigit() else 0


def same_files(one: tuple[FileEntry, ...], other: tuple[FileEntry, ...]) -> bool:
    """Tell whether two objects consist of the same files, in whatever order they are named."""
    return {msgspec.structs.astuple(entry) for entry in one} == {msgspec.structs.astuple(entry) for entry in other}
