"""Which screen was there first."""

from web_ui.station.watchers import GONE_AFTER_S, Watchers


def test_the_second_screen_is_told_and_becomes_the_first_when_the_other_one_is_gone() -> None:
    now_s = 100.0
    watchers = Watchers(lambda: now_s)
    assert not watchers.is_second("office")
    assert watchers.is_second("desk")
    now_s += GONE_AFTER_S / 2
    assert not watchers.is_second("office")
    assert watchers.is_second("desk")
    now_s += GONE_AFTER_S
    assert not watchers.is_second("desk")
    assert watchers.is_second("office")


def test_a_program_is_no_screen() -> None:
    watchers = Watchers()
    assert not watchers.is_second("")
    assert not watchers.is_second("desk")
    assert not watchers.is_second("")
