"""Journey A1 to a real centre: by the pedal alone, while broker and station are killed under the screen."""

import shutil
import threading
from collections.abc import Callable
from typing import Any

import pytest

from lattrang.demo.client import StationClient
from lattrang.demo.operator import Operator
from lattrang.demo.waiting import wait_until
from tests.system.conftest import MakeSite

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.broker,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
]

LIFTED_S = 0.1
"""A foot is up at least so long; a contact that closes again within 50 ms has bounced, and the press goes on."""


class Foot:
    """A foot on the pedal of a station, and nothing else. It holds until the station has understood, however slow."""

    def __init__(self, client: StationClient) -> None:
        self._client = client

    def press(self) -> None:
        self._client.post("/press", {"tap": "1"})

    def hold_until(self, understood: Callable[[dict[str, Any]], bool]) -> None:
        self._client.post("/press")
        self._client.wait_for(understood, 30.0, "the station to feel that a foot holds")
        self._client.post("/release")
        threading.Event().wait(LIFTED_S)

    def walk_to(self, page: Any, selector: str) -> None:
        """Press until the focus is there, then hold."""
        target = page.locator(selector)
        target.wait_for()
        for _ in range(20):
            steps, opens = self._client.state()["walk"]
            page.wait_for_selector(f"html[data-walked='{steps} {opens}']", state="attached")
            if target.evaluate("element => element === document.activeElement"):
                self.hold_until(lambda state, opens=opens: state["walk"][1] > opens)
                return
            self.press()
            self._client.wait_for(lambda state, steps=steps: state["walk"][0] > steps, 30.0, "the next place")
        pytest.fail(f"{selector} cannot be reached by the pedal")


def test_a_book_goes_on_while_the_broker_is_killed_and_then_the_station_itself(make_site: MakeSite) -> None:
    site = make_site()
    foot = Foot(site.client())
    job_id = Operator(site.client()).open_job("Ngày xấu trời")
    events = site.spool / "log" / "events.jsonl"
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        page.set_default_timeout(30_000)
        page.goto(site.staff_address)

        def press(number: int) -> None:
            foot.press()
            page.wait_for_selector(f".shot.is-last .shot-number:has-text('{number}')")
            page.wait_for_selector("#verdict:not(.verdict-plain)")

        press(1)
        site.broker.kill()
        page.wait_for_selector("#link:has-text('Mất mạng')")
        press(2)
        site.station.kill()
        page.wait_for_selector("#lost:visible")
        site.station.start()
        page.wait_for_selector("#lost", state="hidden")
        page.wait_for_selector(".shot.is-last .shot-number:has-text('2')")
        press(3)
        site.broker.start()
        page.wait_for_selector("#link:has-text('Đã gửi hết')", timeout=60_000)
        # The last spread: the foot stays down until the station rests, and once more until the list is looked through.
        foot.hold_until(lambda state: state["state"] == "paused")
        page.wait_for_selector("#do-resume")
        site.client().wait_for(lambda state: state["queue_length"] == 0, 30.0, "the last verdict")
        foot.hold_until(lambda state: bool(state["reviewing"]))
        foot.walk_to(page, "#do-hand_over")
        page.wait_for_selector("#slip:has-text('Máy chủ xác nhận đủ 4/4 lần chụp')", timeout=60_000)
        page.goto(f"{page.url}?lang=en")
        page.wait_for_selector("#slip:has-text('Server confirmed 4/4 captures')")
        browser.close()
    site.client().wait_for(
        lambda state: any(job["job_id"] == job_id and job["complete"] for job in state["handed_over"]), 30.0, "the end"
    )
    wait_until(lambda: events.read_text("utf-8").count("capture.safe") == 4, 1.0, "four captures")
