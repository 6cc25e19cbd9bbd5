"""Photograph every screen of the staff in every state: `.venv/bin/python tools/take_screens.py OUT`."""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.web_ui.fakes import FakeStation
from tests.web_ui.running import SECRET_KEY, TOKEN, served
from tests.web_ui.screens import SCREENS
from web_ui.station.app import create_app

CHROMIUM = "/usr/bin/chromium"
SIZES = ((1024, 600), (1280, 800), (390, 844))
LANGUAGES = ("vi", "en")


def main(out: Path) -> int:
    """Write one picture a screen, language and size into `out`."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        station = FakeStation(Path(folder))
        app = create_app(station, token=TOKEN, secret_key=SECRET_KEY, training=station)
        with served(app) as address, sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
            for width, height in SIZES:
                page = browser.new_page(viewport={"width": width, "height": height}, reduced_motion="reduce")
                page.goto(f"{address}/enter?token={TOKEN}")
                for shown in SCREENS:
                    for language in LANGUAGES:
                        page.goto("about:blank")
                        shown.prepare(station)
                        join = "&" if "?" in shown.path else "?"
                        page.goto(f"{address}{shown.path}{join}lang={language}")
                        if shown.click:
                            with page.expect_navigation():
                                page.click(shown.click)
                        page.evaluate("document.fonts.ready")
                        # The live picture comes after the page: a moment lets it be drawn.
                        page.wait_for_timeout(250)
                        page.screenshot(path=out / f"{shown.name}_{language}_{width}x{height}.png")
                page.close()
            browser.close()
            app.extensions["polls"].closing.set()
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: take_screens.py OUT")
    sys.exit(main(Path(sys.argv[1])))
