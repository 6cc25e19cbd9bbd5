"""One learner's training: a session, a spool and a worker of its own on the station's hardware. Nothing outlives it.

The spool lies where only the station's own user reads and where the publisher has no business, and is wiped at the end
and, after a power cut, at the next start.
"""

import logging
import shutil
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from appliance.api import CaptureView, Listing, NewJob, SessionState, Verdict
from appliance.clocks import Clocks
from appliance.errors import NotNow
from appliance.jobs.joblist import JobList
from appliance.model import CaptureSetup, findings_of
from appliance.places import GapView
from appliance.session.front import StationFront
from appliance.session.job import Job
from appliance.session.runner import Session
from appliance.spool.retention import RetentionPolicy
from appliance.spool.store import Spool
from appliance.threads import OnDeath, ServiceThread
from appliance.training import lessons
from appliance.training.camera import CONTROL, Order, SpoilingCamera
from appliance.training.lessons import Progress, Scene, Seen
from appliance.training.view import Flaw, TrainingView
from appliance.worker import QUEUE_LIMIT, Worker
from firmware.interfaces import Hardware, Pedal
from firmware.pedal_driven import DrivenPedal
from wire.documents import ItemRef
from wire.ids import new_id

log = logging.getLogger(__name__)

LOOK_EVERY_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Place:
    """Where and on what training happens.

    Attributes:
        folder: of the spool; there is nothing else in it.
        hardware: of the station; its pedal is training's branch of the real one.
        screen_pedal: what a screen presses.
        screen_branch: training's branch of it.
        setup: how the station takes pictures.
        queue_limit: captures that may wait for their verdict.
        policy: how much room is left free.
        clocks: of the machine.
    """

    folder: Path
    hardware: Hardware
    screen_pedal: DrivenPedal
    screen_branch: Pedal
    setup: CaptureSetup
    queue_limit: int = QUEUE_LIMIT
    policy: RetentionPolicy | None = None
    clocks: Clocks | None = None


def wipe(folder: Path) -> None:
    """Delete what a training has captured; also what a power cut has left of one."""
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        log.warning("training not wiped folder=%s", folder)


class Room:
    """A training that is going on.

    Args:
        place: see there.
        on_death: as of every thread of the service.
        on_news: called, from the coach's thread, whenever something may look different.

    Attributes:
        front: the training's own face to the screens.

    Raises:
        SpoolError: there is no place for the training's spool.
    """

    def __init__(self, place: Place, on_death: OnDeath, on_news: Callable[[], None]) -> None:
        self._place = place
        self._on_news = on_news
        self._guard = threading.Lock()
        self._closing = threading.Event()
        self._progress, self._scene = Progress(), Scene(SessionState.READY)
        self._ordered: tuple[int, int, Flaw] | None = None
        self._parts = ExitStack()
        with ExitStack() as undo:
            undo.callback(self.close)
            wipe(place.folder)
            self._open(on_death)
            undo.pop_all()

    def close(self) -> None:
        """End the threads and wipe everything; twice is fine."""
        self._closing.set()
        self._parts.close()
        wipe(self._place.folder)

    def look(self) -> TrainingView:
        """Look at the session now, and return where the training is."""
        with self._guard:
            try:
                self._scene = self._session.ask(self._see)
            except NotNow:
                if not self._closing.is_set():
                    raise
            self._progress = lessons.advance(self._progress, self._scene)
            self._give_order()
            return lessons.view_of(self._progress, self._scene)

    def view(self) -> TrainingView:
        """Return where the training was when it was last looked at."""
        with self._guard:
            return lessons.view_of(self._progress, self._scene)

    def skip(self) -> None:
        """Go on with the next lesson."""
        self.look()
        with self._guard:
            self._progress = lessons.skip(self._progress, self._scene)
            self._give_order()
        self._on_news()

    def may_hand_over(self) -> bool:
        """Tell whether the lessons before the hand-over are behind the learner."""
        self.look()
        return lessons.may_hand_over(self._progress)

    def _open(self, on_death: OnDeath) -> None:
        place, parts = self._place, self._parts
        spool = parts.enter_context(Spool.open(place.folder, place.setup.station, place.policy))
        # With two cameras one spoiled picture is as bad as two, and the other shows what the page is like.
        self._cameras = tuple(SpoilingCamera(camera) for camera in place.hardware.cameras)
        hardware = replace(place.hardware, cameras=self._cameras)
        worker = Worker(spool, place.setup, limit=place.queue_limit)
        self._session = Session(hardware, spool, worker, place.setup, place.clocks)
        self.front = StationFront(self._session, spool, self._cameras, place.screen_pedal, page_numbers=self._tell_gap)
        working = ServiceThread("training worker", worker.run, on_death)
        coaching = ServiceThread("training coach", self._coach, on_death)
        self._session.start(on_death)
        self._session.listen_to(place.screen_branch)
        parts.callback(working.join)
        parts.callback(worker.stop)
        parts.callback(self._session.stop)
        self._session.ask(lambda: self._session.open_job(NewJob(), ItemRef(item_id=new_id())))
        working.start()
        coaching.start()
        parts.callback(coaching.join)

    def _coach(self) -> None:
        number = -1
        while not self._closing.is_set():
            number = self.front.wait_for_change(number, LOOK_EVERY_S).number
            self.look()
            self._on_news()

    def _see(self) -> Scene:
        """Look at the session, on its own thread."""
        job, data = self._session.job, self._session.data
        if job is None:
            # Handed over: what was seen last is what it was.
            return replace(self._scene, state=data.name, is_reviewing=False)
        open_places = {shot.capture_id for shot in data.shots}
        order = tuple(entry.capture_id for entry in job.list.entries)
        taken = tuple(_seen(job, name, name in open_places, name in order) for name in job.facts)
        return Scene(data.name, taken, order, data.review is not None)

    def _give_order(self) -> None:
        order = lessons.order_of(self._progress, self._scene)
        if order == self._ordered or not self._cameras:
            return
        self._ordered = order
        self._cameras[0].load(Order(order[2], self._outlines(), order[1]) if order else None)

    def _outlines(self) -> tuple[tuple[tuple[float, float], ...], ...]:
        """Return where the pages lay last: the book stays in its cradle."""
        last = self.front.snapshot().last
        return tuple(page.outline for page in last.pages) if last else ()

    def _tell_gap(self, captures: tuple[CaptureView, ...], job_list: JobList) -> Listing:
        """Tell of the leaf that the learner was told to skip, by places in the list: any book will do for training."""
        with self._guard:
            gap = lessons.gap_of(self._progress, self._scene)
        if gap is None:
            return Listing(captures)
        before, behind = gap
        first = 2 * [entry.capture_id for entry in job_list.entries].index(behind) + 1
        told = next((one for one in job_list.gaps if one.before == behind), None)
        numbers = str(first), str(first + 1)
        return Listing(captures, gaps=(GapView(*numbers, before, behind, told.answer if told else None),))


def _seen(job: Job, capture_id: str, is_open: bool, is_listed: bool) -> Seen:
    pages, flaw = job.pages.get(capture_id), job.facts[capture_id].frames[0].controls.get(CONTROL)
    return Seen(
        capture_id,
        Verdict.PENDING if is_open else job.verdict(capture_id),
        frozenset(finding.code for finding in findings_of(pages)) if pages else frozenset(),
        Flaw(flaw) if flaw else None,
        is_listed,
    )
