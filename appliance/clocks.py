"""The machine's clocks. Order never comes from the wall clock: a Pi has no battery and may boot in the past."""

import ctypes
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from appliance.spool.state import boot_id

_TIME_ERROR: Final = 5
_TIMEX_BYTES: Final = 512
"""More than the kernel's structure needs on any machine; all zero means "read only"."""


def is_synchronised() -> bool:
    """Tell whether the kernel knows its wall clock to be right; whichever service set it has told the kernel."""
    try:
        state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    except (OSError, AttributeError):
        return False
    return bool(0 <= state < _TIME_ERROR)


@dataclass(frozen=True, slots=True)
class Clocks:
    """Wall and monotonic time; tests bring their own.

    Attributes:
        wall: the date, as far as the machine knows.
        monotonic_ns: what frames are stamped with and no correction of the date moves.
        is_synchronised: whether the wall clock can be believed.
        boot_id: tells this run of the machine from every other.
    """

    wall: Callable[[], datetime] = lambda: datetime.now(UTC)
    monotonic_ns: Callable[[], int] = time.monotonic_ns
    is_synchronised: Callable[[], bool] = is_synchronised
    boot_id: str = field(default_factory=boot_id)

    def instant(self) -> str:
        """Return the present date as the protocol writes it."""
        return self.instant_of(self.monotonic_ns())

    def instant_of(self, at_ns: int) -> str:
        """Return the date of a monotonic moment of this boot."""
        ago = timedelta(microseconds=(self.monotonic_ns() - at_ns) // 1000)
        return (self.wall() - ago).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
