"""Make the pictures of the README from the running program: `.venv/bin/python tools/take_pictures.py`."""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from firmware.registry import CameraConfig
from lattrang.demo.operator import Operator
from lattrang.demo.site import Site, SitePlan

PICTURES = Path(__file__).parents[1] / "docs" / "pictures"
CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
SPREADS = 5


def main() -> int:
    """Run a site, capture some spreads, photograph both screens."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, Site(SitePlan(Path(folder), CameraConfig(seed=3))) as site:
        operator = Operator(site.client())
        operator.open_job("Bên dòng sông cũ", "ĐKCB.0173/24")
        for _ in range(SPREADS):
            operator.capture()
        operator.wait_until_judged()
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            _photograph(browser.new_page(viewport={"width": 1280, "height": 800}), site.staff_address, "station.png")
            page = browser.new_page(viewport={"width": 1280, "height": 800})
            _photograph(page, site.manager_address, "central.png")
            browser.close()
    return 0


def _photograph(page: Page, address: str, name: str) -> None:
    page.goto(address)
    page.wait_for_load_state("load")
    page.wait_for_function("[...document.images].every(image => image.complete)")
    page.wait_for_timeout(1500)
    page.screenshot(path=PICTURES / name)


if __name__ == "__main__":
    sys.exit(main())
