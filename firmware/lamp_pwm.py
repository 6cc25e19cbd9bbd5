"""A dimmable lamp on the Pi's hardware PWM, through the kernel's files: 25 kHz, far above what an exposure can see."""

from pathlib import Path
from typing import Final

from firmware.errors import DriverUnavailable

PERIOD_NS: Final = 40_000
"""25 kHz: the contract asks for 20 kHz or more, so that no row of the sensor sees another brightness."""


class PwmLamp:
    """Implements `Lamp`.

    Args:
        chip: the kernel's folder of the PWM chip.
        channel: of that chip.

    Raises:
        DriverUnavailable: HW-03, the kernel offers no such channel.
    """

    def __init__(self, chip: Path = Path("/sys/class/pwm/pwmchip0"), channel: int = 0) -> None:
        self._channel = chip / f"pwm{channel}"
        self._closed = False
        try:
            if not self._channel.is_dir():
                (chip / "export").write_text(str(channel))
            # A duty cycle longer than the period is refused, and the last one may still stand there.
            self._write("duty_cycle", 0)
            self._write("period", PERIOD_NS)
            self._write("enable", 1)
        except OSError as err:
            raise DriverUnavailable(
                "HW-03",
                "The lamp's hardware PWM is not there.",
                "Add dtoverlay=pwm to config.txt, or use a switched lamp.",
            ) from err

    def set(self, brightness: float) -> None:
        """Set brightness; raises `ValueError` outside 0.0-1.0."""
        if not 0.0 <= brightness <= 1.0:
            raise ValueError(f"brightness is 0.0 to 1.0, not {brightness}")
        self._write("duty_cycle", round(PERIOD_NS * brightness))

    def close(self) -> None:
        """Switch off. May be called twice."""
        if not self._closed:
            self._closed = True
            self._write("duty_cycle", 0)
            self._write("enable", 0)

    def _write(self, name: str, value: int) -> None:
        (self._channel / name).write_text(str(value))
