"""A new station on its first day: real session, spool, pipeline, bench and set-up desk. Only the camera draws."""

import functools
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import simplejpeg
import zxingcpp
from PIL import Image

from appliance.config import SpoolSection, StationConfig, StationSection, WebSection, render
from appliance.model import CaptureSetup
from appliance.setup.bench import Bench
from appliance.setup.desk import SetUpDesk
from appliance.setup.support import LogTail
from firmware.interfaces import Frame, Plane, Preview
from tests.appliance.session.conftest import DrivenClock, Station
from tests.appliance.setup.test_gauge import photograph
from tests.web_ui.browser import Screen, wait_until
from tests.web_ui.hands import Fingers, Foot, Keys
from tests.web_ui.journey import FRAME_PX, Book, processed_once, shoot
from tests.web_ui.running import SECRET_KEY, TOKEN, served
from web_ui.station.app import create_app

SPREADS, SPOILED = 4, 3
BAD = {"vi": "CHỤP LẠI", "en": "RETAKE"}
READY = {"vi": "Trạm tram-01 sẵn sàng", "en": "Station tram-01 is ready"}
PARTS = ("camera", "lamp", "sounder", "light")


@functools.cache
def sheet(*, is_dark: bool = False) -> Plane:
    """A white sheet of paper on the empty cradle, as a large camera sees it."""
    return photograph(level=110.0 if is_dark else 225.0)


class Stand(Book):
    """What the camera over the cradle sees: a sheet of paper, and a book as soon as somebody lays it there."""

    sheet: Plane | None = None

    def preview(self) -> Preview:
        if self.sheet is None:
            return super().preview()
        small = np.ascontiguousarray(self.sheet[::4, ::4, None])
        jpeg = simplejpeg.encode_jpeg(small, colorspace="GRAY", colorsubsampling="Gray")
        return Preview(jpeg, int(small.mean()), self._clock_ns())

    def capture(self, *, pressed_at_ns: int, timeout_s: float = 5.0) -> Frame:
        if self.sheet is None:
            return super().capture(pressed_at_ns=pressed_at_ns, timeout_s=timeout_s)
        chroma = np.full((self.sheet.shape[0] // 2, self.sheet.shape[1] // 2), 128, np.uint8)
        return Frame(self.sheet, chroma, chroma, self.info.port, self._clock_ns(), self._controls, "sheet")


@contextmanager
def new_station(folder: Path) -> Iterator[tuple[Station, Stand, SetUpDesk]]:
    """A station that never worked: nobody has a PIN, no centre, and a dark sheet lies under its camera."""
    clock, bench = DrivenClock(), Bench()
    camera = Stand(7, *FRAME_PX, clock_ns=lambda: clock.now_ns)
    camera.sheet = sheet(is_dark=True)
    setup = CaptureSetup("tram-01", rotations_cw=(0,), capture_timeout_s=5.0)
    station = Station(folder / "spool", (camera,), clock, setup, processed_once, lay=bench.lay).start()
    config = StationConfig(StationSection("tram-01"), SpoolSection(folder / "spool"), WebSection(folder / "token"))
    file = folder / "station.toml"
    file.write_text(render(config), "utf-8")
    desk = SetUpDesk(station.front, bench, config, file, LogTail())
    yield station, camera, desk
    desk.close()
    bench.clear()
    station.stop()


@dataclass
class Day:
    """A new station, what its camera sees, and its screen in one language."""

    screen: Screen
    station: Station
    stand: Stand
    language: str


@contextmanager
def first_day(chromium: object, folder: Path, language: str) -> Iterator[Day]:
    """The day on which a station is switched on for the first time."""
    with new_station(folder) as (station, camera, desk):
        app = create_app(station.front, token=TOKEN, secret_key=SECRET_KEY, language=language, set_up=desk)
        with served(app) as address, Screen(chromium, address, (1024, 600), has_touch=True) as screen:
            yield Day(screen, station, camera, language)
            app.extensions["polls"].closing.set()


def set_up(way: type[Keys | Fingers | Foot], day: Day) -> None:
    """Journey A8: from the first start to the certificate, and a test book with one red screen."""
    screen, station, page = day.screen, day.station, day.screen.page
    hand = way(screen, station)
    for step in ("language", "network", "pairing"):
        page.wait_for_url(f"**/setup/{step}")
        hand.choose(".setup-next button")
    page.wait_for_url("**/setup/parts")
    try_the_pedal(screen, station)
    for part in PARTS:
        hand.choose(f"form:has([name='part'][value='{part}']):has([name='works']) button")
        page.wait_for_selector(".part.is-ok >> nth=" + str(PARTS.index(part)))
    hand.choose(".setup-next .primary")
    page.wait_for_url("**/setup/calibration")
    # Nobody asks to measure: the dark sheet is seen lying still, and so is the one in good light.
    page.wait_for_selector(".checks")
    assert page.locator("form[action$='/keep'] .primary").count() == 0
    day.stand.sheet = sheet()
    hand.choose("form[action$='/keep'] .primary")
    page.wait_for_url("**/setup/book")
    day.stand.sheet = None
    hand.choose("form[action$='/open'] button")
    page.wait_for_selector("html[data-walked] #do-press")  # the scripts run
    for number in range(1, SPREADS + 1):
        shoot(screen, station, hand.press if number < SPREADS else hand.press_last)
        page.wait_for_selector(f".feet li:nth-child({number}):not(.tone-plain)")  # judged, and shown to be
        said = page.locator(".feet").inner_text()
        assert (BAD[day.language] in said) is (number >= SPOILED), "the station blurs the third, and no other"
    if way is Foot:
        hand.finish()
        wait_until(screen, lambda: station.front.snapshot().is_reviewing)
    hand.choose("form[action$='/end'] button")
    page.wait_for_selector("form[action$='/open']")
    hand.choose(".setup-next button")
    page.wait_for_selector(f"h1:has-text('{READY[day.language]}')")
    hand.choose("a[href='/setup/certificate']")
    assert "300 ppi" in page.locator("#certificate").inner_text()
    (code,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(page.locator(".qr-card").screenshot())))
    station_line, at, *facts = code.text.split("\n")
    assert station_line == "LATTRANG-HIEU-CHUAN:1/tram-01"
    assert at.endswith("Z")
    assert [fact.split("=")[0] for fact in facts] == ["corners", "ppi", "sharpness", "evenness", "colour"]


def try_the_pedal(screen: Screen, station: Station) -> None:
    """Stand on it for four seconds. That a foot holds is no wish to open what the page shows: the pedal is on trial."""
    opens = station.front.snapshot().walk[1]
    station.pedal.close_contact()
    station.hold(1.5)
    screen.page.wait_for_selector(f"html[data-walked$=' {opens + 1}']", state="attached")
    screen.page.wait_for_selector("#feet-now .tone-ok >> nth=1")
    station.hold(2.5)
    station.lift()
    screen.page.wait_for_selector("#feet-now:not([data-on-trial])")
    assert screen.page.locator("#feet-now .tone-ok").count() == len(("press", "hold", "long hold"))
