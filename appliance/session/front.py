"""The station's face to its screens: every command is carried out by the session's thread."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from appliance.api import CaptureView, Listing, NewJob, StationSnapshot
from appliance.catalogue import CatalogueAddress, ask
from appliance.imaging.planes import from_jpeg
from appliance.imaging.profiles import DEFAULT_PROFILE, PROFILES
from appliance.jobs import barcodes
from appliance.jobs.camera_codes import look
from appliance.jobs.copies import Found, SeenCode
from appliance.jobs.joblist import JobList
from appliance.jobs.lookup import Past, item_of, look_up, other_copy, part_after
from appliance.people import People
from appliance.places import GapView, SlotView
from appliance.preflight import Preflight
from appliance.session import events as ev
from appliance.session import faults
from appliance.session.data import Capturing, Closed, Faulted, Paused, PauseReason, Ready, Slot
from appliance.session.job import Job
from appliance.session.machine import refusal
from appliance.session.preflight import look_ahead
from appliance.session.runner import Session
from appliance.spool.store import Spool
from firmware.errors import CameraMissing, HardwareError
from firmware.interfaces import Camera, Signal
from firmware.pedal_driven import DrivenPedal
from wire.documents import AnsweredGap, Condition, ItemRef, PageType, Side
from wire.ids import is_name, new_id

T = TypeVar("T")
RECENT: Final = 40
"""Captures whose printed numbers are looked at while others are taken: a gap is told while the book lies there."""
TellNumbers = Callable[[tuple[CaptureView, ...], JobList], Listing]


class StationFront:
    """Implements `appliance.api.StationApi`.

    Args:
        session: carries out commands.
        spool: holds the files.
        cameras: the first one gives the preview.
        pedal: the screen's own; the session listens to it.
        people: who may sign in; left out, they are forgotten with this object.
        catalogue: the library's own, where it has one that answers.
        page_numbers: tells what the printed numbers say of a list; left out, none are known.
    """

    def __init__(
        self,
        session: Session,
        spool: Spool,
        cameras: tuple[Camera, ...],
        pedal: DrivenPedal,
        people: People | None = None,
        page_numbers: TellNumbers = lambda captures, _: Listing(captures),
        catalogue: CatalogueAddress | None = None,
    ) -> None:
        self._session = session
        self._spool = spool
        self._cameras = cameras
        self._pedal = pedal
        self._people = people or People(None)
        self._page_numbers = page_numbers
        self._catalogue = catalogue
        self._told_ready: tuple[str, bool] | None = None

    def snapshot(self) -> StationSnapshot:
        """Return the present state."""
        return self._session.snapshot()

    def wait_for_change(self, after: int, timeout_s: float) -> StationSnapshot:
        """Return as soon as the snapshot's number is greater than `after`, or when `timeout_s` has passed."""
        return self._session.wait_for_change(after, timeout_s)

    def preview(self) -> tuple[bytes, int]:
        """Return a recent small picture as JPEG and its number; raises `HardwareError` when there is none."""
        if not self._cameras:
            raise CameraMissing("CAM-01", "No camera is configured.", "Name one in station.toml.")
        preview = self._cameras[0].preview()
        return preview.jpeg, preview.number

    def frame_file(self, capture_id: str) -> Path:
        """Return the first frame's file of a capture still on this disk; raises `KeyError`."""
        return self._file(capture_id, "frame-1.jpg")

    def page_file(self, capture_id: str, side: Side) -> Path:
        """Return the file of one page of a capture still on this disk; raises `KeyError`."""
        return self._file(capture_id, f"{side}.jpg")

    def press(self) -> None:
        """The foot goes down."""
        self._pedal.close_contact()

    def release(self) -> None:
        """The foot goes up."""
        self._pedal.open_contact()

    def add_person(self, name: str, pin: str) -> None:
        """Take in somebody new and sign them in where nobody is."""
        if self._people.views():
            self._require_person()
        person = self._people.add(name, pin)

        def work() -> None:
            self._session.know(self._people.views())
            if self._session.snapshot().person is None:
                self._session.change_person(person)

        self._session.ask(work)

    def sign_in(self, person_id: str, pin: str) -> None:
        """Let this person work here from now on."""
        person = self._people.check(person_id, pin)
        self._session.ask(lambda: self._session.change_person(person))

    def check_pin(self, person_id: str, pin: str) -> None:
        """Return where this is the person's PIN, and let nobody in."""
        self._people.check(person_id, pin)

    def sign_out(self, note: str = "") -> None:
        """Nobody works here from now on."""
        self._session.ask(lambda: self._session.change_person(None, note))

    def set_pin(self, person_id: str, pin: str) -> None:
        """Give somebody a new PIN."""
        self._require_person()
        self._people.set_pin(person_id, pin)

    def look_up(self, barcode: str, *, in_catalogue: bool = False) -> Found:
        """Return what is known of a barcode, as it was scanned or typed."""

        def known() -> tuple[tuple[Past, ...], ItemRef | None]:
            job = self._session.job
            return self._session.past.all(), job.list.opened.item if job else None

        past, opened = self._session.ask(known)
        found = look_up(barcode, self._spool.batches(), past, opened)
        if self._catalogue is None or not found.barcode or found.problem or found.batch or found.is_open:
            return found
        if not in_catalogue:
            return dataclasses.replace(found, catalogue="not-asked")
        told = ask(self._catalogue, found.barcode)
        elsewhere = other_copy(told.item, self._spool.batches(), past) if told.item and not found.before else None
        return dataclasses.replace(told, before=found.before, elsewhere=elsewhere, item=told.item or found.item)

    def read_barcode(self) -> SeenCode:
        """Return what code is seen before the cameras now; the picture is forgotten."""
        if self._session.snapshot().job is not None:
            raise faults.job_open()
        if not self._cameras:
            raise CameraMissing("CAM-01", "No camera is configured.", "Name one in station.toml.")
        looks = [look(camera.capture(pressed_at_ns=self._session.now_ns()).y) for camera in self._cameras]
        items = [one.item for batch in self._spool.batches() for one in batch.items]
        items += [one.item for one in self._session.ask(self._session.past.all)]
        return barcodes.chosen(looks, {item.barcode for item in items if item.barcode})

    def next_part(self, job_id: str) -> Found:
        """Return what is known of the copy of a job, with the part that follows."""
        return part_after(self._past(job_id), self._spool.batches())

    def reopen_job(self, job_id: str) -> None:
        """Go on with a job that has ended."""
        self._past(job_id)

        def work() -> None:
            if self._session.job is not None:
                raise faults.job_open()
            self._session.reopen_job(job_id)

        self._session.ask(work)

    def note_condition(self, condition: tuple[Condition, ...], note: str) -> None:
        """Say how the copy of the open job is."""
        self._with_job(lambda job: job.note_condition(condition, note))

    def stop_for_conservation(self, note: str) -> None:
        """End the open job because the copy is too fragile to go on."""
        self._with_job(lambda job: self._finish(job, lambda job: job.stop_for_conservation(note)))

    def open_job(self, new: NewJob) -> str:
        """Open a job for an item and return the job's id."""

        def work() -> str:
            if self._session.job is not None:
                raise faults.job_open()
            if new.profile and new.profile not in PROFILES:
                raise faults.unknown_profile(new.profile)
            past, batches = self._session.past.all(), self._spool.batches()
            known = next((one.item for one in past if new.like and one.job_id == new.like), None)
            found = look_up(new.barcode, batches, past)
            return self._session.open_job(new, item_of(new, known or found.item, past, found.elsewhere))

        return self._session.ask(work)

    def hand_over(self) -> None:
        """Close the list and send it."""
        self._with_job(lambda job: self._finish(job, Job.hand_over))

    def retake(self) -> None:
        """Take a shot that replaces the last one of the list."""

        def work(job: Job) -> None:
            guards = self._session.guards()
            if isinstance(self._session.data.state, Paused):
                raise faults.refused(ev.Refusal.PAUSED)
            if (why := refusal(self._session.data, guards)) is not None:
                raise faults.refused(why)
            if job.last is None:
                raise faults.nothing_to_retake()
            self._session.apply(ev.Pressed(new_id(), self._session.now_ns(), guards, replaces=job.last))

        self._with_job(work)

    def keep(self, capture_id: str) -> None:
        """Keep a capture in spite of its verdict."""
        self._on_entry(capture_id, lambda job: job.keep(capture_id))

    def delete(self, capture_id: str) -> None:
        """Take a capture out of the list (never off the disk)."""
        self._on_entry(capture_id, lambda job: job.delete(capture_id))

    def move(self, capture_id: str, before: str | None) -> None:
        """Put a capture before another one of the list, or last."""

        def work(job: Job) -> None:
            if before is not None:
                job.require(before)
            job.move(capture_id, before)

        self._on_entry(capture_id, work)

    def set_page_type(self, capture_id: str, page_type: PageType) -> None:
        """Say what kind of page a capture shows."""
        self._on_entry(capture_id, lambda job: job.set_page_type(capture_id, page_type))

    def set_label(self, capture_id: str, label: str) -> None:
        """Say which number is printed on a capture's first page."""
        self._on_entry(capture_id, lambda job: job.set_label(capture_id, label))

    def mute(self, code: str) -> None:
        """Let a warning interrupt no more for this book."""

        def work(job: Job) -> None:
            if not code or code != job.mute_offer:
                raise faults.not_offered()
            job.mute(code)

        self._with_job(work)

    def listing(self) -> Listing:
        """Return the whole list of the open job."""

        def work(job: Job) -> tuple[tuple[CaptureView, ...], JobList]:
            return self._session.listing(job), job.list

        captures, job_list = self._with_job(work)
        return self._page_numbers(captures, job_list)

    def preflight(self) -> Preflight:
        """Look at what a picture needs, now. On the thread of whoever asks: the session goes on meanwhile."""
        opened = self._with_job(lambda job: job.list.opened)
        profile = PROFILES.get(opened.profile, DEFAULT_PROFILE)
        try:
            picture, width_px = from_jpeg(self.preview()[0]), self._cameras[0].info.width_px
        except (HardwareError, ValueError):
            picture, width_px = None, 0
        setup = dataclasses.replace(self._session.setup, layout=opened.layout)
        height_cm = None if opened.parts else opened.height_cm  # what is seen of it is a part
        now = self._session.snapshot()
        ready = look_ahead(picture, width_px, setup, profile, height_cm, now)
        if now.job is not None and self._told_ready != (told := (now.job.job_id, ready.is_ready)):
            # Whoever looks at the book hears it, once; screens ask again and again.
            self._told_ready = told
            self._session.ask(lambda: self._session.play(Signal.OK if ready.is_ready else Signal.WARN))
        return ready

    def recent_gaps(self) -> tuple[GapView, ...]:
        """Return what is missing near the end of the open job's list, as far as nobody has said why."""

        def work() -> tuple[tuple[CaptureView, ...], JobList] | None:
            job = self._session.job
            first = max(0, len(job.list.entries) - RECENT) if job else 0
            return (self._session.listing(job, first=first), job.list) if job else None

        found = self._session.ask(work)
        return tuple(gap for gap in self._page_numbers(*found).gaps if gap.answer is None) if found else ()

    def review(self, slot: SlotView | None = None) -> None:
        """Look the list through: the pedal walks, or shoots into `slot`."""

        def work(job: Job) -> None:
            for name in (slot.replaces, slot.before) if slot else ():
                if name is not None:
                    job.require(name)
            self._session.apply(ev.ReviewAsked(Slot(slot.replaces, slot.before) if slot else None))

        self._with_job(work)

    def end_review(self) -> None:
        """Go on capturing."""
        self._with_job(lambda _: self._session.apply(ev.ReviewAsked(over=True)))

    def answer_gap(self, gap: AnsweredGap) -> None:
        """Say why printed numbers are not there."""
        self._with_job(lambda job: job.answer_gap(gap))

    def begin_versos(self) -> None:
        """Say that the rectos are done: from the next capture on, versos come."""
        self._with_job(lambda job: job.begin_versos())

    def interleave(self, without: tuple[int, ...]) -> None:
        """Put rectos and versos in turn."""
        self._with_job(lambda job: job.interleave(without))

    def undo(self) -> None:
        """Take back the last change of the list, up to twenty."""

        def work(job: Job) -> None:
            if not job.undo():
                raise faults.nothing_to_undo()

        self._with_job(work)

    def pause(self) -> None:
        """Stop taking presses."""

        def work() -> None:
            match self._session.data.state:
                case Ready() | Capturing():
                    self._session.apply(ev.PauseAsked())
                case Closed():
                    raise faults.no_job()
                case Faulted():
                    raise faults.refused(ev.Refusal.CAMERA)
                case Paused():
                    pass

        self._session.ask(work)

    def resume(self) -> None:
        """Take presses again."""

        def work() -> None:
            match self._session.data.state:
                case Paused(reason=PauseReason.PERSON):
                    self._session.apply(ev.ResumeAsked())
                case Paused(reason=PauseReason.DISK):
                    raise faults.refused(ev.Refusal.DISK)
                case _:
                    raise faults.not_resumable()

        self._session.ask(work)

    def _finish(self, job: Job, end: Callable[[Job], None]) -> None:
        if isinstance(self._session.data.state, Capturing):
            raise faults.busy()
        self._session.finish(job, end)

    def _past(self, job_id: str) -> Past:
        found = next((one for one in self._session.ask(self._session.past.all) if one.job_id == job_id), None)
        if found is None:
            raise KeyError(job_id)
        return found

    def _require_person(self) -> None:
        if self._session.snapshot().person is None:
            raise faults.nobody()

    def _with_job(self, work: Callable[[Job], T]) -> T:
        def carry_out() -> T:
            if self._session.job is None:
                raise faults.no_job()
            return work(self._session.job)

        return self._session.ask(carry_out)

    def _on_entry(self, capture_id: str, work: Callable[[Job], None]) -> None:
        def carry_out(job: Job) -> None:
            job.require(capture_id)
            work(job)

        self._with_job(carry_out)

    def _file(self, capture_id: str, name: str) -> Path:
        if not is_name(capture_id):
            raise KeyError(capture_id)
        return self._spool.path(capture_id, name)
