"""What the capture page says in each state of the station."""

import re
from dataclasses import replace

import pytest
from flask.testing import FlaskClient
from PIL import Image

from appliance.api import (
    Delivery,
    FaultView,
    HandedOverView,
    LinkView,
    Listing,
    Notice,
    SessionState,
    StationSnapshot,
    Verdict,
)
from appliance.places import GapView
from tests.web_ui.fakes import BLUR, CUT, SKEW, FakeStation, capture_view, closed_snapshot, job_view, jpeg_of
from tests.web_ui.test_station_commands import post
from web_ui.station.pictures import scaled_jpeg
from web_ui.station.views import face_of, lead_of
from wire.documents import AnsweredGap, FindingEntry, PagePart
from wire.ids import is_name

NOTICES = (
    *("c.hold-kept", "c.replaced", "c.auto-replaced"),
    *("s.disk", "s.disk80", "s.recovered", "s.fault", "s.paused", "s.resumed"),
    *(f"refused.{why}" for why in ("capturing", "paused", "queue", "disk", "platen", "no-job", "camera")),
)


def text_of(person: FlaskClient, language: str = "vi") -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", person.get(f"/?lang={language}").text))


def show(station: FakeStation, *captures: object, **changes: object) -> StationSnapshot:
    shown = [c for c in captures]
    job = job_view(*shown) if "job" not in changes else changes.pop("job")  # type: ignore[arg-type]
    last = shown[-1] if shown else None
    return station.show(**({"state": SessionState.READY, "job": job, "last": last} | changes))


@pytest.mark.parametrize(
    ("verdict", "findings", "words"),
    [
        (Verdict.OK, {}, "ĐẠT – lật trang tiếp"),
        (Verdict.BAD, {"right": (BLUR,)}, "CHỤP LẠI – trang phải bị mờ"),
        (Verdict.BAD, {"left": (BLUR,), "right": (BLUR,)}, "CHỤP LẠI – cả hai trang bị mờ"),
        (Verdict.WARN, {"left": (CUT,)}, "XEM LẠI – trang trái bị mất mép"),
        (Verdict.OK, {"left": (SKEW,)}, "ĐẠT – trang trái đặt lệch, máy đã xoay thẳng"),
        (Verdict.UNSURE, {}, "CHƯA RÕ"),
        (Verdict.PENDING, {}, "Đang xem ảnh vừa chụp"),
        (
            Verdict.OK,
            {"findings": (FindingEntry(code="duplicate", severity="info"),)},
            "TRÙNG – giống ảnh đã chụp",
        ),
        (Verdict.BAD, {"findings": (FindingEntry(code="brand_new", severity="bad"),)}, "CHỤP LẠI – có điều cần xem"),
    ],
)
def test_the_verdict_stands_in_words_with_its_reason(
    person: FlaskClient,
    station: FakeStation,
    verdict: Verdict,
    findings: dict[str, tuple[FindingEntry, ...]],
    words: str,
) -> None:
    show(station, capture_view(1, verdict, **findings))
    assert words in text_of(person)


def test_only_the_failing_half_is_marked(person: FlaskClient, station: FakeStation) -> None:
    show(station, capture_view(1, Verdict.BAD, right=(BLUR,)))
    html = person.get("/").text
    assert html.count('class="outline outline-bad"') == 1
    assert html.count('class="outline outline-ok"') == 1
    assert "Trang phải: mờ" in html


def test_the_worst_finding_leads_and_quiet_news_does_not_hide_it() -> None:
    lead = lead_of(capture_view(1, Verdict.BAD, left=(SKEW, CUT), right=(BLUR,)))
    assert lead
    assert (lead.code, lead.where) == ("blur", "right")
    info = FindingEntry(code="show_through", severity="info")
    assert lead_of(capture_view(1, Verdict.OK, left=(info,))) is None


@pytest.mark.parametrize(
    ("link", "words", "tone"),
    [
        (LinkView("online", 0, 0, 0), "Đã gửi hết", "ok"),
        (LinkView("online", 3, 0, 0), "Đang gửi · 3 lần chụp chờ", "ok"),
        (LinkView("offline", 6, 0, 0), "Mất mạng · 6 lần chụp chờ gửi", "warn"),
        (LinkView("no_server", 6, 0, 0), "Máy chủ vắng · 6 lần chụp chờ gửi", "warn"),
        (LinkView("refused", 6, 0, 0), "Máy chủ chưa duyệt trạm này", "bad"),
        (LinkView("offline", 6, 2, 0), "Trung tâm không nhận 2 lần chụp", "bad"),
        (LinkView("online", 0, 0, 1), "1 lần chụp hỏng trên ổ đĩa (DISK-06)", "bad"),
        (LinkView("something-new", 0, 0, 0), "Chưa rõ đường truyền", "plain"),
    ],
)
def test_the_line_is_named_and_being_offline_is_amber_and_normal(
    person: FlaskClient, station: FakeStation, link: LinkView, words: str, tone: str
) -> None:
    snapshot = show(station, capture_view(1), link=link)
    assert words in text_of(person)
    assert face_of(snapshot).link_tone == tone
    assert "do-press" in person.get("/").text


def test_a_fault_says_that_pages_are_safe_what_happens_by_itself_and_at_most_three_steps(
    person: FlaskClient, station: FakeStation
) -> None:
    show(
        station,
        capture_view(1),
        state=SessionState.FAULT,
        fault=FaultView("CAM-02", "camera:0", attempts=3),
        safe_captures=47,
    )
    text, html = text_of(person), person.get("/").text
    assert "Lỗi CAM-02" in text
    assert "47 lần chụp vẫn an toàn" in text
    assert "lần 3" in text
    steps = re.search(r'<ol class="steps">(.*?)</ol>', html, re.DOTALL)
    assert steps
    assert 1 <= steps[1].count("<li>") <= 3
    assert "cáp" not in text


@pytest.mark.parametrize("code", ["DISK-02", "PWR-01", "XYZ-99"])
def test_every_fault_has_a_panel_even_one_nobody_has_heard_of(
    person: FlaskClient, station: FakeStation, code: str
) -> None:
    show(station, state=SessionState.FAULT, fault=FaultView(code, "spool"))
    assert f"Lỗi {code}" in text_of(person)


@pytest.mark.parametrize(
    "key",
    NOTICES,
)
@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_notice_is_a_sentence_in_both_languages(
    person: FlaskClient, station: FakeStation, key: str, language: str
) -> None:
    show(station, capture_view(1), notice=Notice(key, 9, {"n": 120, "code": "CAM-02"}))
    text = text_of(person, language)
    assert key not in text
    assert "Trạm báo" not in text
    assert "The station says" not in text


def test_a_notice_without_a_sentence_is_still_shown(person: FlaskClient, station: FakeStation) -> None:
    show(station, capture_view(1), notice=Notice("x.unheard-of", 9))
    assert "Trạm báo: x.unheard-of" in text_of(person)


def test_a_full_disk_pauses_in_words(person: FlaskClient, station: FakeStation) -> None:
    show(station, capture_view(1), state=SessionState.PAUSED, room_for_captures=0, safe_captures=30)
    assert "Hết chỗ lưu – tạm dừng chụp" in text_of(person)
    # Of this book, as the head counts it; what waits in the other books is no help to whoever holds this one.
    assert "2 trang đã an toàn. Nối mạng để gửi bớt." in text_of(person)
    station.show(job=job_view(), last=None)
    assert "Hết chỗ lưu – tạm dừng chụp" in text_of(person), "also before the first page of a book"


def test_hand_over_says_what_is_left_to_fix_and_how_far_the_server_is(
    person: FlaskClient, station: FakeStation
) -> None:
    show(station, capture_view(1), job=job_view(capture_view(1), to_fix=2))
    assert "Xong – kiểm tra (2)" in text_of(person)
    done = (HandedOverView("a", "Kiều", 44, 44, True), HandedOverView("b", "", 50, 38, False))
    station.show(state=SessionState.CLOSED, job=None, last=None, handed_over=done)
    assert "Máy chủ xác nhận đủ 44/44" in text_of(person)
    assert "Máy chủ đã xác nhận 38/50" in text_of(person)


def test_there_is_nothing_to_review_without_a_job(person: FlaskClient) -> None:
    assert person.get("/review").status_code == 303


def test_text_from_outside_is_shown_as_text(person: FlaskClient, station: FakeStation) -> None:
    job = job_view(capture_view(1))
    evil = replace(job, item=type(job.item)(item_id="i", title="<script>alert(1)</script>", barcode='"><b>'))
    show(station, capture_view(1), job=evil, notice=Notice("<img src=x>", 4))
    html = person.get("/").text
    assert "<script>alert" not in html
    assert "<img src=x>" not in html


def test_buttons_follow_what_can_be_done() -> None:
    closed = face_of(closed_snapshot())
    assert not any((closed.can_keep, closed.can_retake, closed.can_undo, closed.can_hand_over))
    bad = capture_view(1, Verdict.BAD, left=(BLUR,))
    ready = replace(closed_snapshot(), state=SessionState.READY, job=job_view(bad), last=bad)
    assert face_of(ready).can_keep
    kept = replace(bad, marks=("bad-kept",))
    assert not face_of(replace(ready, job=job_view(kept), last=kept)).can_keep


def test_state_waits_for_news_and_tells_a_program_the_facts(person: FlaskClient, station: FakeStation) -> None:
    snapshot = show(station, capture_view(1, Verdict.BAD, left=(BLUR,)), safe_captures=1)
    state = person.get(f"/state?after={snapshot.number - 1}").get_json()
    assert state["number"] == snapshot.number
    assert state["state"] == "ready"
    assert state["last"] == {
        "capture_id": "capture-1",
        "sequence": 1,
        "number": 1,
        "verdict": "bad",
        "delivery": "processed",
        "pages": 2,
    }
    assert state["job"]["entries"] == 1
    assert state["safe_captures"] == 1
    assert "CHỤP LẠI" in state["face"]


def test_a_station_that_began_again_is_followed_although_its_numbers_are_smaller(
    person: FlaskClient, station: FakeStation
) -> None:
    assert person.get("/state?after=5000").get_json()["face"] is not None


def test_frames_are_scaled_and_kept_by_the_browser(person: FlaskClient, station: FakeStation) -> None:
    show(station, capture_view(1))
    answer = person.get("/captures/capture-1/frame.jpg?w=400")
    assert answer.mimetype == "image/jpeg"
    assert "immutable" in answer.headers["Cache-Control"]
    assert len(answer.data) < 200_000


@pytest.mark.parametrize("name", ["capture-9", "..%2f..%2fetc%2fpasswd", "%2e%2e", "UPPER", "a" * 60])
def test_a_frame_that_is_not_there_is_not_found(person: FlaskClient, station: FakeStation, name: str) -> None:
    show(station, capture_view(1))
    assert person.get(f"/captures/{name}/frame.jpg").status_code == 404
    assert all(is_name(asked) for asked in station.frames_asked), "a name that is none must not reach the disk"


def test_a_capture_that_left_the_disk_says_where_it_is(person: FlaskClient, station: FakeStation) -> None:
    show(station, replace(capture_view(1), delivery=Delivery.RELEASED))
    assert "Ảnh này đã ở trung tâm" in text_of(person)
    assert "<image" not in person.get("/").text


@pytest.mark.parametrize("width", [-5, 0, 1, 160, 700, 100_000])
def test_no_width_asked_for_costs_more_than_the_widest(tmp_path: object, station: FakeStation, width: int) -> None:
    file = station.folder / "large.jpg"
    file.write_bytes(jpeg_of(Image.new("RGB", (3200, 2400), (120, 110, 90))))
    out = station.folder / "out.jpg"
    out.write_bytes(scaled_jpeg(file, width))
    with Image.open(out) as picture:
        assert picture.width in (160, 480, 960, 1600)
        assert picture.width / picture.height == pytest.approx(4 / 3, rel=0.02)


def test_a_small_or_grey_picture_is_not_made_larger_and_becomes_a_jpeg(station: FakeStation) -> None:
    file = station.folder / "small.png"
    Image.new("L", (90, 60), 128).save(file)
    out = station.folder / "out.jpg"
    out.write_bytes(scaled_jpeg(file, 1600))
    with Image.open(out) as picture:
        assert (picture.size, picture.format) == ((90, 60), "JPEG")


def test_the_live_picture_comes_with_its_number_and_a_missing_camera_with_its_code(
    person: FlaskClient, station: FakeStation
) -> None:
    answer = person.get("/preview?after=-1")
    assert answer.mimetype == "image/jpeg"
    assert int(answer.headers["X-Number"]) >= 1
    station.camera_gone = True
    gone = person.get("/preview?after=-1")
    assert gone.status_code == 503
    assert gone.headers["X-Code"] == "CAM-01"


def test_how_many_pages_are_expected_stands_beside_those_that_are_done(
    person: FlaskClient, station: FakeStation
) -> None:
    show(station, capture_view(1), job=replace(job_view(capture_view(1)), pages_expected=120))
    assert "2 / ~120 trang" in text_of(person)


def test_where_to_open_the_book_after_a_power_cut_stays_until_the_next_press(
    person: FlaskClient, station: FakeStation
) -> None:
    show(station, capture_view(1), notice=Notice("s.boot", 3, {"n": 8}))
    page = person.get("/").text
    assert "Đã có điện lại. Lần chụp cuối an toàn: 8. Mở sách ở trang này để kiểm tra." in page
    assert 'class="notice stays"' in page


def test_a_gap_stands_in_the_strip_and_leads_to_its_card(person: FlaskClient, station: FakeStation) -> None:
    captures = tuple(capture_view(n) for n in range(1, 9))
    station.show(state=SessionState.READY, job=job_view(*captures), last=captures[-1])
    said = AnsweredGap(first="50", last="51", answer="absent")
    station.listed = Listing(
        (), gaps=(GapView("42", "43", "capture-4", "capture-5"), GapView("50", "51", "capture-8", "", said.answer))
    )
    page = person.get("/").text
    strip = page[page.index('id="strip"') :]
    assert strip.index("shot-capture-4") < strip.index("Thiếu 42–43") < strip.index("shot-capture-5")
    assert "50–51" not in page
    assert post(person, "/finish", json=False, at="gap-42-43").location == "/review?at=gap-42-43"
    assert station.asked == [("review",)]


def test_the_time_left_is_told_with_a_good_verdict_and_only_where_it_is_known(
    person: FlaskClient, station: FakeStation
) -> None:
    job = replace(job_view(capture_view(1)), pages_expected=74, pages=14, pages_per_hour=720, minutes_left=5)
    station.show(state=SessionState.READY, job=job, last=capture_view(1))
    assert "Còn khoảng 60 trang, chừng 5 phút." in person.get("/").text
    station.show(job=replace(job, minutes_left=None))
    assert "chừng" not in person.get("/").text


def test_after_a_part_of_a_large_page_the_next_part_is_asked_for_and_after_the_last_the_next_page(
    person: FlaskClient, station: FakeStation
) -> None:
    for part, words in ((1, "ĐẠT – chụp tiếp phần 2/2"), (2, "ĐẠT – lật trang tiếp")):
        last = replace(capture_view(part), part=PagePart(page=1, part=part, of=2))
        station.show(state=SessionState.READY, job=job_view(last), last=last)
        page = person.get("/").text
        assert words in page
        assert f"1 · phần {part}/2" in page
        assert ("chồng lên ảnh trước một ít" in page) is (part == 1)
