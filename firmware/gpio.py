"""Finds the GPIO chip of a Raspberry Pi and opens gpiozero's pins on it: lgpio, or nothing.

gpiozero would fall back to other pin libraries with other timing, and to chip 0, which is not the header on every Pi; a
station says what is missing instead.
"""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from firmware.errors import DriverUnavailable

if TYPE_CHECKING:
    from gpiozero import Factory

HEADER_LABELS: Final = ("pinctrl-rp1", "pinctrl-bcm")
"""How the kernel calls the chip that the header's pins belong to: Pi 5, and all before it."""


def open_pins() -> "Factory":
    """Return gpiozero's factory for the pins of the header.

    Raises:
        DriverUnavailable: HW-01 without gpiozero or lgpio, HW-02 without the chip.
    """
    try:
        import lgpio
        from gpiozero.pins.lgpio import LGPIOFactory
    except ImportError as err:
        raise DriverUnavailable(
            "HW-01", "gpiozero or lgpio is not installed.", "Run: sudo apt install python3-gpiozero python3-lgpio"
        ) from err
    try:
        return LGPIOFactory(chip=choose_chip(_labels(lgpio)))
    except (lgpio.error, OSError) as err:
        raise _no_chip("The GPIO chip cannot be opened.") from err


def choose_chip(labels: Mapping[int, str]) -> int:
    """Return the number of the chip, of those with these labels, that the header belongs to; raises HW-02."""
    for wanted in HEADER_LABELS:
        for number, label in sorted(labels.items()):
            if label.startswith(wanted):
                return number
    raise _no_chip("This machine has no GPIO header.")


def _labels(lgpio: object) -> dict[int, str]:
    labels = {}
    for path in Path("/dev").glob("gpiochip*"):
        number = int(path.name.removeprefix("gpiochip"))
        handle = lgpio.gpiochip_open(number)  # type: ignore[attr-defined]
        _, _, _, labels[number] = lgpio.gpio_get_chip_info(handle)  # type: ignore[attr-defined]
        lgpio.gpiochip_close(handle)  # type: ignore[attr-defined]
    return labels


@contextmanager
def pin_of(part: str, pin: int) -> Iterator[None]:
    """Turn what gpiozero or lgpio say of a pin into words; raises `DriverUnavailable` HW-04."""
    from gpiozero.exc import GPIOZeroError

    errors: tuple[type[Exception], ...] = (GPIOZeroError,)
    if (lgpio := sys.modules.get("lgpio")) is not None:
        errors += (lgpio.error,)
    try:
        yield
    except errors as err:
        raise DriverUnavailable(
            "HW-04",
            f"Pin {pin} for the {part} cannot be used ({err}).",
            "Another program has it, or the number is wrong: stop that program, or mend [hardware] in station.toml.",
        ) from err


def _no_chip(message: str) -> DriverUnavailable:
    return DriverUnavailable("HW-02", message, "Use a Raspberry Pi, and add the station's user to the group gpio.")
