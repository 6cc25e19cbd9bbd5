"""The header of a Raspberry Pi on a test bench: what a hand does to a pin, and what a meter reads on it."""

import os
import threading
from functools import cache
from pathlib import Path
from typing import Protocol

from gpiozero import Button, Factory
from gpiozero.pins.mock import MockFactory

SIMULATED_CHIP = "LATTRANG_GPIO_SIM"
"""Names the folder of a chip of the kernel's gpio-sim, whose lines then stand in for the header under real lgpio."""


class Bench(Protocol):
    """A header and its pins, by BCM number; `tells_at_once` where an edge is told before the hand's call returns."""

    factory: Factory
    tells_at_once: bool

    def low(self, pin: int) -> None:
        """Connect a pin to ground."""

    def high(self, pin: int) -> None:
        """Let go of it: its pull-up wins."""

    def level(self, pin: int) -> bool:
        """Measure it."""

    def close(self) -> None:
        """Put everything away."""


class MockBench:
    """gpiozero's own mock."""

    tells_at_once = True

    def __init__(self) -> None:
        self.factory = MockFactory()

    def low(self, pin: int) -> None:
        if self.factory.pin(pin).function == "input" and self.factory.pin(pin).pull != "up":
            self.factory.pin(pin).pull = "up"
        self.factory.pin(pin).drive_low()

    def high(self, pin: int) -> None:
        self.factory.pin(pin).drive_high()

    def level(self, pin: int) -> bool:
        return bool(self.factory.pin(pin).state)

    def close(self) -> None:
        self.factory.close()


class SimulatedChipBench:
    """The kernel's gpio-sim below the driver that a station uses: a real chip, real lgpio, edges from the kernel."""

    tells_at_once = False

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.factory = _pins_of_this_process()

    def low(self, pin: int) -> None:
        self._line(pin, "pull").write_text("pull-down")

    def high(self, pin: int) -> None:
        self._line(pin, "pull").write_text("pull-up")

    def level(self, pin: int) -> bool:
        return self._line(pin, "value").read_text().strip() == "1"

    def close(self) -> None:
        for line in self._folder.glob("sim_gpio*"):
            (line / "pull").write_text("pull-up")

    def _line(self, pin: int, name: str) -> Path:
        return self._folder / f"sim_gpio{pin}" / name


@cache
def _pins_of_this_process() -> Factory:
    """Open the chip once, as a station does: of one closed and opened again lgpio tells no edge any more."""
    from firmware.gpio import open_pins

    return open_pins()


class EdgeTold:
    """Waits until a button's driver has told an edge: on real hardware, some milliseconds after the hand moved."""

    def __init__(self, button: Button) -> None:
        self._told = threading.Event()
        for name in ("when_pressed", "when_released"):
            setattr(button, name, self._then_told(getattr(button, name)))

    def _then_told(self, call):
        def told() -> None:
            call()
            self._told.set()

        return told

    def after(self, hand, pin: int) -> None:
        """Move the hand, and return when the edge was told."""
        self._told.clear()
        hand(pin)
        assert self._told.wait(5.0), "the kernel told no edge"


def kinds_of_bench() -> list[str]:
    """Return the benches that this machine has."""
    return ["mock", "gpio-sim"] if os.environ.get(SIMULATED_CHIP) else ["mock"]


def open_bench(kind: str) -> Bench:
    """Return a bench of this kind."""
    return MockBench() if kind == "mock" else SimulatedChipBench(Path(os.environ[SIMULATED_CHIP]))
