"""What a screen asks of a small program with other rights, and what that program tells of it: files, no commands.

The service with the screen may neither write the station's keys nor mount a disk. It puts what is wanted into a folder
that both may write; systemd sees the file and starts the one program that may (``lattrang-pair``, ``lattrang-usb``).
That takes the file away and tells in a folder of its own how far it is. What was asked is data: checked, never run.
"""

import fcntl
import os
import stat
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from appliance.errors import StationError

ASKED: Final = Path("/run/lattrang-asked")
"""Made by systemd-tmpfiles; where it is missing, nobody waits for errands on this machine."""
TOLD: Final = Path("/run")
MAX_BYTES: Final = 4096
_LOOK_EVERY_S: Final = 0.25
S = TypeVar("S", bound=Struct)


class PairRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Pair by what a photographed code says, or with the centre at an address, codes being compared."""

    invitation: Annotated[str, Meta(max_length=512)] = ""
    address: Annotated[str, Meta(max_length=260)] = ""


class PairAnswer(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The code that a person read from the centre's screen; empty refuses."""

    code: Annotated[str, Meta(max_length=16)]


class PairProgress(Struct, frozen=True, kw_only=True):
    """How far a pairing is. `shown` is the code to compare, `code` that of what went wrong."""

    step: Literal["asking", "comparing", "approving", "paired", "failed"]
    centre: str = ""
    shown: str = ""
    code: str = ""


class UsbRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Hand over by the disk with this name under ``/dev/lattrang-usb``."""

    disk: Annotated[str, Meta(pattern=r"^[a-z]{2,8}[0-9]{0,4}$")]


class UsbProgress(Struct, frozen=True, kw_only=True):
    """How far a hand-over by disk is; the numbers are those of `appliance.spool.carry.ExportReport`."""

    step: Literal["opening", "copying", "proving", "done", "failed"]
    disk: str = ""
    done_bytes: int = 0
    total_bytes: int = 0
    captures: int = 0
    receipts: int = 0
    complete: int = 0
    already: int = 0
    left: int = 0
    unprocessed: int = 0
    codes: tuple[str, ...] = ()
    """Of what was passed over; the rest is on the disk."""
    code: str = ""
    """Why it ended early, or at all."""


class PowerRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Switch the machine off, or off and on again: the errand's name says which."""


class PowerProgress(Struct, frozen=True, kw_only=True):
    """That the request was taken; `code` says why nothing comes of it."""

    code: str = ""


ENDS: Final = frozenset({"paired", "done", "failed"})


class BadRequest(StationError):
    """What lies where a request belongs is none."""


@dataclass(frozen=True, slots=True)
class Errand:
    """One kind of errand: where it is asked for, and where it is told of."""

    asked: Path
    told: Path

    @classmethod
    def named(cls, name: str, asked: Path = ASKED, told: Path = TOLD) -> "Errand":
        """Return the errand that the unit ``lattrang-NAME`` does."""
        return cls(asked / f"{name}.json", told / f"lattrang-{name}" / "progress.json")

    # For who asks

    def is_possible(self) -> bool:
        """Tell whether somebody waits for it on this machine."""
        return self.asked.parent.is_dir()

    def ask(self, request: Struct) -> None:
        """Ask for it; raises `OSError`."""
        with suppress(FileNotFoundError):
            answer_file(self.asked).unlink()
        put(self.asked, request, mode=0o660)

    def answer(self, answer: Struct) -> None:
        """Answer what the errand asks back; raises `OSError`."""
        put(answer_file(self.asked), answer, mode=0o660)

    def waits_s(self) -> float | None:
        """Return how long the request has waited to be taken; None where none does."""
        try:
            return max(0.0, time.time() - self.asked.stat().st_mtime)
        except OSError:
            return None

    def progress(self, kind: type[S]) -> S | None:
        """Return what was told last; None where nothing was, or cannot be read."""
        try:
            return msgspec.json.decode(self.told.read_bytes(), type=kind)
        except (OSError, msgspec.DecodeError):
            return None

    def is_under_way(self) -> bool:
        """Tell whether a program is at it now: it holds a lock for as long as it lives, however it ends."""
        try:
            descriptor = os.open(_lock_file(self.told), os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    # For who does it

    @contextmanager
    def begun(self) -> Iterator[None]:
        """Hold the lock that says that somebody is at it."""
        descriptor = os.open(_lock_file(self.told), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            os.fchmod(descriptor, 0o644)  # whatever the umask
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def take(self, kind: type[S]) -> S:
        """Return the request and take it away, so that it is done once.

        Raises:
            BadRequest: ERR-01, it is not there or is no such request.
        """
        return _taken(self.asked, kind)

    def wait_for_answer(self, kind: type[S], stop: threading.Event, timeout_s: float) -> S | None:
        """Return the answer as soon as it is there; None when `timeout_s` has passed or `stop` was set."""
        file = answer_file(self.asked)
        until_s = time.monotonic() + timeout_s
        while not file.exists():
            if stop.wait(_LOOK_EVERY_S) or time.monotonic() > until_s:
                return None
        return _taken(file, kind)

    def tell(self, progress: Struct) -> None:
        """Say how far it is. A screen that does not hear it sees that by `is_under_way`."""
        with suppress(OSError):
            put(self.told, progress, mode=0o644)


def answer_file(asked: Path) -> Path:
    """Return where the answer to a question of the errand `asked` for belongs."""
    return asked.with_name(f"{asked.stem}-answer.json")


def put(file: Path, message: Struct, *, mode: int) -> None:
    """Write a message whole or not at all; raises `OSError`. Not durable: after a power cut nobody waits for it."""
    descriptor, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            os.fchmod(descriptor, mode)
            stream.write(msgspec.json.encode(message))
        Path(name).rename(file)
    finally:
        Path(name).unlink(missing_ok=True)


def _taken(file: Path, kind: type[S]) -> S:
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            is_plain = stat.S_ISREG(os.fstat(descriptor).st_mode)
            content = os.read(descriptor, MAX_BYTES + 1) if is_plain else b""
        finally:
            os.close(descriptor)
        return msgspec.json.decode(content if len(content) <= MAX_BYTES else b"", type=kind)
    except (OSError, msgspec.DecodeError) as error:
        raise BadRequest("ERR-01", f"{file.name} is no request ({error}).", "Ask again on the screen.") from error
    finally:
        # What cannot be read would be found again without end.
        with suppress(OSError):
            file.unlink()


def _lock_file(told: Path) -> Path:
    return told.with_suffix(".lock")
