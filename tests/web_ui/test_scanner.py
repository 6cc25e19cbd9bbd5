"""A barcode scanner is a keyboard: what it types is a code on every page, and nothing that its letters stand for."""

from collections.abc import Iterator

import pytest

from appliance.api import SessionState
from appliance.jobs.copies import Found
from tests.web_ui.browser import (  # noqa: F401 - the same browser
    Screen,
    address,
    axe_violations,
    chromium,
    pytestmark,
    wait_until,
)
from tests.web_ui.fakes import ITEM, FakeStation
from tests.web_ui.screens import SCREENS

# All within one instant, as a scanner types and no loaded machine can.
TYPED = """(keys) => { const field = document.activeElement?.matches("input") ? document.activeElement : null;
for (const key of keys) {
  const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true });
  const goesOn = (field ?? document.body).dispatchEvent(event);
  if (field && goesOn && key.length === 1) field.value += key;
} }"""
EVERY_SHORTCUT = "KRZPFCGBXD-1"


@pytest.fixture
def screen(chromium: object, address: str, station: FakeStation) -> Iterator[Screen]:  # noqa: F811
    station.known = {"VN-1": Found("VN-1", item=ITEM, is_open=True), "ĐDD1": Found("ĐDD1", problem="unikey")}
    with Screen(chromium, address, (1024, 600), reduced_motion="reduce") as opened:
        yield opened


def show(screen: Screen, station: FakeStation, name: str) -> None:
    shown = next(one for one in SCREENS if one.name == name)
    shown.prepare(station)
    screen.page.goto(screen.address + shown.path)
    station.asked.clear()


def scan(screen: Screen, code: str | list[str]) -> None:
    screen.page.wait_for_selector("#scanned", state="attached")
    screen.page.wait_for_load_state("networkidle") if "/job/" in screen.page.url else None
    screen.page.evaluate(TYPED, [*code, "Enter"])


@pytest.mark.parametrize("name", ["capture-bad", "review-bad"])
def test_a_code_scanned_at_an_open_job_asks_and_does_nothing_that_its_letters_stand_for(
    screen: Screen, station: FakeStation, name: str
) -> None:
    show(screen, station, name)
    scan(screen, EVERY_SHORTCUT)
    screen.page.wait_for_selector("h1:has-text('Bạn vừa quét mã của cuốn khác')")
    assert EVERY_SHORTCUT in screen.page.locator("main").text_content()
    assert station.asked == [("review",)]
    assert axe_violations(screen.page) == []
    screen.page.click("#do-capture_on")
    screen.page.wait_for_selector("#do-press")
    assert station.asked == [("review",), ("end_review",)]


def test_the_open_book_scanned_again_goes_on_and_ends_its_pause(screen: Screen, station: FakeStation) -> None:
    show(screen, station, "paused")
    scan(screen, "VN-1")
    screen.page.wait_for_selector("text=Đây là cuốn đang chụp. Cứ chụp tiếp.")
    assert station.asked == [("resume",)]
    assert station.snapshot().state is SessionState.READY


def test_letters_that_a_keyboard_driver_made_of_a_code_are_told(screen: Screen, station: FakeStation) -> None:
    show(screen, station, "capture-ok")
    scan(screen, ["D", "Backspace", "Đ", "D", "D", "1"])
    screen.page.wait_for_selector("text=Mã có dấu tiếng Việt. Tắt UniKey rồi quét lại.")
    assert station.asked == [("review",)]


def test_a_code_scanned_into_a_field_leaves_it_as_it_was_and_sends_no_form(
    screen: Screen, station: FakeStation
) -> None:
    show(screen, station, "sheet")
    screen.page.locator("#note").fill("bìa rời")
    screen.page.evaluate(
        "document.addEventListener('submit', e => { window.name = document.querySelector('#note').value; })"
    )
    screen.page.locator("#note").focus()
    scan(screen, "VN-2")
    screen.page.wait_for_selector("#finish-first")
    assert station.asked == [("review",)]
    assert screen.page.evaluate("window.name") == "bìa rời"


def test_a_single_letter_still_does_what_it_stands_for(screen: Screen, station: FakeStation) -> None:
    show(screen, station, "capture-bad")
    screen.page.keyboard.press("z")
    wait_until(screen, lambda: ("undo",) in station.asked)


def test_the_next_book_waits_until_the_open_one_is_handed_over(screen: Screen, station: FakeStation) -> None:
    show(screen, station, "capture-ok")
    scan(screen, "VN-2")
    screen.page.click("#finish-first")
    screen.page.click("#do-hand_over")
    screen.page.click("#next-book")
    screen.page.wait_for_selector("#job-form")
    assert screen.page.locator("#barcode").input_value() == "VN-2"
    screen.page.click("#open-job")
    screen.page.wait_for_selector("#do-press")
    assert [asked[0] for asked in station.asked] == ["review", "hand_over", "open_job"]
