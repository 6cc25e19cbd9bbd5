"""How the machine itself is doing."""

import os
import shutil
from pathlib import Path
from typing import Final

from wire import VERSION

HOT_C: Final = 80.0
"""A Raspberry Pi begins to slow itself down here (its documentation, "frequency management and thermal control")."""
_THERMAL: Final = Path("/sys/class/thermal/thermal_zone0/temp")
_MONITORS: Final = Path("/sys/class/hwmon")


def temperature_c(source: Path = _THERMAL) -> float | None:
    """Return the processor's temperature in degrees Celsius; None where the machine does not tell."""
    try:
        return int(source.read_text(encoding="ascii")) / 1000
    except (OSError, ValueError):
        return None


def hot_c(source: Path = _THERMAL) -> int | None:
    """Return the temperature in whole degrees Celsius where it is `HOT_C` or more; None else."""
    celsius = temperature_c(source)
    return round(celsius) if celsius is not None and celsius >= HOT_C else None


def is_power_low(monitors: Path = _MONITORS) -> bool | None:
    """Tell whether a Raspberry Pi has had too little voltage since it was started; None where nobody measures it."""
    for monitor in sorted(monitors.glob("hwmon*")):
        try:
            if (monitor / "name").read_text("ascii").strip() == "rpi_volt":
                return (monitor / "in0_lcrit_alarm").read_text("ascii").strip() != "0"
        except OSError:
            continue
    return None


def machine_facts() -> dict[str, object]:
    """Return what somebody far away asks of a machine first; no name, no address, no serial number."""
    memory = {
        line.split(":")[0]: line.split()[1]
        for line in _lines(Path("/proc/meminfo"))
        if line.startswith(("MemTotal:", "MemAvailable:", "SwapFree:"))
    }
    root = shutil.disk_usage("/")
    return {
        "software": VERSION,
        "model": "".join(_lines(Path("/proc/device-tree/model"))).strip("\0 ") or None,
        "system": next(
            (
                line.partition("=")[2].strip('"')
                for line in _lines(Path("/etc/os-release"))
                if line.startswith("PRETTY_NAME=")
            ),
            None,
        ),
        "kernel": os.uname().release,
        "processors": os.cpu_count(),
        "load": os.getloadavg(),
        "up_s": float((_lines(Path("/proc/uptime")) or ["0"])[0].split()[0]),
        "memory_kib": memory,
        "root_free_bytes": root.free,
        "root_total_bytes": root.total,
        "temperature_c": temperature_c(),
        "is_power_low": is_power_low(),
    }


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text("utf-8", "replace").splitlines()
    except OSError:
        return []
