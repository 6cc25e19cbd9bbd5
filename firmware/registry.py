"""From names in the configuration to a station's hardware. A driver is imported only where it is chosen."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias, TypeVar, assert_never

from firmware.gestures import MS, GestureTimes
from firmware.gpio import open_pins, pin_of
from firmware.interfaces import Camera, Closable, Cradle, Hardware, Lamp, Pedal, Sounder, StatusLight
from firmware.pedal_driven import DrivenPedal
from firmware.recorded import RecordedLamp, RecordedLight, RecordedSounder, SimulatedCradle

if TYPE_CHECKING:
    from gpiozero import Factory

T = TypeVar("T", bound=Closable)
OpenPins: TypeAlias = "Callable[[], Factory]"
CameraDriver = Literal["simulated", "replay", "picamera2"]
PedalDriver = Literal["driven", "gpio"]
LampDriver = Literal["none", "gpio", "pwm"]
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
        lamp: switched by `lamp_pin`, dimmed by the Pi's hardware PWM (channel 0 of chip 0), or none.
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
    lamp: LampDriver = "none"
    lamp_pin: int = 18
    light: PartDriver = "none"
    light_pin: int = 23
    sounder: SounderDriver = "none"
    volume: float = 0.35
    cradle: PartDriver = "none"
    platen_pin: int = 24


def open_hardware(config: HardwareConfig) -> Hardware:
    """Open every part that `config` names; what was opened is closed again where one fails.

    Raises:
        DriverUnavailable: this machine lacks a driver's software (HW-01) or its pins (HW-02, HW-03, HW-04).
        CameraMissing: no camera answers (CAM-01).
    """
    with ExitStack() as opened:
        pins = cache(open_pins)

        def keep(part: T) -> T:
            opened.callback(part.close)
            return part

        hardware = Hardware(
            cameras=tuple(keep(open_camera(camera, index)) for index, camera in enumerate(config.cameras)),
            pedal=keep(_pedal(config, pins)),
            lamp=keep(_lamp(config, pins)),
            light=keep(_light(config, pins)),
            sounder=keep(_sounder(config)),
            cradle=keep(_cradle(config, pins)),
        )
        opened.pop_all()
    return hardware


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
            from firmware.camera_pi import PiCamera

            return PiCamera(config.number, size_px=(config.width_px, config.height_px) if config.width_px else None)
        case unknown:
            assert_never(unknown)


def _pedal(config: HardwareConfig, pins: OpenPins) -> Pedal:
    times = GestureTimes(config.settle_ms * MS, config.hold_ms * MS, config.hold_long_ms * MS)
    if config.pedal == "driven":
        return DrivenPedal(times)
    factory = pins()
    from firmware.pedal_gpio import GpioPedal

    with pin_of("pedal", config.pedal_pin):
        return GpioPedal(config.pedal_pin, factory, times)


def _lamp(config: HardwareConfig, pins: OpenPins) -> Lamp:
    match config.lamp:
        case "none":
            return RecordedLamp()
        case "gpio":
            factory = pins()
            from firmware.lamp_gpio import GpioLamp

            with pin_of("lamp", config.lamp_pin):
                return GpioLamp(config.lamp_pin, factory)
        case "pwm":
            from firmware.lamp_pwm import PwmLamp

            return PwmLamp()
        case unknown:
            assert_never(unknown)


def _light(config: HardwareConfig, pins: OpenPins) -> StatusLight:
    if config.light == "none":
        return RecordedLight()
    factory = pins()
    from firmware.light_gpio import GpioLight

    with pin_of("status light", config.light_pin):
        return GpioLight(config.light_pin, factory)


def _sounder(config: HardwareConfig) -> Sounder:
    if config.sounder == "none":
        return RecordedSounder()
    from firmware.sounder_alsa import AlsaSounder

    return AlsaSounder(config.volume)


def _cradle(config: HardwareConfig, pins: OpenPins) -> Cradle:
    if config.cradle == "none":
        return SimulatedCradle()
    factory = pins()
    from firmware.cradle_gpio import GpioCradle

    with pin_of("platen switch", config.platen_pin):
        return GpioCradle(config.platen_pin, factory)
