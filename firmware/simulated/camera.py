"""A camera that needs no hardware: it sees an open Vietnamese book, drawn from a seed, and knows what is there."""

import threading
import time
from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType
from typing import Final, cast

import simplejpeg

from firmware.errors import CameraMissing, CameraStalled
from firmware.interfaces import CameraInfo, ControlValue, Frame, Lock, Preview
from firmware.planes import Planes, planes_to_bgr
from firmware.simulated.answers import truth_of_scene
from firmware.simulated.faults import Fault
from firmware.simulated.render import draw
from firmware.simulated.scene import Scene, Shot
from firmware.simulated.studio import Studio, furnish
from firmware.simulated.truth import FrameTruth

PREVIEW_WIDTH_PX: Final = 1014
NS_PER_S: Final = 1_000_000_000
Faults = Fault | Collection[Fault]


class SimulatedCamera:
    """Implements `Camera`. Each capture shows the next spread; the same arguments always give the same pixels.

    Args:
        seed: of the book and its station, 0 or more.
        width_px: of a frame.
        height_px: of a frame.
        faults: what is to be wrong with which capture, the first being 1.
        first_page: number of the left page of the first spread; even.
        port: what `CameraInfo` says.
        clock_ns: monotonic time.
    """

    def __init__(
        self,
        seed: int = 1,
        width_px: int = 4056,
        height_px: int = 3040,
        *,
        faults: Mapping[int, Faults] = MappingProxyType({}),
        first_page: int = 2,
        port: str = "simulated-0",
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        if seed < 0 or width_px < 64 or height_px < 64 or first_page % 2 or first_page < 2:
            raise ValueError(
                "a simulated camera needs a seed from 0, at least 64 x 64 px and an even first page from 2"
            )
        self._seed = seed
        self._first_page = first_page
        self._info = CameraInfo(port, f"simulated, seed {seed}", width_px, height_px)
        self._clock_ns = clock_ns
        self._faults = {capture: _as_set(chosen) for capture, chosen in faults.items()}
        self._state = threading.Condition()
        self._drawing = threading.Lock()
        self._shots: dict[str, Shot] = {}
        self._last_spread = -1
        self._next = 1
        self._controls: Mapping[str, ControlValue] = _controls(Lock())
        self._stalled = self._missing = self._closed = False
        self._studios: dict[tuple[int, int], Studio] = {}
        self._preview: tuple[Shot, Preview] | None = None

    @property
    def info(self) -> CameraInfo:
        """What this camera is."""
        return self._info

    @property
    def truths(self) -> tuple[FrameTruth, ...]:
        """What is really in every frame so far, oldest first."""
        with self._state:
            sources = tuple(self._shots)
        return tuple(self.truth_of(source) for source in sources)

    def truth_of(self, source: str) -> FrameTruth:
        """Return what is really in the frame with this `source`; raises `KeyError` for any other."""
        with self._state:
            shot = self._shots[source]
        return truth_of_scene(self._scene(shot, self._info.width_px, self._info.height_px), source)

    def inject(self, *faults: Fault) -> None:
        """Let these faults happen in the next capture."""
        with self._state:
            self._faults[self._next] = self._faults.get(self._next, frozenset()) | set(faults)

    def stall(self) -> None:
        """Stop giving frames until `recover`, like a loose cable."""
        with self._state:
            self._stalled = True

    def unplug(self) -> None:
        """Take the camera away: even `recover` cannot help until `plug_in`."""
        with self._state:
            self._missing = True
            self._state.notify_all()

    def plug_in(self) -> None:
        """Bring the camera back; it works again after `recover`."""
        with self._state:
            self._missing = False
            self._stalled = True

    def lock(self, values: Lock) -> None:
        """Fix focus, exposure and gains: recorded in every later frame, the picture stays the same."""
        self._controls = _controls(values)

    def preview(self) -> Preview:
        """Return what the next capture would show, about 1,000 px wide."""
        with self._state:
            self._check()
            if self._stalled:
                raise _stalled(self._info.port)
            shot = self._next_shot()
        with self._drawing:
            if self._preview is None or self._preview[0] != shot:
                number = 1 if self._preview is None else self._preview[1].number + 1
                self._preview = (shot, Preview(self._draw_preview(shot), number, self._clock_ns()))
            return self._preview[1]

    def capture(self, *, pressed_at_ns: int, timeout_s: float = 5.0) -> Frame:
        """Return the next spread; see `Camera.capture`."""
        with self._state:
            self._check()
            wait_s = timeout_s if self._stalled else (pressed_at_ns - self._clock_ns()) / NS_PER_S
            if wait_s > 0:
                self._state.wait_for(lambda: self._closed or self._missing, timeout=min(wait_s, timeout_s))
                self._check()
            sensor_at_ns = self._clock_ns()
            if self._stalled or sensor_at_ns < pressed_at_ns:
                raise _stalled(self._info.port)
            shot, controls = self._next_shot(), self._controls
            source = f"simulated/{self._seed}/{shot.capture}"
            self._shots[source] = shot
            self._last_spread, self._next = shot.spread, shot.capture + 1
        with self._drawing:
            planes = self._draw(shot, self._info.width_px, self._info.height_px)
        return Frame(*planes, self._info.port, sensor_at_ns, controls, source)

    def recover(self) -> None:
        """Give frames again; raises `CameraMissing` while unplugged."""
        with self._state:
            self._closed = False
            self._check()
            self._stalled = False

    def close(self) -> None:
        """Stop. May be called twice."""
        with self._state:
            self._closed = True
            self._state.notify_all()

    def _check(self) -> None:
        if self._missing or self._closed:
            raise CameraMissing("CAM-01", "No camera answers.", "Check its cable, then switch the station off and on.")

    def _next_shot(self) -> Shot:
        faults = self._faults.get(self._next, frozenset())
        turned = 0 if Fault.DOUBLED in faults and self._last_spread >= 0 else 2 if Fault.SKIPPED in faults else 1
        return Shot(self._next, self._last_spread + turned, faults)

    def _scene(self, shot: Shot, width_px: int, height_px: int) -> Scene:
        return Scene(self._seed, shot, width_px, height_px, self._first_page)

    def _draw(self, shot: Shot, width_px: int, height_px: int) -> Planes:
        size = (width_px, height_px)
        if size not in self._studios:
            self._studios[size] = furnish(self._seed, *size)
        return draw(self._scene(shot, *size), self._studios[size], self._seed)

    def _draw_preview(self, shot: Shot) -> bytes:
        width = min(PREVIEW_WIDTH_PX, self._info.width_px)
        height = max(64, round(self._info.height_px * width / self._info.width_px))
        bgr = planes_to_bgr(self._draw(shot, width, height))
        return cast(bytes, simplejpeg.encode_jpeg(bgr, quality=80, colorspace="BGR", colorsubsampling="420"))


def _as_set(faults: Faults) -> frozenset[Fault]:
    return frozenset((faults,)) if isinstance(faults, Fault) else frozenset(faults)


def _stalled(port: str) -> CameraStalled:
    return CameraStalled(
        "CAM-02", f"The camera {port} gives no pictures.", "Wait: the station opens it again by itself."
    )


def _controls(lock: Lock) -> Mapping[str, ControlValue]:
    return MappingProxyType(
        {
            "ExposureTime": lock.exposure_us or 8_000,
            "AnalogueGain": lock.analogue_gain or 1.0,
            "ColourGains": lock.colour_gains or (2.1, 1.6),
            "LensPosition": lock.lens_position or 1.6,
        }
    )
