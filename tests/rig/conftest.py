"""One machine for all scenarios of a run; each boots it as it needs."""

from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from benchmarks import rig, rig_house
from benchmarks.rig import Machine
from firmware.simulated import SimulatedCamera


@pytest.fixture(scope="session")
def built() -> Machine:
    """A machine that is built and switched off."""
    try:
        scripts = rig.scripts()
    except rig.NoRig as why:
        pytest.skip(str(why))
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


@pytest.fixture(scope="session")
def running(built: Machine, page: bytes) -> Iterator[Machine]:
    """The machine, switched on, with the checkout laid down and its hardware plugged in."""
    built.boot()
    built.put_project()
    built.plug_in_hardware(page)
    yield built
    built.off()
