"""The station service: builds its parts, starts them, stops them in reverse. One that dies takes all down, loudly."""

import logging
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import Final

from appliance.api import CaptureView, Listing, SessionState
from appliance.config import StationConfig
from appliance.errors import SpoolError, StationError
from appliance.jobs.joblist import JobList
from appliance.late_camera import LateCamera
from appliance.page_numbers import PageNumbers
from appliance.people import People
from appliance.session.front import StationFront
from appliance.session.runner import Session
from appliance.setup.bench import Bench
from appliance.spool.store import Spool
from appliance.threads import Pulse, ServiceThread, unwatched
from appliance.training.desk import StationWithTraining, TrainingDesk
from appliance.training.pedals import Fork
from appliance.training.room import Place
from appliance.worker import Worker
from firmware.gestures import MS, GestureTimes
from firmware.interfaces import Hardware
from firmware.pedal_driven import DrivenPedal
from firmware.registry import HardwareConfig, open_camera, open_hardware
from wire.errors import CodedError

log = logging.getLogger(__name__)

Serve = Callable[[StationWithTraining, threading.Event], None]
"""Serves the screens until the event is set. The roof passes it in: the station does not know its screens."""
LOOPS: Final = ("session", "capture", "worker")
"""The loops of `run_station` that have a pulse: while one does not come round, the station takes no picture."""

PEOPLE_FILE: Final = "people.json"
TRAINING_FOLDER: Final = "training"
"""Both beside the screen's token, where only the station's user reads: the publisher sees neither."""
RELEASE_EVERY_S: Final = 10.0
"""How often captures that the centre has proved to hold are looked for, to be deleted."""


def run_station(
    config: StationConfig, serve: Serve, stop: threading.Event, pulse: Pulse = unwatched, bench: Bench | None = None
) -> None:
    """Run everything of the station but its publisher until `stop` is set.

    Args:
        config: of the station.
        serve: serves the screens.
        stop: set it to end.
        pulse: of the loops `LOOPS`.
        bench: where the parts are tried from a screen.

    Raises:
        SpoolError: the spool cannot be used.
        HardwareError: a configured part is not there, or can never be; a camera alone may come later.
        StationError: STATION-01, a thread died; whoever started the service starts it again.
    """
    deaths: list[tuple[str, BaseException]] = []

    def on_death(name: str, error: BaseException) -> None:
        deaths.append((name, error))
        stop.set()

    with ExitStack() as parts:
        api = _build(config, parts, stop, on_death, pulse, bench or Bench())
        screens = ServiceThread("web", lambda: _serve(serve, api, stop), on_death)
        screens.start()
        parts.callback(screens.join)
        log.info("station running name=%s spool=%s", config.station.id, config.spool.folder)
        stop.wait()
    if deaths:
        name, error = deaths[0]
        if isinstance(error, CodedError):
            raise error
        raise StationError(
            "STATION-01",
            f"The station's {name} thread died ({error!r}).",
            "It is started again by itself; send the log to whoever looks after the station if this repeats.",
        ) from error
    log.info("station stopped name=%s", config.station.id)


def retention(spool: Spool, stop: threading.Event, every_s: float = RELEASE_EVERY_S) -> None:
    """Delete what the centre has proved to hold and no longer needs here, until `stop` is set."""
    while not stop.wait(every_s):
        try:
            released = spool.release_due()
        except SpoolError as error:
            # Nothing is lost by keeping a capture longer; the disk's state is shown by the session.
            log.warning("captures not released code=%s: %s", error.code, error.message)
        else:
            if released:
                log.info("captures released n=%d", len(released))


def _build(
    config: StationConfig,
    parts: ExitStack,
    stop: threading.Event,
    on_death: Callable[[str, BaseException], None],
    pulse: Pulse,
    bench: Bench,
) -> StationWithTraining:
    """Open and start the parts; `parts` closes them in reverse."""
    setup = config.capture_setup()
    spool = parts.enter_context(Spool.open(config.spool.folder, config.station.id, config.retention()))
    hardware = bench.lay(_open(config.hardware, parts))
    parts.callback(bench.clear)
    hardware.lamp.set(1.0)
    screen_pedal = DrivenPedal(gesture_times(config.hardware))
    parts.callback(screen_pedal.close)
    worker = Worker(spool, setup, limit=config.imaging.queue_limit)
    people = People(config.web.token_file.with_name(PEOPLE_FILE))
    forks = feet, screen_feet = Fork(hardware.pedal), Fork(bench.counted(screen_pedal))
    session = Session(replace(hardware, pedal=feet.work), spool, worker, setup, people=people.views())
    cleaner = ServiceThread("retention", lambda: retention(spool, stop), on_death)
    worker_beat = pulse("worker")
    working = ServiceThread("worker", lambda: worker.run(worker_beat), on_death)
    session.start(on_death, pulse)
    parts.callback(cleaner.join)
    parts.callback(working.join)
    parts.callback(worker.stop)
    parts.callback(session.stop)
    # Whatever fails from here on, the other threads are told to end before they are joined.
    parts.callback(stop.set)
    session.listen_to(screen_feet.work)
    working.start()
    cleaner.start()
    numbers = PageNumbers(spool, lambda: session.snapshot().state is not SessionState.CAPTURING)
    reading = ServiceThread("numbers", numbers.run, on_death)
    reading.start()
    parts.callback(reading.join)
    parts.callback(numbers.stop)

    def tell(captures: tuple[CaptureView, ...], job_list: JobList) -> Listing:
        opened = job_list.opened
        if opened.parts:
            return Listing(captures)  # one number for several captures, that overlap: nothing can be told from them
        told = numbers.listing(captures, opened.numbering, opened.reading_direction, job_list.gaps)
        # While rectos and versos are not in turn, every number but the first seems to be missing.
        is_half = opened.layout == "rectos-versos" and job_list.without is None
        return replace(told, labels=told.read, gaps=()) if is_half else told

    front = StationFront(session, spool, hardware.cameras, screen_pedal, people, tell, config.catalogue.address())
    place = Place(
        config.web.token_file.with_name(TRAINING_FOLDER),
        replace(hardware, pedal=feet.training),
        screen_pedal,
        screen_feet.training,
        setup,
        config.imaging.queue_limit,
        config.retention(),
    )
    training = TrainingDesk(front, session, place, forks, on_death)
    parts.callback(training.close)
    return training.as_api()


def _open(config: HardwareConfig, parts: ExitStack) -> Hardware:
    hardware = open_hardware(replace(config, cameras=()))
    parts.callback(hardware.close)
    cameras = []
    for index, camera in enumerate(config.cameras):
        cameras.append(LateCamera(f"camera-{index}", partial(open_camera, camera, index)))
        parts.callback(cameras[-1].close)
    return replace(hardware, cameras=tuple(cameras))


def gesture_times(config: HardwareConfig) -> GestureTimes:
    """Return how long a hold is, so that the screen's pedal feels like the one on the floor."""
    return GestureTimes(config.settle_ms * MS, config.hold_ms * MS, config.hold_long_ms * MS)


def _serve(serve: Serve, api: StationWithTraining, stop: threading.Event) -> None:
    try:
        serve(api, stop)
    finally:
        # A station whose screen is gone cannot be worked with: it is better started anew.
        stop.set()
