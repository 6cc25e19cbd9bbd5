"""Both screens for everybody: what axe finds, what a keyboard finds, and what larger text makes of them."""

import pytest

from tests.web_ui.browser import (  # noqa: F401 - the mark is the module's
    SIZES,
    Screen,
    assert_fits,
    axe_violations,
    contrast_faults,
    pytestmark,
    shown_one_by_one,
    states_one_by_one,
)
from tests.web_ui.fakes import FakeStation
from tests.web_ui.routes import CENTRAL_PATHS
from tests.web_ui.test_in_browser import STATES as FACES
from tests.web_ui.test_in_browser import follow
from tests.web_ui.test_states import CUT_OFF

SPACED = """() => { const sheet = new CSSStyleSheet();
  sheet.replaceSync('* { line-height: 1.5 !important; letter-spacing: .12em !important; }'
    + ' * { word-spacing: .16em !important; } p { margin-bottom: 2em !important; }');
  document.adoptedStyleSheets = [sheet]; }"""
"""What WCAG 1.4.12 lets a reader ask for. As a sheet of its own: the page's rules forbid any other."""
WALKED = """() => { const at = document.activeElement;
  if (!at || at === document.body) return null;
  const box = at.getBoundingClientRect(), style = getComputedStyle(at);
  const inside = [[box.left + box.width / 2, box.top + box.height / 2], [box.left + 6, box.top + 6]];
  const isSeen = inside.some(([x, y]) => { const top = document.elementFromPoint(x, y);
    return top && (at.contains(top) || top.contains(at)); });
  return { name: at.id || at.textContent.trim().slice(0, 30) || at.name, isSeen,
    hasRing: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 3,
    number: [...document.querySelectorAll('*')].indexOf(at) }; }"""
SPACED_SCREENS = ("closed", "job-listed", "capture-warn", "camera-lost", "review-bad", "sheet", "slip", "training-flaw")
WALKED_SCREENS = (
    "closed",
    "people",
    "job-listed",
    "sheet",
    "capture-bad",
    "review-gap",
    "review-slot",
    "leaves",
    "slip",
)
MOST_STOPS = 60


def test_no_accessibility_fault_in_any_state_that_a_person_may_meet(
    chromium: object, address: str, station: FakeStation
) -> None:
    with Screen(chromium, address, SIZES["small touch"], reduced_motion="reduce") as screen:
        for state in states_one_by_one(screen, station, "en"):
            assert axe_violations(screen.page) == [], state.key
            assert contrast_faults(screen.page) == [], state.key
            assert_fits(screen, state.key, smallest_px=44)


@pytest.mark.parametrize("language", ["vi", "en"])
def test_no_accessibility_fault_on_the_centres_pages(chromium: object, central_address: str, language: str) -> None:
    with Screen(chromium, central_address) as screen:
        for path in CENTRAL_PATHS:
            screen.page.goto(f"{central_address}{path}?lang={language}")
            assert axe_violations(screen.page) == [], path
            assert contrast_faults(screen.page) == [], path


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES.keys())
def test_nothing_runs_off_the_side_and_every_target_is_large_enough(
    chromium: object, address: str, central_address: str, station: FakeStation, size: tuple[int, int]
) -> None:
    with Screen(chromium, address, size) as screen:
        for face in FACES:
            follow(screen, station, face)
            assert_fits(screen, face, smallest_px=44)
        screen.page.goto(f"{address}/review")
        assert_fits(screen, "review", smallest_px=44)
    with Screen(chromium, central_address, size) as screen:
        for path in CENTRAL_PATHS:
            screen.page.goto(central_address + path)
            assert_fits(screen, path, smallest_px=44)


def test_nothing_is_cut_off_where_a_reader_spaces_the_text_out(
    chromium: object, address: str, station: FakeStation
) -> None:
    with Screen(chromium, address, SIZES["desktop"], reduced_motion="reduce") as screen:
        for shown in shown_one_by_one(screen, station, SPACED_SCREENS):
            screen.page.evaluate(SPACED)
            assert screen.page.evaluate(CUT_OFF) == [], shown.name
            assert_fits(screen, shown.name, smallest_px=44)


def test_tab_goes_through_every_page_in_its_order_and_is_seen_wherever_it_is(
    chromium: object, address: str, station: FakeStation
) -> None:
    with Screen(chromium, address, SIZES["small touch"], reduced_motion="reduce") as screen:
        for shown in shown_one_by_one(screen, station, WALKED_SCREENS):
            screen.page.evaluate("document.activeElement.blur()")
            stops = []
            for _ in range(MOST_STOPS):
                screen.page.keyboard.press("Tab")
                stop = screen.page.evaluate(WALKED)
                if stop is None or (stops and stop["number"] == stops[0]["number"]):
                    break
                stops.append(stop)
            assert len(stops) > 1, shown.name
            assert [stop["name"] for stop in stops if not stop["hasRing"]] == [], f"{shown.name}: no ring"
            assert [stop["name"] for stop in stops if not stop["isSeen"]] == [], f"{shown.name}: behind something"
            numbers = [stop["number"] for stop in stops]
            start = numbers.index(min(numbers))
            assert numbers[start:] + numbers[:start] == sorted(numbers), f"{shown.name}: out of order"
