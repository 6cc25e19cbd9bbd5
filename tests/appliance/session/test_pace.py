"""How long the rest of a book takes is told from its own presses."""

from appliance.session.pace import Pace, pace_of

S = 10**9


def presses(*waits_s: float, boot: str = "a", start_s: float = 100.0) -> list[tuple[str, int]]:
    times = [start_s]
    for wait_s in waits_s:
        times.append(times[-1] + wait_s)
    return [(boot, round(time * S)) for time in times]


def test_two_pages_every_ten_seconds_are_720_an_hour_and_leave_so_many_minutes() -> None:
    assert pace_of(presses(*[10.0] * 6), pages=14, captures=7, pages_expected=74) == Pace(720, 5)


def test_breaks_and_power_cuts_say_nothing_of_the_pace() -> None:
    before = presses(10, 10, 10, 3600, 10)
    after = presses(10, 10, boot="b", start_s=1.0)
    assert pace_of(before + after, pages=16, captures=8, pages_expected=None) == Pace(720, None)


def test_nothing_is_told_from_too_little_or_of_a_book_that_is_longer_than_said() -> None:
    assert pace_of(presses(10, 10, 10, 10), pages=10, captures=5, pages_expected=80) is None
    assert pace_of(presses(*[10.0] * 6), pages=0, captures=0, pages_expected=80) is None
    assert pace_of(presses(*[10.0] * 6), pages=90, captures=45, pages_expected=80) == Pace(720, None)
