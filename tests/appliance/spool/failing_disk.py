"""Disks that fail on purpose: one that loses power, and one that reports errors."""

import shutil
from collections.abc import Callable
from pathlib import Path

from appliance.spool.files import Disk


class PowerCut(BaseException):
    """The machine is gone: nothing above may go on, so it is no `Exception`."""


class FailingDisk(Disk):
    """Raises before the step number `at` (from 1), and remembers every step."""

    def __init__(self, at: int | None, error: Callable[[], BaseException]) -> None:
        self.at = at
        self.error = error
        self.steps: list[tuple[str, Path]] = []

    def step(self, name: str, path: Path) -> None:
        self.steps.append((name, path))
        if self.at is not None and len(self.steps) == self.at:
            raise self.error()


class PoweredDisk(FailingDisk):
    """Loses power at one step and can then forget whatever was not synced, as POSIX allows a disk to do.

    Content that was written and not synced is torn; names that were made, changed or removed in a folder that was not
    synced since are as they were before.
    """

    def __init__(self, at: int | None = None) -> None:
        super().__init__(at, PowerCut)
        self._undo: list[tuple[Path, Callable[[], None]]] = []
        self._moves: list[tuple[Path, Path]] = []

    def step(self, name: str, path: Path) -> None:
        if self.at is not None and len(self.steps) >= self.at:
            raise PowerCut
        super().step(name, path)

    def forget_unsynced(self) -> None:
        for _, undo in reversed(self._undo):
            undo()

    def make_folder(self, folder: Path) -> None:
        super().make_folder(folder)
        self._undo.append((folder.parent, lambda: shutil.rmtree(folder, ignore_errors=True)))

    def write_new(self, file: Path, content: bytes) -> None:
        since = len(self._moves)
        self._undo.append((file.parent, lambda: self._now(file, since).unlink(missing_ok=True)))
        try:
            super().write_new(file, content)
        except PowerCut:
            if file.exists():
                file.write_bytes(content[: len(content) // 2])
            raise

    def append(self, file: Path, line: bytes) -> None:
        before = file.read_bytes() if file.exists() else None
        if before is None:
            self._undo.append((file.parent, lambda: file.unlink(missing_ok=True)))
        try:
            super().append(file, line)
        except PowerCut:
            if file.exists() and file.read_bytes() != before:
                file.write_bytes((before or b"") + line[: len(line) // 2])
            raise

    def rename(self, source: Path, target: Path) -> None:
        replaced = target.read_bytes() if target.is_file() else None
        super().rename(source, target)

        def undo() -> None:
            if target.exists() and source.parent.exists():
                target.rename(source)
                if replaced is not None:
                    target.write_bytes(replaced)

        self._undo.append((target.parent, undo))
        self._moves.append((source, target))

    def _now(self, path: Path, since: int) -> Path:
        """Where a file is that was made under `path` after so many moves: its folder may have been renamed since."""
        for source, target in self._moves[since:]:
            if path.is_relative_to(source) and not path.exists():
                path = target / path.relative_to(source)
        return path

    def remove_file(self, file: Path) -> None:
        content = file.read_bytes() if file.is_file() else None
        super().remove_file(file)
        if content is not None:
            self._undo.append((file.parent, lambda: _restore(file, content)))

    def remove_folder(self, folder: Path) -> None:
        super().remove_folder(folder)
        self._undo.append((folder.parent, lambda: folder.mkdir(exist_ok=True)))

    def sync_folder(self, folder: Path) -> None:
        super().sync_folder(folder)
        self._undo = [(parent, undo) for parent, undo in self._undo if parent != folder]


def _restore(file: Path, content: bytes) -> None:
    if file.parent.is_dir():
        file.write_bytes(content)
