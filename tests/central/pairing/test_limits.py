"""Who came too often has to wait, and for no longer than said; whoever floods costs little."""

from hypothesis import given
from hypothesis import strategies as st

from central.pairing.talk import MOST_ADDRESSES, FailureLimit


def test_ten_failures_in_ten_minutes_are_enough_and_ten_minutes_later_forgotten() -> None:
    limit = FailureLimit(most=10, within_s=600)
    for second in range(10):
        assert not limit.is_too_many("a", float(second))
        limit.note("a", float(second))
    assert limit.is_too_many("a", 9.0)
    assert limit.is_too_many("a", 599.0)
    assert not limit.is_too_many("a", 600.5)
    assert not limit.is_too_many("b", 9.0)


@given(st.lists(st.floats(0, 5_000), min_size=1, max_size=60))
def test_nobody_waits_who_failed_less_often_than_that(moments: list[float]) -> None:
    limit = FailureLimit(most=10, within_s=600)
    for moment in sorted(moments):
        limit.note("a", moment)
    now_s = max(moments)
    recent = [moment for moment in moments if now_s - moment < 600]
    assert limit.is_too_many("a", now_s) == (len(recent) >= 10)


def test_a_flood_of_addresses_takes_no_more_room_than_said() -> None:
    limit = FailureLimit(most=1)
    for number in range(MOST_ADDRESSES + 500):
        limit.note(f"10.0.{number // 256}.{number % 256}", float(number))
    assert len(limit._failures) == MOST_ADDRESSES
    assert limit.is_too_many("10.0.5.0", 1300.0)
