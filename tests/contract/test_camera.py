"""What every camera promises, whatever it is made of."""

import time
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from firmware.errors import CameraStalled, HardwareError
from firmware.interfaces import Camera, Frame, Lock


def take(camera: Camera) -> Frame:
    return camera.capture(pressed_at_ns=time.monotonic_ns(), timeout_s=10.0)


def test_a_driver_is_a_camera(subject):
    assert isinstance(subject.camera, Camera)


def test_a_frame_is_exposed_after_the_press(subject):
    pressed_at_ns = time.monotonic_ns() + 40_000_000
    frame = subject.camera.capture(pressed_at_ns=pressed_at_ns, timeout_s=10.0)
    assert pressed_at_ns <= frame.sensor_at_ns <= time.monotonic_ns()


def test_a_press_that_lies_beyond_the_time_allowed_gets_no_frame(subject):
    with pytest.raises(CameraStalled):
        subject.camera.capture(pressed_at_ns=time.monotonic_ns() + 60_000_000_000, timeout_s=0.05)
    subject.camera.recover()
    assert take(subject.camera).y.size > 0


def test_frames_come_in_the_order_of_their_exposure(subject):
    first, second = take(subject.camera), take(subject.camera)
    assert first.sensor_at_ns < second.sensor_at_ns


def test_planes_are_four_two_zero_contiguous_and_of_the_size_that_the_camera_says(subject):
    info, frame = subject.camera.info, take(subject.camera)
    assert (frame.width_px, frame.height_px) == (info.width_px, info.height_px)
    chroma = ((info.height_px + 1) // 2, (info.width_px + 1) // 2)
    assert frame.u.shape == frame.v.shape == chroma
    for plane in (frame.y, frame.u, frame.v):
        assert plane.dtype == np.uint8
        assert plane.flags.c_contiguous


def test_a_frame_says_which_camera_took_it(subject):
    assert take(subject.camera).camera == subject.camera.info.port != ""


def test_a_frame_belongs_to_its_taker_alone(subject):
    first = take(subject.camera)
    kept = first.y.copy()
    for plane in (first.y, first.u, first.v):
        plane[...] = 7
    second = take(subject.camera)
    for before, after in ((first.y, second.y), (first.u, second.u), (first.v, second.v)):
        assert (before == 7).all()
        assert not np.shares_memory(before, after)
    assert kept.std() > 1
    if subject.again is not None:
        other = subject.again()
        take(other)
        assert np.array_equal(second.y, take(other).y)
        other.close()


@pytest.mark.parametrize("subject", ["simulated", "replay"], indirect=True)
def test_black_and_white_use_the_full_range(subject):
    frame = take(subject.camera)
    assert frame.y.min() < 16
    assert frame.y.max() > 235


def test_locked_values_are_those_of_the_frames_after(subject):
    subject.camera.lock(Lock(exposure_us=12_000, analogue_gain=2.0))
    for _ in range(2):
        controls = take(subject.camera).controls
        assert controls["ExposureTime"] == pytest.approx(12_000, rel=0.05)
        assert controls["AnalogueGain"] == pytest.approx(2.0, rel=0.05)


def test_what_a_frame_was_taken_with_cannot_be_changed_afterwards(subject):
    with pytest.raises(TypeError):
        take(subject.camera).controls["ExposureTime"] = 1


def test_a_preview_is_a_small_jpeg_of_the_frames_shape_whose_number_never_falls(subject):
    first = subject.camera.preview()
    picture = cv2.imdecode(np.frombuffer(first.jpeg, np.uint8), cv2.IMREAD_COLOR)
    info = subject.camera.info
    assert picture.shape[1] <= 1100
    assert picture.shape[1] / picture.shape[0] == pytest.approx(info.width_px / info.height_px, rel=0.02)
    take(subject.camera)
    assert subject.camera.preview().number > first.number


def test_previews_and_captures_may_come_from_different_threads(subject):
    with ThreadPoolExecutor(4) as threads:
        previews = [threads.submit(subject.camera.preview) for _ in range(8)]
        frames = [threads.submit(take, subject.camera) for _ in range(4)]
        assert len({frame.result(timeout=30).sensor_at_ns for frame in frames}) == 4
        assert all(preview.result(timeout=30).jpeg[:2] == b"\xff\xd8" for preview in previews)


def test_a_closed_camera_refuses_and_may_be_closed_again(subject):
    subject.camera.close()
    subject.camera.close()
    with pytest.raises(HardwareError, match="CAM-0"):
        subject.camera.capture(pressed_at_ns=time.monotonic_ns(), timeout_s=0.2)


def test_a_closed_camera_works_again_after_recover(subject):
    take(subject.camera)
    subject.camera.close()
    subject.camera.recover()
    assert take(subject.camera).y.size > 0


def test_a_stalled_camera_says_so_in_time_and_works_again_after_recover(subject):
    if subject.stall is None:
        pytest.skip("this driver cannot be made to stall from here")
    subject.stall()
    begun = time.monotonic()
    with pytest.raises(CameraStalled) as caught:
        subject.camera.capture(pressed_at_ns=time.monotonic_ns(), timeout_s=0.1)
    assert time.monotonic() - begun < 2.0
    assert caught.value.code == "CAM-02"
    assert caught.value.transient
    subject.camera.recover()
    assert take(subject.camera).y.size > 0
