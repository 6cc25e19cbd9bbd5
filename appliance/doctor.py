"""Names every part of the station that is missing, and its cure. Changes nothing."""

import os
import sqlite3
import ssl
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib import metadata
from pathlib import Path
from socket import create_connection
from typing import Final

from appliance.clocks import is_synchronised
from appliance.config import BrokerSection, StationConfig
from appliance.errors import PairingError, StationError
from appliance.pairing.certificates import context, not_after
from appliance.pairing.line import Address, Trust, time_there
from appliance.spool.faults import unreadable_index
from appliance.spool.files import Paths
from appliance.spool.retention import MIB
from appliance.spool.state import Clock, StationState, read_state
from firmware.errors import HardwareError
from wire.errors import CodedError

_LEAST_PYTHON: Final = (3, 11)
_PACKAGES: Final = (
    "msgspec",
    "numpy",
    "simplejpeg",
    "pillow",
    "paho-mqtt",
    "flask",
    "flask-babel",
    "waitress",
    "cryptography",
)
_CV2_WHEELS: Final = (
    "opencv-python",
    "opencv-python-headless",
    "opencv-contrib-python",
    "opencv-contrib-python-headless",
)
_BROKER_TIMEOUT_S: Final = 5.0
_SOON: Final = timedelta(days=30)
"""The station renews its certificate by itself from the sixtieth day on: half of that time was in vain."""


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the doctor: what was looked at and, where it is not well, code, sentence and cure.

    `is_advice`: the station works all the same, so it is no failure.
    """

    name: str
    ok: bool = True
    is_advice: bool = False
    code: str = ""
    message: str = ""
    cure: str = ""


class _NotWell(StationError):
    """What a look found missing."""


class _Advice(_NotWell):
    """What works, but not as well as it could."""


def checks(config: StationConfig) -> tuple[Check, ...]:
    """Look at everything and return what was found, in the order in which a person would mend it."""
    looks: list[tuple[str, Callable[[], object]]] = [
        ("python", look_at_python),
        ("packages", look_at_packages),
        ("hardware", partial(look_at_hardware, config)),
        ("spool", partial(look_at_spool, config.spool.folder)),
        ("spool's disk", partial(look_at_disk, config.spool.folder, config.spool.reserve_mib * MIB)),
        ("spool's index", partial(look_at_index, config.spool.folder)),
        ("clock", look_at_clock),
    ]
    if config.broker is None:
        looks.append(("broker", config.publisher))
    else:
        broker = config.broker
        looks += [
            ("certificates", partial(look_at_certificates, broker.ca, broker.cert, broker.key)),
            ("broker", partial(look_at_broker, config)),
            ("renewal", partial(look_at_renewal, broker)),
        ]
    return tuple(_looked(name, look) for name, look in looks)


def look_at_python(version: tuple[int, ...] = sys.version_info[:2]) -> None:
    """Raise where Python is too old."""
    if version < _LEAST_PYTHON:
        raise _NotWell(
            "SOFT-01", f"Python {'.'.join(map(str, version))} is too old.", "Install Debian 12 or newer (Python 3.11)."
        )


def look_at_packages(installed: Callable[[str], str] = metadata.version) -> None:
    """Raise where a package is missing, or OpenCV is there in several wheels that overwrite each other."""
    missing = [name for name in _PACKAGES if not _is_installed(name, installed)]
    if missing:
        raise _NotWell("SOFT-02", f"Missing: {', '.join(missing)}.", "Run: ./install.sh station")
    wheels = [name for name in _CV2_WHEELS if _is_installed(name, installed)]
    if len(wheels) != 1:
        raise _NotWell(
            "SOFT-03",
            f"OpenCV must be installed once, found: {', '.join(wheels) or 'none'}.",
            "Remove them all with pip, then install opencv-python-headless.",
        )


def look_at_hardware(config: StationConfig) -> None:
    """Raise where a camera or a pin cannot be opened; of a station that runs, and so has them, what it says of them."""
    from firmware.registry import open_hardware

    running = read_state(Paths(config.spool.folder).run / "station.json", StationState, Clock())
    if running is not None:
        if running.fault is not None:
            raise _NotWell(running.fault, "The station runs, and says this of itself.", "Its screen tells what to do.")
        return

    with closing(open_hardware(config.hardware)) as hardware:
        for camera in hardware.cameras:
            camera.preview()


def look_at_spool(folder: Path) -> None:
    """Raise where the spool's folder is missing or cannot be written."""
    if not folder.is_dir():
        raise _NotWell("DISK-07", f"The spool {folder} does not exist.", "Create it, or start the station once.")
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        raise _NotWell("DISK-07", f"The spool {folder} cannot be written.", "Give the station's group the right to.")


def look_at_disk(folder: Path, reserve_bytes: int, mounts: Path = Path("/proc/mounts")) -> None:
    """Raise where room is short, or captures would lie on memory or on an SD card."""
    there = folder if folder.is_dir() else folder.parent
    stat = os.statvfs(there)
    free_bytes = stat.f_bavail * stat.f_frsize
    if free_bytes < reserve_bytes:
        raise _NotWell(
            "DISK-01",
            f"{free_bytes // MIB} MiB are free, {reserve_bytes // MIB} MiB are kept in reserve.",
            "Make room, or let the station send what is waiting.",
        )
    device, kind = mount_of(there.resolve(), mounts.read_text(encoding="utf-8"))
    if kind in {"tmpfs", "ramfs", "overlay"}:
        raise _NotWell("DISK-09", f"The spool lies on {kind}: a power cut empties it.", "Put it on an SSD.")
    if device.startswith("/dev/mmcblk"):
        raise _Advice("DISK-10", "The spool lies on an SD card, which lies about flushes.", "Put it on an SSD.")


def look_at_index(folder: Path) -> None:
    """Raise where the spool's index is not whole. Reads only: the station repairs it at its next start."""
    database = Paths(folder).database
    if not database.exists():
        return
    try:
        with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.Error as error:
        raise unreadable_index(error) from error
    if verdict != "ok":
        raise unreadable_index(sqlite3.DatabaseError(verdict))


def look_at_clock(synchronised: Callable[[], bool] = is_synchronised) -> None:
    """Raise where the date cannot be believed; captures are kept in order all the same."""
    if not synchronised():
        raise _Advice(
            "CLOCK-01", "The clock is not synchronised.", "Connect the station; dates are corrected when it is."
        )


def look_at_certificates(ca: Path, cert: Path, key: Path, now: datetime | None = None) -> None:
    """Raise where a certificate or the key is missing, unreadable, does not fit or ends soon."""
    for file in (ca, cert, key):
        if not os.access(file, os.R_OK):
            raise _NotWell("PAIR-03", f"{file} is missing or cannot be read.", "Pair the station again.")
    try:
        context(ca, cert, key)
        ends = {file: not_after(file.read_text(encoding="ascii")) for file in (ca, cert)}
    except (ssl.SSLError, ValueError) as error:
        raise _NotWell("PAIR-03", f"The certificates do not fit ({error}).", "Pair the station again.") from error
    for file, end in ends.items():
        left = end - (now or datetime.now(UTC))
        if left < timedelta(0):
            raise _NotWell("PAIR-06", f"{file} has ended on {end:%Y-%m-%d}.", "Pair the station again.")
        if left < _SOON:
            raise _Advice(
                "PAIR-05",
                f"{file} ends on {end:%Y-%m-%d}, and the station has not renewed it yet.",
                "Let it reach the centre; the publisher's log says why it could not.",
            )


def look_at_broker(config: StationConfig) -> None:
    """Raise where no broker that our authority signed answers."""
    broker = config.publisher().broker
    try:
        with (
            create_connection((broker.host, broker.port), timeout=_BROKER_TIMEOUT_S) as plain,
            context(broker.ca, broker.cert, broker.key).wrap_socket(plain, server_hostname=broker.host),
        ):
            pass
    except (OSError, ValueError) as error:
        raise _NotWell(
            "NET-01",
            f"The broker {broker.host}:{broker.port} does not answer ({error}).",
            "Check the network; capture goes on without it.",
        ) from error


def look_at_renewal(broker: BrokerSection) -> None:
    """Raise where the certificate could not be renewed now: nobody answers for it, or not our centre."""
    address = Address(broker.host, broker.pairing_port)
    try:
        time_there(address, Trust(broker.ca.read_text("ascii")), _BROKER_TIMEOUT_S)
    except PairingError as error:
        # It works without until the certificate ends, which is years away or told above.
        raise _Advice(error.code, error.message, error.cure) from error
    except (OSError, ValueError) as error:
        raise _NotWell("PAIR-03", f"{broker.ca} cannot be read ({error}).", "Pair the station again.") from error


def mount_of(path: Path, mounts: str) -> tuple[str, str]:
    """Return device and file system of the mount that holds `path`, from the text of ``/proc/mounts``."""
    entries = [line.split() for line in mounts.splitlines() if line.count(" ") >= 2]
    holding = [entry for entry in entries if path.is_relative_to(entry[1])]
    best = max(holding, key=lambda entry: len(entry[1]), default=["", "/", ""])
    return best[0], best[2]


def _is_installed(name: str, installed: Callable[[str], str]) -> bool:
    try:
        installed(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def _looked(name: str, look: Callable[[], object]) -> Check:
    try:
        look()
    except (CodedError, HardwareError) as error:
        return Check(name, False, isinstance(error, _Advice), error.code, error.message, error.cure)
    return Check(name)
