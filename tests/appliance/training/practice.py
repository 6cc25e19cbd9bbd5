"""A whole station with training beside it: real session, spool, worker and pipeline; only the camera is drawn."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from appliance.model import CaptureSetup
from appliance.people import People
from appliance.training.desk import TrainingDesk
from appliance.training.pedals import Branch, Fork
from appliance.training.room import Place
from firmware.simulated.camera import SimulatedCamera
from firmware.simulated.faults import Fault
from tests.appliance.session.conftest import POLICY, DrivenClock, Station

FRAME_PX = (1000, 750)
"""Large enough for every check to see what training does, small enough to be drawn in a third of a second."""
SETUP = CaptureSetup("tram-01", rotations_cw=(0,))


class TrainingStation(Station):
    """Its front is the work's or the training's, as on a real station."""

    camera: SimulatedCamera
    desk: TrainingDesk

    @property
    def training_folder(self) -> Path:
        return self.folder.with_name("training")

    def mend(self, *, held_s: float = 1.0) -> None:
        """Take the same spread again, the foot held down."""
        self.camera.inject(Fault.DOUBLED)
        self.shoot(held_s)


@contextmanager
def training_station(folder: Path, people: People | None = None) -> Iterator[TrainingStation]:
    clock = DrivenClock()
    camera = SimulatedCamera(7, *FRAME_PX, clock_ns=lambda: clock.now_ns)
    station = TrainingStation(folder / "spool", (camera,), clock, SETUP, people=people or People(None))
    station.start()
    station.camera = camera
    fork = Fork(station.pedal)
    station.session.listen_to(fork.work)
    hardware = replace(station.hardware, pedal=fork.training)
    place = Place(station.training_folder, hardware, station.pedal, Branch(), SETUP, 4, POLICY, clock.clocks())
    station.desk = TrainingDesk(station.front, station.session, place, (fork,), station._died)
    station.front = station.desk.as_api()  # type: ignore[assignment]
    yield station
    station.desk.close()
    station.stop()
