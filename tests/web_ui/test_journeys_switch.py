"""A book by one switch alone: press = shoot or next, 0.8 s = open, 3 s = pause or back."""

from pathlib import Path

import pytest

from tests.web_ui.browser import chromium, pytestmark  # noqa: F401 - the same browser
from tests.web_ui.first_day import first_day, set_up
from tests.web_ui.hands import Foot
from tests.web_ui.journey import BLURRED_SPREAD, LANGUAGES, SKIPPED_SPREAD, Desk, book, clock, desk, station, walk_to  # noqa: F401 - fixtures


def test_a_book_by_one_switch_alone(desk: Desk) -> None:  # noqa: F811
    page, pedal = desk.screen.page, desk.station
    walk_to(desk.screen, pedal, "a:has-text('Lan')")
    for _ in range(4):
        walk_to(desk.screen, pedal, "#pad button:has-text('1')")
    walk_to(desk.screen, pedal, "#no-barcode")
    walk_to(desk.screen, pedal, "#open-job")
    page.wait_for_selector("#do-press")
    desk.capture_the_book(pedal.press, last=lambda: pedal.press(held_s=4.0))
    pedal.press(held_s=1.0)
    desk.wait_for_list()
    # A slot that was opened by mistake is left by resting in it, and the list is as it was.
    walk_to(desk.screen, pedal, "#do-fill")
    desk.shoot_into_slot(3, lambda: pedal.press(held_s=4.0))
    for spread in (SKIPPED_SPREAD, BLURRED_SPREAD):
        walk_to(desk.screen, pedal, "#do-fill")
        desk.shoot_into_slot(spread, pedal.press)
    walk_to(desk.screen, pedal, "#do-hand_over")
    in_order = [*range(1, 6), *range(7, 11), 22, *range(11, 16), 23, *range(17, 21)]
    desk.assert_handed_over(in_order, removed=1)
    walk_to(desk.screen, pedal, "#next-book")
    page.wait_for_selector("#scan")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_new_station_is_set_up_by_one_switch_alone(chromium: object, tmp_path: Path, language: str) -> None:  # noqa: F811
    with first_day(chromium, tmp_path, language) as day:
        set_up(Foot, day)
