"""The parts under contract: each driver, and what a hand would do to it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest

from firmware.camera_replay import ReplayCamera
from firmware.interfaces import Camera
from firmware.simulated import SimulatedCamera
from tests.contract.bench import Bench, kinds_of_bench, open_bench


@dataclass(frozen=True)
class CameraUnderTest:
    """A camera, how to make it stop giving frames (where it can), and a second one that would give the same frames."""

    camera: Camera
    stall: Callable[[], None] | None = None
    again: Callable[[], Camera] | None = None


ON_A_PI = (pytest.mark.pi, pytest.mark.filterwarnings("ignore:setDaemon:DeprecationWarning"))


@pytest.fixture(params=["simulated", "replay", pytest.param("picamera2", marks=ON_A_PI)])
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[CameraUnderTest]:
    subject = {"simulated": _simulated, "replay": _replay, "picamera2": _picamera2}[request.param](tmp_path)
    yield subject
    subject.camera.close()


@pytest.fixture(params=kinds_of_bench())
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    bench = open_bench(request.param)
    yield bench
    bench.close()


def _simulated(_: Path) -> CameraUnderTest:
    camera = SimulatedCamera(5, 507, 381)
    return CameraUnderTest(camera, camera.stall, lambda: SimulatedCamera(5, 507, 381))


def _replay(folder: Path) -> CameraUnderTest:
    for number in range(8):
        picture = np.full((381, 507, 3), 30 * number, np.uint8)
        picture[:100, :100] = 0
        picture[-100:, -100:] = 255
        cv2.imwrite(str(folder / f"photo-{number}.png"), picture)
    return CameraUnderTest(ReplayCamera(folder), again=lambda: ReplayCamera(folder))


def _picamera2(_: Path) -> CameraUnderTest:
    pytest.importorskip("libcamera", reason="libcamera is not installed: this suite also runs on a Raspberry Pi")
    pytest.importorskip("picamera2", reason="picamera2 is not installed: this suite also runs on a Raspberry Pi")
    from firmware.camera_pi import PiCamera

    return CameraUnderTest(PiCamera())
