"""A whole station without a face: real spool, real worker, real pipeline, drawn books, and time that is driven."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from appliance.api import NewJob, SessionState, StationSnapshot
from appliance.clocks import Clocks
from appliance.model import CaptureSetup
from appliance.people import People
from appliance.session.front import StationFront
from appliance.session.runner import Session
from appliance.spool.retention import RetentionPolicy
from appliance.spool.store import Spool
from appliance.threads import ServiceThread
from appliance.worker import Process, Worker, process
from firmware.interfaces import Camera, Hardware
from firmware.pedal_driven import DrivenPedal
from firmware.recorded import RecordedLamp, RecordedLight, RecordedSounder, SimulatedCradle
from firmware.simulated.camera import SimulatedCamera

PATIENCE_S = 60.0
POLICY = RetentionPolicy(reserve_bytes=0, ballast_bytes=0)


@dataclass
class DrivenClock:
    """Monotonic time that only moves when told to, and a date that may be wrong."""

    now_ns: int = 10**12
    date: datetime = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    boot_id: str = "boot-1"

    def advance(self, seconds: float) -> None:
        self.now_ns += round(seconds * 1e9)
        self.date += timedelta(seconds=seconds)

    def clocks(self) -> Clocks:
        return Clocks(lambda: self.date, lambda: self.now_ns, lambda: False, self.boot_id)


@dataclass
class Station:
    """One life of a station: from start to stop. Nothing durable is in here but the folder."""

    folder: Path
    cameras: tuple[Camera, ...]
    clock: DrivenClock
    setup: CaptureSetup
    pipeline: Process = process
    policy: RetentionPolicy = POLICY
    spool_open: Callable[..., Spool] = Spool.open
    people: People = field(default_factory=lambda: People(None))
    deaths: list[str] = field(default_factory=list)
    lay: Callable[[Hardware], Hardware] = lambda hardware: hardware
    """What is done to the parts before the session gets them."""

    def start(self) -> "Station":
        self.spool = self.spool_open(self.folder, self.setup.station, self.policy)
        self.pedal = DrivenPedal(clock_ns=lambda: self.clock.now_ns)
        self.cradle, self.sounder, self.light = SimulatedCradle(), RecordedSounder(), RecordedLight()
        parts = Hardware(self.cameras, self.pedal, RecordedLamp(), self.light, self.sounder, self.cradle)
        self.hardware = self.lay(parts)
        self.worker = Worker(self.spool, self.setup, pipeline=self.pipeline)
        self.session = Session(
            self.hardware, self.spool, self.worker, self.setup, self.clock.clocks(), self.people.views()
        )
        self.front = StationFront(self.session, self.spool, self.cameras, self.pedal, self.people)
        self.work = ServiceThread("worker", self.worker.run, self._died)
        self.session.start(self._died)
        self.work.start()
        return self

    def stop(self) -> None:
        self.session.stop()
        self.worker.stop()
        self.work.join()
        self.pedal.close()
        self.spool.close()
        assert self.deaths == []

    def _died(self, name: str, error: BaseException) -> None:
        self.deaths.append(f"{name}: {error!r}")

    # What a person does

    def press(self, held_s: float = 0.2) -> None:
        """One press, held for so long: the time passes through the recogniser, nobody waits."""
        self.pedal.close_contact()
        self.hold(held_s)
        self.lift()

    def hold(self, seconds: float) -> None:
        for _ in range(round(seconds * 10)):
            self.clock.advance(0.1)
            self.pedal.tick()

    def lift(self) -> None:
        self.pedal.open_contact()
        self.clock.advance(0.06)
        self.pedal.tick()
        self.clock.advance(0.06)
        self.pedal.tick()

    def shoot(self, held_s: float = 0.2) -> StationSnapshot:
        """Press, and wait until the capture is judged."""
        before = self.front.snapshot().safe_captures
        self.press(held_s)
        return self.until(lambda now: now.safe_captures == before + 1 and now.queue_length == 0)

    def until(self, holds: Callable[[StationSnapshot], bool], what: str = "the expected state") -> StationSnapshot:
        """Return the first snapshot for which `holds`; the clock goes on in small steps meanwhile."""
        number = -1
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            now = self.front.wait_for_change(number, 0.05)
            if holds(now):
                return now
            assert self.deaths == []
            number = now.number
            self.clock.advance(0.05)
        raise AssertionError(f"{what} did not come; the last was {now}")

    def ready(self) -> StationSnapshot:
        return self.until(lambda now: now.state is SessionState.READY)


def camera(clock: DrivenClock, **more: object) -> SimulatedCamera:
    return SimulatedCamera(7, 507, 380, clock_ns=lambda: clock.now_ns, **more)  # type: ignore[arg-type]


@pytest.fixture
def clock() -> DrivenClock:
    return DrivenClock()


@pytest.fixture
def drawn(clock: DrivenClock) -> Callable[..., SimulatedCamera]:
    """Make cameras that draw a book."""
    return partial(camera, clock)


@pytest.fixture
def build(tmp_path: Path, clock: DrivenClock) -> Iterator[Callable[..., Station]]:
    """Build stations over one spool folder; whatever is still running is stopped at the end."""
    running: list[Station] = []

    def make(*cameras: Camera, layout: str = "spread", **more: object) -> Station:
        setup = CaptureSetup("tram-01", layout=layout, rotations_cw=(0,), capture_timeout_s=0.2)  # type: ignore[arg-type]
        station = Station(tmp_path / "spool", cameras or (camera(clock),), clock, setup, **more)  # type: ignore[arg-type]
        station.start()
        running.append(station)
        return station

    yield make
    for station in running:
        station.stop()


@pytest.fixture
def station(build: Callable[..., Station]) -> Station:
    """A station with an open job."""
    opened = build()
    opened.front.open_job(NewJob(title="Truyện Kiều", barcode="VN-001"))
    return opened


@pytest.fixture
def gate() -> threading.Event:
    return threading.Event()
