"""The station's own count: no number is ever given out twice, whatever was lost."""

import threading
from contextlib import suppress
from typing import Final

from appliance.spool.files import Disk, Paths, replace_file
from appliance.spool.schema import Index
from wire.codec import decode_capture
from wire.documents import CAPTURE_FILE
from wire.errors import ProtocolError

BLOCK: Final = 64
"""Numbers reserved by one write to the disk; a power cut skips at most so many."""


class Sequence:
    """Numbers from 1. A file holds the first one that was certainly never given out."""

    def __init__(self, paths: Paths, disk: Disk) -> None:
        self._paths = paths
        self._disk = disk
        self._lock = threading.Lock()
        self._next = 1
        self._ceiling = 1

    def begin(self, index: Index) -> None:
        """Start after everything that is known to have had a number."""
        recorded = 1
        with suppress(FileNotFoundError, ValueError):
            recorded = int(self._paths.sequence.read_text(encoding="ascii"))
        highest = index.rows("SELECT COALESCE(MAX(sequence), 0) FROM captures")[0][0]
        self._next = self._ceiling = max(recorded, highest + 1, self._highest_aside() + 1)

    def take(self) -> int:
        """Return the next number; raises `OSError` where a new block cannot be reserved."""
        with self._lock:
            if self._next >= self._ceiling:
                self._record(self._next + BLOCK)
                self._ceiling = self._next + BLOCK
            self._next += 1
            return self._next - 1

    def close(self) -> None:
        """Give back what was reserved and not used."""
        with self._lock, suppress(OSError):
            if self._next < self._ceiling:
                self._record(self._next)
                self._ceiling = self._next

    def _record(self, ceiling: int) -> None:
        replace_file(self._disk, self._paths.sequence, f"{ceiling}\n".encode())
        self._disk.sync_folder(self._paths.root)

    def _highest_aside(self) -> int:
        highest = 0
        for file in self._paths.aside.glob(f"*/{CAPTURE_FILE}"):
            with suppress(OSError, ProtocolError):
                highest = max(highest, decode_capture(file.read_bytes()).sequence)
        return highest
