"""A book by keyboard alone, from sign-in to slip."""

from pathlib import Path

import pytest

from tests.web_ui.browser import chromium, pytestmark  # noqa: F401 - the same browser
from tests.web_ui.first_day import first_day, set_up
from tests.web_ui.hands import Keys
from tests.web_ui.journey import BLURRED_SPREAD, LANGUAGES, Desk, book, clock, desk, station  # noqa: F401 - fixtures


def test_a_book_by_keyboard_alone(desk: Desk) -> None:  # noqa: F811
    page, keys = desk.screen.page, desk.screen.page.keyboard

    hand = Keys(desk.screen, desk.station)
    hand.choose("a:has-text('Lan')")
    page.wait_for_selector("#pad button", state="attached")
    page.wait_for_selector("#pin:focus")
    keys.type("1111")
    hand.tab_to("#barcode")
    keys.insert_text("VN-001")
    keys.press("Enter")
    hand.tab_to("#title")
    keys.insert_text("Bên dòng sông cũ")
    keys.press("Enter")
    page.wait_for_selector("#do-press")
    desk.capture_the_book(hand.press, again=hand.replace)
    keys.press("f")
    desk.wait_for_list()
    hand.choose("#do-absent")
    page.wait_for_selector("#one:not(:has(#do-absent))")
    hand.choose("#do-fill")
    desk.shoot_into_slot(BLURRED_SPREAD, lambda: keys.press("Space"))
    desk.wait_for_list("#do-hand_over")
    keys.press("f")
    desk.assert_handed_over([*range(1, 6), *range(7, 16), 21, *range(17, 21)])


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_new_station_is_set_up_by_keyboard_alone(chromium: object, tmp_path: Path, language: str) -> None:  # noqa: F811
    with first_day(chromium, tmp_path, language) as day:
        set_up(Keys, day)
