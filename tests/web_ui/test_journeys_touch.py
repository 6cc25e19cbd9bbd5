"""A book by touch alone, on the small screen: 1024 x 600."""

from pathlib import Path

import pytest

from tests.web_ui.browser import chromium, pytestmark  # noqa: F401 - the same browser
from tests.web_ui.first_day import first_day, set_up
from tests.web_ui.hands import Fingers
from tests.web_ui.journey import BLURRED_SPREAD, LANGUAGES, SKIPPED_SPREAD, Desk, book, clock, desk, station  # noqa: F401 - fixtures


def test_a_book_by_touch_alone(desk: Desk) -> None:  # noqa: F811
    page = desk.screen.page
    page.tap("a:has-text('Lan')")
    for _ in range(4):
        page.tap("#pad button:has-text('1')")
    page.tap("#no-barcode")
    page.tap("#open-job")
    page.wait_for_selector("#do-press")
    desk.capture_the_book(Fingers(desk.screen, desk.station).press)
    page.tap("#gap")
    desk.wait_for_list()
    for spread in (SKIPPED_SPREAD, BLURRED_SPREAD):
        page.tap("#do-fill")
        desk.shoot_into_slot(spread, lambda: page.tap("#do-press"))
    page.tap("#do-hand_over")
    desk.assert_handed_over([*range(1, 6), *range(7, 11), 21, *range(11, 16), 22, *range(17, 21)])


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_new_station_is_set_up_by_touch_alone(chromium: object, tmp_path: Path, language: str) -> None:  # noqa: F811
    with first_day(chromium, tmp_path, language) as day:
        set_up(Fingers, day)
