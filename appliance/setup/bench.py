"""The station's parts on trial: counts what feet say, and lets lamp, light and loudspeaker show that they work."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final, Literal

import cv2
import numpy as np

from appliance.errors import SetUpError
from appliance.lent_camera import LentCamera
from appliance.setup.api import FeetView
from firmware.interfaces import (
    Camera,
    Frame,
    Gesture,
    Hardware,
    Pedal,
    PedalEvent,
    PedalListener,
    Plane,
    Signal,
)

LAMP_OFF_S: Final = 1.0
_UNSHARP_SHARE: Final = 0.0015
"""Of the frame's width, as the standard deviation of the blur: 6 px of 4056, which no reader of print forgives."""
Part = Literal["lamp", "sounder", "light"]


class _FeltPedal:
    """A pedal that somebody else counts: implements `Pedal`."""

    def __init__(self, pedal: Pedal, bench: "Bench") -> None:
        self._pedal = pedal
        self._bench = bench

    def listen(self, listener: PedalListener | None) -> None:
        """Call `listener` with every event, after it was counted."""
        if listener is None:
            self._pedal.listen(None)
            return

        def both(event: PedalEvent) -> None:
            self._bench.felt(event)
            listener(event)

        self._pedal.listen(both)

    def close(self) -> None:
        """Stop listening and free the pin. May be called twice."""
        self._pedal.close()


class _SpoiltCamera(LentCamera):
    """A camera one of whose pictures the bench may spoil."""

    def __init__(self, camera: Camera, bench: "Bench") -> None:
        super().__init__(camera)
        self._bench = bench

    def altered(self, frame: Frame) -> Frame:
        """Return the frame, unsharp where the bench spoils it."""
        return self._bench.perhaps_spoiled(frame)

    def close(self) -> None:
        """Free the device. May be called twice."""
        self._camera.close()


class Bench:
    """Made before the station, which lays its parts on it when they are there; any thread may ask."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._counts = dict.fromkeys(Gesture, 0)
        self._number = 0
        self._hardware: Hardware | None = None
        self._trying = threading.Lock()
        self._closing = threading.Event()
        self._spoils: Callable[[], bool] | None = None

    def lay(self, hardware: Hardware) -> Hardware:
        """Return the same parts, with the pedal's gestures counted and pictures that may be spoiled."""
        self._hardware = hardware
        cameras = tuple(_SpoiltCamera(camera, self) for camera in hardware.cameras)
        return replace(hardware, pedal=self.counted(hardware.pedal), cameras=cameras)

    def look(self) -> Plane:
        """Return the luma of a frame taken now by the first camera; raises `SetUpError`, `HardwareError`."""
        hardware = self._hardware
        if hardware is None or not hardware.cameras:
            raise SetUpError("SES-08", "The station is starting or stopping.", "Try again when it runs.")
        return hardware.cameras[0].capture(pressed_at_ns=time.monotonic_ns()).y

    def spoil_once(self, is_due: Callable[[], bool]) -> None:
        """Make the next frame unsharp that is taken while `is_due` says so. Takes the place of an earlier wish."""
        self._spoils = is_due

    def perhaps_spoiled(self, frame: Frame) -> Frame:
        """Return `frame`, or an unsharp one where that is due."""
        if self._spoils is None or not self._spoils():
            return frame
        self._spoils = None
        luma = np.asarray(cv2.GaussianBlur(frame.y, (0, 0), frame.width_px * _UNSHARP_SHARE), np.uint8)
        return replace(frame, y=luma)

    def counted(self, pedal: Pedal) -> Pedal:
        """Return a pedal whose gestures are counted, too."""
        return _FeltPedal(pedal, self)

    def felt(self, event: PedalEvent) -> None:
        """Count a gesture."""
        with self._changed:
            self._counts[event.gesture] += 1
            self._number += 1
            self._changed.notify_all()

    def feet(self) -> FeetView:
        """Return what was counted."""
        with self._changed:
            counts = self._counts
            return FeetView(self._number, counts[Gesture.PRESS], counts[Gesture.HOLD], counts[Gesture.HOLD_LONG])

    def wait_for_foot(self, after: int, timeout_s: float) -> FeetView:
        """Return as soon as another number than `after` was counted, or when `timeout_s` has passed."""
        with self._changed:
            self._changed.wait_for(lambda: self._number != after, timeout_s)
        return self.feet()

    def count_anew(self) -> None:
        """Forget what was counted; the number goes on."""
        with self._changed:
            self._counts = dict.fromkeys(Gesture, 0)
            self._number += 1
            self._changed.notify_all()

    def try_part(self, part: Part) -> None:
        """Let `part` show itself; the lamp is on again when this returns.

        Raises:
            SetUpError: the station has not laid its parts here.
            HardwareError: the part fails.
        """
        hardware = self._hardware
        if hardware is None:
            raise SetUpError("SES-08", "The station is starting or stopping.", "Try again when it runs.")
        with self._trying:
            match part:
                case "lamp":
                    hardware.lamp.set(0.0)
                    self._closing.wait(LAMP_OFF_S)
                    hardware.lamp.set(1.0)
                case "sounder":
                    hardware.sounder.play(Signal.DONE)
                case "light":
                    hardware.light.show(Signal.LOCATE)

    def clear(self) -> None:
        """The parts are being closed: touch them no more."""
        self._closing.set()
        with self._trying:
            self._hardware = None
