"""The pure parts of sending at the right pace: the limit, the hours, what a line teaches."""

import random
from datetime import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.publisher import hours
from appliance.publisher.delivery import Delivery
from appliance.publisher.events import (
    Connected,
    HoursChanged,
    ObjectsWaiting,
    ReplyReceived,
    SendChunk,
    SendOffer,
    SendProbe,
    Tick,
)
from appliance.publisher.pace import OVERHEAD_BYTES, Bucket, LinePace
from appliance.publisher.policy import DeliveryPolicy
from tests.appliance.publisher.region import Sent, greatest_excess
from tests.appliance.publisher.test_delivery import granted
from tests.appliance.publisher.world import capture, job_list
from wire.limits import KIB, MAX_CHUNK_BYTES


@given(st.floats(2_000, 1e7), st.lists(st.tuples(st.integers(0, 600_000), st.floats(0, 5)), max_size=60))
def test_no_stretch_of_time_ever_has_more_than_the_limit_and_a_seconds_worth(
    rate: float, messages: list[tuple[int, float]]
) -> None:
    bucket, now_s, sent = Bucket(rate, smallest_bytes=4 * KIB), 0.0, []
    for wanted, pause_s in messages:
        length = min(wanted, bucket.chunk_bytes)
        now_s = bucket.ready_at_s(length, now_s + pause_s)
        assert bucket.ready_at_s(length, now_s) == now_s, "when it says now, it is now"
        bucket.take(length, now_s)
        sent.append(Sent(now_s, length + OVERHEAD_BYTES, True))
    assert greatest_excess(sent, rate) <= max(rate, 2 * (4 * KIB + OVERHEAD_BYTES)) * 1.001 + 1


def test_what_may_not_wait_is_paid_for_by_what_comes_after_it() -> None:
    bucket = Bucket(10_000.0, smallest_bytes=4 * KIB)
    bucket.take(30_000, 0.0)
    assert bucket.ready_at_s(4 * KIB, 0.0) > 2.0


def test_no_limit_is_no_limit() -> None:
    bucket = Bucket(None, smallest_bytes=4 * KIB)
    bucket.take(10**9, 0.0)
    assert bucket.ready_at_s(MAX_CHUNK_BYTES, 0.0) == 0.0
    assert bucket.chunk_bytes == MAX_CHUNK_BYTES


def pace() -> LinePace:
    return LinePace(patience_s=7.5, lanes=2, smallest_bytes=4 * KIB)


def test_the_last_chunk_of_all_says_nothing_about_how_fast_the_line_could_be() -> None:
    line = pace()
    for token in range(20):
        line.sent(token, 100_000, float(token), is_last=False)
        line.answered(token, token + 0.1)
    known = line.bytes_per_s
    for token in range(20, 60):
        line.sent(token, 200, float(token), is_last=True)
        line.answered(token, token + 0.1)
    assert line.bytes_per_s == known


def test_a_line_that_has_grown_slow_is_noticed_when_it_breaks() -> None:
    line = pace()
    line.sent(1, 512 * KIB, 0.0, is_last=False)
    line.answered(1, 0.1)
    assert line.chunk_bytes(4) == MAX_CHUNK_BYTES
    line.sent(2, 512 * KIB, 1.0, is_last=False)
    line.broken(61.0)
    assert line.chunk_bytes(4) <= 512 * KIB / 60 * 7.5 / 8, "60 s were not enough for it"


def test_a_short_break_teaches_nothing() -> None:
    line = pace()
    line.sent(1, 512 * KIB, 0.0, is_last=False)
    line.answered(1, 0.1)
    line.sent(2, 512 * KIB, 1.0, is_last=False)
    line.broken(1.5)
    assert line.chunk_bytes(4) == MAX_CHUNK_BYTES


@pytest.mark.parametrize(
    ("texts", "at", "allowed"),
    [
        (("18:00-07:00",), time(18, 0), True),
        (("18:00-07:00",), time(6, 59), True),
        (("18:00-07:00",), time(7, 0), False),
        (("18:00-07:00",), time(17, 59), False),
        (("11:30-13:00", "20:00-24:00"), time(12, 0), True),
        (("11:30-13:00", "20:00-24:00"), time(23, 59), True),
        (("11:30-13:00", "20:00-24:00"), time(0, 0), False),
        ((), time(12, 0), True),
    ],
)
def test_hours_hold_by_local_time_also_across_midnight(texts: tuple[str, ...], at: time, allowed: bool) -> None:
    assert hours.parse(texts).allows(at, is_synchronised=True) is allowed


def test_hours_do_not_hold_while_the_clock_is_not_known_to_be_right() -> None:
    night = hours.parse(("02:00-03:00",))
    assert night.allows(time(12, 0), is_synchronised=False)
    assert night.allows(time(12, 0), is_synchronised=None)


@pytest.mark.parametrize(
    "text", ["", "18-7", "18:00-18:00", "25:00-07:00", "18:00-07:60", "24:00-07:00", " 18:00-07:00"]
)
def test_what_is_no_range_of_a_day_is_refused_by_name(text: str) -> None:
    with pytest.raises(ValueError, match=repr(text)):
        hours.parse((text,))


def begun(*pending: object, policy: DeliveryPolicy | None = None) -> Delivery:
    delivery = Delivery("s1", policy or DeliveryPolicy(), random.Random(1).random)
    delivery.handle(Connected(MAX_CHUNK_BYTES), 0.0)
    delivery.handle(ObjectsWaiting(tuple(pending)), 0.0)  # type: ignore[arg-type]
    return delivery


def test_outside_the_hours_lists_go_and_captures_wait_and_that_is_no_fault() -> None:
    delivery = begun()
    delivery.handle(HoursChanged(False), 1.0)
    actions = delivery.handle(ObjectsWaiting((job_list(1), capture(1))), 1.0)
    assert [one.pending.ref.kind for one in actions if isinstance(one, SendOffer)] == ["job_list"]
    assert (delivery.link.state, delivery.link.code) == ("waiting_for_hours", None)
    due_s = 1.0 + DeliveryPolicy().hours_spread_s
    opened = delivery.handle(HoursChanged(True), 2.0)
    assert not any(isinstance(one, SendOffer) for one in opened), "a moment of its own, not the stroke of the hour"
    assert delivery.link.state == "online"
    assert [one.pending.ref.kind for one in delivery.handle(Tick(), 1.0 + due_s)] == ["capture"]


def test_with_nothing_but_captures_outside_the_hours_the_centre_is_still_looked_for() -> None:
    delivery = begun()
    delivery.handle(HoursChanged(False), 0.5)
    delivery.handle(ObjectsWaiting((capture(1),)), 0.5)
    assert any(isinstance(one, SendProbe) for one in delivery.handle(Tick(), 40.0))


def test_the_end_of_the_hours_stops_a_capture_under_way_and_takes_no_late_grant() -> None:
    delivery = begun(capture(1))
    assert any(isinstance(one, SendChunk) for one in delivery.handle(ReplyReceived(granted(capture(1).ref)), 0.1))
    assert delivery.handle(HoursChanged(False), 0.2) == []
    assert delivery.in_flight == 0
    assert delivery.handle(ReplyReceived(granted(capture(1).ref, grant_id="g2")), 0.3) == []


def test_two_objects_share_a_limited_line_in_turn() -> None:
    delivery = begun(capture(1), capture(2), policy=DeliveryPolicy(limit_bytes_per_s=2_000.0))
    actions = []
    for number in (1, 2):
        reply = granted(capture(number).ref, grant_id=f"g{number}", chunk_bytes=2048)
        actions += delivery.handle(ReplyReceived(reply), 0.0)
    now_s = 0.0
    for _ in range(5):
        now_s = delivery.next_deadline(now_s) + 1e-6
        actions += delivery.handle(Tick(), now_s)
    order = [one.address.grant_id for one in actions if isinstance(one, SendChunk)]
    assert order.count("g1") == order.count("g2") == 4, "both have filled their windows"
    assert now_s > 4.0, "at the limit's pace"
    assert "g2" in order[3:5], "neither waits until the other is done"
