"""What is asked of a Raspberry Pi camera, and how its answers are read."""

from firmware.camera_controls import (
    exposure_start_ns,
    fixed_controls,
    has_settled,
    lock_controls,
    preview_size,
    recorded_controls,
)
from firmware.interfaces import Lock

ALL = ("AeEnable", "AwbEnable", "AfMode", "LensPosition", "ExposureTime", "AnalogueGain", "ColourGains", "Sharpness")


def test_masters_are_neither_sharpened_nor_denoised():
    assert fixed_controls(("Sharpness", "NoiseReductionMode")) == {"Sharpness": 0.0, "NoiseReductionMode": 0}
    assert fixed_controls(()) == {}


def test_a_whole_lock_switches_every_automatic_off():
    controls = lock_controls(Lock(8_000, 1.5, (2.0, 1.6), 3.5), ALL)
    assert controls == {
        "ExposureTime": 8_000,
        "AnalogueGain": 1.5,
        "AeEnable": False,
        "AwbEnable": False,
        "ColourGains": (2.0, 1.6),
        "AfMode": 0,
        "LensPosition": 3.5,
    }


def test_what_is_not_locked_is_left_alone():
    assert lock_controls(Lock(), ALL) == {}
    assert lock_controls(Lock(exposure_us=8_000), ALL) == {"ExposureTime": 8_000}


def test_a_lens_without_a_motor_is_not_asked_to_focus():
    assert lock_controls(Lock(lens_position=2.0), ("ExposureTime",)) == {}


def test_a_frame_counts_as_locked_when_the_sensor_came_as_close_as_it_can():
    lock = Lock(exposure_us=10_000, analogue_gain=2.0, colour_gains=(2.0, 1.5), lens_position=0.1)
    near = {"ExposureTime": 9_985, "AnalogueGain": 1.98, "ColourGains": (2.0, 1.5), "LensPosition": 0.11}
    assert has_settled(lock, near)
    assert has_settled(Lock(), {})
    for name, far in (("ExposureTime", 5_000), ("AnalogueGain", 1.0), ("ColourGains", (1.0, 1.5)), ("LensPosition", 1)):
        assert not has_settled(lock, near | {name: far})


def test_a_control_the_camera_does_not_report_is_not_waited_for():
    assert has_settled(Lock(lens_position=2.0), {"ExposureTime": 10_000})


def test_only_plain_values_of_known_controls_are_recorded():
    recorded = recorded_controls({"ExposureTime": 10, "ColourGains": [1, 2], "ScalerCrop": object(), "Lux": object()})
    assert dict(recorded) == {"ExposureTime": 10, "ColourGains": (1.0, 2.0)}


def test_an_exposure_began_its_own_length_before_the_stamp():
    assert exposure_start_ns({"SensorTimestamp": 5_000_000, "ExposureTime": 2_000}) == 3_000_000


def test_a_preview_is_even_of_the_same_shape_and_never_larger():
    assert preview_size(4056, 3040) == (1014, 760)
    assert preview_size(9152, 6944) == (1014, 768)
    assert preview_size(640, 480) == (640, 480)
