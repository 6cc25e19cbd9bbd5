"""The session's machine: what each press comes to, as sentences, then under any order of events."""

from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.api import SessionState, Verdict
from appliance.imaging.judging.similarity import Match
from appliance.session import events as ev
from appliance.session.data import Capturing, Faulted, Judgement, Paused, PauseReason, SessionData
from appliance.session.machine import ROOM_TO_RESUME, deadline_ns, refusal, retry_after_ns, transition
from firmware.interfaces import Signal

S = 1_000_000_000


@dataclass
class Desk:
    """A session driven by hand: remembers what it wanted done."""

    data: SessionData = field(default_factory=SessionData)
    done: list[ev.Effect] = field(default_factory=list)

    def tell(self, *events: ev.Event) -> list[ev.Effect]:
        """Hand events over; return what the last one brought about."""
        effects: tuple[ev.Effect, ...] = ()
        for event in events:
            self.data, effects = transition(self.data, event)
            self.done.extend(effects)
        return list(effects)

    def shoot(self, name: str, previous: str | None = None) -> None:
        """One whole capture, up to being safe, the foot still down."""
        self.tell(ev.Pressed(name, 0), ev.CaptureSafe(name, previous))

    @property
    def notices(self) -> list[str]:
        return [effect.key for effect in self.done if isinstance(effect, ev.Say)]


@pytest.fixture
def desk() -> Desk:
    opened = Desk()
    opened.tell(ev.JobOpened())
    return opened


def judged(
    name: str, verdict: Verdict = Verdict.OK, match: Match = Match.DIFFER, previous: Verdict = Verdict.OK
) -> ev.Judged:
    return ev.Judged(name, Judgement(verdict, match, previous))


def test_a_press_is_heard_at_once_and_takes_a_picture(desk: Desk) -> None:
    assert desk.tell(ev.Pressed("a", 5)) == [ev.Play(Signal.TICK), ev.TakeFrames("a", 5)]
    assert desk.data.name is SessionState.CAPTURING


@pytest.mark.parametrize("verdict", list(Verdict)[1:])
def test_ready_takes_presses_whatever_the_last_verdict_was(desk: Desk, verdict: Verdict) -> None:
    desk.shoot("a")
    desk.tell(judged("a", verdict), ev.Released("a"))
    assert ev.TakeFrames("b", 1) in desk.tell(ev.Pressed("b", 1))


@pytest.mark.parametrize(
    ("before", "guards", "key"),
    [
        ((), ev.Guards(queue_full=True), "refused.queue"),
        ((), ev.Guards(platen_up=True), "refused.platen"),
        ((ev.Pressed("z", 0),), ev.Guards(), "refused.capturing"),
        ((ev.RoomChanged(0),), ev.Guards(), "refused.disk"),
        ((ev.PauseAsked(), ev.RoomChanged(0)), ev.Guards(), "refused.disk"),
        ((ev.Pressed("z", 0), ev.CaptureFailed("z", "CAM-02", "camera:0", True, 0)), ev.Guards(), "refused.camera"),
        ((ev.JobClosed(),), ev.Guards(), "refused.no-job"),
    ],
)
def test_a_press_that_cannot_be_honoured_is_counted_answered_and_not_saved_up(
    desk: Desk, before: tuple[ev.Event, ...], guards: ev.Guards, key: str
) -> None:
    desk.tell(*before)
    counted = desk.data.refused_presses
    assert desk.tell(ev.Pressed("a", 0, guards)) == [ev.Play(Signal.REFUSED), ev.Say(key)]
    assert desk.data.refused_presses == counted + 1
    assert all(shot.capture_id != "a" for shot in desk.data.shots)


def test_a_hold_replaces_the_previous_spread_when_the_pictures_show_the_same(desk: Desk) -> None:
    desk.shoot("b", "a")
    assert desk.tell(ev.HeldOn("b")) == [ev.Play(Signal.HOLD)]
    assert desk.tell(judged("b", match=Match.AGREE)) == [ev.Play(Signal.OK)]
    assert desk.tell(ev.Released("b")) == [ev.Replace("b", "a", "hold")]


@pytest.mark.parametrize("verdict", [Verdict.BAD, Verdict.WARN])
def test_a_hold_replaces_a_spread_that_was_found_wanting(desk: Desk, verdict: Verdict) -> None:
    desk.shoot("b", "a")
    desk.tell(ev.HeldOn("b"), ev.Released("b"))
    effects = desk.tell(judged("b", match=Match.UNSURE, previous=verdict))
    assert effects == [ev.Play(Signal.OK), ev.Replace("b", "a", "hold")]


def test_a_hold_that_replaces_although_the_pictures_differ_is_marked_for_review(desk: Desk) -> None:
    desk.shoot("b", "a")
    desk.tell(ev.HeldOn("b"), ev.Released("b"))
    assert ev.MarkCapture("b", "look-again") in desk.tell(judged("b", match=Match.DIFFER, previous=Verdict.BAD))


def test_a_hold_after_a_spread_to_check_appends_when_it_clearly_is_another_spread(desk: Desk) -> None:
    desk.shoot("b", "a")
    desk.tell(ev.HeldOn("b"), ev.Released("b"))
    effects = desk.tell(judged("b", match=Match.DIFFER, previous=Verdict.WARN))
    assert effects == [ev.Play(Signal.OK), ev.MarkCapture("b", "hold-kept"), ev.Say("c.hold-kept")]


@pytest.mark.parametrize("match", [Match.DIFFER, Match.UNSURE])
@pytest.mark.parametrize("previous", [Verdict.OK, Verdict.UNSURE, Verdict.PENDING])
def test_any_other_hold_appends_and_says_so(desk: Desk, match: Match, previous: Verdict) -> None:
    desk.shoot("b", "a")
    desk.tell(ev.HeldOn("b"), judged("b", match=match, previous=previous))
    assert desk.tell(ev.Released("b")) == [ev.MarkCapture("b", "hold-kept"), ev.Say("c.hold-kept")]


def test_a_hold_on_the_first_spread_has_nothing_to_replace(desk: Desk) -> None:
    desk.shoot("a")
    desk.tell(ev.HeldOn("a"), judged("a"))
    assert desk.tell(ev.Released("a")) == []
    assert desk.data.shots == ()


def test_a_hold_belongs_to_its_own_press(desk: Desk) -> None:
    desk.shoot("b", "a")
    desk.tell(ev.Pressed("refused", 0, ev.Guards(queue_full=True)), ev.HeldOn("refused"), ev.Released("refused"))
    desk.tell(ev.Released("b"))
    assert desk.tell(judged("b", match=Match.UNSURE)) == [ev.Play(Signal.OK)]


def test_three_seconds_pause_and_keep_the_shot_marked_even_where_the_pictures_agree(desk: Desk) -> None:
    desk.shoot("b", "a")
    desk.tell(ev.HeldOn("b"), judged("b", match=Match.AGREE, previous=Verdict.BAD))
    assert desk.tell(ev.HeldOn("b", long=True)) == [
        ev.MarkCapture("b", "look-again"),
        ev.Play(Signal.PAUSED),
        ev.Say("s.paused"),
    ]
    desk.tell(ev.Released("b"))
    assert not [effect for effect in desk.done if isinstance(effect, ev.Replace)]
    assert desk.data.state == Paused(PauseReason.PERSON)


def test_three_seconds_reached_while_still_capturing_pause_afterwards(desk: Desk) -> None:
    desk.tell(ev.Pressed("a", 0), ev.HeldOn("a"), ev.HeldOn("a", long=True))
    assert desk.data.state == Capturing("a", then_pause=True)
    effects = desk.tell(ev.CaptureSafe("a", None))
    assert effects == [ev.MarkCapture("a", "look-again"), ev.Play(Signal.PAUSED), ev.Say("s.paused")]
    assert desk.data.state == Paused(PauseReason.PERSON)


def test_a_press_ends_a_pause_and_takes_no_picture(desk: Desk) -> None:
    desk.tell(ev.PauseAsked())
    assert desk.tell(ev.Pressed("a", 0)) == [ev.Play(Signal.HOLD), ev.Say("s.resumed")]
    assert desk.tell(ev.HeldOn("a"), ev.HeldOn("a", long=True), ev.Released("a")) == []
    assert desk.data.name is SessionState.READY
    assert desk.data.refused_presses == 0


def test_a_bad_spread_is_replaced_by_itself_only_when_the_pictures_agree(desk: Desk) -> None:
    desk.shoot("b", "a")
    desk.tell(judged("b", match=Match.AGREE, previous=Verdict.BAD))
    assert desk.tell(ev.Released("b")) == [ev.Replace("b", "a", "auto")]


@pytest.mark.parametrize(
    ("match", "previous"),
    [(Match.UNSURE, Verdict.BAD), (Match.DIFFER, Verdict.BAD), (Match.AGREE, Verdict.WARN), (Match.AGREE, Verdict.OK)],
)
def test_nothing_is_replaced_unasked_on_thin_evidence_or_after_a_good_spread(desk, match, previous) -> None:
    desk.shoot("b", "a")
    desk.tell(judged("b", match=match, previous=previous))
    assert desk.tell(ev.Released("b")) == []


def test_a_retake_replaces_what_it_was_asked_to_as_soon_as_it_is_safe(desk: Desk) -> None:
    desk.tell(ev.Pressed("b", 0, replaces="a"))
    assert desk.tell(ev.CaptureSafe("b", "a"))[0] == ev.Replace("b", "a", "retake")
    assert desk.tell(judged("b", match=Match.AGREE, previous=Verdict.BAD)) == [ev.Play(Signal.OK)]
    assert desk.data.shots == ()


@pytest.mark.parametrize(
    ("verdict", "signal"),
    [
        (Verdict.OK, Signal.OK),
        (Verdict.WARN, Signal.WARN),
        (Verdict.UNSURE, Signal.WARN),
        (Verdict.BAD, Signal.BAD),
    ],
)
def test_each_verdict_is_heard_once(desk: Desk, verdict: Verdict, signal: Signal) -> None:
    desk.shoot("a")
    desk.tell(judged("a", verdict), ev.Released("a"))
    assert [effect for effect in desk.done if isinstance(effect, ev.Play)] == [ev.Play(Signal.TICK), ev.Play(signal)]


def test_a_camera_that_fails_is_named_tried_again_ever_later_and_comes_back_by_itself(desk: Desk) -> None:
    desk.tell(ev.Pressed("a", 0))
    effects = desk.tell(ev.CaptureFailed("a", "CAM-02", "camera:0", True, 10 * S))
    assert effects == [ev.Play(Signal.FAULT), ev.Say("s.fault", (("code", "CAM-02"), ("part", "camera:0")))]
    now = 10 * S
    for attempt in range(3):
        deadline = deadline_ns(desk.data)
        assert deadline == now + retry_after_ns(attempt)
        assert desk.tell(ev.Tick(deadline - 1)) == []
        assert desk.tell(ev.Tick(deadline)) == [ev.Recover("camera:0")]
        assert desk.tell(ev.Tick(deadline + S)) == [], "one attempt at a time"
        now = deadline + S
        desk.tell(ev.RecoveryFailed("CAM-01", now))
    assert isinstance(desk.data.state, Faulted)
    assert (desk.data.state.code, desk.data.state.attempts) == ("CAM-01", 3)
    desk.tell(ev.Tick(now + 60 * S), ev.Recovered())
    assert desk.data.name is SessionState.READY


def test_a_fault_that_only_a_person_can_mend_is_not_tried_again(desk: Desk) -> None:
    desk.tell(ev.Pressed("a", 0), ev.CaptureFailed("a", "CAM-03", "camera:0", False, 0))
    assert deadline_ns(desk.data) is None
    assert desk.tell(ev.Tick(10**15)) == []


def test_a_full_disk_pauses_in_words_and_goes_on_by_itself_when_there_is_room(desk: Desk) -> None:
    assert desk.tell(ev.RoomChanged(0)) == [ev.Play(Signal.PAUSED), ev.Say("s.disk")]
    assert desk.tell(ev.RoomChanged(ROOM_TO_RESUME - 1)) == []
    assert desk.tell(ev.RoomChanged(ROOM_TO_RESUME)) == [ev.Say("s.recovered")]
    assert desk.data.name is SessionState.READY


def test_a_capture_that_found_no_room_pauses_and_is_counted(desk: Desk) -> None:
    desk.tell(ev.Pressed("a", 0))
    assert desk.tell(ev.CaptureHadNoRoom("a")) == [ev.Play(Signal.FAULT), ev.Say("s.disk")]
    assert (desk.data.refused_presses, desk.data.shots) == (1, ())


def test_little_room_is_said_once(desk: Desk) -> None:
    desk.tell(ev.RoomChanged(200), ev.RoomChanged(99), ev.RoomChanged(98))
    assert desk.notices == ["s.disk80"]


def test_nothing_touches_the_list_after_the_hand_over(desk: Desk) -> None:
    desk.shoot("b", "a")
    desk.tell(ev.HeldOn("b"), ev.Released("b"), ev.JobClosed())
    effects = desk.tell(judged("b", match=Match.AGREE, previous=Verdict.BAD))
    assert effects == [ev.Play(Signal.OK)]


# Any order of events -------------------------------------------------------------------------------------------------

STEPS = (
    "press", "press", "press", "hold", "long", "release", "safe", "safe", "fail", "no-room", "judge", "judge",
    "pause", "resume", "room", "tick", "recovered", "not-recovered", "retake", "queue-full",
    "look", "back",
)  # fmt: skip


@dataclass
class World:
    """Plays camera, worker and foot to the machine and keeps the books."""

    desk: Desk
    presses: int = 0
    started: int = 0
    resumed: int = 0
    walked: int = 0
    in_flight: str | None = None
    foot_on: str | None = None
    listed: list[str] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)
    safe: list[str] = field(default_factory=list)
    unjudged: list[str] = field(default_factory=list)
    long_held: set[str] = field(default_factory=set)
    failed: int = 0

    def step(self, step: str, match: Match, verdict: Verdict, room: int) -> None:
        for event in self._events(step, match, verdict, room):
            for effect in self.desk.tell(event):
                self._perform(effect)

    def _events(  # noqa: PLR0911
        self, step: str, match: Match, verdict: Verdict, room: int
    ) -> list[ev.Event]:
        match step:
            case "press" | "queue-full":
                self.presses += 1
                name = f"c{self.presses}"
                up = [] if self.foot_on is None else [ev.Released(self.foot_on)]
                self.foot_on = name
                review = self.desk.data.review
                walks = review is not None and review.slot is None
                self.walked += walks
                was_paused = (
                    not walks
                    and self.desk.data.state == Paused(PauseReason.PERSON)
                    and self.desk.data.captures_left > 0
                )
                self.resumed += was_paused
                return [*up, ev.Pressed(name, 0, ev.Guards(queue_full=step == "queue-full"))]
            case "retake":
                if self.desk.data.name is not SessionState.READY or not self.listed:
                    return []
                self.presses += 1
                return [ev.Pressed(f"c{self.presses}", 0, replaces=self.listed[-1])]
            case "hold":
                return [] if self.foot_on is None else [ev.HeldOn(self.foot_on)]
            case "long":
                if self.foot_on is None:
                    return []
                self.long_held.add(self.foot_on)
                return [ev.HeldOn(self.foot_on), ev.HeldOn(self.foot_on, long=True)]
            case "release":
                name, self.foot_on = self.foot_on, None
                return [] if name is None else [ev.Released(name)]
            case "safe" if self.in_flight is not None:
                name, self.in_flight = self.in_flight, None
                previous = self.listed[-1] if self.listed else None
                self.listed.append(name)
                self.safe.append(name)
                self.unjudged.append(name)
                return [ev.CaptureSafe(name, previous)]
            case "fail" | "no-room" if self.in_flight is not None:
                name, self.in_flight = self.in_flight, None
                self.failed += 1
                no_room = ev.CaptureHadNoRoom(name)
                return [no_room if step == "no-room" else ev.CaptureFailed(name, "CAM-02", "camera:0", True, 0)]
            case "judge" if self.unjudged:
                return [ev.Judged(self.unjudged.pop(0), Judgement(verdict, match, verdict))]
            case "pause":
                return [ev.PauseAsked()]
            case "resume":
                return [ev.ResumeAsked()]
            case "look" | "back":
                return [ev.ReviewAsked(over=step == "back")]
            case "room":
                return [ev.RoomChanged(room)]
            case "tick":
                return [ev.Tick(10**12)]
            case "recovered" if isinstance(self.desk.data.state, Faulted):
                return [ev.Recovered()]
            case "not-recovered" if isinstance(self.desk.data.state, Faulted):
                return [ev.RecoveryFailed("CAM-01", 0)]
            case _:
                return []

    def _perform(self, effect: ev.Effect) -> None:
        match effect:
            case ev.TakeFrames(capture_id=name):
                assert self.in_flight is None, "two captures in flight"
                self.in_flight = name
                self.started += 1
            case ev.Replace(new=new, old=old):
                assert new in self.safe
                assert new not in self.long_held, "a foot that rests never replaces"
                if old in self.listed and new in self.listed:
                    self.listed.remove(new)
                    self.listed[self.listed.index(old)] = new
                    self.gone.add(old)
            case _:
                pass


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(
            st.sampled_from(STEPS),
            st.sampled_from(list(Match)),
            st.sampled_from(list(Verdict)[1:]),
            st.sampled_from((0, 1, 3, 5, 99, 500)),
        ),
        max_size=60,
    )
)
def test_in_any_order_no_press_goes_uncounted_and_every_safe_capture_is_in_the_list(steps) -> None:
    world = World(Desk())
    world.desk.tell(ev.JobOpened())
    for step in steps:
        world.step(*step)
        led_to = world.started - world.failed + world.resumed + world.walked  # a capture, a start, a step in the list
        assert world.presses == led_to + world.desk.data.refused_presses
        assert sum(not shot.safe for shot in world.desk.data.shots) == (world.in_flight is not None)
        assert (world.in_flight is not None) == (world.desk.data.name is SessionState.CAPTURING)
        assert set(world.listed) | world.gone == set(world.safe)
        assert len(world.listed) + len(world.gone) == len(world.safe)


def test_a_refusal_is_told_without_changing_anything() -> None:
    assert refusal(SessionData(), ev.Guards()) is ev.Refusal.NO_JOB
