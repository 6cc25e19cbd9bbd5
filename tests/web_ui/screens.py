"""Every screen of the staff in every state worth a look: for the tests, and for `tools/take_screens.py`."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from appliance.api import CaptureView, FaultView, HandedOverView, LinkView, Listing, Notice, SessionState, Verdict
from appliance.jobs.copies import BatchView, DoneBefore, DoneElsewhere, Found, SeenCode
from appliance.places import GapView, LeavesView, SlotView
from appliance.preflight import Tick
from appliance.training.view import Lesson, Score, TrainingView
from tests.web_ui.fakes import BLUR, CUT, ITEM, LAN, MINH, READY, FakeStation, capture_view, job_view
from wire.documents import FindingEntry, ItemRef, PagePart

GLARE = FindingEntry(code="glare", severity="warn", value=2.0, limit=1.0)
DONE = (
    HandedOverView("job-1", "Chuyện bên sông Trà", 44, 44, True, "QNG-003187", "K 12.3"),
    HandedOverView("job-2", "", 50, 38, False),
)


@dataclass(frozen=True)
class Shown:
    """One screen: what to call it, where it is, and how the station stands."""

    name: str
    path: str
    prepare: Callable[[FakeStation], object]
    click: str = ""
    """What to press there to see it."""


def _closed(station: FakeStation, **changes: object) -> None:
    values: dict[str, object] = {
        "state": SessionState.CLOSED,
        "job": None,
        "last": None,
        "fault": None,
        "notice": None,
        "link": LinkView("online", 0, 0, 0),
        "is_reviewing": False,
        "slot": None,
        "people": (LAN, MINH),
        "person": LAN,
        "handed_over": DONE,
        "batches": (BatchView("Lô 07", 12, 40),),
        "training": None,
    }
    station.show(**(values | changes))


def _open(station: FakeStation, verdict: Verdict = Verdict.OK, **changes: object) -> None:
    findings = {Verdict.WARN: {"left": (CUT,)}, Verdict.BAD: {"right": (BLUR,)}}.get(verdict, {})
    last = capture_view(8, verdict, **findings)
    job = job_view(*(capture_view(n) for n in range(1, 8)), last, to_fix=int(verdict is Verdict.BAD))
    offer = changes.pop("mute_offer", "")
    job = replace(job, mute_offer=offer, shift_note="Trang 48 rách, nhẹ tay", condition=("torn",))
    station.listed = None
    _closed(station, **({"state": SessionState.READY, "job": job, "last": last, "safe_captures": 8} | changes))


def _review(station: FakeStation, **changes: object) -> None:
    captures = [capture_view(n) for n in range(1, 20)]
    captures[7] = capture_view(8, Verdict.BAD, right=(BLUR,))
    captures[11] = capture_view(12, Verdict.WARN, left=(GLARE,))
    captures[2] = replace(capture_view(3), page_type="plate")
    labels = {f"capture-{n}": (str(36 + 2 * n), str(37 + 2 * n)) for n in range(1, 20)}
    _open(station, job=job_view(*captures, to_fix=1), is_reviewing=True, **changes)
    station.listed = Listing(tuple(captures), labels, (GapView("42", "43", "capture-4", "capture-5"),), 6)


def _parts(number: int) -> tuple[CaptureView, ...]:
    """The first captures of a newspaper whose pages take two each."""
    parts = (PagePart(page=(n + 1) // 2, part=2 - n % 2, of=2) for n in range(1, number + 1))
    return tuple(replace(capture_view(n), part=part) for n, part in enumerate(parts, 1))


def _part(station: FakeStation) -> None:
    captures = _parts(7)
    _open(station, job=job_view(*captures), last=captures[-1])


def _lacking(station: FakeStation) -> None:
    captures = (*_parts(7), replace(capture_view(8), page_type="target"))
    _open(station, job=job_view(*captures), is_reviewing=True)
    station.listed = Listing(captures)


def _clean(station: FakeStation) -> None:
    _review(station)
    station.listed = Listing(tuple(capture_view(n) for n in range(1, 9)))


def _leaves(station: FakeStation) -> None:
    captures = tuple(capture_view(n) for n in range(1, 10))
    pairs = tuple((f"capture-{n}", f"capture-{n + 5}" if n < 5 else "") for n in range(1, 6))
    read = {f"capture-{n}": (str(2 * n - 1),) for n in range(1, 6)} | {"capture-6": ("4",), "capture-7": ("6",)}
    _open(station, job=replace(job_view(*captures), leaves=LeavesView(pairs, True, ())))
    station.listed = Listing(captures, read=read)


def training_view(lesson: Lesson, task: str, times: int = 1, *, is_over: bool = False) -> TrainingView:
    return TrainingView(lesson, task, times - 1, times, is_over, Score(15, 14, 1, 3, 3, 6))


def _practised(station: FakeStation) -> None:
    _closed(station, training=training_view(Lesson.HAND_OVER, "hand-over", is_over=True))


def _known(station: FakeStation) -> None:
    done = DoneBefore("job-1", "Tập 1", "2026-03-01T18:30:00Z", 60, False)
    there = DoneElsewhere("2026-03-01T18:30:00Z", "tram-09", "item-9")
    station.known = {
        "LO": Found("QNG-003187", item=ITEM, batch="Lô 07", pages_expected=120, rights="public-domain"),
        "UNIKEY": Found("ĐKCB1", problem="unikey"),
        "ISBN": Found("9786042100434", problem="wrong-code"),
        "XONG": Found("B1", item=ITEM, before=(done,)),
        "XA": Found("B1", item=ITEM, batch="Lô 07", elsewhere=there),
    }
    _closed(station)


def _first(station: FakeStation) -> None:
    station.ready = READY
    _open(station, job=job_view(), last=None, safe_captures=0)


def _not_ready(station: FakeStation) -> None:
    _first(station)
    dark, missing = Tick("failed", "exposure_dark"), Tick("failed")
    station.ready = replace(READY, light=dark, focus=Tick("unknown"), clock=missing, book=missing, ppi=257)


def _gap(station: FakeStation) -> None:
    _open(station)
    job = station.snapshot().job
    assert job is not None
    station.show(job=replace(job, pages_expected=240, pages_per_hour=390, minutes_left=36))
    station.listed = Listing((), gaps=(GapView("42", "43", "capture-4", "capture-5"),))


def _scanned(station: FakeStation) -> None:
    station.known = {
        "LO": Found(
            "QNG-004410",
            item=ItemRef(item_id="item-9", title="Địa bạ huyện Tư Nghĩa", barcode="QNG-004410"),
            batch="Lô 07",
        )
    }
    _open(station, is_reviewing=True)


def _seen(code: SeenCode) -> Callable[[FakeStation], None]:
    def prepare(station: FakeStation) -> None:
        _closed(station)
        station.seen = code

    return prepare


SCREENS: tuple[Shown, ...] = (
    Shown("first-person", "/people", lambda station: _closed(station, people=(), person=None)),
    Shown("closed-nobody", "/", lambda station: _closed(station, person=None)),
    Shown("people", "/people", _open),
    Shown("pin", f"/people?who={MINH.person_id}", lambda station: _closed(station, person=None)),
    Shown("new-pin", f"/people?who={MINH.person_id}&task=pin", _closed),
    Shown("closed", "/", _closed),
    Shown("job-empty", "/job/new", _known),
    Shown("job-listed", "/job/new?barcode=LO", _known),
    Shown("job-unikey", "/job/new?barcode=UNIKEY", _known),
    Shown("job-wrong-code", "/job/new?barcode=ISBN", _known),
    Shown("job-done-before", "/job/new?barcode=XONG", _known),
    Shown("job-done-elsewhere", "/job/new?barcode=XA", _known),
    Shown("job-no-code-seen", "/job/new", _seen(SeenCode(problem="none")), "#look"),
    Shown("job-several-codes", "/", _seen(SeenCode(choices=("QNG-003187", "K.0173/24"), problem="several")), "#look"),
    Shown("sheet", "/sheet", _open),
    Shown("scanned-other", "/scan?barcode=LO", _scanned),
    Shown("capture-ok", "/", _open),
    Shown("capture-gap", "/", _gap),
    Shown("capture-first", "/", _first),
    Shown("capture-not-ready", "/", _not_ready),
    Shown("capture-warn", "/", lambda station: _open(station, Verdict.WARN)),
    Shown("capture-mute", "/", lambda station: _open(station, Verdict.WARN, mute_offer="glare")),
    Shown("capture-bad", "/", lambda station: _open(station, Verdict.BAD)),
    Shown("capture-unsure", "/", lambda station: _open(station, Verdict.UNSURE)),
    Shown("capture-boot", "/", lambda station: _open(station, notice=Notice("s.boot", 7, {"n": 8}))),
    Shown("capture-offline", "/", lambda station: _open(station, link=LinkView("offline", 6, 1, 1))),
    Shown("capture-part", "/", _part),
    Shown("paused", "/", lambda station: _open(station, state=SessionState.PAUSED)),
    Shown("disk-full", "/", lambda station: _open(station, state=SessionState.PAUSED, room_for_captures=0)),
    Shown(
        "camera-lost",
        "/",
        lambda station: _open(station, state=SessionState.FAULT, fault=FaultView("CAM-02", "camera:0", 3)),
    ),
    Shown("review-gap", "/review", _review),
    Shown("review-bad", "/review?at=capture-8", _review),
    Shown("review-all", "/review?all=1", _review),
    Shown("review-slot", "/review?at=capture-8", lambda s: _review(s, slot=SlotView(replaces="capture-8"))),
    Shown("review-part", "/review", _lacking),
    Shown("review-clean", "/review", _clean),
    Shown("leaves", "/leaves", _leaves),
    Shown("training", "/training", _closed),
    Shown("training-first", "/", lambda s: _open(s, training=training_view(Lesson.PLACE, "place"), last=None)),
    Shown("training-flaw", "/", lambda s: _open(s, Verdict.BAD, training=training_view(Lesson.FAULTS, "mend"))),
    Shown("training-left", "/", lambda s: _open(s, training=training_view(Lesson.FAULTS, "left"))),
    Shown("training-gap", "/review", lambda s: _review(s, training=training_view(Lesson.GAP, "fill-gap"))),
    Shown("training-sheet", "/sheet", lambda s: _open(s, training=training_view(Lesson.PEDAL, "spreads", 3))),
    Shown("training-over", "/training/certificate", _practised),
    Shown("slip", "/slip/job-2", _closed),
)
