"""The station's face with training beside the work: whatever a screen asks goes to the one that is going on."""

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final, Protocol, cast

from appliance.api import LinkView, NewJob, SessionState, StationApi, StationSnapshot
from appliance.errors import NotNow
from appliance.session.front import StationFront
from appliance.session.runner import Session
from appliance.threads import OnDeath
from appliance.training.pedals import Fork
from appliance.training.room import Place, Room, wipe
from appliance.training.view import Lesson, TrainingApi, TrainingView

FIRST_NUMBER: Final = 10**9
"""Snapshots of a training are numbered from here, so that a screen takes none for one of the work's."""
_OF_THE_WORK: Final = frozenset(
    {"add_person", "sign_in", "check_pin", "sign_out", "set_pin", "look_up", "read_barcode", "next_part"}
)
"""Who works here, and what is known of books, is the same in training."""


class StationWithTraining(StationApi, TrainingApi, Protocol):
    """What the screens get."""


class TrainingDesk:
    """Implements `StationWithTraining` over the work's front and, while there is a training, the training's.

    What is not written down here is asked of the front that is going on: `__getattr__`.

    Args:
        front: of the work.
        session: the work's.
        place: where training happens.
        forks: of the pedals.
        on_death: as of every thread of the service.
    """

    def __init__(
        self, front: StationFront, session: Session, place: Place, forks: tuple[Fork, ...], on_death: OnDeath
    ) -> None:
        self._front = front
        self._session = session
        self._place = place
        self._forks = forks
        self._on_death = on_death
        self._turning = threading.Lock()
        self._changed = threading.Condition()
        self._room: Room | None = None
        self._number = FIRST_NUMBER
        self._shown: StationSnapshot | None = None
        wipe(place.folder)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def ask(*values: object, **named: object) -> Any:
            # Decided at the call: whoever keeps `desk.resume` must not end the work's pause from a training.
            room = self._room
            front = room.front if room and name not in _OF_THE_WORK else self._front
            return getattr(front, name)(*values, **named)

        return ask

    def as_api(self) -> StationWithTraining:
        """Return this, as what it is by delegation."""
        return cast(StationWithTraining, self)

    def close(self) -> None:
        """End a training that is going on. Twice is fine."""
        self.leave_training()

    def snapshot(self) -> StationSnapshot:
        """Return the present state."""
        room = self._room
        return self._composed(room) if room else self._front.snapshot()

    def wait_for_change(self, after: int, timeout_s: float) -> StationSnapshot:
        """Return as soon as the snapshot's number is greater than `after`, or when `timeout_s` has passed."""
        if self._room is None:
            return self._front.wait_for_change(after, timeout_s)
        with self._changed:
            self._changed.wait_for(lambda: self._room is None or self.snapshot().number > after, timeout_s)
        return self.snapshot()

    def training(self) -> TrainingView | None:
        """Return where the training is; None while there is none."""
        room = self._room
        return room.look() if room else None

    def begin_training(self) -> None:
        """Begin; nothing happens where one is going on.

        Raises:
            NotNow: TRAIN-01 while pictures are taken for a real book.
            SpoolError: there is no place for what training captures.
        """
        with self._turning:
            if self._room is not None:
                return
            self._session.ask(self._require_rest)
            room = Room(self._place, self._on_death, self._news)
            try:
                self._session.ask(lambda: self._turn(room))
            except NotNow:
                room.close()
                raise
        self._news()

    def skip_lesson(self) -> None:
        """Go on with the next lesson."""
        if self._room is not None:
            self._room.skip()

    def leave_training(self) -> None:
        """End it and wipe what was captured."""
        with self._turning:
            room, self._room = self._room, None
            for fork in self._forks:
                fork.turn(to_training=False)
            self._news()
            if room is not None:
                room.close()

    def hand_over(self) -> None:
        """Close the list; of a training only in the last lesson."""
        self._end("hand_over")

    def stop_for_conservation(self, note: str) -> None:
        """End the open job because the copy is too fragile; of a training only in the last lesson."""
        self._end("stop_for_conservation", note)

    def open_job(self, new: NewJob) -> str:
        """Open a job; raises `NotNow` TRAIN-02 in a training."""
        self._require_work()
        return self._front.open_job(new)

    def reopen_job(self, job_id: str) -> None:
        """Go on with a job that has ended; raises `NotNow` TRAIN-02 in a training."""
        self._require_work()
        self._front.reopen_job(job_id)

    def _end(self, how: str, *values: str) -> None:
        room = self._room
        if room is not None and not room.may_hand_over():
            raise NotNow("TRAIN-03", "This lesson is not about the hand-over yet.", "Do the lesson, or skip it.")
        getattr(room.front if room else self._front, how)(*values)

    def _require_work(self) -> None:
        if self._room is not None:
            raise NotNow("TRAIN-02", "This is a training.", "Leave the training first.")

    def _require_rest(self) -> None:
        """For the session's thread: nothing may be under way that needs camera or pedal."""
        state = self._session.data.name
        is_idle = not self._front.snapshot().queue_length
        if state not in (SessionState.CLOSED, SessionState.PAUSED) or not is_idle or self._session.data.review:
            raise NotNow("TRAIN-01", "Pictures are being taken.", "Hand the book over or pause, then begin.")

    def _turn(self, room: Room) -> None:
        self._require_rest()
        self._room = room
        for fork in self._forks:
            fork.turn(to_training=True)

    def _news(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _composed(self, room: Room) -> StationSnapshot:
        work, now, view = self._front.snapshot(), room.front.snapshot(), room.view()
        waiting = now.job.entries if now.job else 0
        is_offline = view.lesson is Lesson.OFFLINE
        fresh = replace(
            now,
            training=view,
            people=work.people,
            person=work.person,
            # What is on its way to the centre is not: nothing of this is ever sent.
            link=LinkView("offline", waiting, 0, 0) if is_offline else LinkView("training", 0, 0, 0),
            walk=(work.walk[0] + now.walk[0], work.walk[1] + now.walk[1]),
        )
        with self._changed:
            known = self._shown
            if known is None or replace(fresh, number=known.number) != known:
                self._number += 1
                self._shown = known = replace(fresh, number=self._number)
            return known
