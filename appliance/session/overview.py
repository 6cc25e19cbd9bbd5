"""What screens see: gathers the figures and publishes immutable snapshots. Written by the session's thread alone."""

import logging
import threading
from collections import deque
from dataclasses import replace
from typing import Final

from appliance.api import (
    CaptureView,
    Delivery,
    FaultView,
    HandedOverView,
    LinkView,
    Notice,
    PersonView,
    StationSnapshot,
    Verdict,
)
from appliance.clocks import Clocks
from appliance.health import hot_c, is_power_low, temperature_c
from appliance.jobs.copies import BatchView
from appliance.jobs.lookup import batch_views
from appliance.model import CaptureSetup
from appliance.places import SlotView
from appliance.session.data import Faulted, SessionData
from appliance.session.job import Job
from appliance.session.past import PastJobs
from appliance.session.views import capture_views, handed_over_view, job_view, last_view
from appliance.spool.retention import Room
from appliance.spool.state import StationState
from appliance.spool.store import Spool
from appliance.worker import Worker
from wire.messages import Command

log = logging.getLogger(__name__)

HANDED_OVER_SHOWN: Final = 20
_STATE_EVERY_NS: Final = 2_000_000_000
_ROUND_BYTES: Final = 2**20
"""Free room is shown to the mebibyte: a snapshot that differs in a log line's bytes would wake every screen."""


class Overview:
    """The station's figures and the newest snapshot.

    Attributes:
        about: the capture that the verdict banner is about.
        past: the jobs that ended here.
        verdicts: the latest ones, for the centre.
        people: everybody who may sign in.
        person: who has.
    """

    def __init__(self, spool: Spool, worker: Worker, setup: CaptureSetup, clocks: Clocks) -> None:
        self.about: str | None = None
        self.people: tuple[PersonView, ...] = ()
        self.person: PersonView | None = None
        self.verdicts: deque[Verdict] = deque(maxlen=20)
        self._spool = spool
        self._worker = worker
        self._setup = setup
        self._clocks = clocks
        self._changed = threading.Condition()
        self._room: Room = spool.room()
        self._counts = spool.counts()
        self._delivery: dict[str, Delivery] = {}
        self._handed_over: tuple[HandedOverView, ...] = ()
        self._batches: tuple[BatchView, ...] = ()
        self.past = PastJobs(spool)
        self._link = "unknown"
        self._notice: Notice | None = None
        self._said = 0
        self._is_synchronised = clocks.is_synchronised()
        self._hot_c, self._is_power_low = hot_c(), bool(is_power_low())
        self._data_version = spool.data_version()
        self._told_at_ns = 0
        self._told: StationState | None = None
        self._snapshot = self._compose(SessionData(), None)

    @property
    def captures_left(self) -> int:
        """How many captures still fit on the disk."""
        return self._room.captures_left

    def latest(self) -> StationSnapshot:
        """Return the newest snapshot; any thread may ask."""
        with self._changed:
            return self._snapshot

    def wait(self, after: int, timeout_s: float) -> StationSnapshot:
        """Return as soon as the snapshot's number is greater than `after`, or when `timeout_s` has passed."""
        with self._changed:
            self._changed.wait_for(lambda: self._snapshot.number > after, timeout=timeout_s)
            return self._snapshot

    def listing(self, job: Job, *, first: int = 0) -> tuple[CaptureView, ...]:
        """Return the captures of the list from place `first` on (from 0)."""
        return capture_views(job, self._delivery, first=first)

    def publish(self, data: SessionData, job: Job | None) -> None:
        """Make the present state visible, if it differs from what is."""
        fresh = self._compose(data, job)
        with self._changed:
            if replace(fresh, number=self._snapshot.number) != self._snapshot:
                self._snapshot = replace(fresh, number=self._snapshot.number + 1)
                self._changed.notify_all()

    def say(self, key: str, values: dict[str, str | int | float]) -> None:
        """Say something once."""
        self._said += 1
        self._notice = Notice(key, self._said, values)

    def hush(self, key: str) -> None:
        """Say this no longer: it was true until now."""
        if self._notice is not None and self._notice.key == key:
            self._notice = None

    def refresh(self, job: Job | None) -> None:
        """Read again how far the captures are."""
        self._counts = self._spool.counts()
        self._delivery = {row.capture_id: row.state for row in self._spool.captures_of(job.job_id)} if job else {}

    def refresh_jobs(self, job: Job | None) -> None:
        """Read again how far the jobs are that were handed over."""
        rows = [row for row in self._spool.jobs() if row.handed_over and (job is None or row.job_id != job.job_id)]
        self._handed_over = tuple(
            handed_over_view(row, self.past.of(row)) for row in reversed(rows[-HANDED_OVER_SHOWN:])
        )
        self._batches = batch_views(self._spool.batches(), self.past.all())

    def look_around(self, job: Job | None, data: SessionData) -> tuple[Command, ...]:
        """Look at disk, publisher and clock, tell the publisher how we are; return what the centre asks of us."""
        self._room = self._spool.room()
        publisher = self._spool.read_publisher_state()
        self._link = publisher.link if publisher else "unknown"
        self._is_synchronised = self._clocks.is_synchronised()
        self._hot_c, self._is_power_low = hot_c(), bool(is_power_low())
        self._tell_publisher(job, data)
        version = self._spool.data_version()
        if version == self._data_version:
            return ()
        self._data_version = version
        self.refresh(job)
        self.refresh_jobs(job)
        return self._spool.take_commands()

    def _tell_publisher(self, job: Job | None, data: SessionData) -> None:
        now_ns = self._clocks.monotonic_ns()
        state = StationState(
            state=data.name.value,
            fault=data.state.code if isinstance(data.state, Faulted) else None,
            temperature_c=temperature_c(),
            clock_synchronised=self._is_synchronised,
            job_title=job.list.opened.item.title if job else None,
            last_verdicts=tuple(verdict.value for verdict in self.verdicts if verdict is not Verdict.PENDING),
        )
        if state != self._told or now_ns - self._told_at_ns >= _STATE_EVERY_NS:
            try:
                self._spool.write_station_state(state)
            except OSError as error:
                # A disk that takes nothing now is shown by what matters; the publisher reads silence as it is meant.
                log.warning("state not written: %s", error)
            self._told, self._told_at_ns = state, now_ns

    def _compose(self, data: SessionData, job: Job | None) -> StationSnapshot:
        faulted = data.state if isinstance(data.state, Faulted) else None
        return StationSnapshot(
            number=1,
            station=self._setup.station,
            state=data.name,
            job=job_view(job, self._delivery) if job else None,
            last=last_view(job, self.about, self._delivery) if job else None,
            notice=self._notice,
            fault=FaultView(faulted.code, faulted.part, faulted.attempts) if faulted else None,
            link=LinkView(self._link, self._counts.waiting, self._counts.rejected, self._counts.damaged),
            safe_captures=self._counts.safe + self._counts.released,
            queue_length=self._worker.length(),
            queue_limit=self._worker.limit,
            disk_free_bytes=self._room.free_bytes // _ROUND_BYTES * _ROUND_BYTES,
            disk_total_bytes=self._room.total_bytes,
            room_for_captures=self._room.captures_left,
            refused_presses=data.refused_presses,
            clock_synchronised=self._is_synchronised,
            handed_over=self._handed_over,
            is_reviewing=data.review is not None,
            slot=SlotView(slot.replaces, slot.before) if data.review and (slot := data.review.slot) else None,
            walk=(data.walk.steps, data.walk.opens),
            batches=self._batches,
            people=self.people,
            person=self.person,
            hot_c=self._hot_c,
            is_power_low=self._is_power_low,
        )
