"""A whole site in the rig: station and centre, installed from nothing, paired, and what a person does at both."""

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from appliance.imaging.encode import encode
from appliance.imaging.planes import Planes
from benchmarks import rig, rig_house
from benchmarks.rig import HERE, Machine
from benchmarks.rig_office import ADDRESS, Office
from firmware.simulated import SimulatedCamera

STATION: Final = "rig-1"
STATION_ADDRESS: Final = "192.168.77.2"
PRESSER: Final = "/opt/lattrang/current/venv/bin/python /opt/rig_presser.py"
SPOOL: Final = "/srv/lattrang/spool"
STAGING: Final = "/srv/lattrang/store/staging"
INSTALL_S: Final = 900.0
DELIVER_S: Final = 900.0
SCREEN_S: Final = 300.0


def page() -> bytes:
    """Return what lies under the camera: a drawn book, as JPEG."""
    frame = SimulatedCamera(4, 4056, 3040).capture(pressed_at_ns=0)
    return encode(Planes(frame.y, frame.u, frame.v))


@contextlib.contextmanager
def clean_machine() -> Iterator[tuple[Machine, Path]]:
    """Give a machine with nothing of ours, switched on, and a release that is packed and laid down on it."""
    folder, scripts = rig.folder(), rig.scripts()
    rig.build(folder, scripts)
    rig_house.furnish(folder)
    rig_house.lay_down_page(folder, page())
    disk = folder / "station.img"
    disk.unlink(missing_ok=True)
    machine = Machine(scripts, folder, disk.name)
    packed = rig_house.release(folder)
    machine.boot()
    try:
        rig_house.unpack(machine, packed)
        machine.put((HERE / "rig_presser.py").read_bytes(), "/opt/rig_presser.py")
        yield machine, packed
    finally:
        machine.off()


@contextlib.contextmanager
def site(update_key: bytes | None = None) -> Iterator[tuple[Machine, Office]]:
    """Give a station and a centre that know each other, both installed from nothing by the project's own installer.

    Args:
        update_key: public key (PEM) whose updates the station takes.
    """
    with clean_machine() as (machine, packed), Office(rig.folder()) as office:
        office.install(packed)
        install(machine, update_key)
        waiting, picture = office.invite(STATION)
        machine.put(picture, "/root/code.png")
        machine.shell("lattrang station pair --photo /root/code.png")
        waiting.wait(60)
        yield machine, office


def install(machine: Machine, update_key: bytes | None = None) -> None:
    """Run the installer on the station, as often as one likes."""
    words = f"--name {STATION} --centre {ADDRESS}"
    if update_key is not None:
        machine.put(update_key, "/root/update-key.pem")
        words += " --update-key /root/update-key.pem"
    machine.shell(f"cd /opt/src && ./install.sh station {words} 2>&1", timeout_s=INSTALL_S)


def deliver(machine: Machine) -> None:
    """Hand over, and wait until the centre has confirmed all that the station has."""
    machine.shell(f"{PRESSER} 0 hand-over", timeout_s=DELIVER_S)
    wait_for(machine, lambda status: bool(all(job["complete"] for job in status["jobs"])) and _is_sent(status))


def wait_until_sent(machine: Machine) -> None:
    """Return when the centre has confirmed every capture."""
    wait_for(machine, _is_sent)


def screen(machine: Machine, *words: str) -> dict[str, Any]:
    """Let the person at the station do what `words` say (`rig_presser`), and return what the screen shows then."""
    said = machine.shell(f"{PRESSER} {' '.join(words)}", timeout_s=SCREEN_S)
    seen: dict[str, Any] = json.loads(said.splitlines()[-1])
    return seen


def pages_at(office: Office) -> int:
    """Return how many pages the centre has."""
    return sum(item["pages"] for item in json.loads(office.shell("lattrang central items --json")))


def frames(side: Machine | Office, folder: str) -> dict[str, list[str]]:
    """Return the digests of each capture's frames below `folder`, by its id."""
    listing = side.shell(f"cd {folder} && find . -name 'frame-*.jpg' -exec sha256sum {{}} + || true")
    found: dict[str, list[str]] = {}
    for line in sorted(listing.splitlines()):
        digest, path = line.split(maxsplit=1)
        found.setdefault(Path(path).parent.name, []).append(digest)
    return found


def missing(machine: Machine, office: Office) -> list[str]:
    """Return the captures on the station that the centre has not, or with other bytes."""
    here, there = frames(machine, f"{SPOOL}/captures"), frames(office, STAGING)
    return sorted(each for each in here if here[each] != there.get(each))


def _is_sent(status: dict[str, Any]) -> bool:
    captures = status["captures"]
    return bool(captures["waiting"] == captures["unprocessed"] == 0)


def wait_for(machine: Machine, true: Callable[[dict[str, Any]], bool]) -> None:
    """Return when `lattrang station status` says what `true` asks for."""
    end_s = time.monotonic() + DELIVER_S
    while not true(status := json.loads(machine.shell("lattrang station status"))):
        if time.monotonic() > end_s:
            raise TimeoutError(f"not everything was delivered: {status}")
        threading.Event().wait(2.0)
