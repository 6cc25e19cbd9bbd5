"""Each screen of the staff: no fault that axe knows, nothing cut off or off the side, large targets."""

import pytest

from appliance.api import SessionState
from tests.web_ui.browser import (  # noqa: F401 - the mark is the module's
    SIZES,
    Screen,
    assert_fits,
    axe_violations,
    contrast_faults,
    pytestmark,
    shown_one_by_one,
    wait_until,
)
from tests.web_ui.fakes import FakeStation, job_view
from tests.web_ui.screens import SCREENS

# The clipping rule: a box that hides what runs over leaves room for the tallest letters (an accent on a circumflex).
CLIPPED = """() => [...document.querySelectorAll('body *')].filter(e => e.offsetParent
  && getComputedStyle(e).overflowY === 'hidden' && e.scrollHeight > e.clientHeight + 2
  && [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())
  && getComputedStyle(e).clipPath === 'none').map(e => e.textContent.trim())"""


@pytest.mark.parametrize(
    ("language", "size", "part"), [("vi", "small touch", 0), ("en", "zoomed to 400 %", 1)], ids=["vi", "en-narrow"]
)
def test_every_screen_is_whole_and_can_be_used_by_everybody(
    chromium: object,
    address: str,
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
            if shown.click:
                with screen.page.expect_navigation():
                    screen.page.click(shown.click)
            assert axe_violations(screen.page) == [], shown.name
            assert contrast_faults(screen.page) == [], shown.name
            assert_fits(screen, shown.name, smallest_px=44)
            assert screen.page.evaluate(CLIPPED) == [], shown.name


@pytest.mark.parametrize(
    ("chosen", "names"), [("dark", ("review-gap", "job-empty")), ("contrast", ("capture-bad", "review-gap"))]
)
def test_every_screen_takes_the_look_that_was_chosen(
    chromium: object,
    address: str,
    station: FakeStation,
    chosen: str,
    names: tuple[str, ...],
) -> None:
    with Screen(chromium, address, SIZES["small touch"], reduced_motion="reduce") as screen:
        screen.context.add_cookies([{"name": "lattrang_theme", "value": chosen, "url": address}])
        for shown in shown_one_by_one(screen, station, names):
            assert screen.page.evaluate("document.documentElement.className").split()[0] == chosen, shown.name
            assert_fits(screen, shown.name, smallest_px=44)


def test_what_is_printed_is_black_on_white_however_the_screen_looks(
    chromium: object,
    address: str,
    station: FakeStation,
) -> None:
    slip = next(shown for shown in SCREENS if shown.name == "slip")
    with Screen(chromium, address) as screen:
        screen.context.add_cookies([{"name": "lattrang_theme", "value": "contrast", "url": address}])
        slip.prepare(station)
        screen.page.goto(address + slip.path)
        ink = "getComputedStyle(document.querySelector('.slip-card h1, .slip-card h2')).color"
        assert screen.page.evaluate(ink) == "rgb(255, 255, 255)"
        screen.page.emulate_media(media="print")
        assert screen.page.evaluate(ink) == "rgb(28, 35, 41)"


def test_a_second_capture_page_says_that_it_is_one_and_a_press_counts_once(
    chromium: object,
    address: str,
    station: FakeStation,
) -> None:
    station.show(state=SessionState.READY, job=job_view(), last=None)
    with Screen(chromium, address) as first:
        second = first.context.new_page()
        second.goto(address)
        second.wait_for_selector("#elsewhere:visible")
        assert first.page.locator("#elsewhere").is_hidden()
        assert axe_violations(second) == []
        second.keyboard.press(" ")
        wait_until(first, lambda: ("release",) in station.asked)
        # Both show what the one pressed, and nothing was pressed twice.
        for page in (first.page, second):
            page.wait_for_selector("#verdict")
        assert station.asked.count(("press",)) == 1
        first.page.goto("about:blank")
        second.wait_for_selector("#elsewhere", state="hidden")


def test_enter_in_a_field_opens_the_job_and_does_not_ask_the_camera(
    chromium: object,
    address: str,
    station: FakeStation,
) -> None:
    next(shown for shown in SCREENS if shown.name == "job-empty").prepare(station)
    with Screen(chromium, address) as screen:
        screen.page.goto(f"{address}/job/new")
        screen.page.fill("#title", "Kiều")
        screen.page.press("#title", "Enter")
        wait_until(screen, lambda: station.opened is not None)
    assert ("read_barcode",) not in station.asked


def test_the_pedal_walks_only_through_the_page_that_is_in_front(
    chromium: object,
    address: str,
    station: FakeStation,
) -> None:
    next(shown for shown in SCREENS if shown.name == "closed").prepare(station)
    station.show(walk=(0, 0))
    with Screen(chromium, address) as front:
        behind = front.context.new_page()
        behind.add_init_script("Object.defineProperty(document, 'hidden', { get: () => true })")
        behind.goto(address)
        for walk in ((1, 0), (1, 1)):
            number = station.show(walk=walk).number
            for page in (front.page, behind):
                # By selector: the driver's wait_for_function needs eval, which the page rightly forbids.
                page.wait_for_selector(f"html:not(:has(#face[data-number='{number - 1}']))", state="attached")
        front.page.wait_for_url("**/job/new**")
        assert behind.url.rstrip("/") == address
