"""A camera that is handed on, and may change what it gives on the way."""

from firmware.interfaces import Camera, CameraInfo, Frame, Lock, Preview


class LentCamera:
    """Implements `Camera` over one that is open already; `altered` is what a kind of it adds."""

    def __init__(self, camera: Camera) -> None:
        self._camera = camera

    def altered(self, frame: Frame) -> Frame:
        """Return what is given for `frame`."""
        return frame

    @property
    def info(self) -> CameraInfo:
        """What the camera is."""
        return self._camera.info

    def lock(self, values: Lock) -> None:
        """Fix focus, exposure and gains until the next call."""
        self._camera.lock(values)

    def preview(self) -> Preview:
        """Return a recent small picture, as it is; see `Camera.preview`."""
        return self._camera.preview()

    def capture(self, *, pressed_at_ns: int, timeout_s: float = 5.0) -> Frame:
        """Return a frame as `altered` gives it; see `Camera.capture`."""
        return self.altered(self._camera.capture(pressed_at_ns=pressed_at_ns, timeout_s=timeout_s))

    def recover(self) -> None:
        """Let the camera recover."""
        self._camera.recover()

    def close(self) -> None:
        """Do nothing: the camera belongs to whoever opened it."""
