"""A camera that may come later: a loose cable at start-up is a fault with a cure, not a station without a screen."""

import threading
from collections.abc import Callable

from firmware.errors import CameraMissing, HardwareError
from firmware.interfaces import Camera, CameraInfo, Frame, Lock, Preview


class LateCamera:
    """Implements `Camera` over one that is opened as soon as it is there.

    Args:
        name: what the camera is called until it can say its port itself.
        open_camera: opens it; raises `HardwareError`.

    Raises:
        HardwareError: it can never be opened on this machine: its driver's software is missing.
    """

    def __init__(self, name: str, open_camera: Callable[[], Camera]) -> None:
        self._name = name
        self._open = open_camera
        self._guard = threading.Lock()
        self._camera: Camera | None = None
        self._lock_values: Lock | None = None
        self._why: HardwareError = CameraMissing("CAM-01", f"{name} is not open.", "Check its cable.")
        try:
            self.recover()
        except HardwareError as error:
            if not error.transient:
                raise
            self._why = error

    @property
    def info(self) -> CameraInfo:
        """What this camera is; without a size until it is there."""
        return CameraInfo(self._name, "missing", 0, 0) if self._camera is None else self._camera.info

    def lock(self, values: Lock) -> None:
        """Fix focus, exposure and gains, now or when the camera is there."""
        self._lock_values = values
        if self._camera is not None:
            self._camera.lock(values)

    def preview(self) -> Preview:
        """Return a recent small picture; raises `HardwareError` when there is none."""
        return self._present().preview()

    def capture(self, *, pressed_at_ns: int, timeout_s: float = 5.0) -> Frame:
        """Return a frame; see `Camera.capture`."""
        return self._present().capture(pressed_at_ns=pressed_at_ns, timeout_s=timeout_s)

    def recover(self) -> None:
        """Open the camera, or let it recover where it is open; raises `HardwareError` when it is still not there."""
        with self._guard:
            if self._camera is not None:
                self._camera.recover()
                return
            self._camera = self._open()
            if self._lock_values is not None:
                self._camera.lock(self._lock_values)

    def close(self) -> None:
        """Free the device. May be called twice."""
        if self._camera is not None:
            self._camera.close()

    def _present(self) -> Camera:
        if self._camera is None:
            raise self._why
        return self._camera
