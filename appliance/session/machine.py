"""The session as a pure function: a state and an event give the next state and what to do. No clock, thread or file.

READY takes presses whatever the last verdict was. A press that cannot be honoured is counted and answered, never saved
up into a later exposure. What a hold means is decided in `placing`.
"""

from dataclasses import replace
from typing import Final, assert_never

from appliance.api import Verdict
from appliance.session.data import (
    Capturing,
    Closed,
    Faulted,
    Held,
    Paused,
    PauseReason,
    Ready,
    Review,
    SessionData,
    Shot,
)
from appliance.session.events import (
    CaptureFailed,
    CaptureHadNoRoom,
    CaptureSafe,
    Effect,
    Event,
    Guards,
    HeldOn,
    Insert,
    JobClosed,
    JobOpened,
    Judged,
    MarkCapture,
    PauseAsked,
    Play,
    Pressed,
    Recover,
    Recovered,
    RecoveryFailed,
    Refusal,
    Released,
    Replace,
    ResumeAsked,
    ReviewAsked,
    RoomChanged,
    Say,
    TakeBack,
    TakeFrames,
    Tick,
)
from appliance.session.placing import place
from firmware.interfaces import Signal

Step = tuple[SessionData, tuple[Effect, ...]]

ROOM_TO_RESUME: Final = 4
"""After a pause for want of room: enough for capture not to stop and go with every receipt."""
ROOM_TO_WARN: Final = 100
_FIRST_RETRY_NS: Final = 500_000_000
_LAST_RETRY_NS: Final = 30_000_000_000
_VERDICT_SIGNALS: Final = {
    Verdict.OK: Signal.OK,
    Verdict.WARN: Signal.WARN,
    Verdict.UNSURE: Signal.WARN,
    Verdict.BAD: Signal.BAD,
}


def transition(data: SessionData, event: Event) -> Step:  # noqa: C901, PLR0911, PLR0912 - the table of events
    """Return the state after `event` and the effects to perform, in order."""
    match event:
        case JobOpened():
            return _ready(replace(data, shots=(), resumed_by=None, review=None))
        case JobClosed():
            return replace(data, state=Closed(), shots=(), resumed_by=None, review=None), ()
        case Pressed():
            return _pressed(data, event)
        case HeldOn(capture_id=capture_id, long=long):
            return _held_long(data, capture_id) if long else _held(data, capture_id)
        case Released(capture_id=capture_id) if capture_id == data.walking:
            return replace(data, walking=None, walk=replace(data.walk, steps=data.walk.steps + 1)), ()
        case Released(capture_id=capture_id):
            return _settle(_with_shot(data, capture_id, foot_down=False), capture_id)
        case CaptureSafe():
            return _safe(data, event)
        case CaptureFailed():
            return _failed(data, event)
        case CaptureHadNoRoom(capture_id=capture_id):
            paused = replace(_without(data, capture_id), state=Paused(PauseReason.DISK), captures_left=0)
            return _counted(paused), (Play(Signal.FAULT), Say("s.disk"))
        case Judged(capture_id=capture_id, judgement=judgement):
            settled, effects = _settle(_with_shot(data, capture_id, judged=judgement), capture_id)
            return settled, (Play(_VERDICT_SIGNALS[judgement.verdict]), *effects)
        case PauseAsked():
            return _pause(data)
        case ResumeAsked():
            return _resume(data)
        case ReviewAsked(slot=slot, over=over):
            return replace(data, review=None if over else Review(slot)), ()
        case RoomChanged(captures_left=captures_left):
            return _room(data, captures_left)
        case Tick(now_ns=now_ns):
            return _tick(data, now_ns)
        case Recovered():
            if not isinstance(data.state, Faulted):
                return data, ()
            ready, effects = _ready(data)
            return ready, (Play(Signal.DONE), Say("s.recovered"), *effects)
        case RecoveryFailed():
            return _not_recovered(data, event)
        case _:
            assert_never(event)


def refusal(data: SessionData, guards: Guards) -> Refusal | None:
    """Return why a press would not be honoured now, or None. A press in a person's pause ends it, so it is honoured."""
    match data.state:
        case Closed():
            return Refusal.NO_JOB
        case Capturing():
            return Refusal.CAPTURING
        case Faulted():
            return Refusal.CAMERA
        case Paused(reason=reason):
            return Refusal.DISK if reason is PauseReason.DISK or data.captures_left < 1 else None
        case Ready():
            platen = Refusal.PLATEN if guards.platen_up else None
            return Refusal.QUEUE if guards.queue_full else platen
        case _:
            assert_never(data.state)


def deadline_ns(data: SessionData) -> int | None:
    """Return when the machine wants its next `Tick`, or None."""
    return data.state.retry_at_ns if isinstance(data.state, Faulted) else None


def retry_after_ns(attempts: int) -> int:
    """Return how long to wait before trying a part again: 0.5 s, doubling, at most 30 s."""
    return min(_LAST_RETRY_NS, _FIRST_RETRY_NS << min(attempts, 16))


def _pressed(data: SessionData, event: Pressed) -> Step:
    by_foot = event.replaces is None
    if isinstance(data.state, Closed) or (data.review is not None and event.replaces is None):
        data = replace(data, walking=event.capture_id)
    if data.review is not None and event.replaces is None:
        if data.review.slot is None:
            return data, ()
        slot = data.review.slot
        event, data = replace(event, replaces=slot.replaces, before=slot.before), replace(data, walking=None)
    why = refusal(data, event.guards)
    if why is not None:
        return _counted(data), (Play(Signal.REFUSED), Say(f"refused.{why.value}"))
    if isinstance(data.state, Paused):
        resumed, effects = _resume(data)
        return replace(resumed, resumed_by=event.capture_id), (Play(Signal.HOLD), *effects)
    shot = Shot(event.capture_id, event.replaces, event.before, foot_down=by_foot)
    taking = replace(data, state=Capturing(event.capture_id), shots=(*data.shots, shot))
    return taking, (Play(Signal.TICK), TakeFrames(event.capture_id, event.at_ns))


def _held(data: SessionData, capture_id: str) -> Step:
    if capture_id == data.walking:
        walked = replace(data, walking=None, walk=replace(data.walk, opens=data.walk.opens + 1))
        return walked, (Play(Signal.HOLD),)
    if capture_id == data.resumed_by:
        # A foot that stays down in a pause is done with the book: the list is looked through.
        return replace(data, resumed_by=None, review=Review()), (Play(Signal.HOLD),)
    if _shot(data, capture_id) is None:
        return data, ()
    return _with_shot(data, capture_id, held=Held.HOLD), (Play(Signal.HOLD),)


def _held_long(data: SessionData, capture_id: str) -> Step:
    if capture_id == data.resumed_by:
        return data, ()
    shot = _shot(data, capture_id)
    if data.review is not None:
        return _back(replace(data, review=Review()), shot)
    mark = (MarkCapture(capture_id, "look-again"),) if shot is not None and shot.safe else ()
    held, _ = _settle(_with_shot(data, capture_id, held=Held.LONG), capture_id)
    match held.state:
        case Capturing(capture_id=busy_with):
            return replace(held, state=Capturing(busy_with, then_pause=True)), mark
        case Ready():
            paused, effects = _pause(held)
            return paused, (*mark, *effects)
        case Closed() | Paused() | Faulted():
            return held, mark
        case _:
            assert_never(held.state)


def _back(data: SessionData, shot: Shot | None) -> Step:
    """Back to the list; nothing pauses while somebody looks through it, and a slot that was left stays as it was."""
    if shot is None or not shot.in_slot:
        return data, ()
    back, _ = _settle(_with_shot(data, shot.capture_id, held=Held.LONG), shot.capture_id)
    return back, (Play(Signal.PAUSED), *((TakeBack(shot.capture_id),) if shot.safe else ()))


def _safe(data: SessionData, event: CaptureSafe) -> Step:
    shot = _shot(data, event.capture_id)
    if shot is None:
        return data, ()
    effects = _placed(shot)
    if data.review is not None:
        data = replace(data, review=Review())
    data = _with_shot(data, event.capture_id, safe=True, previous=event.previous)
    match data.state:
        case Capturing(capture_id=event.capture_id, then_pause=then_pause):
            data, after = _ready(data)
            effects += after
            if then_pause:
                data, after = _pause(data)
                effects += after
        case _:
            pass
    settled, more = _settle(data, event.capture_id)
    return settled, effects + more


def _placed(shot: Shot) -> tuple[Effect, ...]:
    """Return what becomes of a capture's place as soon as it is safe."""
    if shot.held is Held.LONG:
        return (TakeBack(shot.capture_id),) if shot.in_slot else (MarkCapture(shot.capture_id, "look-again"),)
    into = (Replace(shot.capture_id, shot.replaces, "retake"),) if shot.replaces is not None else ()
    return (*into, Insert(shot.capture_id, shot.before)) if shot.before is not None else into


def _failed(data: SessionData, event: CaptureFailed) -> Step:
    retry_at_ns = event.now_ns + retry_after_ns(0) if event.transient else None
    faulted = Faulted(event.code, event.part, retry_at_ns=retry_at_ns)
    data = _counted(replace(_without(data, event.capture_id), state=faulted))
    return data, (Play(Signal.FAULT), Say("s.fault", (("code", event.code), ("part", event.part))))


def _tick(data: SessionData, now_ns: int) -> Step:
    match data.state:
        case Faulted(part=part, retry_at_ns=retry_at_ns) if retry_at_ns is not None and now_ns >= retry_at_ns:
            return replace(data, state=replace(data.state, retry_at_ns=None)), (Recover(part),)
        case _:
            return data, ()


def _not_recovered(data: SessionData, event: RecoveryFailed) -> Step:
    match data.state:
        case Faulted(part=part, attempts=attempts):
            tried = attempts + 1
            state = Faulted(event.code, part, tried, event.now_ns + retry_after_ns(tried))
            return replace(data, state=state), ()
        case _:
            return data, ()


def _pause(data: SessionData) -> Step:
    match data.state:
        case Ready():
            paused = replace(data, state=Paused(PauseReason.PERSON), resumed_by=None)
            return paused, (Play(Signal.PAUSED), Say("s.paused"))
        case Capturing(capture_id=capture_id):
            return replace(data, state=Capturing(capture_id, then_pause=True)), ()
        case _:
            return data, ()


def _resume(data: SessionData) -> Step:
    if data.state != Paused(PauseReason.PERSON):
        return data, ()
    ready, effects = _ready(data)
    return ready, (Say("s.resumed"), *effects)


def _room(data: SessionData, captures_left: int) -> Step:
    before = data.captures_left
    data = replace(data, captures_left=captures_left)
    match data.state:
        case Ready() if captures_left < 1:
            return _ready(data)
        case Paused(reason=PauseReason.DISK) if captures_left >= ROOM_TO_RESUME:
            ready, effects = _ready(data)
            return ready, (Say("s.recovered"), *effects)
        case _ if captures_left < ROOM_TO_WARN <= before and not isinstance(data.state, Closed):
            return data, (Say("s.disk80", (("n", captures_left),)),)
        case _:
            return data, ()


def _ready(data: SessionData) -> Step:
    """Take presses, or pause in words where nothing more would fit."""
    if data.captures_left < 1:
        return replace(data, state=Paused(PauseReason.DISK)), (Play(Signal.PAUSED), Say("s.disk"))
    return replace(data, state=Ready()), ()


def _settle(data: SessionData, capture_id: str) -> Step:
    shot = _shot(data, capture_id)
    if shot is None or (effects := place(shot)) is None:
        return data, ()
    return _without(data, capture_id), effects


def _counted(data: SessionData) -> SessionData:
    return replace(data, refused_presses=data.refused_presses + 1)


def _shot(data: SessionData, capture_id: str) -> Shot | None:
    return next((shot for shot in data.shots if shot.capture_id == capture_id), None)


def _without(data: SessionData, capture_id: str) -> SessionData:
    return replace(data, shots=tuple(shot for shot in data.shots if shot.capture_id != capture_id))


def _with_shot(data: SessionData, capture_id: str, **news: object) -> SessionData:
    shots = tuple(replace(shot, **news) if shot.capture_id == capture_id else shot for shot in data.shots)  # type: ignore[arg-type]
    return replace(data, shots=shots)
