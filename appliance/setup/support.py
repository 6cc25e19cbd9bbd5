"""One file for whoever helps from far away: how the station is, what it was told, what it said. No secrets, no readers.

Only what is named here goes in; nothing is copied because it lies in a folder. Events are kept with the fields that say
what happened to a capture, never with what somebody read: titles, barcodes and names stay at the station.
"""

import dataclasses
import io
import json
import logging
import threading
import tomllib
import zipfile
from collections import deque
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from appliance import health
from appliance.api import StationSnapshot
from appliance.setup.api import HealthRow, Progress
from appliance.spool.files import Paths

LOG_LINES: Final = 2000
EVENT_LINES: Final = 4000
_TAIL_BYTES: Final = 1 << 20
_EVENT_FIELDS: Final = frozenset(
    {
        "event",
        "at",
        "monotonic_ns",
        "capture_id",
        "job_id",
        "verdict",
        "key",
        "code",
        "part",
        "n",
        "kind",
        "command_id",
        "revision",
        "reason",
        "state",
        "attempts",
        "object",
        "seconds",
        "bytes",
    }
)
_SECRET_WORDS: Final = ("token", "secret", "password", "pin", "private", "key")
_KEPT_KEYS: Final = frozenset({"pedal_pin", "lamp_pin", "light_pin", "platen_pin"})


class LogTail(logging.Handler):
    """Remembers the last lines that were logged, as they were written."""

    def __init__(self, lines: int = LOG_LINES) -> None:
        super().__init__(logging.INFO)
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
        self._lines: deque[str] = deque(maxlen=lines)
        self._guard = threading.Lock()

    def emit(self, record: logging.LogRecord) -> None:
        """Remember a line."""
        text = self.format(record)
        with self._guard:
            self._lines.append(text)

    def lines(self) -> tuple[str, ...]:
        """Return the lines, the oldest first."""
        with self._guard:
            return tuple(self._lines)


def support_file(
    config_file: Path,
    spool: Path,
    snapshot: StationSnapshot,
    rows: Sequence[HealthRow],
    progress: Progress,
    log: Iterable[str],
) -> bytes:
    """Return the file: a ZIP archive, which every computer opens."""
    paths = Paths(spool)
    files = {
        "health.json": _json([dataclasses.asdict(row) for row in rows]),
        "machine.json": _json(health.machine_facts()),
        "station.json": _json(_state(snapshot)),
        "set-up.json": _json(dataclasses.asdict(progress)),
        "configuration.json": _json(_configuration(config_file)),
        "publisher.json": _json(_publisher(paths.run / "publisher.json")),
        "events.jsonl": "".join(f"{line}\n" for line in events(paths.events)),
        "log.txt": "".join(f"{line}\n" for line in log),
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return out.getvalue()


def events(file: Path) -> list[str]:
    """Return the last events with the fields that say nothing of readers."""
    try:
        with file.open("rb") as stream:
            stream.seek(0, 2)
            stream.seek(max(0, stream.tell() - _TAIL_BYTES))
            lines = stream.read().splitlines()[-EVENT_LINES:]
    except OSError:
        return []
    found = []
    for line in lines:
        try:
            event = json.loads(line)
        except ValueError:
            continue  # the first line of a tail is seldom whole
        if isinstance(event, dict):
            kept = {key: value for key, value in event.items() if key in _EVENT_FIELDS}
            found.append(json.dumps(kept, ensure_ascii=False))
    return found


def without_secrets(value: Any, name: str = "") -> Any:
    """Return a configuration in which whatever is called like a secret is a word that says so."""
    if isinstance(value, dict):
        return {key: without_secrets(inner, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [without_secrets(inner, name) for inner in value]
    is_secret = name not in _KEPT_KEYS and any(word in name for word in _SECRET_WORDS)
    # The name of a file that holds a secret is none.
    return "(left out)" if is_secret and not _is_path(value) else value


def _is_path(value: object) -> bool:
    return isinstance(value, str) and value.startswith("/") and "\n" not in value


def _state(snapshot: StationSnapshot) -> dict[str, Any]:
    job = snapshot.job
    return {
        "station": snapshot.station,
        "state": snapshot.state.value,
        "fault": snapshot.fault and dataclasses.asdict(snapshot.fault),
        "link": dataclasses.asdict(snapshot.link),
        "job": job and {"job_id": job.job_id, "entries": job.entries, "to_fix": job.to_fix, "revision": job.revision},
        "safe_captures": snapshot.safe_captures,
        "queue": [snapshot.queue_length, snapshot.queue_limit],
        "disk_free_bytes": snapshot.disk_free_bytes,
        "disk_total_bytes": snapshot.disk_total_bytes,
        "room_for_captures": snapshot.room_for_captures,
        "refused_presses": snapshot.refused_presses,
        "clock_synchronised": snapshot.clock_synchronised,
        "handed_over": [[job.job_id, job.captures, job.confirmed, job.complete] for job in snapshot.handed_over],
    }


def _configuration(file: Path) -> Any:
    try:
        return without_secrets(tomllib.loads(file.read_text("utf-8")))
    except (OSError, ValueError) as error:
        return {"unreadable": type(error).__name__}


def _publisher(file: Path) -> Any:
    try:
        return json.loads(file.read_bytes())
    except (OSError, ValueError):
        return None


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1, default=str)
