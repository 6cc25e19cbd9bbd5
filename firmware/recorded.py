"""Stand-ins that remember what they were asked: for tests, the demo, and stations without the part."""

import threading
from collections import deque
from typing import Final

from firmware.interfaces import Signal

REMEMBERED: Final = 1000
"""A demo may run for weeks: only the latest requests are kept."""


class RecordedLamp:
    """Implements `Lamp`; `brightness` is what it was last set to."""

    def __init__(self) -> None:
        self.brightness = 0.0
        self.closed = False

    def set(self, brightness: float) -> None:
        """Remember `brightness`, 0.0-1.0; raises `ValueError` beyond."""
        if not 0.0 <= brightness <= 1.0:
            raise ValueError(f"brightness is 0.0 to 1.0, not {brightness}")
        self.brightness = brightness

    def close(self) -> None:
        """Switch off. May be called twice."""
        self.brightness = 0.0
        self.closed = True


class _Record:
    def __init__(self) -> None:
        self._asked: deque[Signal] = deque(maxlen=REMEMBERED)
        self._changed = threading.Condition()
        self.closed = False

    @property
    def signals(self) -> tuple[Signal, ...]:
        """The latest signals asked for, oldest first."""
        with self._changed:
            return tuple(self._asked)

    def wait_for(self, signal: Signal, timeout_s: float) -> bool:
        """Wait until `signal` has been asked for; tell whether it was."""
        with self._changed:
            return self._changed.wait_for(lambda: signal in self._asked, timeout=timeout_s)

    def _remember(self, signal: Signal) -> None:
        with self._changed:
            self._asked.append(signal)
            self._changed.notify_all()

    def close(self) -> None:
        """End. May be called twice."""
        self.closed = True


class RecordedLight(_Record):
    """Implements `StatusLight`."""

    def show(self, signal: Signal) -> None:
        """Remember `signal`."""
        self._remember(signal)


class RecordedSounder(_Record):
    """Implements `Sounder`."""

    def play(self, signal: Signal) -> None:
        """Remember `signal`."""
        self._remember(signal)


class SimulatedCradle:
    """Implements `Cradle`; `put_platen` moves the glass. None means a cradle without a switch."""

    def __init__(self, down: bool | None = None) -> None:
        self._down = down

    def put_platen(self, down: bool | None) -> None:
        """Move the glass, or take the switch away with None."""
        self._down = down

    def platen_down(self) -> bool | None:
        """Tell whether the glass is down, or None where there is no switch."""
        return self._down

    def close(self) -> None:
        """Do nothing: there is no pin. May be called twice."""
