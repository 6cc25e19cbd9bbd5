"""How a process that handles one large buffer after another deals with the memory of the last one."""

import ctypes
from typing import Final

_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
KEPT_BYTES: Final = 32 * 2**20
"""Freed memory that is kept for the next buffer; two windows of the largest chunks fit."""
LARGEST_KEPT_BYTES: Final = 4 * 2**20
"""Larger buffers go back to the system at once; no chunk is."""


def keep_buffers() -> bool:
    """Let the C library use the memory of freed chunks again instead of giving it back and asking for it anew.

    Otherwise every chunk's memory is new to the kernel, which clears it page by page: about half of what a receiving
    process does. Tells whether there was a library that could be told; without one nothing but speed is lost.
    """
    library = ctypes.CDLL(None)
    if not hasattr(library, "mallopt"):
        return False
    kept = library.mallopt(_M_TRIM_THRESHOLD, KEPT_BYTES)
    return bool(kept and library.mallopt(_M_MMAP_THRESHOLD, LARGEST_KEPT_BYTES))
