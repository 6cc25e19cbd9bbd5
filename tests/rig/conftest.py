"""The machines of the scenarios. There is one cable, so one machine at a time: one of a file, or that of the site."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks import rig, rig_house
from benchmarks.rig import Machine
from benchmarks.rig_office import Office
from benchmarks.rig_site import clean_machine, site
from firmware.simulated import SimulatedCamera


@pytest.fixture(scope="session")
def scripts() -> Path:
    """Where the scripts of the rig are."""
    try:
        return rig.scripts()
    except rig.NoRig as why:
        pytest.skip(str(why))


@pytest.fixture(scope="session")
def built(scripts: Path) -> Machine:
    """A machine that is built and switched off."""
    folder = rig.folder()
    rig.build(folder, scripts)
    rig_house.install_python_packages(folder / "root")
    disk = folder / "drivers.img"
    disk.unlink(missing_ok=True)  # made anew from the root by the first boot
    return Machine(scripts, folder, disk.name)


@pytest.fixture(scope="session")
def page() -> bytes:
    """A photograph of a drawn book, for the machine's camera."""
    frame = SimulatedCamera(4, 4056, 3040).capture(pressed_at_ns=0)
    half = (frame.u, frame.v)
    u, v = (cv2.resize(each, (frame.width_px, frame.height_px), interpolation=cv2.INTER_LINEAR) for each in half)
    done, jpeg = cv2.imencode(".jpg", cv2.cvtColor(np.dstack([frame.y, v, u]), cv2.COLOR_YCrCb2BGR))
    assert done
    return jpeg.tobytes()


@pytest.fixture(scope="module")
def running(built: Machine, page: bytes) -> Iterator[Machine]:
    """The machine, switched on, with the checkout laid down and its hardware plugged in."""
    built.boot()
    built.put_project()
    built.plug_in_hardware(page)
    yield built
    built.off()


@pytest.fixture
def clean(scripts: Path) -> Iterator[Machine]:
    """A machine with nothing of ours, switched on, and the project laid down in /opt/src."""
    with clean_machine() as (machine, _):
        yield machine


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    """Where the private key is, and the public one, of whoever makes updates."""
    private = tmp_path_factory.mktemp("keys") / "private.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", str(private)], check=True)
    told = subprocess.run(["openssl", "pkey", "-in", str(private), "-pubout"], check=True, capture_output=True)
    return private, told.stdout


@pytest.fixture(scope="session")
def place(scripts: Path, keys: tuple[Path, bytes]) -> Iterator[tuple[Machine, Office]]:
    """A station and a centre that know each other, for every file named test_station*: they come last."""
    with site(update_key=keys[1]) as parts:
        yield parts
