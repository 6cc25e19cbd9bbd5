"""A station in memory, drawn pictures included: the smallest thing that keeps the contract."""

import threading
from dataclasses import dataclass, field, replace
from functools import cache
from io import BytesIO
from pathlib import Path

import numpy as np
from msgspec import structs
from PIL import Image, ImageDraw, ImageFilter

from appliance.api import (
    CaptureView,
    Delivery,
    HandedOverView,
    JobView,
    LinkView,
    Listing,
    NewJob,
    Notice,
    PageView,
    PersonView,
    SessionState,
    StationApi,
    StationSnapshot,
    Verdict,
)
from appliance.errors import NotNow
from appliance.jobs.copies import Found, SeenCode
from appliance.places import GapView, SlotView
from appliance.preflight import Preflight, Tick
from appliance.training.view import TrainingApi, TrainingView
from firmware.errors import CameraMissing, HardwareError
from wire.documents import AnsweredGap, Condition, FindingEntry, ItemRef, PageType, Side

FRAME_SIZE = (1440, 1080)
LEFT = ((150.0, 120.0), (716.0, 134.0), (716.0, 946.0), (150.0, 960.0))
RIGHT = ((724.0, 134.0), (1290.0, 120.0), (1290.0, 960.0), (724.0, 946.0))
ITEM = ItemRef(item_id="item-1", title="Chuyện bên sông Trà", barcode="QNG-003187", author="Nguyễn Văn Ẩn", year="1925")
LAN, MINH = PersonView("person-1", "Nguyễn Thị Lan"), PersonView("person-2", "Trần Minh")
PIN = "1234"
BLUR = FindingEntry(code="blur", severity="bad", value=3.1, limit=1.8)
CUT = FindingEntry(code="cut_edge", severity="warn", value=4.0, limit=0.0)
SKEW = FindingEntry(code="skew", severity="info", value=2.5, limit=10.0)


def draw_spread(seed: int = 0, *, blurred: frozenset[Side] = frozenset()) -> Image.Image:
    """Draw an open book on a dark cradle: paper, a gutter's shadow, lines of grey for text."""
    random = np.random.default_rng(seed)
    picture = Image.new("RGB", FRAME_SIZE, (34, 36, 38))
    pen = ImageDraw.Draw(picture)
    for side, outline in (("left", LEFT), ("right", RIGHT)):
        pen.polygon(outline, fill=(233, 225, 205))
        x0, x1 = min(x for x, _ in outline) + 60, max(x for x, _ in outline) - 60
        for line in range(22):
            y, x = 200 + line * 32, x0 + (24 if line % 5 == 0 else 0)
            while x < x1 - 30:
                width = float(random.integers(18, 74))
                pen.rectangle((x, y, min(x + width, x1), y + 9), fill=(74, 66, 56))
                x += width + 12
        if side in blurred:
            box = (int(x0 - 30), 160, int(x1 + 30), 920)
            picture.paste(picture.crop(box).filter(ImageFilter.GaussianBlur(7)), box)
    for offset in range(60):
        shade = (190 + offset, 182 + offset // 2, 160 + offset // 2)
        pen.line((720 - offset, 140, 720 - offset, 940), fill=shade) if offset < 2 else None
    return picture


def jpeg_of(picture: Image.Image, width_px: int | None = None) -> bytes:
    if width_px:
        picture = picture.resize((width_px, picture.height * width_px // picture.width))
    out = BytesIO()
    picture.save(out, "JPEG", quality=88)
    return out.getvalue()


@cache
def preview_jpeg(seed: int) -> bytes:
    return jpeg_of(draw_spread(seed), 480)


def page_view(side: Side, *findings: FindingEntry) -> PageView:
    return PageView(side, LEFT if side == "left" else RIGHT, 566, 820, findings)


def capture_view(
    number: int,
    verdict: Verdict = Verdict.OK,
    *,
    left: tuple[FindingEntry, ...] = (),
    right: tuple[FindingEntry, ...] = (),
    findings: tuple[FindingEntry, ...] = (),
) -> CaptureView:
    return CaptureView(
        capture_id=f"capture-{number}",
        sequence=number,
        number=number,
        page_type="page",
        marks=(),
        verdict=verdict,
        delivery=Delivery.PROCESSED,
        frame_width_px=FRAME_SIZE[0],
        frame_height_px=FRAME_SIZE[1],
        pages=(page_view("left", *left), page_view("right", *right)),
        findings=findings,
    )


def job_view(*captures: CaptureView, to_fix: int = 0, can_undo: bool = True) -> JobView:
    return JobView("job-1", ITEM, len(captures), len(captures), 2 * len(captures), to_fix, captures, can_undo)


def closed_snapshot() -> StationSnapshot:
    return StationSnapshot(
        number=1,
        station="tram-02",
        state=SessionState.CLOSED,
        job=None,
        last=None,
        notice=None,
        fault=None,
        link=LinkView("online", 0, 0, 0),
        safe_captures=0,
        queue_length=0,
        queue_limit=4,
        disk_free_bytes=412 * 10**9,
        disk_total_bytes=500 * 10**9,
        room_for_captures=21_000,
        refused_presses=0,
        clock_synchronised=True,
        handed_over=(),
        people=(LAN, MINH),
        person=LAN,
    )


READY = Preflight(*[Tick("ok")] * 6, ppi=312, ppi_wanted=294, height_cm=24.0)


@dataclass
class FakeStation(StationApi, TrainingApi):
    """Takes every press at once and remembers what was asked. `show` puts any snapshot on the screen."""

    folder: Path
    asked: list[tuple[str, ...]] = field(default_factory=list)
    refuses: bool = False
    camera_gone: bool = False
    frames_asked: list[str] = field(default_factory=list)
    known: dict[str, Found] = field(default_factory=dict)
    seen: SeenCode | HardwareError = field(default_factory=lambda: SeenCode(problem="none"))
    opened: NewJob | None = None
    listed: Listing | None = None
    ready: Preflight = READY
    still: bool = False
    """Nothing moves before the camera: its picture keeps its number."""

    def __post_init__(self) -> None:
        self._changed = threading.Condition()
        self._now = closed_snapshot()
        self._previews = 0

    def show(self, **changes: object) -> StationSnapshot:
        with self._changed:
            self._now = replace(self._now, number=self._now.number + 1, **changes)  # type: ignore[arg-type]
            self._changed.notify_all()
            return self._now

    def snapshot(self) -> StationSnapshot:
        with self._changed:
            return self._now

    def wait_for_change(self, after: int, timeout_s: float) -> StationSnapshot:
        with self._changed:
            self._changed.wait_for(lambda: self._now.number > after, timeout_s)
            return self._now

    def preview(self) -> tuple[bytes, int]:
        if self.camera_gone:
            raise CameraMissing("CAM-01", "No camera answers.", "Check the camera.")
        self._previews += 0 if self.still and self._previews else 1
        return preview_jpeg(self._previews % 3), self._previews

    def frame_file(self, capture_id: str) -> Path:
        self.frames_asked.append(capture_id)
        shown = [c for c in (self._now.job.latest if self._now.job else ()) if c.capture_id == capture_id]
        if not shown:
            raise KeyError(capture_id)
        blurred = frozenset(page.side for page in shown[0].pages if BLUR in page.findings)
        file = self.folder / f"{capture_id}-{'-'.join(sorted(blurred))}.jpg"
        if not file.exists():
            file.write_bytes(jpeg_of(draw_spread(shown[0].number, blurred=blurred)))
        return file

    def page_file(self, capture_id: str, side: Side) -> Path:
        return self.frame_file(capture_id)

    def _ask(self, *what: str) -> None:
        if self.refuses:
            raise NotNow("NOW-01", "Not in this state.", "Open a job first.")
        self.asked.append(what)

    def add_person(self, name: str, pin: str) -> None:
        self._ask("add_person", name, pin)
        person = PersonView(f"person-{len(self._now.people) + 1}", name)
        self.show(people=(*self._now.people, person), person=self._now.person or person)

    def sign_in(self, person_id: str, pin: str) -> None:
        if pin != PIN:
            raise NotNow("PIN-01", "Wrong.", "Try again.")
        self._ask("sign_in", person_id)
        self.show(person=next(one for one in self._now.people if one.person_id == person_id))

    def check_pin(self, person_id: str, pin: str) -> None:
        self._ask("check_pin", person_id, pin)
        if person_id not in {one.person_id for one in self._now.people}:
            raise KeyError(person_id)
        if pin != "1111":
            raise NotNow("PIN-01", "The PIN is wrong.", "Try again.")

    def sign_out(self, note: str = "") -> None:
        self._ask("sign_out", note)
        self.show(person=None)

    def set_pin(self, person_id: str, pin: str) -> None:
        self._ask("set_pin", person_id, pin)

    def look_up(self, barcode: str, *, in_catalogue: bool = False) -> Found:
        key = barcode.strip()
        return self.known.get(f"catalogue {key}" if in_catalogue else key, Found(key))

    def read_barcode(self) -> SeenCode:
        self._ask("read_barcode")
        if isinstance(self.seen, HardwareError):
            raise self.seen
        return self.seen

    def next_part(self, job_id: str) -> Found:
        if job_id != "job-1":
            raise KeyError(job_id)
        item = structs.replace(ITEM, part="Tập 2")
        return Found(ITEM.barcode or "", item=item, numbering="leaves", right_to_left=True, parts=2)

    def reopen_job(self, job_id: str) -> None:
        if job_id != "job-1":
            raise KeyError(job_id)
        self._ask("reopen_job", job_id)
        self.show(state=SessionState.READY, job=job_view())

    def note_condition(self, condition: tuple[Condition, ...], note: str) -> None:
        self._ask("note_condition", *condition, note)

    def stop_for_conservation(self, note: str) -> None:
        self._ask("stop_for_conservation", note)
        self.show(state=SessionState.CLOSED, job=None, last=None)

    def open_job(self, new: NewJob) -> str:
        self.opened = new
        self._ask("open_job", new.title, new.barcode)
        self.show(state=SessionState.READY, job=job_view(can_undo=False))
        return "job-1"

    def press(self) -> None:
        self._ask("press")
        captures = self._now.job.latest if self._now.job else ()
        new = capture_view(len(captures) + 1, Verdict.PENDING)
        self.show(job=job_view(*captures, new), last=new, safe_captures=len(captures) + 1)

    def judge(self, verdict: Verdict, **findings: tuple[FindingEntry, ...]) -> None:
        assert self._now.job
        *before, last = self._now.job.latest
        judged = capture_view(last.number, verdict, **findings)
        self.show(job=job_view(*before, judged, to_fix=int(verdict is Verdict.BAD)), last=judged)

    def release(self) -> None:
        self._ask("release")

    def retake(self) -> None:
        self._ask("retake")

    def keep(self, capture_id: str) -> None:
        if capture_id == "gone":
            raise KeyError(capture_id)
        self._ask("keep", capture_id)

    def delete(self, capture_id: str) -> None:
        self._ask("delete", capture_id)

    def move(self, capture_id: str, before: str | None) -> None:
        self._ask("move", capture_id, before or "")

    def set_page_type(self, capture_id: str, page_type: PageType) -> None:
        self._ask("set_page_type", capture_id, page_type)

    def set_label(self, capture_id: str, label: str) -> None:
        self._ask("set_label", capture_id, label)

    def mute(self, code: str) -> None:
        self._ask("mute", code)

    def listing(self) -> Listing:
        return self.listed or Listing(self._now.job.latest if self._now.job else ())

    def preflight(self) -> Preflight:
        return self.ready

    def recent_gaps(self) -> tuple[GapView, ...]:
        return tuple(gap for gap in self.listed.gaps if gap.answer is None) if self.listed and self._now.job else ()

    def review(self, slot: SlotView | None = None) -> None:
        self._ask("review", *([slot.replaces or "", slot.before or ""] if slot else []))
        self.show(is_reviewing=True, slot=slot)

    def end_review(self) -> None:
        self._ask("end_review")
        self.show(is_reviewing=False, slot=None)

    def answer_gap(self, gap: AnsweredGap) -> None:
        self._ask("answer_gap", gap.first, gap.last, gap.answer)

    def begin_versos(self) -> None:
        self._ask("begin_versos")

    def interleave(self, without: tuple[int, ...]) -> None:
        self._ask("interleave", *map(str, without))

    def training(self) -> TrainingView | None:
        return self._now.training

    def begin_training(self) -> None:
        self._ask("begin_training")

    def skip_lesson(self) -> None:
        self._ask("skip_lesson")

    def leave_training(self) -> None:
        self._ask("leave_training")
        self.show(training=None)

    def undo(self) -> None:
        self._ask("undo")
        self.show(notice=Notice("c.replaced", self._now.number))

    def pause(self) -> None:
        self._ask("pause")
        self.show(state=SessionState.PAUSED)

    def resume(self) -> None:
        self._ask("resume")
        self.show(state=SessionState.READY)

    def hand_over(self) -> None:
        self._ask("hand_over")
        done = HandedOverView("job-1", ITEM.title or "", 8, 6, False, ITEM.barcode or "", "K 12.3", "")
        self.show(state=SessionState.CLOSED, job=None, last=None, is_reviewing=False, handed_over=(done,))
