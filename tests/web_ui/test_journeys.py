"""A book from sign-in to slip: a real Chromium, the real session, spool and page pipeline; only the camera is drawn."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from appliance.api import SessionState
from appliance.jobs.joblist import JobList
from appliance.model import CaptureSetup
from appliance.page_numbers import PageNumbers
from appliance.people import People
from appliance.session.front import StationFront
from firmware.simulated.camera import SimulatedCamera
from firmware.simulated.faults import Fault
from tests.appliance.session.conftest import DrivenClock, Station
from tests.web_ui.running import SECRET_KEY, TOKEN, served
from tests.web_ui.test_in_browser import Screen, chromium, pytestmark, wait_until  # noqa: F401 - the same browser
from web_ui.station.app import create_app
from wire.codec import decode_job_list
from wire.documents import JobListDocument

FRAME_PX = (1400, 1050)
"""Large enough for printed numbers to be read, small enough to be drawn in half a second."""


@pytest.fixture
def camera(clock: DrivenClock) -> SimulatedCamera:
    return SimulatedCamera(7, *FRAME_PX, clock_ns=lambda: clock.now_ns)


@pytest.fixture
def clock() -> DrivenClock:
    return DrivenClock()


@pytest.fixture
def station(tmp_path: Path, clock: DrivenClock, camera: SimulatedCamera) -> Iterator[Station]:
    people = People(None)
    people.add("Lan", "1111")
    setup = CaptureSetup("tram-01", rotations_cw=(0,), capture_timeout_s=5.0)
    running = Station(tmp_path / "spool", (camera,), clock, setup, people=people).start()
    numbers = PageNumbers(running.spool)
    reading = threading.Thread(target=numbers.run, name="numbers")
    reading.start()

    def tell(captures: tuple, job_list: JobList):  # type: ignore[no-untyped-def, type-arg]
        opened = job_list.opened
        return numbers.listing(captures, opened.numbering, opened.reading_direction, job_list.gaps)

    running.front = StationFront(running.session, running.spool, (camera,), running.pedal, people, tell)
    yield running
    numbers.stop()
    reading.join()
    running.stop()


@pytest.fixture
def screen(chromium: object, station: Station, request: pytest.FixtureRequest) -> Iterator[Screen]:  # noqa: F811
    app = create_app(station.front, token=TOKEN, secret_key=SECRET_KEY)
    with served(app) as address, Screen(chromium, address, (1024, 600), has_touch=True) as opened:
        yield opened


def sent(station: Station) -> JobListDocument:
    (newest,) = station.folder.glob("jobs/*/list-*.json")
    return decode_job_list(newest.read_bytes())


def test_a_book_by_keyboard_alone_with_a_blurred_and_a_skipped_spread(
    screen: Screen, station: Station, camera: SimulatedCamera
) -> None:
    page, keys = screen.page, screen.page.keyboard
    page.locator("a:has-text('Lan')").focus()
    keys.press("Enter")
    page.wait_for_selector("#pin")
    keys.type("1111")
    page.wait_for_selector("#live[data-number]")  # the scripts run
    keys.type("VN-001", delay=2)
    keys.press("Enter")
    page.wait_for_selector("#job-form")
    assert page.locator("#barcode").input_value() == "VN-001"
    page.locator("#title").focus()
    keys.insert_text("Bên dòng sông cũ")  # as an input method does; a scanner is faster than fingers
    keys.press("Enter")
    page.wait_for_selector("#do-press")
    for faults in ((), (), (Fault.SKIPPED,), (), (Fault.BLUR,), (Fault.DOUBLED,), (), ()):
        camera.inject(*faults)
        if faults == (Fault.DOUBLED,):
            keys.press("r")
            capture(screen, station, lambda: None)
        else:
            capture(screen, station, lambda: keys.press("Space"))
    keys.press("f")
    page.wait_for_selector("h1:has-text('Còn 1 việc bắt buộc')", timeout=15_000)
    page.wait_for_selector("text=Có thể thiếu trang 6–7")
    page.locator("#do-absent").focus()
    keys.press("Enter")
    page.wait_for_selector("h1:has-text('Không còn việc nào')")
    keys.press("f")
    page.wait_for_selector("text=Máy chủ đã xác nhận 0/8 lần chụp")
    document = sent(station)
    assert document.item.title == "Bên dòng sông cũ"
    assert (len(document.entries), [len(entry.supersedes) for entry in document.entries].count(1)) == (7, 1)
    assert [(gap.first, gap.last, gap.answer) for gap in document.gaps] == [("6", "7", "absent")]


def test_a_book_by_the_pedal_alone_from_sign_in_to_hand_over(screen: Screen, station: Station) -> None:
    page = screen.page
    walk_to(screen, station, "a:has-text('Lan')")
    page.wait_for_selector("#pad button")
    for _ in range(4):
        walk_to(screen, station, "#pad button:has-text('1')")
    page.wait_for_selector("#scan")
    walk_to(screen, station, "#no-barcode")
    page.wait_for_selector("#job-form")
    walk_to(screen, station, "#open-job")
    page.wait_for_selector("#do-press")
    for _ in range(3):
        capture(screen, station, station.press)
    station.press(held_s=4.0)
    wait_until(screen, lambda: station.front.snapshot().state is SessionState.PAUSED)
    station.press(held_s=1.0)
    page.wait_for_selector("#review")
    walk_to(screen, station, "#do-keep, #do-hand_over")
    page.wait_for_selector("#review, #slip")
    if page.locator("#review").count():
        walk_to(screen, station, "#do-hand_over")
    page.wait_for_selector("#slip")
    assert len(sent(station).entries) == 4


def capture(screen: Screen, station: Station, press: Callable[[], object]) -> None:
    before = station.front.snapshot().safe_captures
    press()

    def judged() -> bool:
        station.clock.advance(0.05)
        station.pedal.tick()
        now = station.front.snapshot()
        return now.safe_captures == before + 1 and now.queue_length == 0

    wait_until(screen, judged, 15_000)
    screen.page.wait_for_selector(f"#face[data-number='{station.front.snapshot().number}']")


def walk_to(screen: Screen, station: Station, selector: str) -> None:
    """Press until the focus is there, then hold: all that one switch can say."""
    target = screen.page.locator(selector).first
    target.wait_for()
    screen.page.wait_for_timeout(150)
    for _ in range(40):
        if target.evaluate("element => element === document.activeElement"):
            break
        steps = station.front.snapshot().walk[0]
        station.press()
        wait_until(screen, lambda steps=steps: station.front.snapshot().walk[0] > steps)
        screen.page.wait_for_timeout(30)
    station.press(held_s=1.0)


def test_a_book_by_touch_alone_on_the_small_screen(screen: Screen, station: Station) -> None:
    page = screen.page
    page.tap("a:has-text('Lan')")
    for _ in range(4):
        page.tap("#pad button:has-text('1')")
    page.tap("#no-barcode")
    page.tap("#open-job")
    page.wait_for_selector("#do-press")
    for _ in range(2):
        capture(screen, station, lambda: page.tap("#do-press"))
    page.tap("#finish")
    page.wait_for_selector("#do-hand_over")
    page.tap("#do-hand_over")
    page.wait_for_selector("#slip")
    assert len(sent(station).entries) == 2
