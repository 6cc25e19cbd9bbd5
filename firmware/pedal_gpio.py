"""A pedal on a pin: a switch to ground that closes when a foot goes down."""

import time
from collections.abc import Callable

from gpiozero import Button, Factory

from firmware.gestures import GestureTimes
from firmware.interfaces import PedalListener
from firmware.pedal_thread import PedalThread


class GpioPedal:
    """Implements `Pedal`.

    gpiozero only tells edges, undebounced: what they mean is for `firmware.gestures`.

    Args:
        pin: BCM number, pulled up.
        pins: where the pin is.
        times: how long a hold is.
        clock_ns: monotonic time.
    """

    def __init__(
        self,
        pin: int,
        pins: Factory,
        times: GestureTimes | None = None,
        *,
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._button = Button(pin, pull_up=True, bounce_time=None, pin_factory=pins)
        self._thread = PedalThread(times, level=self._level, clock_ns=clock_ns)
        self._button.when_pressed = self._closed
        self._button.when_released = self._opened

    def listen(self, listener: PedalListener | None) -> None:
        """Call `listener` with every event, from the pedal's thread."""
        self._thread.listen(listener)

    def close(self) -> None:
        """Stop listening and free the pin. May be called twice."""
        self._thread.close()
        self._button.close()

    def _level(self) -> bool:
        return bool(self._button.is_pressed)

    def _closed(self) -> None:
        self._thread.edge(True)

    def _opened(self) -> None:
        self._thread.edge(False)
