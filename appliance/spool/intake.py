"""How a capture and its pages reach the disk: the order of the steps is the promise."""

from collections.abc import Mapping
from contextlib import suppress

from appliance.errors import SpoolError
from appliance.spool import evidence, faults, queries
from appliance.spool.files import Disk, Paths, remove_tree, replace_file
from appliance.spool.schema import Index
from wire.codec import encode_pretty
from wire.digest import sha256_of
from wire.documents import CAPTURE_FILE, PAGES_FILE, CaptureDocument, PagesDocument
from wire.messages import FileEntry


def entry_of(name: str, content: bytes) -> FileEntry:
    """Return the entry of a file whose content is in memory."""
    return FileEntry(name, len(content), sha256_of(content))


def write_capture(disk: Disk, paths: Paths, index: Index, facts: CaptureDocument, frames: Mapping[str, bytes]) -> None:
    """Make a capture durable, then known. On failure nothing of it is left.

    Raises:
        SpoolError: DISK-01 or DISK-02.
        ValueError: `frames` are not those that `facts` names.
    """
    entries = tuple(FileEntry(frame.file, frame.size, frame.sha256) for frame in facts.frames)
    _must_match(entries, frames)
    content = encode_pretty(facts)
    try:
        _to_folder(disk, paths, facts.capture_id, {**frames, CAPTURE_FILE: content})
        index.write(lambda db: queries.add_capture(db, facts, (*entries, entry_of(CAPTURE_FILE, content))))
    except OSError as error:
        _withdraw(disk, paths, facts.capture_id)
        raise faults.write_failed(error) from error
    except SpoolError:
        _withdraw(disk, paths, facts.capture_id)
        raise


def write_pages(disk: Disk, paths: Paths, index: Index, pages: PagesDocument, files: Mapping[str, bytes]) -> None:
    """Make a capture's pages durable, then known. ``pages.json`` comes last: with it, all of them are there.

    Raises:
        SpoolError: DISK-01 or DISK-02.
        ValueError: `files` are not those that `pages` names.
    """
    entries = evidence.page_files(pages)
    _must_match(entries, files)
    folder = paths.capture(pages.capture_id)
    content = encode_pretty(pages)
    try:
        for name, page in files.items():
            replace_file(disk, folder / name, page)
        # One sync for all names: should only this last one survive a cut, the sweep has the frame judged anew.
        replace_file(disk, folder / PAGES_FILE, content)
        disk.sync_folder(folder)
    except OSError as error:
        raise faults.write_failed(error) from error
    index.write(lambda db: queries.add_pages(db, pages.capture_id, (*entries, entry_of(PAGES_FILE, content))))


def _to_folder(disk: Disk, paths: Paths, capture_id: str, files: Mapping[str, bytes]) -> None:
    unfinished = paths.unfinished / capture_id
    remove_tree(disk, unfinished)
    disk.make_folder(unfinished)
    for name, content in files.items():
        disk.write_new(unfinished / name, content)
    disk.sync_folder(unfinished)
    disk.rename(unfinished, paths.capture(capture_id))
    disk.sync_folder(paths.captures)


def _withdraw(disk: Disk, paths: Paths, capture_id: str) -> None:
    """Take back a capture that was not acknowledged. Where even that fails, the next sweep decides."""
    with suppress(OSError):
        unfinished, named = paths.unfinished / capture_id, paths.capture(capture_id)
        if named.is_dir():
            disk.rename(named, unfinished)
            disk.sync_folder(paths.captures)
        remove_tree(disk, unfinished)


def _must_match(entries: tuple[FileEntry, ...], contents: Mapping[str, bytes]) -> None:
    if {entry.name: entry.size for entry in entries} != {name: len(content) for name, content in contents.items()}:
        raise ValueError("The files are not those that the document names.")
