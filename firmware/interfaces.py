"""The contracts between a station and its hardware.

Every driver of a contract, real or standing in, passes the same suite in ``tests/contract``. Times are nanoseconds of
`time.monotonic_ns`, the clock that libcamera stamps frames with on a Pi and that no correction of the date moves.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Plane: TypeAlias = NDArray[np.uint8]
"""A picture of one channel: uint8, shape (height, width), C-contiguous, no stride left over."""

ControlValue: TypeAlias = bool | int | float | str | tuple[float, ...]


@dataclass(frozen=True, slots=True)
class CameraInfo:
    """What a camera is.

    Attributes:
        port: where it is plugged in; with the operator's label and the calibration this tells two cameras apart.
        model: the sensor's or the stand-in's name.
        width_px: of a full frame.
        height_px: of a full frame.
    """

    port: str
    model: str
    width_px: int
    height_px: int


@dataclass(frozen=True, slots=True)
class Lock:
    """What must not move between captures of one job. None leaves a value as the driver found it.

    Attributes:
        exposure_us: exposure time in microseconds.
        analogue_gain: sensor gain, 1.0 = none.
        colour_gains: gains of red and blue.
        lens_position: focus in dioptres.
    """

    exposure_us: int | None = None
    analogue_gain: float | None = None
    colour_gains: tuple[float, float] | None = None
    lens_position: float | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """The pixels as the camera gave them; a promise that every driver keeps.

    Full-range BT.601 YCbCr 4:2:0 (what JPEG uses), exposed after the press, stride removed, neither sharpened nor
    denoised, copied so that the camera's buffer is free and nobody else writes to it.

    Attributes:
        y: luma, shape (height, width).
        u: blue difference, shape (ceil(height / 2), ceil(width / 2)).
        v: red difference, same shape as `u`.
        camera: port of the camera that took it.
        sensor_at_ns: start of the exposure, monotonic.
        controls: exposure, gains, focus… as the camera reports them.
        source: for stand-ins, which photograph or which drawn spread this is; empty for a real camera.
    """

    y: Plane
    u: Plane
    v: Plane
    camera: str
    sensor_at_ns: int
    controls: Mapping[str, ControlValue] = field(default_factory=lambda: MappingProxyType({}))
    source: str = ""

    @property
    def width_px(self) -> int:
        """Width of the frame in pixels."""
        return int(self.y.shape[1])

    @property
    def height_px(self) -> int:
        """Height of the frame in pixels."""
        return int(self.y.shape[0])


@dataclass(frozen=True, slots=True)
class Preview:
    """A small recent picture for aiming, as JPEG bytes; `number` grows with every new one."""

    jpeg: bytes
    number: int
    taken_at_ns: int


@runtime_checkable
class Camera(Protocol):
    """One camera. Methods may be called from any thread; a capture and a preview do not wait for each other long."""

    @property
    def info(self) -> CameraInfo:
        """What this camera is."""
        ...

    def lock(self, values: Lock) -> None:
        """Fix focus, exposure and gains until the next call."""
        ...

    def preview(self) -> Preview:
        """Return a recent small picture (about 1,000 px wide); raises `HardwareError` when there is none."""
        ...

    def capture(self, *, pressed_at_ns: int, timeout_s: float = 5.0) -> Frame:
        """Return a frame whose exposure began at or after `pressed_at_ns`.

        Raises:
            CameraStalled: no such frame within `timeout_s`; the camera must be reopened by `recover`.
            CameraMissing: it is gone.
            NoMorePhotographs: a replay has ended.
        """
        ...

    def recover(self) -> None:
        """Close and reopen the device after a fault; raises `HardwareError` when it is still not there."""
        ...

    def close(self) -> None:
        """Free the device. May be called twice."""
        ...


class Gesture(Enum):
    """What a foot can say. A press is said at once; holding on only adds to it."""

    PRESS = "press"
    HOLD = "hold"
    """Held for 0.8 s."""
    HOLD_LONG = "hold-long"
    """Held for 3 s."""
    RELEASE = "release"


@dataclass(frozen=True, slots=True)
class PedalEvent:
    """A gesture, when it happened, and the press it belongs to (`press_number` grows with each press)."""

    gesture: Gesture
    at_ns: int
    press_number: int


PedalListener: TypeAlias = Callable[[PedalEvent], None]


@runtime_checkable
class Pedal(Protocol):
    """A switch under a foot. Debounced by our own code (``firmware.gestures``), whatever closes the contact."""

    def listen(self, listener: PedalListener | None) -> None:
        """Call `listener` with every event, from the driver's thread; it must only hand the event on."""
        ...

    def close(self) -> None:
        """Stop listening and free the pin. May be called twice."""
        ...


@runtime_checkable
class Lamp(Protocol):
    """The lamp over the book. It never signals: a blink would spoil the next exposure."""

    def set(self, brightness: float) -> None:
        """Set brightness 0.0-1.0; a lamp that can only switch treats anything above 0 as on."""
        ...

    def close(self) -> None:
        """Switch off and free the pin. May be called twice."""
        ...


class Signal(Enum):
    """What the station says by sound and by its status light. They differ by rhythm, not only by pitch or colour."""

    TICK = "tick"
    """Press taken; lasts until the exposure is over."""
    OK = "ok"
    WARN = "warn"
    BAD = "bad"
    REFUSED = "refused"
    HOLD = "hold"
    PAUSED = "paused"
    DONE = "done"
    LOCATE = "locate"
    FAULT = "fault"


@runtime_checkable
class StatusLight(Protocol):
    """A light that mirrors every sound, for people who cannot hear it. Not the lamp."""

    def show(self, signal: Signal) -> None:
        """Start showing `signal` and return at once; a later signal replaces it."""
        ...

    def close(self) -> None:
        """Switch off and free the pin. May be called twice."""
        ...


@runtime_checkable
class Sounder(Protocol):
    """The loudspeaker."""

    def play(self, signal: Signal) -> None:
        """Start playing `signal` and return at once; a later signal replaces it."""
        ...

    def close(self) -> None:
        """Fall silent. May be called twice."""
        ...


@runtime_checkable
class Cradle(Protocol):
    """The support of the book. The contract leaves room for a platen motor; today there is at most a switch."""

    def platen_down(self) -> bool | None:
        """Tell whether the glass is down, or None where the cradle has no switch."""
        ...

    def close(self) -> None:
        """Free the pin. May be called twice."""
        ...


class Closable(Protocol):
    """What every part has in common."""

    def close(self) -> None:
        """Free what the part holds. May be called twice."""
        ...


@dataclass(frozen=True, slots=True)
class Hardware:
    """All the parts of one station, built by ``firmware.registry`` from the configuration."""

    cameras: tuple[Camera, ...]
    pedal: Pedal
    lamp: Lamp
    light: StatusLight
    sounder: Sounder
    cradle: Cradle

    def close(self) -> None:
        """Free every part, in reverse order of need. May be called twice."""
        parts: tuple[Closable, ...] = (self.pedal, self.sounder, self.light, self.lamp, self.cradle, *self.cameras)
        for part in parts:
            part.close()
