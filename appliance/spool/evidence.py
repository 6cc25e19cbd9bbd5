"""What a folder of the spool really holds, judged from its files alone."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from appliance.spool.files import read_at
from wire.codec import decode_capture, decode_pages
from wire.digest import sha256_of, sha256_of_stream
from wire.documents import CAPTURE_FILE, PAGES_FILE, CaptureDocument, PagesDocument
from wire.errors import ProtocolError
from wire.messages import FileEntry

BLOCK_BYTES = 2**20


@dataclass(frozen=True, slots=True)
class Found:
    """A capture's folder: its facts, the files they account for, and the first that is not what they say."""

    facts: CaptureDocument
    files: tuple[FileEntry, ...]
    damaged_file: str | None


class Unexplained(Exception):
    """A folder or file does not explain itself; the text says why."""


def read_facts(folder: Path) -> Found:
    """Return what a capture's folder holds, every frame's digest checked.

    Raises:
        Unexplained: there are no facts, or they are of something else.
    """
    try:
        content = (folder / CAPTURE_FILE).read_bytes()
        facts = decode_capture(content)
    except (OSError, ProtocolError) as error:
        raise Unexplained(f"{CAPTURE_FILE} cannot be read: {error}") from error
    if facts.capture_id != folder.name:
        raise Unexplained(f"{CAPTURE_FILE} is of the capture {facts.capture_id}")
    frames = tuple(FileEntry(frame.file, frame.size, frame.sha256) for frame in facts.frames)
    own = FileEntry(CAPTURE_FILE, len(content), sha256_of(content))
    return Found(facts, (*frames, own), first_damaged(folder, frames))


def read_pages(folder: Path, capture_id: str) -> tuple[PagesDocument, tuple[FileEntry, ...]] | None:
    """Return a capture's pages and their files, every digest checked; None where it has not been processed.

    Raises:
        Unexplained: ``pages.json`` is there but is not what it should be.
    """
    try:
        content = (folder / PAGES_FILE).read_bytes()
        pages = decode_pages(content)
    except FileNotFoundError:
        return None
    except (OSError, ProtocolError) as error:
        raise Unexplained(f"{PAGES_FILE} cannot be read: {error}") from error
    files = page_files(pages)
    if pages.capture_id != capture_id:
        raise Unexplained(f"{PAGES_FILE} is of the capture {pages.capture_id}")
    if damaged := first_damaged(folder, files):
        raise Unexplained(f"{PAGES_FILE} names {damaged}, which is not what was written")
    return pages, (*files, FileEntry(PAGES_FILE, len(content), sha256_of(content)))


def page_files(pages: PagesDocument) -> tuple[FileEntry, ...]:
    """Return the files that a ``pages.json`` names."""
    return tuple(FileEntry(page.file, page.size, page.sha256) for page in pages.pages)


def first_damaged(folder: Path, files: tuple[FileEntry, ...]) -> str | None:
    """Return the name of the first file whose size or digest is not as listed; None where all are."""
    for entry in files:
        if not has_size(folder / entry.name, entry.size) or digest_of(folder / entry.name) != entry.sha256:
            return entry.name
    return None


def first_resized(folder: Path, files: tuple[FileEntry, ...]) -> str | None:
    """Return the name of the first file whose size is not as listed; None where all are."""
    return next((entry.name for entry in files if not has_size(folder / entry.name, entry.size)), None)


def has_size(file: Path, size: int) -> bool:
    """Tell whether `file` is there and has this many bytes."""
    with suppress(OSError):
        return file.is_file() and file.stat().st_size == size
    return False


def digest_of(file: Path) -> str | None:
    """Return the SHA-256 of a file; None where it cannot be read to its end."""
    with suppress(OSError):
        size = file.stat().st_size
        return sha256_of_stream(read_at(file, offset, BLOCK_BYTES) for offset in range(0, size, BLOCK_BYTES))
    return None
