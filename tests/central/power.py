"""A disk that forgets what was not flushed, and a clock of every step that reaches it: a test can stop at any of them.

Nothing in the program knows of this: the calls of the operating system are watched while a test runs, and the
statements of the catalogue through SQLAlchemy's events. What a power cut leaves is what POSIX promises and no more: of
a file the content of its last fsync, of a folder the names of its last fsync.
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

DATABASE = "catalogue.db"
"""SQLite flushes by itself, and what it has committed is on the disk: its files are taken as they are."""
_CREATES = os.O_CREAT | os.O_WRONLY | os.O_RDWR


class PowerCut(BaseException):
    """The machine is gone: nothing above may go on, so it is no `Exception`."""


class Power:
    """Watches everything below `root`; goes out before the step number `at` (from 1)."""

    def __init__(self, root: Path, at: int | None = None) -> None:
        self.root = root.resolve()
        self.at = at
        self.steps: list[str] = []
        self.is_out = False
        self._contents: dict[int, bytes] = {}
        self._names: dict[int, dict[str, int]] = {}
        for folder, _, names in os.walk(self.root):
            self._flush_folder(Path(folder))
            for name in names:
                self._flush_file(Path(folder) / name)

    def step(self, name: str) -> None:
        """Announce the step about to be taken."""
        if self.is_out:
            raise PowerCut
        self.steps.append(name)
        if self.at is not None and len(self.steps) >= self.at:
            self.is_out = True
            raise PowerCut

    def revive(self) -> None:
        """Start the process again on the running machine: what was not flushed is still to be seen, and to be lost."""
        self.is_out, self.at = False, None

    def watch(self, patch: pytest.MonkeyPatch, engines: Callable[[Callable[[Engine], None]], None]) -> None:
        """Watch the system's calls until `patch` is undone; `engines` calls us with every engine that is made."""
        for name in ("mkdir", "rename", "replace", "unlink", "rmdir", "pwrite"):
            patch.setattr(os, name, self._watched(name, getattr(os, name)))
        patch.setattr(os, "fsync", self._fsync(os.fsync))
        patch.setattr(os, "open", self._open(os.open))
        patch.setattr("io.open", self._stream(open))
        engines(self._watch_engine)

    def left(self, target: Path, *, names_survive: bool) -> None:
        """Make in `target` what is found after the cut.

        Where names survive although their folder was not flushed, they stand over content that is torn.
        """
        self._restore(self.root, self.root.stat().st_ino, target, names_survive)
        for file in self.root.glob(f"{DATABASE}*"):
            shutil.copy(file, target / file.name)

    # What is on the platter

    def _flush_file(self, file: Path) -> None:
        if not file.name.startswith(DATABASE):
            self._contents[file.stat().st_ino] = file.read_bytes()

    def _flush_folder(self, folder: Path) -> None:
        self._names[folder.stat().st_ino] = {one.name: one.stat().st_ino for one in folder.iterdir()}

    def _restore(self, now: Path | None, number: int, target: Path, names_survive: bool) -> None:
        names = dict(self._names.get(number, {}))
        where = self._where()
        if names_survive and now is not None:
            names = {one.name: one.stat().st_ino for one in now.iterdir()}
        target.mkdir()
        for name, inode in names.items():
            here = where.get(inode)
            if name.startswith(DATABASE):
                continue
            if inode in self._names or (here is not None and here.is_dir()):
                self._restore(here, inode, target / name, names_survive)
            elif inode in self._contents:
                (target / name).write_bytes(self._contents[inode])
            elif here is not None:
                content = here.read_bytes()
                (target / name).write_bytes(content[: len(content) // 2])

    def _where(self) -> dict[int, Path]:
        found = {}
        for folder, _, names in os.walk(self.root):
            for path in (Path(folder), *(Path(folder) / name for name in names)):
                found[path.stat().st_ino] = path
        return found

    # The system's calls

    def _is_ours(self, path: object, options: dict[str, Any]) -> bool:
        if options.get("dir_fd") is not None:
            path = _path_of(options["dir_fd"])
        elif isinstance(path, int):
            path = _path_of(path)
        return Path(str(path)).is_relative_to(self.root) and DATABASE not in str(path)

    def _watched(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def watched(path: Any, *others: Any, **options: Any) -> Any:
            if not self._is_ours(path, options):
                return call(path, *others, **options)
            self.step(f"{name} {self._short(path)}")
            result = call(path, *others, **options)
            if name == "mkdir":
                self._names.pop(Path(path).stat().st_ino, None)
            return result

        return watched

    def _fsync(self, call: Callable[[int], None]) -> Callable[[int], None]:
        def fsync(descriptor: int) -> None:
            path = _path_of(descriptor)
            if not path.is_relative_to(self.root):
                call(descriptor)
                return
            self.step(f"fsync {self._short(path)}")
            call(descriptor)
            if path.is_dir():
                self._flush_folder(path)
            else:
                self._flush_file(path)

        return fsync

    def _open(self, call: Callable[..., int]) -> Callable[..., int]:
        def opened(path: Any, flags: int, *others: Any, **options: Any) -> int:
            if flags & _CREATES and self._is_ours(path, options) and not Path(path).exists():
                self.step(f"create {self._short(path)}")
                descriptor = call(path, flags, *others, **options)
                self._contents.pop(os.fstat(descriptor).st_ino, None)
                return descriptor
            return call(path, flags, *others, **options)

        return opened

    def _stream(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def opened(path: Any, mode: str = "r", *others: Any, **options: Any) -> Any:
            if set(mode) & set("xwa") and self._is_ours(path, {}):
                self.step(f"create {self._short(path)}")
                stream = call(path, mode, *others, **options)
                self._contents.pop(os.fstat(stream.fileno()).st_ino, None)
                return stream
            return call(path, mode, *others, **options)

        return opened

    def _watch_engine(self, engine: Engine) -> None:
        if not Path(engine.url.database or "").is_relative_to(self.root):
            return

        def statement(_connection: Any, _cursor: Any, text: str, *_: Any) -> None:
            self.step(f"sql {text.split(maxsplit=3)[:3]}")

        event.listen(engine, "before_cursor_execute", statement)
        event.listen(engine, "commit", lambda _connection: self.step("commit"))

    def _short(self, path: object) -> str:
        path = _path_of(path) if isinstance(path, int) else path
        return str(path).removeprefix(f"{self.root}/")


def _path_of(descriptor: int) -> Path:
    return Path(f"/proc/self/fd/{descriptor}").readlink()
