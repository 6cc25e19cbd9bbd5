"""Photograph every screen of the staff in every state: `.venv/bin/python tools/take_screens.py OUT [NAME…]`."""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.web_ui import test_setup_in_browser as set_up_pages
from tests.web_ui.fakes import LAN, MINH, FakeStation
from tests.web_ui.running import SECRET_KEY, TOKEN, served
from tests.web_ui.screens import SCREENS, Shown
from tests.web_ui.setup_fakes import FakeSetUp
from tests.web_ui.states import STATES
from web_ui.station.app import create_app

CHROMIUM = "/usr/bin/chromium"
SIZES = ((1024, 600), (1280, 800), (390, 844))
LANGUAGES = ("vi", "en")


def main(out: Path, names: tuple[str, ...] = (), sizes: tuple[tuple[int, int], ...] = SIZES) -> int:
    """Write one picture a screen, language and size into `out`; of the screens with these names, or of all."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        station, set_up = FakeStation(Path(folder)), FakeSetUp()
        app = create_app(station, token=TOKEN, secret_key=SECRET_KEY, set_up=set_up, training=station)
        chosen = [one for one in _everything(set_up) if not names or one[0].name in names]
        with served(app) as address, sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
            for size in sizes:
                page = _entered(browser, address, size)
                for shown, reveals in chosen:
                    for language in LANGUAGES:
                        page.goto("about:blank")
                        station.show(training=None)  # states say nothing of it
                        shown.prepare(station)
                        _open(page, f"{address}{shown.path}", language, shown.click, reveals)
                        page.screenshot(path=out / f"{shown.name}_{language}_{size[0]}x{size[1]}.png")
                page.close()
            browser.close()
            app.extensions["polls"].closing.set()
    return 0


def _everything(set_up: FakeSetUp) -> Iterator[tuple[Shown, str]]:
    """Every screen, and what its page itself shows in that state."""
    yield from ((shown, "") for shown in SCREENS)
    yield from ((Shown(state.key, state.path, state.prepare), state.reveals) for state in STATES)
    for name, (path, _) in set_up_pages.STATES.items():
        yield Shown(f"setup-{name}", path, lambda station, name=name: _set_up(station, set_up, name)), ""
    for name, path in (("door", "/door"), ("door-pin", f"/door?who={LAN.person_id}")):
        yield Shown(name, path, lambda station: station.show(people=(LAN, MINH), person=None)), ""


def _set_up(station: FakeStation, set_up: FakeSetUp, name: str) -> None:
    set_up_pages.show(set_up, name, station)  # mostly without people: with them, the door comes first


def _entered(browser: Browser, address: str, size: tuple[int, int]) -> Page:
    page = browser.new_page(viewport={"width": size[0], "height": size[1]}, reduced_motion="reduce")
    page.goto(f"{address}/enter?token={TOKEN}")
    return page


def _open(page: Page, address: str, language: str, click: str, reveals: str) -> None:
    page.goto(f"{address}{'&' if '?' in address else '?'}lang={language}")
    if click:
        with page.expect_navigation():
            page.click(click)
    page.evaluate("document.fonts.ready")
    if reveals:
        page.evaluate(f"document.querySelector('{reveals}').hidden = false")
    # The live picture comes after the page: a moment lets it be drawn.
    page.wait_for_timeout(250)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: take_screens.py OUT [NAME…]")
    sys.exit(main(Path(sys.argv[1]), tuple(sys.argv[2:])))
