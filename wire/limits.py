"""The sizes both sides hold each other to. A message beyond them is refused unread."""

from typing import Final

KIB: Final = 1024
MIB: Final = 1024 * KIB

MAX_OFFER_BYTES: Final = 256 * KIB
MAX_REPLY_BYTES: Final = 256 * KIB
MAX_STATUS_BYTES: Final = 8 * KIB
MAX_COMMAND_BYTES: Final = 256 * KIB
MAX_CHUNK_BYTES: Final = 1 * MIB
DEFAULT_CHUNK_BYTES: Final = 512 * KIB
"""Measured optimum on a LAN with four in flight; larger brought nothing (docs/decisions/0004-chunks.md)."""
DEFAULT_WINDOW: Final = 4
MAX_INLINE_BYTES: Final = 128 * KIB
"""All inline documents of one offer together; larger ones travel as chunks."""
MAX_SEALED_BYTES: Final = 2 * (MAX_OFFER_BYTES + MAX_REPLY_BYTES)
"""Two messages inside JSON, where their quotation marks double."""
MAX_FILES: Final = 32
MAX_FILE_BYTES: Final = 1024 * MIB
MAX_MISSING_LISTED: Final = 2000
MAX_PACKET_BYTES: Final = MAX_CHUNK_BYTES + 4 * KIB
"""What the broker is told to allow: the largest chunk and its header."""
