"""Whole books on the real screens: leaves that are put in turn, a batch without a network, a warning that is muted.

Real are the session, the spool, the screens and the browser. The camera gives one picture again and again, and what is
read on a page is what the test says: how pictures are judged and numbers read is tried elsewhere.
"""

import dataclasses
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from appliance.api import CaptureView, Listing, NewJob
from appliance.imaging.model import Processed, Setup, Signature
from appliance.imaging.planes import Planes
from appliance.imaging.profiles import Profile
from appliance.jobs.joblist import JobList
from appliance.model import CaptureSetup
from appliance.people import People
from appliance.session.front import StationFront
from appliance.spool.outbox import Outbox
from firmware import planes as drawn
from firmware.simulated.camera import SimulatedCamera
from firmware.simulated.scene import Shot
from tests.appliance.session.conftest import DrivenClock, Station
from tests.web_ui.browser import Screen, chromium, pytestmark  # noqa: F401 - the same browser
from tests.web_ui.journey import capture, processed_once
from tests.web_ui.running import SECRET_KEY, TOKEN, served
from web_ui.station.app import create_app
from wire.codec import decode_job_list, encode
from wire.digest import sha256_of
from wire.documents import BatchDocument, BatchItem, Digitised, FindingEntry, ItemRef, Layout, Severity
from wire.messages import ObjectRef, OfferBatch

MEMORY = Path("/dev/shm")
BOOKS = 40
LEAVES, SKIPPED = 100, 56
"""Leaves of the book, and the one (from 0) whose back was turned over together with its front."""


class OnePicture(SimulatedCamera):
    """Draws once."""

    _picture: drawn.Planes | None = None

    def _draw(self, shot: Shot, width_px: int, height_px: int) -> drawn.Planes:
        if self._picture is None or self._picture.y.shape[::-1] != (width_px, height_px):
            self._picture = super()._draw(shot, width_px, height_px)
        return self._picture


@dataclasses.dataclass
class Table:
    """A station at work, and its screen."""

    station: Station
    screen: Screen

    def go(self, path: str) -> None:
        """Open a page."""
        self.screen.page.goto(f"{self.screen.address}{path}")

    def open_book(self) -> Any:
        """Open a job and the capture page; return that page once its scripts run."""
        self.station.front.open_job(NewJob("Kiều"))
        self.go("/")
        self.screen.page.wait_for_selector("#live[data-number]")
        return self.screen.page

    def says(self, words: str) -> None:
        """Wait until the page says so."""
        self.screen.page.wait_for_selector(f"text={words}")

    def shoot_unseen(self, times: int) -> None:
        """Capture with the foot alone: a browser that draws every picture of two hundred takes a minute."""
        self.screen.page.goto("about:blank")
        for _ in range(times):
            self.station.shoot()

    def receive(self, batch: BatchDocument) -> None:
        """Take a batch from the centre, as the publisher does while there is a line."""
        document, ref = encode(batch), ObjectRef("batch", batch.batch_id, batch.revision)
        command = OfferBatch(command_id="c1", object=ref, document=document.decode(), sha256=sha256_of(document))
        with closing(Outbox.open(self.station.folder)) as outbox:
            outbox.accept(command)
        self.station.until(lambda now: bool(now.batches))

    def handed_over(self, job_id: str) -> list[int]:
        """Return the list that was sent, by the captures' sequences."""
        (newest,) = self.station.folder.glob(f"jobs/{job_id}/list-*.json")
        entries = decode_job_list(newest.read_bytes()).entries
        return [self.station.spool.capture(entry.capture_id).sequence for entry in entries]

    def press(self) -> None:
        """Put the foot down, and wait until the capture page shows the verdict."""
        capture(self.screen, self.station, self.station.press)

    def click(self, selector: str) -> None:
        """Click what is there; a page that follows is waited for by whoever needs it."""
        self.screen.page.locator(selector).first.click()


@contextmanager
def table(
    browser: object,
    *,
    layout: Layout = "spread",
    severity: Severity | None = None,
    tell: Callable[[tuple[CaptureView, ...], JobList], Listing] = lambda captures, _: Listing(captures),
) -> Iterator[Table]:
    """Work at a station; with `severity`, glare is found in every picture."""

    def looked_at(planes: Planes, setup: Setup, profile: Profile, previous: tuple[Signature, ...] = ()) -> Processed:
        found = FindingEntry(code="glare", severity=severity or "info", value=2.0, limit=1.0)
        return dataclasses.replace(processed_once(planes, setup, profile), findings=(found,) if severity else ())

    clock, people = DrivenClock(), People(None)
    lan = people.add("Lan", "1111")
    camera = OnePicture(7, 507, 380, clock_ns=lambda: clock.now_ns)
    setup = CaptureSetup("tram-01", layout=layout, rotations_cw=(0,), capture_timeout_s=5.0)
    # Nobody cuts the power here, so memory does for a disk: two hundred captures take two seconds.
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        station = Station(Path(folder) / "spool", (camera,), clock, setup, looked_at, people=people).start()
        try:
            station.front = StationFront(station.session, station.spool, (camera,), station.pedal, people, tell)
            station.front.sign_in(lan.person_id, "1111")
            app = create_app(station.front, token=TOKEN, secret_key=SECRET_KEY)
            with served(app) as address, Screen(browser, address, (1024, 600)) as screen:
                yield Table(station, screen)
        finally:
            station.stop()


def numbers_of_leaves(captures: tuple[CaptureView, ...], _: JobList) -> Listing:
    """Read every page's number: all fronts were captured first, then all backs but one."""
    backs = [leaf for leaf in range(LEAVES) if leaf != SKIPPED]
    pages = [2 * leaf + 1 for leaf in range(LEAVES)] + [2 * leaf + 2 for leaf in backs]
    read = {one.capture_id: (str(pages[one.sequence - 1]),) for one in captures}
    return Listing(captures, labels=read, read=read)


def test_two_hundred_pages_fronts_first_with_one_back_skipped_are_put_in_turn_with_one_action(
    chromium: object,  # noqa: F811
) -> None:
    with table(chromium, layout="rectos-versos", tell=numbers_of_leaves) as at:
        job_id = at.station.front.open_job(NewJob("Địa bạ"))
        at.shoot_unseen(LEAVES)
        at.go("/leaves")
        at.click("#do-versos")
        at.screen.page.wait_for_selector("#do-press")
        at.shoot_unseen(LEAVES - 1)
        at.go("/leaves")
        at.click("#do-pair")
        at.says(f"Số trang in không khớp từ tờ {SKIPPED + 1}")
        at.click(f"#leaf-{SKIPPED} button")
        at.says("Đã xếp xen kẽ. Mỗi tờ đủ hai mặt.")
        assert at.screen.page.locator(".leaves .is-odd").count() == 0
        at.go("/review?all=1")
        at.click("#do-hand_over")
        at.screen.page.wait_for_selector("#slip")
        backs = iter(range(LEAVES + 1, 2 * LEAVES))
        leaves = [(leaf + 1,) if leaf == SKIPPED else (leaf + 1, next(backs)) for leaf in range(LEAVES)]
        assert at.handed_over(job_id) == [sequence for leaf in leaves for sequence in leaf]


def test_forty_books_of_a_batch_are_known_captured_and_counted_without_a_network(chromium: object) -> None:  # noqa: F811
    there = Digitised(item_id="made-there", station="tram-09", at="2026-03-01T00:00:00Z")
    books = tuple(
        BatchItem(
            item=ItemRef(item_id=f"item-{n}", barcode=f"QNG-{n:05}", title=f"Sách thứ {n}", batch_id="lo-07"),
            pages_expected=100 + n,
            digitised=there if n == BOOKS else None,
        )
        for n in range(1, BOOKS + 1)
    )
    with table(chromium) as at:
        page = at.screen.page
        at.receive(BatchDocument(batch_id="lo-07", name="Lô 07", revision=1, items=books))
        at.go("/")
        at.says("Lô 07: 1/40 cuốn")
        for book in books:
            form = at.screen.context.request.get(f"{at.screen.address}/job/new?barcode={book.item.barcode}").text()
            assert f'value="{book.item.title}"' in form
            assert f'value="{book.pages_expected}"' in form
            assert ("đã số hóa ngày 01/03/2026 tại tram-09" in form) is (book.digitised is not None)
        for book in (books[0], books[-1]):
            at.go(f"/job/new?barcode={book.item.barcode}")
            at.click("#do-add" if book.digitised else "#open-job")
            page.wait_for_selector("#live[data-number]")
            at.press()
            page.keyboard.press("f")
            at.click("#do-hand_over")
            page.wait_for_selector("#slip")
            past = at.station.session.ask(at.station.session.past.all)
            assert past[-1].item.item_id == (there.item_id if book.digitised else "item-1")
        at.click("#next-book")
        at.says("Lô 07: 2/40 cuốn")


def test_a_warning_that_was_kept_three_times_is_muted_for_the_book_at_a_click(chromium: object) -> None:  # noqa: F811
    with table(chromium, severity="warn") as at:
        page = at.open_book()
        for _ in range(3):
            assert page.locator(".mute-offer").count() == 0
            at.press()
            assert "XEM LẠI" in (page.locator("#verdict").text_content() or "")
            page.keyboard.press("k")
            page.wait_for_selector("#verdict:not(:has(button))")
        at.says("Bỏ cảnh báo này cho cuốn này?")
        at.click("#do-mute")
        page.wait_for_selector(".mute-offer", state="detached")
        at.press()
        assert "XEM LẠI" not in (page.locator("#verdict").text_content() or "")
        page.keyboard.press("f")
        at.says("Đã bỏ cảnh báo cho cuốn này")


def test_what_is_bad_is_kept_three_times_and_never_offered_to_be_muted(chromium: object) -> None:  # noqa: F811
    with table(chromium, severity="bad") as at:
        page = at.open_book()
        for _ in range(4):
            at.press()
            assert "CHỤP LẠI" in (page.locator("#verdict").text_content() or "")
            page.keyboard.press("k")
            page.wait_for_selector("#verdict:not(:has(button))")
            assert page.locator(".mute-offer").count() == 0
        assert at.station.front.snapshot().job.entries == 4
