"""The session's thread: the only writer of session state. Feeds the machine, performs its effects, publishes snapshots.

Everyone else, the pedal, the capture thread, the worker, the screens, hands it a piece of work and goes on.
"""

import logging
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Final, TypeVar, assert_never

from appliance.api import CaptureView, NewJob, PersonView, StationSnapshot, Verdict
from appliance.clocks import Clocks
from appliance.errors import SpoolError
from appliance.model import CaptureSetup, findings_of
from appliance.session import events as ev
from appliance.session import faults
from appliance.session.advice import Advice
from appliance.session.data import Judgement, SessionData
from appliance.session.job import Job
from appliance.session.machine import deadline_ns, transition
from appliance.session.overview import Overview
from appliance.session.past import PastJobs
from appliance.session.resuming import resume
from appliance.session.taking import Order, Taken, Taker
from appliance.spool.store import Spool
from appliance.threads import Beat, OnDeath, Pulse, ServiceThread, unwatched
from appliance.worker import Done, Work, Worker
from firmware.errors import HardwareError
from firmware.interfaces import Gesture, Hardware, Pedal, PedalEvent, Signal
from wire.documents import ItemRef
from wire.ids import new_id
from wire.messages import Locate

log = logging.getLogger(__name__)
T = TypeVar("T")

LOOK_AROUND_S: Final = 0.5
"""How often disk, publisher and clock are looked at."""
_REPLACED_NOTICES: Final = {"hold": "c.replaced", "retake": "c.replaced", "auto": "c.auto-replaced"}


class Session:
    """One station at work.

    Args:
        hardware: cameras, pedal, lights and sounds; whoever built it closes it.
        spool: open; whoever opened it closes it.
        worker: not started; the session gives it work and hears of it, its thread belongs to whoever starts it.
        setup: how this station takes pictures.
        clocks: of the machine.
        people: who may sign in.
    """

    def __init__(
        self,
        hardware: Hardware,
        spool: Spool,
        worker: Worker,
        setup: CaptureSetup,
        clocks: Clocks | None = None,
        people: tuple[PersonView, ...] = (),
    ) -> None:
        self._hardware = hardware
        self._spool = spool
        self._worker = worker
        self.setup = setup
        self._clocks = clocks or Clocks()
        self._inbox: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._data = SessionData()
        self._job: Job | None = None
        self._presses: dict[Pedal, str] = {}
        self._stopping = False
        self._advice = Advice()
        self._ended = threading.Event()
        self._looked_at_ns = 0
        self._overview = Overview(spool, worker, setup, self._clocks)
        self._taker = Taker(hardware.cameras, spool, setup, self._clocks, lambda news: self._post(self._hear, news))
        self._overview.people = people
        self._threads: tuple[ServiceThread, ...] = ()
        self._pedals: list[Pedal] = []

    def start(self, on_death: OnDeath, pulse: Pulse = unwatched) -> None:
        """Go on where the last run ended, then take presses. The loops `session` and `capture` have a pulse.

        Raises:
            SpoolError: what the last run left cannot be read.
        """
        self._resume()
        self._worker.listen(partial(self._post, self._done))
        session, capture = pulse("session"), pulse("capture")
        self._threads = (
            ServiceThread("session", lambda: self._run(session), on_death),
            ServiceThread("capture", lambda: self._taker.run(capture), on_death),
        )
        for thread in self._threads:
            thread.start()
        self.listen_to(self._hardware.pedal)

    def stop(self) -> None:
        """Let the capture in hand become safe, then end both threads."""
        for pedal in self._pedals:
            pedal.listen(None)
        self._taker.stop()
        for thread in self._threads[1:]:
            thread.join()
        self._post(self._stop)
        for thread in self._threads[:1]:
            thread.join()

    def listen_to(self, pedal: Pedal) -> None:
        """Take presses from a pedal; a station may have several, the screen's among them."""
        self._pedals.append(pedal)
        pedal.listen(partial(self._felt, pedal))

    def snapshot(self) -> StationSnapshot:
        """Return the present state; any thread may ask."""
        return self._overview.latest()

    def wait_for_change(self, after: int, timeout_s: float) -> StationSnapshot:
        """Return as soon as the snapshot's number is greater than `after`, or when `timeout_s` has passed."""
        return self._overview.wait(after, timeout_s)

    def ask(self, work: Callable[[], T]) -> T:
        """Run `work` on the session's thread and return what it returned or raise what it raised.

        Raises:
            NotNow: the session has ended.
        """
        answer: Future[T] = Future()

        def carry_out() -> None:
            try:
                outcome = work()
                # Who asked looks next, and must see what was done.
                self._publish()
                answer.set_result(outcome)
            except Exception as error:  # noqa: BLE001 - it belongs to whoever asked; the session goes on
                answer.set_exception(error)

        self._post(carry_out)
        while True:
            try:
                return answer.result(timeout=LOOK_AROUND_S)
            except TimeoutError:
                if answer.done():
                    return answer.result()
                if self._ended.is_set():
                    raise faults.stopped() from None

    # Below this line everything runs on the session's thread, except what only posts.

    @property
    def job(self) -> Job | None:
        """The open job. For work on the session's thread."""
        return self._job

    @property
    def data(self) -> SessionData:
        """The machine's state. For work on the session's thread."""
        return self._data

    def listing(self, job: Job, *, first: int = 0) -> tuple[CaptureView, ...]:
        """Return the captures of the list from place `first` on (from 0). For work on the session's thread."""
        return self._overview.listing(job, first=first)

    def guards(self) -> ev.Guards:
        """Return what else must hold for a press now."""
        return ev.Guards(queue_full=self._worker.is_full(), platen_up=self._hardware.cradle.platen_down() is False)

    def apply(self, event: ev.Event) -> None:
        """Let the machine know, and do what it wants done. For work on the session's thread."""
        self._data, effects = transition(self._data, event)
        for effect in effects:
            self._perform(effect)

    def open_job(self, new: NewJob, item: ItemRef) -> str:
        """Open a job for `item` and return its id. For work on the session's thread."""
        person = self._overview.person
        self._job = Job.open_new(
            self._spool, self.setup, new, item, self._clocks.instant, person.person_id if person else ""
        )
        self._overview.about = None
        self._overview.refresh(self._job)
        self._spool.log_event("job.opened", job_id=self._job.job_id)
        self.apply(ev.JobOpened())
        return self._job.job_id

    def know(self, people: tuple[PersonView, ...]) -> None:
        """Learn who may work here; whoever sits at the open job is signed in. For work on the session's thread."""
        self._overview.people = people
        sits = self._job.person if self._job is not None and self._overview.person is None else ""
        self._overview.person = next((one for one in people if one.person_id == sits), self._overview.person)

    def change_person(self, person: PersonView | None, note: str = "") -> None:
        """Let this person, or nobody, work here from now on. For work on the session's thread."""
        if self._job is not None:
            self._job.change_person(person.person_id if person else "", note)
        self._overview.person = person

    @property
    def past(self) -> PastJobs:
        """The jobs that ended here. For work on the session's thread."""
        return self._overview.past

    def reopen_job(self, job_id: str) -> None:
        """Go on with a job that has ended. For work on the session's thread."""
        job = Job(self._spool, job_id, self.setup.station, self._clocks.instant)
        person = self._overview.person
        job.reopen(person.person_id if person else "")
        self._job = job
        self._overview.about = None
        self._overview.refresh(job)
        self._overview.refresh_jobs(job)
        self._spool.log_event("job.reopened", job_id=job_id)
        self.apply(ev.JobOpened())

    def finish(self, job: Job, end: Callable[[Job], None] = Job.hand_over) -> None:
        """End the open job, with a hand-over or otherwise. For work on the session's thread."""
        end(job)
        self._job = None
        self._overview.refresh_jobs(None)
        self._spool.log_event(f"job.{job.list.state}", job_id=job.job_id, revision=job.list.revision)
        self.apply(ev.JobClosed())
        self.play(Signal.DONE)

    def now_ns(self) -> int:
        """Return the monotonic time."""
        return self._clocks.monotonic_ns()

    def _post(self, work: Callable[..., None], *values: object) -> None:
        self._inbox.put(partial(work, *values))

    def _felt(self, pedal: Pedal, event: PedalEvent) -> None:
        # The identity of a capture is made at its press, on the pedal's own thread.
        self._post(self._gesture, pedal, event, new_id())

    def _run(self, beat: Beat) -> None:
        try:
            while not self._stopping:
                if (work := self._next()) is not None:
                    work()
                self._look_around()
                self._publish()
                beat(type(self._data.state).__name__.lower())
        finally:
            self._ended.set()

    def _next(self) -> Callable[[], None] | None:
        try:
            return self._inbox.get(timeout=self._patience_s())
        except queue.Empty:
            return None

    def _stop(self) -> None:
        self._stopping = True

    def _patience_s(self) -> float:
        deadline = deadline_ns(self._data)
        if deadline is None:
            return LOOK_AROUND_S
        return min(LOOK_AROUND_S, max(0.0, (deadline - self.now_ns()) / 1e9))

    def _resume(self) -> None:
        self._job = resume(self._spool, self.setup.station, self._clocks.instant)
        self._overview.refresh(self._job)
        self._overview.refresh_jobs(self._job)
        self.know(self._overview.people)
        self.apply(ev.RoomChanged(self._overview.captures_left))
        if self._job is not None:
            self.apply(ev.JobOpened())
            self._say_where(self._job)
        for capture_id in self._spool.unprocessed():
            self._worker.submit(Work(capture_id))
        self._publish()

    def _say_where(self, job: Job) -> None:
        """Show the last safe capture, and after a power cut say that it is the one to open the book at."""
        self._overview.about = job.last
        facts = job.facts.get(job.last or "")
        if facts is not None and facts.boot_id != self._clocks.boot_id:
            self._overview.say("s.boot", {"n": len(job.list.entries)})

    def _gesture(self, pedal: Pedal, event: PedalEvent, fresh_id: str) -> None:
        capture_id = self._presses.get(pedal, fresh_id)
        match event.gesture:
            case Gesture.PRESS:
                self._presses[pedal] = fresh_id
                self.apply(ev.Pressed(fresh_id, event.at_ns, self.guards()))
            case Gesture.HOLD:
                self.apply(ev.HeldOn(capture_id))
            case Gesture.HOLD_LONG:
                self.apply(ev.HeldOn(capture_id, long=True))
            case Gesture.RELEASE:
                self.apply(ev.Released(capture_id))
            case _:
                assert_never(event.gesture)

    def _hear(self, news: ev.Event | Taken) -> None:
        if not isinstance(news, Taken):
            self.apply(news)
            return
        if self._job is None:
            raise RuntimeError("A capture came for a job that is closed: the machine must not allow that.")
        capture_id = news.facts.capture_id
        previous = self._job.add(news.facts)
        self._overview.about = capture_id
        self._overview.hush("s.boot")
        self._overview.refresh(self._job)
        self.apply(ev.CaptureSafe(capture_id, previous))
        self._worker.submit(Work(capture_id, previous, news.frames))

    def _done(self, done: Done) -> None:
        self._worker.heard()
        capture_id = done.pages.capture_id
        previous = next((shot.previous for shot in self._data.shots if shot.capture_id == capture_id), None)
        standing, verdict = Verdict.PENDING, done.verdict
        if self._job is not None and capture_id in self._job.facts:
            self._job.pages[capture_id] = done.pages
            standing, verdict = self._job.standing(previous), self._job.verdict(capture_id)
        self._overview.verdicts.append(verdict)
        self._overview.refresh(self._job)
        self._spool.log_event("capture.judged", capture_id=capture_id, verdict=verdict.value)
        self.apply(ev.Judged(capture_id, Judgement(verdict, done.match, standing)))
        looked_at = frozenset(one.code for one in findings_of(done.pages) if one.severity != "info")
        self._advice, often = self._advice.after(looked_at, self.now_ns())
        if often is not None:
            self._overview.say("c.tip", {"code": often})

    def _perform(self, effect: ev.Effect) -> None:
        match effect:
            case ev.TakeFrames(capture_id=capture_id, pressed_at_ns=pressed_at_ns):
                self._take(capture_id, pressed_at_ns)
            case ev.Play(signal=signal):
                self.play(signal)
            case ev.Say(key=key, values=values):
                self._overview.say(key, dict(values))
                self._spool.log_event("notice", key=key, **dict(values))
            case ev.Replace() | ev.Insert() | ev.TakeBack() | ev.MarkCapture():
                self._change_list(effect)
            case ev.Recover(part=part):
                self._taker.recover(part)
            case _:
                assert_never(effect)

    def _take(self, capture_id: str, pressed_at_ns: int) -> None:
        job = self._job
        if job is None:
            raise RuntimeError("A picture was ordered without a job: the machine must not allow that.")
        opened = job.list.opened
        of_job = (job.job_id, job.sitting_id, opened.item, opened.profile, opened.layout, opened.training)
        self._taker.take(Order(capture_id, pressed_at_ns, *of_job))

    def _change_list(self, effect: ev.Replace | ev.Insert | ev.TakeBack | ev.MarkCapture) -> None:
        if self._job is None:
            return
        try:
            if isinstance(effect, ev.MarkCapture):
                self._job.mark(effect.capture_id, effect.mark)
            elif isinstance(effect, ev.Insert):
                self._job.move(effect.new, effect.before)
            elif isinstance(effect, ev.TakeBack):
                self._job.take_back(effect.capture_id)
            elif self._job.replace(effect.new, effect.old, effect.reason):
                self._overview.say(_REPLACED_NOTICES[effect.reason], {})
        except SpoolError as error:
            # The captures are safe and both stay in the list: a doubled page costs a key, a lost session a morning.
            log.exception("list could not be changed")
            self._overview.say("s.fault", {"code": error.code, "part": "spool"})

    def play(self, signal: Signal) -> None:
        """Let a signal be heard and seen; a part that fails costs no more than that."""
        for part in (self._hardware.sounder.play, self._hardware.light.show):
            try:
                part(signal)
            except HardwareError as error:
                log.warning("signal not given code=%s: %s", error.code, error.message)

    def _look_around(self) -> None:
        now_ns = self.now_ns()
        self.apply(ev.Tick(now_ns))
        if now_ns - self._looked_at_ns < LOOK_AROUND_S * 1e9:
            return
        self._looked_at_ns = now_ns
        commands = self._overview.look_around(self._job, self._data)
        if self._overview.captures_left != self._data.captures_left:
            self.apply(ev.RoomChanged(self._overview.captures_left))
        for command in commands:
            self._spool.log_event("command", kind=type(command).__name__, command_id=command.command_id)
            if isinstance(command, Locate):
                self.play(Signal.LOCATE)

    def _publish(self) -> None:
        self._overview.publish(self._data, self._job)
