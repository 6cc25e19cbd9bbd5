"""A wall clock that jumps for the station's processes, by Debian's libfaketime; the monotonic clock stays true.

The centre's clock stays: this library breaks sleeping on the monotonic clock, which the centre's MQTT library does.
"""

from pathlib import Path
from typing import Final

_LIBRARIES: Final = "*/faketime/libfaketimeMT.so.1"
_SHARED: Final = Path("/dev/shm")


def find_library() -> Path | None:
    """Return the library, None where it is not installed."""
    return next(iter(sorted(Path("/usr/lib").glob(_LIBRARIES))), None)


class Clock:
    """The offset that faked processes read, in a file."""

    def __init__(self, file: Path, library: Path) -> None:
        self._file = file
        self._library = library
        self.set(0)

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to live by this clock."""
        return {
            "LD_PRELOAD": str(self._library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }

    def set(self, offset_s: int) -> None:
        """Jump to this far from the true time."""
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"{offset_s:+d}\n", "ascii")
        fresh.replace(self._file)


def forget(pids: set[int]) -> None:
    """Remove what the library shared for processes that were killed."""
    for pid in pids:
        for name in (f"faketime_shm_{pid}", f"sem.faketime_sem_{pid}"):
            (_SHARED / name).unlink(missing_ok=True)
