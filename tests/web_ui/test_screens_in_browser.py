"""Each screen of the staff: no fault that axe knows, nothing cut off or off the side, large targets."""

import pytest

from tests.web_ui.fakes import FakeStation
from tests.web_ui.screens import SCREENS
from tests.web_ui.test_in_browser import (  # noqa: F401 - the same browser
    SIZES,
    Screen,
    address,
    assert_fits,
    axe_violations,
    chromium,
    pytestmark,
)

# The clipping rule: a box that hides what runs over leaves room for the tallest letters (an accent on a circumflex).
CLIPPED = """() => [...document.querySelectorAll('body *')].filter(e => e.offsetParent
  && getComputedStyle(e).overflowY === 'hidden' && e.scrollHeight > e.clientHeight + 2
  && [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())
  && getComputedStyle(e).clipPath === 'none').map(e => e.textContent.trim())"""


@pytest.mark.parametrize(
    ("language", "size", "part"), [("vi", "small touch", 0), ("en", "zoomed to 400 %", 1)], ids=["vi", "en-narrow"]
)
def test_every_screen_is_whole_and_can_be_used_by_everybody(
    chromium: object,  # noqa: F811
    address: str,  # noqa: F811
    station: FakeStation,
    language: str,
    size: str,
    part: int,
) -> None:
    with Screen(chromium, address, SIZES[size], reduced_motion="reduce") as screen:
        # Every other screen in each: with both languages and sizes in turn the test stays short.
        for shown in SCREENS[part::2]:
            screen.page.goto("about:blank")
            shown.prepare(station)
            join = "&" if "?" in shown.path else "?"
            screen.page.goto(f"{address}{shown.path}{join}lang={language}")
            assert axe_violations(screen.page) == [], shown.name
            assert_fits(screen, shown.name, smallest_px=44)
            assert screen.page.evaluate(CLIPPED) == [], shown.name
