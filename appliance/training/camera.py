"""The camera that training puts in front of the real one: it spoils the picture that it was told to spoil, once."""

import threading
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from appliance.training.injectors import Outline, spoil
from appliance.training.view import Flaw
from firmware.interfaces import Camera, CameraInfo, Frame, Lock, Preview
from firmware.planes import Planes

CONTROL: Final = "training"
"""Under this name a frame tells what was done to it, so that nobody ever takes it for a bad picture of a book."""


@dataclass(frozen=True, slots=True)
class Order:
    """What to do to the next picture."""

    flaw: Flaw
    outlines: tuple[Outline, ...] = ()
    attempt: int = 0


class SpoilingCamera:
    """Implements `Camera` over one that somebody else opened and closes."""

    def __init__(self, camera: Camera) -> None:
        self._camera = camera
        self._guard = threading.Lock()
        self._order: Order | None = None

    def load(self, order: Order | None) -> None:
        """Spoil the next picture so; None spoils none."""
        with self._guard:
            self._order = order

    @property
    def info(self) -> CameraInfo:
        """What the camera is."""
        return self._camera.info

    def lock(self, values: Lock) -> None:
        """Fix focus, exposure and gains."""
        self._camera.lock(values)

    def preview(self) -> Preview:
        """Return a recent small picture; never spoiled."""
        return self._camera.preview()

    def capture(self, *, pressed_at_ns: int, timeout_s: float = 5.0) -> Frame:
        """Return a frame; see `Camera.capture`."""
        frame = self._camera.capture(pressed_at_ns=pressed_at_ns, timeout_s=timeout_s)
        with self._guard:
            order, self._order = self._order, None
        if order is None:
            return frame
        y, u, v = spoil(Planes(frame.y, frame.u, frame.v), order.flaw, order.outlines, order.attempt)
        controls = MappingProxyType({**frame.controls, CONTROL: order.flaw.value})
        return replace(frame, y=y, u=u, v=v, controls=controls)

    def recover(self) -> None:
        """Let the camera recover."""
        self._camera.recover()

    def close(self) -> None:
        """Do nothing: the camera belongs to the station."""
