"""A book by keyboard alone, from sign-in to slip."""

from tests.web_ui.journey import BLURRED_SPREAD, Desk, book, clock, desk, station  # noqa: F401 - fixtures
from tests.web_ui.test_in_browser import chromium, pytestmark  # noqa: F401 - the same browser


def tab_to(desk: Desk, selector: str) -> None:  # noqa: F811
    """Press Tab until the focus is there, as somebody does who has no mouse."""
    target = desk.screen.page.locator(selector).first
    target.wait_for()
    for _ in range(60):
        if target.evaluate("element => element === document.activeElement"):
            return
        desk.screen.page.keyboard.press("Tab")
    raise AssertionError(f"{selector} cannot be reached by Tab")


def test_a_book_by_keyboard_alone(desk: Desk) -> None:  # noqa: F811
    page, keys = desk.screen.page, desk.screen.page.keyboard

    def enter(selector: str) -> None:
        tab_to(desk, selector)
        keys.press("Enter")

    enter("a:has-text('Lan')")
    page.wait_for_selector("#pad button", state="attached")
    page.wait_for_selector("#pin:focus")
    keys.type("1111")
    tab_to(desk, "#barcode")
    keys.insert_text("VN-001")
    keys.press("Enter")
    tab_to(desk, "#title")
    keys.insert_text("Bên dòng sông cũ")
    keys.press("Enter")
    page.wait_for_selector("#do-press")
    desk.capture_the_book(lambda: desk.on_screen(lambda: keys.press("Space")), again=lambda: keys.press("r"))
    keys.press("f")
    desk.wait_for_list()
    enter("#do-absent")
    page.wait_for_selector("#one:not(:has(#do-absent))")
    enter("#do-fill")
    desk.shoot_into_slot(BLURRED_SPREAD, lambda: keys.press("Space"))
    desk.wait_for_list("#do-hand_over")
    keys.press("f")
    desk.assert_handed_over([*range(1, 6), *range(7, 16), 21, *range(17, 21)])
