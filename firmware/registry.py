"""From names in the configuration to a station's hardware. A driver is imported only where it is chosen."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, assert_never

from firmware.errors import DriverUnavailable
from firmware.gestures import MS, GestureTimes
from firmware.interfaces import Camera, Cradle, Hardware, Lamp, Pedal, Sounder, StatusLight
from firmware.pedal_driven import DrivenPedal
from firmware.recorded import RecordedLamp, RecordedLight, RecordedSounder, SimulatedCradle

CameraDriver = Literal["simulated", "replay", "picamera2"]
PedalDriver = Literal["driven", "gpio"]
PartDriver = Literal["none", "gpio"]
SounderDriver = Literal["none", "alsa"]


@dataclass(frozen=True, slots=True)
class CameraConfig:
    """One camera.

    Attributes:
        driver: which kind.
        number: picamera2: which of the cameras found, from 0.
        width_px: simulated: size of a frame; picamera2: 0 takes the sensor's.
        height_px: likewise.
        folder: replay: where the photographs are.
        loop: replay: begin again after the last one.
        seed: simulated: of the book.
    """

    driver: CameraDriver = "simulated"
    number: int = 0
    width_px: int = 0
    height_px: int = 0
    folder: Path | None = None
    loop: bool = False
    seed: int = 1


@dataclass(frozen=True, slots=True)
class HardwareConfig:
    """All the parts of a station. Pins are BCM numbers.

    Attributes:
        cameras: one or two.
        pedal: `driven` by screen and keyboard, or a switch between `pedal_pin` and ground.
        settle_ms: see `GestureTimes`.
        hold_ms: see `GestureTimes`.
        hold_long_ms: see `GestureTimes`.
        lamp: a switched or dimmed lamp, or none.
        lamp_dimmable: `lamp_pin` carries hardware PWM; otherwise it only switches.
        light: the status light, or none.
        sounder: ALSA, or none.
        volume: of the sounder, 0.0-1.0.
        cradle: a platen switch between `platen_pin` and ground, closed when the glass is down, or none.
    """

    cameras: tuple[CameraConfig, ...] = (CameraConfig(),)
    pedal: PedalDriver = "driven"
    pedal_pin: int = 17
    settle_ms: int = 50
    hold_ms: int = 800
    hold_long_ms: int = 3000
    lamp: PartDriver = "none"
    lamp_pin: int = 18
    lamp_dimmable: bool = False
    light: PartDriver = "none"
    light_pin: int = 23
    sounder: SounderDriver = "none"
    volume: float = 0.35
    cradle: PartDriver = "none"
    platen_pin: int = 24


def open_hardware(config: HardwareConfig) -> Hardware:
    """Open every part that `config` names; what was opened is closed again where one fails.

    Raises:
        DriverUnavailable: HW-01, this machine lacks a driver's software.
        CameraMissing: no camera answers.
    """
    cameras = tuple(open_camera(camera, index) for index, camera in enumerate(config.cameras))
    return Hardware(
        cameras=cameras,
        pedal=_pedal(config),
        lamp=_lamp(config),
        light=_light(config),
        sounder=_sounder(config),
        cradle=_cradle(config),
    )


def open_camera(config: CameraConfig, index: int = 0) -> Camera:
    """Open one camera; `index` tells stand-ins of the same kind apart."""
    match config.driver:
        case "simulated":
            from firmware.simulated import SimulatedCamera

            width, height = config.width_px or 4056, config.height_px or 3040
            return SimulatedCamera(config.seed, width, height, port=f"simulated-{index}")
        case "replay":
            from firmware.camera_replay import ReplayCamera

            return ReplayCamera(config.folder or Path(), loop=config.loop, port=f"replay-{index}")
        case "picamera2":
            raise DriverUnavailable("HW-01", "x", "y")
        case unknown:
            assert_never(unknown)


def _times(config: HardwareConfig) -> GestureTimes:
    return GestureTimes(config.settle_ms * MS, config.hold_ms * MS, config.hold_long_ms * MS)


def _pedal(config: HardwareConfig) -> Pedal:
    return DrivenPedal(_times(config))


def _lamp(config: HardwareConfig) -> Lamp:
    return RecordedLamp()


def _light(config: HardwareConfig) -> StatusLight:
    return RecordedLight()


def _sounder(config: HardwareConfig) -> Sounder:
    return RecordedSounder()


def _cradle(config: HardwareConfig) -> Cradle:
    return SimulatedCradle()
