"""Make the pictures of the README and of the staff's page from the program: `take_pictures.py [staff]`."""

import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, ViewportSize, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))

from firmware.registry import CameraConfig
from lattrang.demo.operator import Operator
from lattrang.demo.site import Site, SitePlan
from tools import take_screens

PICTURES = Path(__file__).parents[1] / "docs" / "pictures"
CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
SPREADS = 5
STAFF = {
    "open": "closed",
    "bad": "capture-bad",
    "review": "review-gap",
    "training": "training-flaw",
    "camera": "camera-lost",
}
"""The pictures of the staff's page, and the screens that they show."""


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
            size: ViewportSize = {"width": 1280, "height": 800}
            _photograph(browser.new_page(viewport=size), site.staff_address, "station.png", after="**/preview?*")
            _photograph(browser.new_page(viewport=size), site.manager_address, "central.png", after="**/*.woff2")
            browser.close()
    return 0


def _photograph(page: Page, address: str, name: str, *, after: str) -> None:
    """Take a picture of the page at `address` once the answer to `after` came and all of it is drawn."""
    with page.expect_response(after):
        page.goto(address)
    page.evaluate("Promise.all([...document.images].map(image => image.decode()))")
    page.evaluate("document.fonts.ready")
    # The live picture is decoded after its answer has come: two frames of the screen later it is drawn.
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    page.screenshot(path=PICTURES / name)


def staff() -> int:
    """Photograph the screens that the staff's page shows, in both languages, on the small touch screen."""
    size = (1024, 600)
    with tempfile.TemporaryDirectory() as folder:
        take_screens.main(Path(folder), tuple(STAFF.values()), sizes=(size,))
        for name, screen in STAFF.items():
            for language in take_screens.LANGUAGES:
                taken = Image.open(Path(folder) / f"{screen}_{language}_{size[0]}x{size[1]}.png")
                # Few colours: a picture that everybody loads with the page is half as large.
                taken.convert("RGB").quantize(256).save(PICTURES / f"staff-{name}-{language}.png", optimize=True)
    return 0


if __name__ == "__main__":
    sys.exit(staff() if sys.argv[1:] == ["staff"] else main() or staff())
