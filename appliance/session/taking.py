"""Taking a picture: cameras, encoding and the safe write, on a thread of their own; the session only waits for news."""

import logging
import queue
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from appliance.clocks import Clocks
from appliance.errors import SpoolError, SpoolFull
from appliance.imaging.encode import encode
from appliance.imaging.planes import Planes
from appliance.model import SOFTWARE, CaptureSetup
from appliance.session.events import CaptureFailed, CaptureHadNoRoom, Event, Recovered, RecoveryFailed
from appliance.spool.store import Spool
from appliance.threads import Beat, unheard
from firmware.errors import HardwareError
from firmware.interfaces import Camera, Frame
from wire.digest import sha256_of
from wire.documents import CaptureDocument, FrameEntry, ItemRef, Layout

log = logging.getLogger(__name__)

SPOOL_PART = "spool"
TURN_S: Final = 0.5
"""How often the idle thread comes round, so that whoever watches it knows that no camera holds it."""


@dataclass(frozen=True, slots=True)
class Order:
    """What to photograph, for which job."""

    capture_id: str
    pressed_at_ns: int
    job_id: str
    sitting_id: str
    item: ItemRef
    profile: str
    layout: Layout
    training: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Taken:
    """A capture that is safe, and its frames while they are still in memory."""

    facts: CaptureDocument
    frames: tuple[Planes, ...]


class Taker:
    """Owns the cameras' captures.

    Args:
        cameras: one for each frame of a capture.
        spool: makes captures safe.
        setup: of the station.
        clocks: of the machine.
        tell: takes what became of an order; it must only hand it on.
    """

    def __init__(
        self,
        cameras: tuple[Camera, ...],
        spool: Spool,
        setup: CaptureSetup,
        clocks: Clocks,
        tell: Callable[[Event | Taken], None],
    ) -> None:
        self._cameras = cameras
        self._spool = spool
        self._setup = setup
        self._clocks = clocks
        self._tell = tell
        self._orders: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()

    def take(self, order: Order) -> None:
        """Begin a capture; the machine sees to it that there is one at a time."""
        self._orders.put(partial(self._take, order))

    def recover(self, part: str) -> None:
        """Try a failed part again."""
        self._orders.put(partial(self._recover, part))

    def stop(self) -> None:
        """End after the capture in hand."""
        self._orders.put(None)

    def run(self, beat: Beat = unheard) -> None:
        """Take orders until stopped: the body of the capture thread."""
        while True:
            beat("")
            try:
                order = self._orders.get(timeout=TURN_S)
            except queue.Empty:
                continue
            if order is None:
                return
            order()

    def _take(self, order: Order) -> None:
        frames: list[Frame] = []
        for camera in self._cameras:
            try:
                frames.append(
                    camera.capture(pressed_at_ns=order.pressed_at_ns, timeout_s=self._setup.capture_timeout_s)
                )
            except HardwareError as error:
                # With a frame missing there is no capture: a spread with half its pages would pass for a whole one.
                log.warning("camera failed port=%s code=%s: %s", camera.info.port, error.code, error.message)
                part = f"camera:{camera.info.port}"
                self._fail(order, error.code, part, transient=error.transient)
                return
        self._keep(order, tuple(frames))

    def _keep(self, order: Order, frames: tuple[Frame, ...]) -> None:
        planes = tuple(Planes(frame.y, frame.u, frame.v) for frame in frames)
        files = {f"frame-{number}.jpg": encode(picture) for number, picture in enumerate(planes, start=1)}
        try:
            facts = self._facts(order, frames, files)
            self._spool.add_capture(facts, files)
        except SpoolFull:
            self._tell(CaptureHadNoRoom(order.capture_id))
        except SpoolError as error:
            log.exception("capture could not be made safe id=%s", order.capture_id)
            self._fail(order, error.code, SPOOL_PART, transient=True)
        else:
            self._tell(Taken(facts, planes))

    def _facts(self, order: Order, frames: tuple[Frame, ...], files: dict[str, bytes]) -> CaptureDocument:
        return CaptureDocument(
            capture_id=order.capture_id,
            station=self._setup.station,
            sequence=self._spool.next_sequence(),
            job_id=order.job_id,
            sitting_id=order.sitting_id,
            item=order.item,
            layout=order.layout,
            profile=order.profile,
            frames=tuple(
                _frame_entry(frame, name, content) for frame, (name, content) in zip(frames, files.items(), strict=True)
            ),
            pressed_at=self._clocks.instant_of(order.pressed_at_ns),
            clock_synchronised=self._clocks.is_synchronised(),
            boot_id=self._clocks.boot_id,
            monotonic_ns=order.pressed_at_ns,
            training=order.training,
            setup_rotation_cw=self._setup.rotation_of(0),
            software=SOFTWARE,
        )

    def _recover(self, part: str) -> None:
        try:
            if part == SPOOL_PART:
                self._spool.room()
            else:
                for camera in self._cameras:
                    if part == f"camera:{camera.info.port}":
                        camera.recover()
        except (HardwareError, SpoolError) as error:
            self._tell(RecoveryFailed(error.code, self._clocks.monotonic_ns()))
        else:
            self._tell(Recovered())

    def _fail(self, order: Order, code: str, part: str, *, transient: bool) -> None:
        self._tell(CaptureFailed(order.capture_id, code, part, transient, self._clocks.monotonic_ns()))


def _frame_entry(frame: Frame, name: str, content: bytes) -> FrameEntry:
    return FrameEntry(
        file=name,
        size=len(content),
        sha256=sha256_of(content),
        camera=frame.camera,
        width_px=frame.width_px,
        height_px=frame.height_px,
        sensor_at_ns=frame.sensor_at_ns,
        controls=dict(frame.controls),
        source=frame.source,
    )
