"""How each service is, for the other one to read: small files in ``run/`` that are gone after a restart's heartbeat."""

import json
import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec
from msgspec import Struct

log = logging.getLogger(__name__)

LinkState = Literal["online", "waiting_for_hours", "no_server", "offline", "refused", "unknown"]
STALE_AFTER_S = 10.0
"""A service writes at least every two seconds; five missed are no hiccup."""
MAX_LOG_BYTES = 32 * 2**20

S = TypeVar("S", bound=Struct)


class PublisherState(Struct, frozen=True, kw_only=True):
    """How the publisher sees the line to the centre, and the code of what is wrong with it."""

    link: LinkState
    code: str | None = None
    detail: str = ""
    sent_bytes: int = 0


class StationState(Struct, frozen=True, kw_only=True):
    """How the station is: what the publisher passes on as the station's status."""

    state: str
    fault: str | None = None
    temperature_c: float | None = None
    clock_synchronised: bool | None = None
    job_title: str | None = None
    last_verdicts: tuple[Literal["ok", "warn", "bad", "unsure"], ...] = ()


class _Heartbeat(Struct, frozen=True):
    """The monotonic clock is the machine's, not the process's; the boot tells one run of the machine from another."""

    boot_id: str
    monotonic_ns: int
    state: msgspec.Raw


@dataclass(frozen=True, slots=True)
class Clock:
    """The clocks of the machine, so that tests may have their own."""

    wall: Callable[[], datetime] = lambda: datetime.now(UTC)
    monotonic_ns: Callable[[], int] = time.monotonic_ns

    def instant(self) -> str:
        """Return the wall time as the protocol writes it: UTC, ISO 8601."""
        return self.wall().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def boot_id() -> str:
    """Return what tells this run of the machine from every other; empty where the system does not say."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def write_state(file: Path, state: Struct, clock: Clock) -> None:
    """Replace `file` by `state` and a heartbeat. Not durable, on purpose: a new start begins with "unknown"."""
    heartbeat = _Heartbeat(boot_id(), clock.monotonic_ns(), msgspec.Raw(msgspec.json.encode(state)))
    temporary = file.with_name(f".{file.name}.tmp")
    temporary.write_bytes(msgspec.json.encode(heartbeat))
    temporary.replace(file)


def read_state(file: Path, kind: type[S], clock: Clock, stale_after_s: float = STALE_AFTER_S) -> S | None:
    """Return the state in `file`; None where it is absent, unreadable, or its writer has fallen silent."""
    try:
        heartbeat = msgspec.json.decode(file.read_bytes(), type=_Heartbeat)
        state = msgspec.json.decode(heartbeat.state, type=kind)
    except (OSError, msgspec.DecodeError):
        return None
    age_s = (clock.monotonic_ns() - heartbeat.monotonic_ns) / 1e9
    return state if heartbeat.boot_id == boot_id() and 0 <= age_s <= stale_after_s else None


class EventLog:
    """One line per event, in a file that both services append to."""

    def __init__(self, file: Path, clock: Clock) -> None:
        self._file = file
        self._clock = clock

    def write(self, name: str, **fields: Any) -> None:
        """Append one event. One write per line: two processes never mix theirs.

        A line that the disk does not take is only missed: what it tells of has happened and is durable.
        """
        line = {"event": name, "at": self._clock.instant(), "monotonic_ns": self._clock.monotonic_ns(), **fields}
        try:
            with self._file.open("ab", buffering=0) as events:
                events.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
                is_long = events.tell() > MAX_LOG_BYTES
            if is_long:
                self.rotate()
        except OSError as error:
            log.warning("event not written event=%s: %s", name, error)

    def begin(self) -> None:
        """After a start: end a line that a power cut has torn, so that the next event has one of its own."""
        self.rotate()
        try:
            with self._file.open("a+b", buffering=0) as events:
                if events.tell():
                    events.seek(-1, os.SEEK_END)
                    if events.read() != b"\n":
                        events.write(b"\n")
        except OSError as error:
            log.warning("torn line of the event log not ended: %s", error)

    def rotate(self) -> None:
        """Begin a new file where the log has grown long; the one before is kept, older ones go."""
        if self._file.is_file() and self._file.stat().st_size > MAX_LOG_BYTES:
            self._file.rename(self._file.with_name("events.1.jsonl"))
