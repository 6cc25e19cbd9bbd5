"""SHA-256 of bytes and of streams, as lower-case hexadecimal."""

import hashlib
from collections.abc import Iterable
from typing import Annotated

from msgspec import Meta

from wire.ids import END

Sha256 = Annotated[str, Meta(pattern=rf"^[0-9a-f]{{64}}{END}", description="SHA-256, lower-case hexadecimal")]


def sha256_of(content: bytes | bytearray | memoryview) -> str:
    """Return the digest of bytes already in memory."""
    return hashlib.sha256(content).hexdigest()


def sha256_of_stream(blocks: Iterable[bytes]) -> str:
    """Return the digest of blocks read one after another."""
    running = hashlib.sha256()
    for block in blocks:
        running.update(block)
    return running.hexdigest()
