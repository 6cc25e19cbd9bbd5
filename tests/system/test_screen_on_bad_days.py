"""The capture page of a whole site: a real browser while the broker and the station are killed under it."""

import shutil

import pytest

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


def test_a_book_goes_on_while_the_broker_is_killed_and_then_the_station_itself(make_site: MakeSite) -> None:
    site = make_site()
    job_id = Operator(site.client()).open_job("Ngày xấu trời")
    events = site.spool / "log" / "events.jsonl"
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        page.set_default_timeout(30_000)
        page.goto(site.staff_address)

        def press(number: int) -> None:
            page.keyboard.press("Space")
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
        page.keyboard.press("f")
        page.wait_for_selector("#do-hand_over")
        page.locator("#do-hand_over").click()
        page.wait_for_selector("#slip:has-text('3/3')", timeout=60_000)
        browser.close()
    site.client().wait_for(
        lambda state: any(job["job_id"] == job_id and job["complete"] for job in state["handed_over"]), 30.0, "the end"
    )
    wait_until(lambda: events.read_text("utf-8").count("capture.safe") == 3, 1.0, "three captures")
