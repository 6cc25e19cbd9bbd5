"""The capture page on bad days: a real Chromium, the real session and spool; every fault is really brought about.

Which other tests bring about the other faults stands in docs/promises.md.
"""

import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from appliance.api import NewJob, SessionState
from appliance.model import CaptureSetup
from appliance.spool.files import Disk
from appliance.spool.store import Spool
from benchmarks.fault_plan import FAIR, Weather
from benchmarks.fault_relay import Relay
from firmware.interfaces import Frame
from firmware.simulated.camera import SimulatedCamera
from tests.appliance.session.conftest import DrivenClock, Station
from tests.web_ui.browser import Screen, chromium, pytestmark, wait_until  # noqa: F401 - the same browser
from tests.web_ui.running import SECRET_KEY, TOKEN, served
from web_ui.station.app import create_app

FRAME_PX = (507, 380)
GIB = 2**30
RECONNECT_MS = 3000
SLOW_3G = {"offline": False, "latency": 1000, "downloadThroughput": 50_000, "uploadThroughput": 50_000}
COUNT_FLASHES = """() => {
  window.flashes = 0;
  new MutationObserver((changes) => changes.forEach((change) => {
    if (change.target.id === "stage" && change.target.classList.contains("flash")) window.flashes += 1;
  })).observe(document.body, { subtree: true, attributeFilter: ["class"] });
}"""


class Stuck(SimulatedCamera):
    """A camera whose driver may hang, longer than anybody allows it."""

    def __init__(self, clock: DrivenClock) -> None:
        super().__init__(7, *FRAME_PX, clock_ns=lambda: clock.now_ns)
        self.hangs = threading.Event()
        self.goes_on = threading.Event()

    def capture(self, *, pressed_at_ns: int, timeout_s: float = 5.0) -> Frame:
        if self.hangs.is_set():
            assert self.goes_on.wait(30)
        return super().capture(pressed_at_ns=pressed_at_ns, timeout_s=timeout_s)


class DiskThatFills(Disk):
    """Says how much room there is; the files are real."""

    free_bytes = 100 * GIB

    def usage(self, folder: Path) -> tuple[int, int]:
        return self.free_bytes, 200 * GIB


@pytest.fixture
def clock() -> DrivenClock:
    return DrivenClock()


@pytest.fixture
def camera(clock: DrivenClock) -> Stuck:
    return Stuck(clock)


@pytest.fixture
def disk() -> DiskThatFills:
    return DiskThatFills()


@pytest.fixture
def station(tmp_path: Path, clock: DrivenClock, camera: Stuck, disk: DiskThatFills) -> Iterator[Station]:
    setup = CaptureSetup("tram-01", rotations_cw=(0,), capture_timeout_s=0.2)
    opened = partial(Spool.open, disk=disk)
    running = Station(tmp_path / "spool", (camera,), clock, setup, spool_open=opened).start()
    running.front.open_job(NewJob(title="Bên dòng sông cũ"))
    yield running
    camera.goes_on.set()
    running.stop()


@pytest.fixture
def address(station: Station) -> Iterator[str]:
    app = create_app(station.front, token=TOKEN, secret_key=SECRET_KEY)
    with served(app) as address:
        yield address


@pytest.fixture
def screen(chromium: object, address: str) -> Iterator[Screen]:  # noqa: F811
    with Screen(chromium, address, (1024, 600)) as opened:
        opened.page.wait_for_selector("#do-press")
        yield opened


def until(screen: Screen, station: Station, holds: Callable[[], bool]) -> None:
    """Wait for what the station or its screen comes to; the driven time goes on meanwhile."""

    def look() -> bool:
        station.clock.advance(0.05)
        station.pedal.tick()
        return holds()

    wait_until(screen, look, 15_000)


def press(screen: Screen, station: Station) -> None:
    """One short press of the key, until the screen shows the judged capture."""
    shows(screen, station)
    entries = station.front.snapshot().job.entries
    screen.page.keyboard.press("Space")
    until(screen, station, lambda: station.front.snapshot().job.entries == entries + 1 and is_judged(station))
    shows(screen, station)


def is_judged(station: Station) -> bool:
    now = station.front.snapshot()
    return now.queue_length == 0 and now.state is SessionState.READY


def shows(screen: Screen, station: Station) -> None:
    """Wait until the screen shows the state that the station is in."""
    until(screen, station, lambda: screen.page.locator("#face").get_attribute("data-number") == number_of(station))


def number_of(station: Station) -> str:
    return str(station.front.snapshot().number)


def test_a_line_that_is_cut_is_back_within_three_seconds_and_every_press_counts_once(
    chromium: object,  # noqa: F811
    address: str,
    station: Station,
) -> None:
    port = int(address.rpartition(":")[2])
    with (
        Relay(lambda: ("127.0.0.1", port), seed=1) as relay,
        Screen(chromium, f"http://127.0.0.1:{relay.port}") as screen,
    ):
        screen.page.wait_for_selector("#do-press")
        press(screen, station)
        relay.set(Weather(cut=True))
        screen.page.wait_for_selector("#lost:visible")
        # The foot knows nothing of the screen's line.
        station.press()
        until(screen, station, lambda: station.front.snapshot().job.entries == 2 and is_judged(station))
        screen.page.keyboard.press("Space")
        relay.set(FAIR)
        screen.page.wait_for_selector("#lost", state="hidden", timeout=RECONNECT_MS)
        until(screen, station, lambda: station.front.snapshot().job.entries == 3 and is_judged(station))
        shows(screen, station)
        assert screen.page.locator("#strip li").count() == 3


def test_a_press_that_the_line_did_not_take_in_its_moment_is_said_and_never_made_up_for_later(
    screen: Screen, station: Station
) -> None:
    screen.context.set_offline(True)
    screen.page.keyboard.press("Space")
    screen.page.wait_for_selector("#refused:has-text('Chưa chắc trạm đã nhận lệnh này')", timeout=8000)
    screen.context.set_offline(False)
    screen.page.wait_for_selector("#lost", state="hidden")
    press(screen, station)
    assert station.front.snapshot().job.entries == 1


def test_on_a_line_as_slow_as_a_telephones_a_tap_stays_a_tap(screen: Screen, station: Station) -> None:
    session = screen.context.new_cdp_session(screen.page)
    session.send("Network.emulateNetworkConditions", SLOW_3G)
    # The stage flashes for 150 ms: counted where it happens, since a busy machine may ask later than that.
    screen.page.evaluate(COUNT_FLASHES)
    lifted: list[object] = []
    screen.page.on("response", lambda answer: lifted.append(answer) if answer.url.endswith("/release") else None)
    for taps in (1, 2):
        screen.page.keyboard.press("Space")
        assert screen.page.evaluate("flashes") == taps
        until(screen, station, lambda taps=taps: len(lifted) == taps)
        until(screen, station, lambda taps=taps: station.front.snapshot().job.entries == taps and is_judged(station))
    now = station.front.snapshot()
    assert (now.state, now.notice, now.refused_presses) == (SessionState.READY, None, 0)
    shows(screen, station)


def test_a_server_that_fails_is_asked_again_and_the_press_counts_once(screen: Screen, station: Station) -> None:
    failures = {"/press": 2, "/state": 1}

    def fail(route: object, request: object) -> None:
        path = request.url.partition("?")[0].rpartition(":")[2].lstrip("0123456789")  # type: ignore[attr-defined]
        failures[path] -= 1
        if failures[path] < 0:
            route.continue_()  # type: ignore[attr-defined]
        elif path == "/press" and failures[path] == 0:
            route.fetch()  # type: ignore[attr-defined] # it was done; only the answer is a failure
            route.fulfill(status=500)  # type: ignore[attr-defined]
        else:
            route.fulfill(status=500)  # type: ignore[attr-defined]

    screen.page.route("**/press", fail)
    screen.page.route("**/state?*", fail)
    press(screen, station)
    assert max(failures.values()) <= 0
    assert station.front.snapshot().job.entries == 1
    screen.page.wait_for_selector("#lost", state="hidden")


def test_a_camera_that_hangs_refuses_presses_in_words_and_makes_no_capture_of_them(
    screen: Screen, station: Station, camera: Stuck
) -> None:
    press(screen, station)
    camera.hangs.set()
    screen.page.keyboard.press("Space")
    screen.page.wait_for_selector(".face.state-capturing")
    screen.page.wait_for_timeout(100)  # the key is up again, and the pedal has settled
    station.clock.advance(10.0)
    station.pedal.tick()
    screen.page.keyboard.press("Space")
    screen.page.wait_for_selector(".notice:has-text('Máy đang chụp')")
    camera.hangs.clear()
    camera.goes_on.set()
    until(screen, station, lambda: is_judged(station))
    assert station.front.snapshot().refused_presses == 1
    press(screen, station)
    assert station.front.snapshot().job.entries == 3


def test_a_camera_that_is_gone_is_named_with_safe_pages_and_steps_and_work_goes_on_when_it_is_back(
    screen: Screen, station: Station, camera: Stuck
) -> None:
    press(screen, station)
    camera.unplug()
    screen.page.keyboard.press("Space")
    panel = screen.page.locator(".fault")
    until(screen, station, panel.is_visible)
    words = panel.inner_text()
    assert "CAM-01" in words
    assert "1 lần chụp vẫn an toàn" in words
    assert 1 <= panel.locator("li").count() <= 3
    camera.plug_in()
    until(screen, station, lambda: is_judged(station))
    press(screen, station)
    assert station.front.snapshot().job.entries == 2


def test_a_full_disk_pauses_with_the_safe_pages_and_capture_goes_on_when_there_is_room(
    screen: Screen, station: Station, disk: DiskThatFills
) -> None:
    press(screen, station)
    disk.free_bytes = 0
    until(screen, station, screen.page.locator("h2:has-text('Hết chỗ lưu – tạm dừng chụp')").is_visible)
    assert "2 trang đã an toàn" in screen.page.locator(".verdict").inner_text()
    station.press()
    screen.page.wait_for_selector(".notice:has-text('Chưa chụp: hết chỗ lưu')")
    disk.free_bytes = 100 * GIB
    until(screen, station, lambda: is_judged(station))
    press(screen, station)
    assert station.front.snapshot().job.entries == 2


def test_a_screen_at_another_machine_says_that_it_is_the_second_one(
    chromium: object,  # noqa: F811
    screen: Screen,
    address: str,
    station: Station,
) -> None:
    with Screen(chromium, address) as second:
        second.page.wait_for_selector("#elsewhere:has-text('đang mở ở màn hình khác')")
        assert screen.page.locator("#elsewhere").is_hidden()
        press(second, station)
        shows(screen, station)
    assert station.front.snapshot().job.entries == 1
