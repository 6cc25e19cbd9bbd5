"""What a foot said: debounce and gestures, over edges as a worn switch makes them."""

from itertools import pairwise

import hypothesis.strategies as st
import pytest
from hypothesis import given

from firmware.gestures import MS, GestureRecogniser, GestureTimes
from firmware.interfaces import Gesture, PedalEvent

TIMES = GestureTimes()
BEGIN = 5_000 * MS

gaps = st.one_of(st.integers(0, 30), st.integers(40, 60), st.integers(100, 1_500), st.integers(2_500, 60_000))
edges = st.lists(st.tuples(gaps, st.booleans()), max_size=30)


def play(moves, *, punctual: bool, closed: bool = False) -> list[PedalEvent]:
    """Feed edges (gap before it in ms, closed), then wait an hour; `punctual` ticks at every deadline."""
    recogniser = GestureRecogniser(TIMES, closed=closed)
    events: list[PedalEvent] = []
    now = BEGIN
    for gap_ms, is_closed in [*moves, (3_600_000, None)]:
        until = now + gap_ms * MS
        while punctual and (deadline := recogniser.deadline_ns()) is not None and deadline <= until:
            events += recogniser.tick(deadline)
        now = until
        events += recogniser.tick(now) if is_closed is None else recogniser.feed(is_closed, now)
    return events


def gestures(events):
    return [event.gesture for event in events]


def test_a_press_is_said_by_the_call_that_brings_its_first_edge():
    recogniser = GestureRecogniser()
    assert recogniser.feed(True, BEGIN) == (PedalEvent(Gesture.PRESS, BEGIN, 1),)


def test_five_edges_in_forty_milliseconds_are_one_press_and_one_release():
    moves = [(0, True), (10, False), (10, True), (10, False), (10, True), (300, False), (8, True), (8, False)]
    assert gestures(play(moves, punctual=True)) == [Gesture.PRESS, Gesture.RELEASE]


def test_a_tap_is_a_press_and_a_release_at_the_moment_it_opened():
    press, release = play([(0, True), (20, False)], punctual=True)
    assert release == PedalEvent(Gesture.RELEASE, press.at_ns + 20 * MS, 1)


def test_two_presses_a_tenth_of_a_second_apart_are_two():
    events = play([(0, True), (60, False), (60, True), (60, False)], punctual=True)
    assert [event.press_number for event in events if event.gesture is Gesture.PRESS] == [1, 2]


@pytest.mark.parametrize(
    ("held_ms", "expected"),
    [
        (799, [Gesture.PRESS, Gesture.RELEASE]),
        (801, [Gesture.PRESS, Gesture.HOLD, Gesture.RELEASE]),
        (2_999, [Gesture.PRESS, Gesture.HOLD, Gesture.RELEASE]),
        (3_001, [Gesture.PRESS, Gesture.HOLD, Gesture.HOLD_LONG, Gesture.RELEASE]),
    ],
)
def test_a_hold_begins_at_its_limit(held_ms, expected):
    assert gestures(play([(0, True), (held_ms, False)], punctual=True)) == expected


def test_holds_are_said_at_their_moment_not_when_somebody_looked():
    events = play([(0, True)], punctual=False)
    assert [event.at_ns - BEGIN for event in events] == [0, TIMES.hold_ns, TIMES.hold_long_ns]


def test_a_bounce_at_the_very_moment_of_a_hold_only_delays_it():
    events = play([(0, True), (790, False), (20, True), (500, False)], punctual=True)
    assert gestures(events) == [Gesture.PRESS, Gesture.HOLD, Gesture.RELEASE]
    assert events[1].at_ns == BEGIN + 810 * MS


def test_a_foot_that_left_just_before_the_hold_did_not_hold():
    assert gestures(play([(0, True), (790, False)], punctual=True)) == [Gesture.PRESS, Gesture.RELEASE]


def test_a_boot_with_the_contact_closed_says_nothing_until_it_was_open():
    moves = [(10_000, False), (100, True), (100, False)]
    events = play(moves, punctual=True, closed=True)
    assert gestures(events) == [Gesture.PRESS, Gesture.RELEASE]
    assert events[0].press_number == 1


def test_the_bounce_of_what_stood_on_the_pedal_at_boot_is_no_press():
    assert play([(10_000, False), (5, True), (5, False)], punctual=True, closed=True) == []


def test_an_hour_on_the_pedal_is_one_press():
    recogniser = GestureRecogniser()
    events = list(recogniser.feed(True, BEGIN))
    for minute in range(1, 61):
        events += recogniser.tick(BEGIN + minute * 60_000 * MS)
    assert gestures(events) == [Gesture.PRESS, Gesture.HOLD, Gesture.HOLD_LONG]
    assert recogniser.deadline_ns() is None


def test_an_edge_that_was_overtaken_does_not_turn_time_back():
    recogniser = GestureRecogniser()
    recogniser.tick(BEGIN)
    assert recogniser.feed(True, BEGIN - 5 * MS)[0].at_ns == BEGIN


@given(edges)
def test_it_does_not_matter_when_somebody_looks(moves):
    assert play(moves, punctual=True) == play(moves, punctual=False)


@given(edges, st.booleans())
def test_each_press_is_a_press_at_most_two_holds_in_order_and_at_most_one_release(moves, closed):
    events = play(moves, punctual=True, closed=closed)
    by_press: dict[int, list[Gesture]] = {}
    for event in events:
        by_press.setdefault(event.press_number, []).append(event.gesture)
    order = [Gesture.PRESS, Gesture.HOLD, Gesture.HOLD_LONG, Gesture.RELEASE]
    assert list(by_press) == list(range(1, len(by_press) + 1))
    for said in by_press.values():
        assert said[0] is Gesture.PRESS
        assert said == sorted(set(said), key=order.index)
    for said in list(by_press.values())[:-1]:
        assert said[-1] is Gesture.RELEASE


@given(edges, st.booleans())
def test_events_come_in_the_order_of_their_times_and_presses_never_within_the_settling_time(moves, closed):
    events = play(moves, punctual=True, closed=closed)
    times = [event.at_ns for event in events]
    assert times == sorted(times)
    presses = [event.at_ns for event in events if event.gesture is Gesture.PRESS]
    assert all(later - earlier >= TIMES.settle_ns for earlier, later in pairwise(presses))


@given(edges)
def test_no_foot_down_after_a_quiet_moment_goes_unsaid(moves):
    """Whenever the contact has been open for the settling time and closes, there is a press at that very edge."""
    presses = {event.at_ns for event in play(moves, punctual=True) if event.gesture is Gesture.PRESS}
    now, is_closed, since = BEGIN, False, BEGIN - TIMES.settle_ns
    for gap_ms, closes in moves:
        now += gap_ms * MS
        if closes and not is_closed and now - since >= TIMES.settle_ns:
            assert now in presses
        if closes != is_closed:
            is_closed, since = closes, now
