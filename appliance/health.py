"""How the machine itself is doing."""

from pathlib import Path
from typing import Final

_THERMAL: Final = Path("/sys/class/thermal/thermal_zone0/temp")


def temperature_c(source: Path = _THERMAL) -> float | None:
    """Return the processor's temperature in degrees Celsius; None where the machine does not tell."""
    try:
        return int(source.read_text(encoding="ascii")) / 1000
    except (OSError, ValueError):
        return None
