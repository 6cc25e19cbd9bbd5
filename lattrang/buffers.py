"""What becomes of a large buffer's memory once it is freed: kept for the next one, or given back at once.

The C library's own rule learns from the sizes it sees, and learns the wrong thing for us on both sides.
"""

import ctypes
from typing import Final

_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
KEPT_BYTES: Final = 32 * 2**20
"""Freed memory that is kept for the next chunk; two windows of the largest ones fit."""
LARGEST_CHUNK_BYTES: Final = 4 * 2**20
"""Larger buffers go back to the system at once; no chunk is."""
SMALLEST_PICTURE_BYTES: Final = 1 * 2**20


def keep_chunks() -> bool:
    """Let the memory of freed chunks be used again instead of giving it back and asking for it anew.

    Otherwise every chunk's memory is new to the kernel, which clears it page by page: half of what a receiving process
    does. Tells whether the C library could be told; where it could not, nothing but speed is lost.
    """
    return _set(_M_TRIM_THRESHOLD, KEPT_BYTES) and _set(_M_MMAP_THRESHOLD, LARGEST_CHUNK_BYTES)


def give_back_pictures() -> bool:
    """Let the memory of every picture go back as soon as it is freed.

    Otherwise it stays in the heaps of the threads that had pictures, in pieces: a hundred MiB. Tells whether the C
    library could be told; where it could not, nothing but memory is lost.
    """
    return _set(_M_MMAP_THRESHOLD, SMALLEST_PICTURE_BYTES)


def _set(option: int, value: int) -> bool:
    library = ctypes.CDLL(None)
    return hasattr(library, "mallopt") and bool(library.mallopt(option, value))
