"""From names to parts, and what is said where a part's software is missing."""

import importlib.util
from contextlib import closing

import pytest
from gpiozero.pins.mock import MockFactory
from PIL import Image

from firmware.errors import CameraMissing, DriverUnavailable
from firmware.gpio import choose_chip, pin_of
from firmware.interfaces import Camera, Cradle, Lamp, Pedal, Sounder, StatusLight
from firmware.pedal_gpio import GpioPedal
from firmware.registry import CameraConfig, HardwareConfig, open_camera, open_hardware


def test_a_station_without_any_hardware_is_whole():
    hardware = open_hardware(HardwareConfig((CameraConfig(width_px=64, height_px=64),)))
    assert isinstance(hardware.cameras[0], Camera)
    for part, contract in (
        (hardware.pedal, Pedal),
        (hardware.lamp, Lamp),
        (hardware.light, StatusLight),
        (hardware.sounder, Sounder),
        (hardware.cradle, Cradle),
    ):
        assert isinstance(part, contract)
    hardware.close()
    hardware.close()


def test_two_cameras_can_be_told_apart():
    hardware = open_hardware(HardwareConfig((CameraConfig(width_px=64, height_px=64),) * 2))
    assert len({camera.info.port for camera in hardware.cameras}) == 2
    hardware.close()


def test_a_folder_of_photographs_can_be_the_camera(tmp_path):
    Image.new("RGB", (80, 60)).save(tmp_path / "a.png")
    camera = open_camera(CameraConfig("replay", folder=tmp_path))
    assert camera.capture(pressed_at_ns=0).source == "a.png"


def test_a_replay_without_photographs_names_the_folder(tmp_path):
    with pytest.raises(CameraMissing, match=str(tmp_path)):
        open_camera(CameraConfig("replay", folder=tmp_path))


@pytest.mark.skipif(importlib.util.find_spec("picamera2") is not None, reason="picamera2 is installed here")
def test_a_pi_camera_without_its_software_says_what_to_install():
    with pytest.raises(DriverUnavailable) as caught:
        open_camera(CameraConfig("picamera2"))
    assert caught.value.code == "HW-01"
    assert "apt install python3-picamera2" in caught.value.cure


@pytest.mark.skipif(importlib.util.find_spec("lgpio") is not None, reason="lgpio is installed here")
@pytest.mark.parametrize("part", [{"pedal": "gpio"}, {"lamp": "gpio"}, {"light": "gpio"}, {"cradle": "gpio"}])
def test_a_pin_without_lgpio_says_what_to_install_and_takes_no_other_library(part):
    with pytest.raises(DriverUnavailable) as caught:
        open_hardware(HardwareConfig((CameraConfig(width_px=64, height_px=64),), **part))
    assert caught.value.code == "HW-01"
    assert "python3-lgpio" in caught.value.cure


def test_a_dimmed_lamp_without_hardware_pwm_is_refused():
    with pytest.raises(DriverUnavailable) as caught:
        open_hardware(HardwareConfig((CameraConfig(width_px=64, height_px=64),), lamp="pwm"))
    assert caught.value.code == "HW-03"


@pytest.mark.parametrize(
    ("labels", "chip"),
    [
        ({0: "pinctrl-bcm2711", 1: "raspberrypi-exp-gpio"}, 0),
        ({0: "gpio-brcmstb@107d508500", 4: "pinctrl-rp1", 11: "gpio-brcmstb@107d517c00"}, 4),
        ({3: "pinctrl-rp1", 0: "pinctrl-bcm2712"}, 3),
        ({2: "pinctrl-bcm2835"}, 2),
    ],
)
def test_the_header_is_found_by_the_label_of_its_chip(labels, chip):
    assert choose_chip(labels) == chip


@pytest.mark.parametrize("labels", [{}, {0: "INT34C5:00"}])
def test_a_machine_without_a_header_says_so(labels):
    with pytest.raises(DriverUnavailable, match="no GPIO header") as caught:
        choose_chip(labels)
    assert caught.value.code == "HW-02"


def _pedal_twice(number: int) -> None:
    pins = MockFactory()
    with pin_of("pedal", number), closing(GpioPedal(number, pins)):
        GpioPedal(number, pins)


@pytest.mark.parametrize("number", [99, 17])
def test_a_pin_that_does_not_exist_or_is_taken_is_said_with_its_part(number):
    with pytest.raises(DriverUnavailable, match=f"HW-04: Pin {number} for the pedal"):
        _pedal_twice(number)
