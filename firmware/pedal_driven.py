"""A pedal without a switch: pressed by screen, keyboard or test, recognised by the same code as the real one."""

import time
from collections.abc import Callable

from firmware.gestures import GestureTimes
from firmware.interfaces import PedalListener
from firmware.pedal_thread import PedalThread


class DrivenPedal:
    """Implements `Pedal`.

    Args:
        times: how long a hold is.
        closed: the contact as it is at the start.
        clock_ns: monotonic time; a test that drives its own clock calls `tick` after moving it.
    """

    def __init__(
        self,
        times: GestureTimes | None = None,
        *,
        closed: bool = False,
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._thread = PedalThread(times, closed=closed, clock_ns=clock_ns)

    def close_contact(self, at_ns: int | None = None) -> None:
        """The foot goes down, now or at `at_ns`. Nothing happens where it is down already."""
        self._thread.edge(True, at_ns)

    def open_contact(self, at_ns: int | None = None) -> None:
        """The foot goes up, now or at `at_ns`."""
        self._thread.edge(False, at_ns)

    def tick(self) -> None:
        """Let gestures that have become due by the clock happen now; only needed where the clock is driven."""
        self._thread.wake()

    def listen(self, listener: PedalListener | None) -> None:
        """Call `listener` with every event, from the pedal's thread."""
        self._thread.listen(listener)

    def close(self) -> None:
        """Stop listening. May be called twice."""
        self._thread.close()
