"""The status light on a pin, flashing in its own thread."""

import threading

from gpiozero import DigitalOutputDevice, Factory

from firmware.interfaces import Signal
from firmware.light_patterns import PATTERNS, Pattern


class GpioLight:
    """Implements `StatusLight`.

    Args:
        pin: BCM number, high = on.
        pins: where the pin is.
    """

    def __init__(self, pin: int, pins: Factory) -> None:
        self._output = DigitalOutputDevice(pin, initial_value=False, pin_factory=pins)
        self._changed = threading.Condition()
        self._pattern: Pattern | None = None
        self._asked = 0
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="status-light", daemon=True)
        self._thread.start()

    def show(self, signal: Signal) -> None:
        """Start flashing `signal` and return at once; a later signal replaces it."""
        with self._changed:
            self._pattern = PATTERNS[signal]
            self._asked += 1
            self._changed.notify_all()

    def close(self) -> None:
        """Switch off and free the pin. May be called twice."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._thread.join(timeout=5.0)
        self._output.close()

    def _run(self) -> None:
        shown = 0
        while True:
            with self._changed:
                self._changed.wait_for(lambda seen=shown: self._stopped or self._asked != seen)  # type: ignore[misc]
                if self._stopped:
                    self._output.off()
                    return
                shown, pattern = self._asked, self._pattern
            if pattern is not None:
                self._flash(pattern, shown)

    def _flash(self, pattern: Pattern, shown: int) -> None:
        rounds = 0
        while pattern.rounds is None or rounds < pattern.rounds:
            rounds += 1
            for on_s, off_s in pattern.flashes:
                self._output.on()
                replaced = self._wait(on_s, shown)
                self._output.off()
                if replaced or self._wait(off_s, shown):
                    return

    def _wait(self, seconds: float, shown: int) -> bool:
        """Wait; tell whether another signal or the end came."""
        with self._changed:
            return self._changed.wait_for(lambda: self._stopped or self._asked != shown, timeout=seconds)
