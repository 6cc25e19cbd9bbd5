"""What journeys through a whole book share: the book under a drawn camera, a real station, and its screen.

Real are the session, the spool, the page pipeline, the reading of numbers, the screens and the browser; the camera
draws, and time passes when the journey says so.
"""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

from appliance.api import CaptureView, Listing, SessionState, StationSnapshot
from appliance.imaging.model import Processed, Setup, Signature
from appliance.imaging.pipeline import process
from appliance.imaging.planes import Planes
from appliance.imaging.profiles import Profile
from appliance.jobs.joblist import JobList
from appliance.model import CaptureSetup
from appliance.page_numbers import PageNumbers
from appliance.people import People
from appliance.session.front import StationFront
from firmware import planes as drawn
from firmware.simulated.camera import SimulatedCamera
from firmware.simulated.faults import Fault
from firmware.simulated.scene import Shot
from tests.appliance.session.conftest import DrivenClock, Station
from tests.web_ui.browser import Screen, wait_until
from tests.web_ui.running import SECRET_KEY, TOKEN, served
from web_ui.station.app import create_app
from wire.codec import decode_job_list
from wire.digest import sha256_of

FRAME_PX = (1014, 760)
"""Large enough for printed numbers to be read, small enough to be drawn in a quarter of a second."""
LANGUAGES = ("vi", "en")
BLURRED, LEFT_BLURRED, SKIPPED = 6, 16, 11
FAULTS = {BLURRED: Fault.BLUR, BLURRED + 1: Fault.DOUBLED, SKIPPED: Fault.SKIPPED, LEFT_BLURRED: Fault.BLUR}
CAPTURES = 20
"""Of 20 spreads the sixth is blurred and shot again at once, the tenth is skipped, the sixteenth is left blurred."""
SKIPPED_SPREAD, BLURRED_SPREAD = 9, 15
GAP = "20–21"
SAYS_AGAIN = {"vi": "CHỤP LẠI – ", "en": "RETAKE – "}
SAYS_LEFT = {"vi": "Còn 2 việc bắt buộc", "en": "2 required"}


_MADE: dict[tuple[str, ...], Processed] = {}


def processed_once(planes: Planes, setup: Setup, profile: Profile, previous: tuple[Signature, ...] = ()) -> Processed:
    """Return what the pipeline makes of a frame: the same frames come in every journey, and are looked at once."""
    key = (sha256_of(planes.y.tobytes()), *(sha256_of(one.descriptors.tobytes()) for one in previous))
    if key not in _MADE:
        _MADE[key] = process(planes, setup, profile, previous)
    return _MADE[key]


class Book(SimulatedCamera):
    """A book that can be opened anywhere. Each picture is drawn once for all journeys."""

    _drawn: ClassVar[dict[tuple[Shot, int], drawn.Planes]] = {}

    def open_at(self, spread: int) -> None:
        """Show this spread (from 0) at the next press."""
        with self._state:
            self._last_spread = spread - 1

    def _draw(self, shot: Shot, width_px: int, height_px: int) -> drawn.Planes:
        if (shot, width_px) not in self._drawn:
            self._drawn[shot, width_px] = super()._draw(shot, width_px, height_px)
        return self._drawn[shot, width_px]


@dataclass
class Desk:
    """The table: station and book, and the screen in one language."""

    station: Station
    book: Book
    screen: Screen
    language: str

    def now(self) -> StationSnapshot:
        return self.station.front.snapshot()

    def shoot(self, press: Callable[[], object]) -> StationSnapshot:
        """Press in whatever way, and wait until the capture is judged and the capture page says so."""
        capture(self.screen, self.station, press)
        return self.now()

    def shoot_into_slot(self, spread: int, press: Callable[[], object]) -> None:
        """Open the book at a spread and press; the page of the list follows by itself."""
        self.screen.page.wait_for_selector("html[data-walked] #review[data-slot='1']")  # the scripts run
        self.book.open_at(spread)
        shoot(self.screen, self.station, press)
        now = self.now()
        assert now.job is not None
        self.screen.page.wait_for_selector(f"#review[data-slot='0'][data-revision='{now.job.revision}']")

    def capture_the_book(
        self,
        press: Callable[[], object],
        *,
        again: Callable[[], object] | None = None,
        last: Callable[[], object] | None = None,
    ) -> None:
        """Take all captures; the repetition of the blurred one takes its place, by itself or as `again` asks."""
        special = {BLURRED + 1: again or press, CAPTURES: last or press}
        self.screen.page.wait_for_selector("#live[data-number]")  # the scripts run
        for number in range(1, CAPTURES + 1):
            now = self.shoot(special.get(number, press))
            assert now.job is not None
            if number == BLURRED:
                assert SAYS_AGAIN[self.language] in (self.screen.page.locator("#verdict").text_content() or "")
            assert now.job.entries == (number if number <= BLURRED else number - 1)
        # The gap is told while the book still lies there.
        self.screen.page.wait_for_selector(f"#gap:has-text('{GAP}')") if now.state is SessionState.READY else None

    def wait_for_list(self, says: str = "") -> None:
        """Wait until the list says what is left to do, and its scripts run; the last numbers are read meanwhile."""
        page = self.screen.page
        page.wait_for_selector("html[data-walked] #review[data-unread='0']")
        page.wait_for_selector(says or f"h1:has-text('{SAYS_LEFT[self.language]}')")

    def assert_handed_over(self, in_order: list[int], *, removed: int = 0) -> None:
        """Everything that was safe went out, and the list has the spreads in their order."""
        self.screen.page.wait_for_selector("#slip")
        (newest,) = self.station.folder.glob("jobs/*/list-*.json")
        document = decode_job_list(newest.read_bytes())
        sequence_of = {
            path.name: self.station.spool.capture(path.name).sequence for path in self.station.folder.glob("captures/*")
        }
        assert [sequence_of[entry.capture_id] for entry in document.entries] == in_order
        named = [name for entry in document.entries for name in (entry.capture_id, *entry.supersedes)]
        assert len(document.removed) == removed
        assert sorted([*named, *document.removed]) == sorted(sequence_of), "a capture is lost, or twice in the list"


def shoot(screen: Screen, station: Station, press: Callable[[], object]) -> None:
    """Press in whatever way, and wait until the capture is judged."""
    before = station.front.snapshot().safe_captures
    press()

    def is_judged() -> bool:
        station.clock.advance(0.05)
        station.pedal.tick()
        now = station.front.snapshot()
        return now.safe_captures == before + 1 and now.queue_length == 0

    wait_until(screen, is_judged)
    station.hold(0.2)  # a contact that opens and closes within an instant bounces


def capture(screen: Screen, station: Station, press: Callable[[], object]) -> None:
    """Shoot, and wait until the capture page says so."""
    shoot(screen, station, press)
    number = station.front.snapshot().number
    shown = "Number(document.getElementById('face').dataset.number)"
    wait_until(screen, lambda: screen.page.evaluate(shown) >= number)


def walk_to(screen: Screen, station: Station, selector: str) -> None:
    """Press until the focus is there, then hold: all that one switch can say."""
    target = screen.page.locator(selector).first
    target.wait_for()
    _follow(screen, station)
    for _ in range(40):
        if target.evaluate("element => element === document.activeElement"):
            station.press(held_s=1.0)
            return
        steps = station.front.snapshot().walk[0]
        station.press()
        wait_until(screen, lambda steps=steps: station.front.snapshot().walk[0] == steps + 1)
        _follow(screen, station)
    raise AssertionError(f"{selector} cannot be reached by the pedal")


def _follow(screen: Screen, station: Station) -> None:
    """Wait until the page has heard of everything that the pedal said."""
    steps, opens = station.front.snapshot().walk
    screen.page.wait_for_selector(f"html[data-walked='{steps} {opens}']", state="attached")


@pytest.fixture
def clock() -> DrivenClock:
    return DrivenClock()


@pytest.fixture
def book(clock: DrivenClock) -> Book:
    return Book(7, *FRAME_PX, faults=FAULTS, clock_ns=lambda: clock.now_ns)


@pytest.fixture
def station(tmp_path: Path, clock: DrivenClock, book: Book) -> Iterator[Station]:
    people = People(None)
    people.add("Lan", "1111")
    setup = CaptureSetup("tram-01", rotations_cw=(0,), capture_timeout_s=5.0)
    running = Station(tmp_path / "spool", (book,), clock, setup, processed_once, people=people).start()
    numbers = PageNumbers(running.spool)
    reading = threading.Thread(target=numbers.run, name="numbers")
    reading.start()

    def tell(captures: tuple[CaptureView, ...], job_list: JobList) -> Listing:
        opened = job_list.opened
        return numbers.listing(captures, opened.numbering, opened.reading_direction, job_list.gaps)

    running.front = StationFront(running.session, running.spool, (book,), running.pedal, people, tell)
    yield running
    numbers.stop()
    reading.join()
    running.stop()


@pytest.fixture(params=LANGUAGES)
def desk(chromium: object, station: Station, book: Book, request: pytest.FixtureRequest) -> Iterator[Desk]:
    app = create_app(station.front, token=TOKEN, secret_key=SECRET_KEY, language=request.param)
    with served(app) as address, Screen(chromium, address, (1024, 600), has_touch=True) as screen:
        yield Desk(station, book, screen, request.param)
