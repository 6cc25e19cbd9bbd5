"""A real Chromium for the tests of the screens: a page that notes what goes wrong in it, and how to look at it."""

import shutil
from collections.abc import Iterator, Sequence

import pytest
from flask import Flask

from tests.web_ui.fakes import FakeStation
from tests.web_ui.running import TOKEN, served
from tests.web_ui.screens import SCREENS, Shown
from tests.web_ui.states import STATES, State

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
]
SIZES = {"small touch": (1024, 600), "desktop": (1280, 800), "phone": (390, 844), "zoomed to 400 %": (320, 640)}
WAIT_MS = 30_000
"""Far more than anything takes: a machine with other work may not answer for seconds."""
CONTRAST = """async () => { const root = document.documentElement, chosen = root.className, out = [];
  for (const look of ['light', 'dark', 'contrast']) {
    // The capture page is never light: it stands beside a bright lamp.
    if (chosen.split(' ').includes(look) || (look === 'light' && document.getElementById('stage'))) continue;
    root.className = look;
    const found = await axe.run({ runOnly: { type: 'rule', values: ['color-contrast'] } });
    out.push(...found.violations.flatMap(one => one.nodes.map(node => `${look}: ${node.target}`)));
  }
  root.className = chosen;
  return out; }"""
"""A look is a class of the page: what it changes is colours, so only they are looked at again."""


@pytest.fixture(scope="module")
def chromium() -> Iterator[object]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


class Screen:
    """One page in the browser, and everything that went wrong in it."""

    def __init__(self, browser: object, address: str, size: tuple[int, int] = (1280, 800), **options: object) -> None:
        self.context = browser.new_context(viewport={"width": size[0], "height": size[1]}, **options)  # type: ignore[attr-defined]
        self.page = self.context.new_page()
        self.page.set_default_timeout(WAIT_MS)
        self.faults: list[str] = []
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", lambda m: self.faults.append(m.text) if "Content Security Policy" in m.text else None)
        self.address = address
        self.page.goto(f"{address}/enter?token={TOKEN}")

    def __enter__(self) -> "Screen":
        return self

    def __exit__(self, *exception: object) -> None:
        self.context.close()
        if exception[0] is None:
            assert self.faults == []


@pytest.fixture
def address(station_app: Flask) -> Iterator[str]:
    with served(station_app) as address:
        yield address


@pytest.fixture
def central_address(central_app: Flask) -> Iterator[str]:
    with served(central_app) as address:
        yield address


def axe_violations(page: object) -> list[str]:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    found = axe.Axe().run(page, options={"runOnly": {"type": "tag", "values": tags}}).response["violations"]
    return [f"{v['id']}: {[node['target'] for node in v['nodes']]}" for v in found]


def contrast_faults(page: object) -> list[str]:
    """Return what axe says of contrast in every other look that may be chosen. After `axe_violations`, on its page."""
    return page.evaluate(CONTRAST)  # type: ignore[attr-defined]


_SMALL_TARGETS = """smallest => [...document.querySelectorAll(
    'button, a[href], summary, select, textarea, input:not([type=hidden])')]
  // A box to tick is as large as its label; a link inside a sentence is as high as its line (WCAG 2.5.8).
  .map(e => (e.matches('[type=checkbox], [type=radio]') && e.closest('label')) || e)
  .filter(e => e.offsetParent && !e.closest('[hidden]'))
  .filter(e => !(e.matches('a') && getComputedStyle(e).display === 'inline' && e.closest('p, li, dd')))
  // Six steps of the set-up beside one another leave no more than 48 px each on a phone.
  .map(e => [e.id || e.name || e.textContent.trim(), e.getBoundingClientRect(), e.matches('.dot') ? 44 : smallest])
  .filter(([, box, least]) => box.width && box.height && (box.height < least - 0.5 || box.width < 43.5))
  .map(([name, box]) => `${name}: ${box.width.toFixed(0)} x ${box.height.toFixed(0)}`)"""


def assert_fits(screen: Screen, what: str, *, smallest_px: int) -> None:
    page = screen.page
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, what
    small = page.evaluate(_SMALL_TARGETS, smallest_px)
    assert small == [], (what, small)


def shown_one_by_one(screen: Screen, station: FakeStation, names: Sequence[str]) -> Iterator[Shown]:
    """Open the screens with these names, one after the other."""
    for shown in (shown for shown in SCREENS if shown.name in names):
        screen.page.goto("about:blank")
        shown.prepare(station)
        screen.page.goto(screen.address + shown.path)
        yield shown


def states_one_by_one(screen: Screen, station: FakeStation, language: str) -> Iterator[State]:
    """Bring the station into every state, one after the other, with the page that shows it."""
    at = ""
    for state in STATES:
        if state.path != at:
            screen.page.goto("about:blank")
            state.prepare(station)
            screen.page.goto(f"{screen.address}{state.path}?lang={language}")
            screen.page.evaluate("document.fonts.ready")
            at = state.path
        else:
            # The page follows by itself: much faster than loading it anew.
            state.prepare(station)
            screen.page.wait_for_selector(f"#face[data-number='{station.snapshot().number}']")
        if state.reveals:
            screen.page.evaluate(f"document.querySelector('{state.reveals}').hidden = false")
        yield state


def wait_for(screen: Screen, expression: str) -> None:
    # The driver's own wait_for_function needs eval, which the page rightly forbids.
    wait_until(screen, lambda: screen.page.evaluate(expression))


def wait_until(screen: Screen, condition: object, limit_ms: int = WAIT_MS) -> None:
    for _ in range(limit_ms // 20):
        if condition():  # type: ignore[operator]
            return
        screen.page.wait_for_timeout(20)
    pytest.fail("The station was not asked in time.")
