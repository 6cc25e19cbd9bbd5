"""Records of what was refused: topic, reason, size and digest, never the content. Bounded in number and in writes."""

import json
import logging
from collections import Counter
from pathlib import Path
from typing import Final

from wire.digest import sha256_of

log = logging.getLogger(__name__)

MAX_FILE_BYTES: Final = 1 << 20
_TOPIC_LENGTH: Final = 200


class Quarantine:
    """Notes of one worker: counts in memory until they are taken, lines in a file that is turned over when long."""

    def __init__(self, folder: Path, worker: str) -> None:
        self._file = folder / f"{worker}.jsonl"
        self._counts: Counter[str] = Counter()
        self._lines: list[str] = []

    def note(self, topic: str, reason: str, payload: bytes, now: str) -> None:
        """Remember one refused message; nothing is written before `flush`."""
        self._counts[reason] += 1
        if sum(map(len, self._lines)) < MAX_FILE_BYTES // 4:
            record = {
                "at": now,
                "reason": reason,
                "topic": topic[:_TOPIC_LENGTH],
                "size": len(payload),
                "sha256": sha256_of(payload),
            }
            self._lines.append(json.dumps(record, ensure_ascii=False) + "\n")

    def take_counts(self) -> tuple[tuple[str, int], ...]:
        """Return the counts since the last time, by reason, and write their lines."""
        counts, lines = tuple(self._counts.items()), self._lines
        self._counts, self._lines = Counter(), []
        try:
            self._write(lines)
        except OSError as error:
            # What cannot be noted is counted all the same; a full disk must not end the worker.
            log.warning("refused messages not noted number=%d: %s", len(lines), error)
        return counts

    def _write(self, lines: list[str]) -> None:
        if self._file.exists() and self._file.stat().st_size > MAX_FILE_BYTES:
            self._file.replace(self._file.with_suffix(".old.jsonl"))
        if lines:
            with self._file.open("a", encoding="utf-8") as stream:
                stream.writelines(lines)
