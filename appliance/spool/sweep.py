"""The start-up sweep: make the index agree with the folders. It adopts, completes and moves aside; it deletes nothing.

The one exception was decided before: a capture already recorded as released, whose files a power cut left behind.
"""

import json
import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path

from appliance.api import Delivery
from appliance.spool import evidence, journal, queries
from appliance.spool.files import Disk, Paths, remove_tree, replace_file
from appliance.spool.rows import CaptureRow, SetAside, SweepReport
from appliance.spool.schema import Index
from wire.codec import decode_job_list
from wire.digest import sha256_of
from wire.documents import CAPTURE_FILE, LIST_FILE, PAGES_FILE
from wire.errors import ProtocolError
from wire.messages import FileEntry, ObjectRef

CHANGES_FILE = "changes.jsonl"
RELEASED_FILE = "released.jsonl"


def sweep(paths: Paths, index: Index, disk: Disk) -> SweepReport:
    """Bring the index in line with the folders and report what was found. Running it twice finds nothing more."""
    run = _Sweep(paths, index, disk)
    for folder in _entries(paths.jobs):
        run.guard(folder, run.job)
    for folder in _entries(paths.unfinished):
        run.guard(folder, run.unfinished)
    for folder in _entries(paths.captures):
        run.guard(folder, run.capture)
    run.vanished()
    run.record()
    unprocessed = tuple(row.capture_id for row in queries.captures(index, "state = 'safe'"))
    return SweepReport(
        adopted=tuple(run.adopted),
        completed=tuple(run.completed),
        unprocessed=unprocessed,
        damaged=tuple(run.damaged),
        set_aside=tuple(run.set_aside),
    )


def move_aside(disk: Disk, paths: Paths, what: Path, reason: str) -> SetAside:
    """Move a file or folder to ``aside/`` with a note that says why."""
    target = paths.aside / what.name.lstrip(".")
    number = 0
    while target.exists():
        number += 1
        target = paths.aside / f"{what.name.lstrip('.')}.{number}"
    disk.rename(what, target)
    replace_file(disk, target.with_name(f"{target.name}.reason"), f"{reason}\n".encode())
    disk.sync_folder(paths.aside)
    disk.sync_folder(what.parent)
    root = paths.root
    return SetAside(str(what.relative_to(root)), str(target.relative_to(root)), reason)


class _Sweep:
    """One run, and what it has found so far."""

    def __init__(self, paths: Paths, index: Index, disk: Disk) -> None:
        self._paths = paths
        self._index = index
        self._disk = disk
        self._rows = {row.capture_id: row for row in queries.captures(index)}
        self._was_released: dict[str, CaptureRow] = {}
        self._writes: list[Callable[[sqlite3.Connection], None]] = []
        self.adopted: list[str] = []
        self.completed: list[str] = []
        self.damaged: list[str] = []
        self.set_aside: list[SetAside] = []

    def guard(self, entry: Path, examine: Callable[[Path], None]) -> None:
        """Examine one entry; what does not explain itself goes aside."""
        if not entry.is_dir():
            self._aside(entry, "a file where only folders belong")
            return
        try:
            examine(entry)
        except evidence.Unexplained as reason:
            self._aside(entry, str(reason))

    def unfinished(self, folder: Path) -> None:
        """A capture that never got its name: adopt it if it is whole."""
        found = evidence.read_facts(folder)
        if found.damaged_file:
            raise evidence.Unexplained(f"{found.damaged_file} is not whole")
        target = self._paths.capture(folder.name)
        if target.exists():
            raise evidence.Unexplained("a capture of this name exists")
        # The run that wrote these files may have died before it synced them.
        for entry in found.files:
            self._disk.sync_file(folder / entry.name)
        self._disk.sync_folder(folder)
        self._disk.rename(folder, target)
        self._disk.sync_folder(self._paths.captures)
        self._disk.sync_folder(self._paths.unfinished)

    def capture(self, folder: Path) -> None:
        """A capture with its name: adopt it, complete it, or see that it is still what was written."""
        for stray in _entries(folder):
            if stray.name.startswith("."):
                self._aside(stray, "a file that was being written")
        row = self._rows.get(folder.name)
        if row is None:
            self._adopt(folder)
        elif row.state is Delivery.RELEASED:
            remove_tree(self._disk, folder)
        elif row.state in {Delivery.SAFE, Delivery.PROCESSED, Delivery.REJECTED}:
            listed = queries.files(self._index, ObjectRef("capture", row.capture_id))
            if resized := evidence.first_resized(folder, listed):
                self._mark_damaged(row.capture_id, resized)
            elif row.state is Delivery.SAFE:
                self._complete(folder)

    def vanished(self) -> None:
        """Captures of the index whose folder is gone: the centre holds them, or they are damaged."""
        for row in self._rows.values():
            is_needed = row.state in {Delivery.SAFE, Delivery.PROCESSED, Delivery.REJECTED}
            if is_needed and not self._paths.capture(row.capture_id).is_dir():
                self._mark_damaged(row.capture_id, CAPTURE_FILE)
        for row in self._was_released.values():
            if row.capture_id not in self._rows and not self._paths.capture(row.capture_id).is_dir():
                self._writes.append(partial(queries.add_released, row=row))

    def record(self) -> None:
        """Write all that was found to the index, at once: thousands of captures cost one commit."""

        def apply(db: sqlite3.Connection) -> None:
            for write in self._writes:
                write(db)

        self._index.write(apply)

    def job(self, folder: Path) -> None:
        """A job's logs lose a torn last line; its count of changes and its lists enter the index."""
        for name in (CHANGES_FILE, RELEASED_FILE):
            self._cut_torn_line(folder / name)
        for line in journal.read(folder / RELEASED_FILE):
            if row := released_row(line):
                self._was_released[row.capture_id] = row
        changes = len(journal.read(folder / CHANGES_FILE))
        self._writes.append(partial(queries.set_changes, job_id=folder.name, changes=changes))
        for file in _entries(folder):
            if file.name.startswith("."):
                self._aside(file, "a file that was being written")
            elif file.name.startswith("list-"):
                self._list(file, folder.name)

    def _adopt(self, folder: Path) -> None:
        try:
            found = evidence.read_facts(folder)
        except evidence.Unexplained:
            if folder.name in self._was_released:
                remove_tree(self._disk, folder)
                return
            raise
        self._writes.append(
            partial(queries.add_capture, facts=found.facts, files=found.files, damaged_file=found.damaged_file)
        )
        self.adopted.append(folder.name)
        if found.damaged_file:
            self.damaged.append(folder.name)
        else:
            self._complete(folder)

    def _complete(self, folder: Path) -> None:
        try:
            found = evidence.read_pages(folder, folder.name)
        except evidence.Unexplained as reason:
            self._aside(folder / PAGES_FILE, str(reason))
            return
        if found is not None:
            self._writes.append(partial(queries.add_pages, capture_id=folder.name, files=found[1]))
            self.completed.append(folder.name)

    def _mark_damaged(self, capture_id: str, file: str) -> None:
        self._writes.append(
            partial(queries.set_state, capture_id=capture_id, state=Delivery.DAMAGED, damaged_file=file)
        )
        self.damaged.append(capture_id)

    def _cut_torn_line(self, file: Path) -> None:
        if not file.is_file():
            return
        content = file.read_bytes()
        size = journal.whole_size(content)
        if size < len(content):
            torn = self._paths.aside / f"{file.parent.name}-{file.name}-{size}.torn"
            replace_file(self._disk, torn, content[size:])
            self._disk.sync_folder(self._paths.aside)
            journal.cut_to(self._disk, file, size)
            root = self._paths.root
            self.set_aside.append(
                SetAside(str(file.relative_to(root)), str(torn.relative_to(root)), "a last line that was never whole")
            )

    def _list(self, file: Path, job_id: str) -> None:
        content = file.read_bytes()
        try:
            document = decode_job_list(content)
        except ProtocolError as error:
            self._aside(file, f"the list cannot be read: {error}")
            return
        if document.job_id != job_id or file != self._paths.list_file(job_id, document.revision):
            self._aside(file, "the list is of another job or revision")
            return
        entry = FileEntry(LIST_FILE, len(content), sha256_of(content))
        self._writes.append(partial(queries.add_list, document=document, entry=entry))

    def _aside(self, what: Path, reason: str) -> None:
        self.set_aside.append(move_aside(self._disk, self._paths, what, reason))


def released_line(row: CaptureRow) -> bytes:
    """Return what the job's folder keeps of a capture that leaves the disk."""
    kept = {"capture_id": row.capture_id, "job_id": row.job_id, "sequence": row.sequence, "size_bytes": row.size_bytes}
    return json.dumps(kept).encode()


def released_row(line: bytes) -> CaptureRow | None:
    """Return the row of a released capture; None where the line cannot be read."""
    try:
        kept = json.loads(line)
        return CaptureRow(
            capture_id=str(kept["capture_id"]),
            job_id=str(kept["job_id"]),
            sequence=int(kept["sequence"]),
            state=Delivery.RELEASED,
            rejected_code=None,
            damaged_file=None,
            size_bytes=int(kept["size_bytes"]),
            has_pages=True,
            attempts=0,
        )
    except (ValueError, KeyError, TypeError):
        return None


def _entries(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())
