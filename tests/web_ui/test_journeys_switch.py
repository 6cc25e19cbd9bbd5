"""A book by one switch alone: press = shoot or next, 0.8 s = open, 3 s = pause or back."""

from tests.web_ui.journey import BLURRED_SPREAD, SKIPPED_SPREAD, Desk, book, clock, desk, station  # noqa: F401 - fixtures
from tests.web_ui.test_in_browser import chromium, pytestmark, wait_until  # noqa: F401 - the same browser


def walk_to(desk: Desk, selector: str) -> None:  # noqa: F811
    """Press until the focus is there, then hold: all that one switch can say."""
    page, pedal = desk.screen.page, desk.station
    target = page.locator(selector).first
    target.wait_for()
    follow(desk)
    for _ in range(40):
        if target.evaluate("element => element === document.activeElement"):
            pedal.press(held_s=1.0)
            return
        steps = desk.now().walk[0]
        pedal.press()
        wait_until(desk.screen, lambda steps=steps: desk.now().walk[0] == steps + 1)
        follow(desk)
    raise AssertionError(f"{selector} cannot be reached by the pedal")


def follow(desk: Desk) -> None:  # noqa: F811
    """Wait until the page has heard of everything that the pedal said."""
    steps, opens = desk.now().walk
    desk.screen.page.wait_for_selector(f"html[data-walked='{steps} {opens}']", state="attached")


def test_a_book_by_one_switch_alone(desk: Desk) -> None:  # noqa: F811
    page, pedal = desk.screen.page, desk.station
    walk_to(desk, "a:has-text('Lan')")
    for _ in range(4):
        walk_to(desk, "#pad button:has-text('1')")
    walk_to(desk, "#no-barcode")
    walk_to(desk, "#open-job")
    page.wait_for_selector("#do-press")
    desk.capture_the_book(pedal.press, last=lambda: pedal.press(held_s=4.0))
    pedal.press(held_s=1.0)
    desk.wait_for_list()
    # A slot that was opened by mistake is left by resting in it, and the list is as it was.
    walk_to(desk, "#do-fill")
    desk.shoot_into_slot(3, lambda: pedal.press(held_s=4.0))
    for spread in (SKIPPED_SPREAD, BLURRED_SPREAD):
        walk_to(desk, "#do-fill")
        desk.shoot_into_slot(spread, pedal.press)
    walk_to(desk, "#do-hand_over")
    in_order = [*range(1, 6), *range(7, 11), 22, *range(11, 16), 23, *range(17, 21)]
    desk.assert_handed_over(in_order, removed=1)
    walk_to(desk, "#next-book")
    page.wait_for_selector("#scan")
