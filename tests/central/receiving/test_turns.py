"""Whose turn it is: those who have waited longest, and nobody is held up by a station that has gone."""

from central.receiving.turns import FORGOTTEN_AFTER_S, HEADS, LONGEST_WAIT_S, SHORTEST_WAIT_S, Turns


def queue_of(number: int) -> Turns:
    turns = Turns()
    for index in range(number):
        assert not turns.may_go(f"s{index}", 0, float(index) / 100)
    return turns


def test_while_nobody_waits_every_free_place_is_anybodys() -> None:
    turns = Turns()
    assert all(turns.may_go("s", 1, float(second)) for second in range(100))
    assert len(turns) == 0


def test_who_comes_new_goes_behind_those_who_wait() -> None:
    turns = queue_of(HEADS)
    assert not turns.may_go("served a moment ago", 1, 1.0)
    assert turns.may_go("s0", 1, 1.0)
    assert turns.may_go(f"s{HEADS - 1}", 1, 1.0), "one of those who have waited longest, if not the first"
    assert turns.may_go("served a moment ago", 1, 1.0), "now it is among them"


def test_more_free_places_let_more_of_those_go_who_wait() -> None:
    turns = queue_of(4 * HEADS)
    late = f"s{2 * HEADS - 1}"
    assert not turns.may_go(late, 1, 1.0)
    assert turns.may_go(late, 2, 1.0)


def test_knocking_often_does_not_bring_anybody_forward() -> None:
    turns = queue_of(2 * HEADS)
    last = f"s{2 * HEADS - 1}"
    assert not any(turns.may_go(last, 1, 1.0 + knock / 100) for knock in range(50))


def test_a_station_that_does_not_knock_any_more_holds_nobody_up() -> None:
    turns = queue_of(HEADS)
    assert not turns.may_go("s", 1, 1.0)
    assert turns.may_go("s", 1, 1.0 + FORGOTTEN_AFTER_S)


def test_the_head_is_asked_to_come_back_soon_and_the_end_late() -> None:
    turns = queue_of(1000)
    assert turns.wait_s("s0") == SHORTEST_WAIT_S
    assert turns.wait_s("s999") == LONGEST_WAIT_S
    assert 1.25 * LONGEST_WAIT_S < FORGOTTEN_AFTER_S, "with its jitter it is back before it is forgotten"


def test_the_faster_turns_come_the_sooner_the_next_are_asked_back() -> None:
    fast, slow = queue_of(200), queue_of(200)
    for number in range(20):
        assert fast.may_go(f"s{number}", 1, 3.0 + number * 0.01)
        assert slow.may_go(f"s{number}", 1, 3.0 + number * 0.5)
    assert fast.wait_s("s40") < slow.wait_s("s40")
