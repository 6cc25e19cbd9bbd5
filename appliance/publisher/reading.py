"""Files read for sending, their digest taken once more on the way: a damaged file is never sent as if it were whole."""

import hashlib
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any, Final

from appliance.spool.faults import FileDamaged
from appliance.spool.outbox import Outbox
from wire.messages import FileEntry, ObjectRef

KEPT: Final = 16
"""Files whose running digest is remembered: those of the objects in flight, and some that were interrupted."""
BLOCK_BYTES: Final = 2**20


@dataclass(slots=True)
class _Running:
    """The digest of a file's beginning."""

    digest: Any = field(default_factory=hashlib.sha256)
    position: int = 0


class CheckedReader:
    """Reads chunks in order and withholds a file's last one where the whole is not what was promised."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._running: OrderedDict[tuple[ObjectRef, str], _Running] = OrderedDict()

    def read(self, ref: ObjectRef, entry: FileEntry, offset: int, length: int) -> bytes:
        """Return `length` bytes of a file from `offset`.

        Raises:
            FileDamaged: the bytes are not there, or with them the file's digest is not the one it was made safe with.
        """
        content = self._outbox.read(ref, entry.name, offset, length)
        running = self._remembered(ref, entry.name, offset)
        while running.position < offset:
            # What the worker holds already is not sent, but it is part of the digest.
            gap_bytes = min(BLOCK_BYTES, offset - running.position)
            self._take(running, self._outbox.read(ref, entry.name, running.position, gap_bytes))
        if running.position == offset:
            self._take(running, content)
            if running.position == entry.size and running.digest.hexdigest() != entry.sha256:
                raise FileDamaged(entry.name)
        return content

    def _remembered(self, ref: ObjectRef, file: str, offset: int) -> _Running:
        key = (ref, file)
        if offset == 0:
            self._running.pop(key, None)
        running = self._running.setdefault(key, _Running())
        self._running.move_to_end(key)
        while len(self._running) > KEPT:
            self._running.popitem(last=False)
        return running

    @staticmethod
    def _take(running: _Running, content: bytes) -> None:
        running.digest.update(content)
        running.position += len(content)
