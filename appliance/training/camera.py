"""The camera that training puts in front of the real one: it spoils the picture that it was told to spoil, once."""

import threading
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from appliance.lent_camera import LentCamera
from appliance.training.injectors import Outline, spoil
from appliance.training.view import Flaw
from firmware.interfaces import Camera, Frame
from firmware.planes import Planes

CONTROL: Final = "training"
"""Under this name a frame tells what was done to it, so that nobody ever takes it for a bad picture of a book."""


@dataclass(frozen=True, slots=True)
class Order:
    """What to do to the next picture."""

    flaw: Flaw
    outlines: tuple[Outline, ...] = ()
    attempt: int = 0


class SpoilingCamera(LentCamera):
    """The station's camera, lent to training; never closed by it."""

    def __init__(self, camera: Camera) -> None:
        super().__init__(camera)
        self._guard = threading.Lock()
        self._order: Order | None = None

    def load(self, order: Order | None) -> None:
        """Spoil the next picture so; None spoils none."""
        with self._guard:
            self._order = order

    def altered(self, frame: Frame) -> Frame:
        """Return the frame, spoiled once where it was ordered."""
        with self._guard:
            order, self._order = self._order, None
        if order is None:
            return frame
        y, u, v = spoil(Planes(frame.y, frame.u, frame.v), order.flaw, order.outlines, order.attempt)
        controls = MappingProxyType({**frame.controls, CONTROL: order.flaw.value})
        return replace(frame, y=y, u=u, v=v, controls=controls)
