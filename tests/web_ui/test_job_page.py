"""The form that opens a job and the sheet of the open one, without any script."""

import pytest
from flask.testing import FlaskClient
from msgspec import structs
from werkzeug.test import TestResponse

from appliance.api import Listing, NewJob, SessionState, Verdict
from appliance.jobs.copies import BatchView, DoneBefore, DoneElsewhere, Found, SeenCode
from firmware.errors import CameraStalled
from tests.web_ui.fakes import BLUR, ITEM, FakeStation, capture_view, job_view
from tests.web_ui.running import TOKEN
from tests.web_ui.test_station_commands import post

LISTED = Found("QNG-003187", item=ITEM, batch="Lô 07", pages_expected=120, rights="public-domain")


def form(client: FlaskClient, path: str, **values: str) -> TestResponse:
    return post(client, path, json=False, **values)


def test_a_scanned_book_of_a_batch_needs_no_typing(person: FlaskClient, station: FakeStation) -> None:
    station.known = {"QNG-003187": LISTED}
    station.show(batches=(BatchView("Lô 07", 12, 40),))
    assert "Lô 07: 12/40 cuốn" in person.get("/").text
    page = person.get("/job/new?barcode=QNG-003187").text
    assert "Có trong Lô 07" in page
    for known in (
        "Chuyện bên sông Trà",
        "Nguyễn Văn Ẩn",
        'value="1925"',
        'value="120"',
        'value="public-domain" selected',
    ):
        assert known in page


def test_the_camera_fills_the_same_field_as_the_scanner_and_takes_nothing_of_what_was_typed(
    person: FlaskClient, station: FakeStation
) -> None:
    station.known = {"QNG-003187": LISTED}
    station.seen = SeenCode("QNG-003187")
    page = form(person, "/job/look", author="Ai đó", condition="mould").text
    assert 'name="barcode" type="text" maxlength="64" autocomplete="off" spellcheck="false" value="QNG-003187"' in page
    assert "Đã đọc mã QNG-003187" in page
    assert "Có trong Lô 07" in page
    assert 'value="Chuyện bên sông Trà"' in page
    assert 'value="Ai đó"' in page
    assert 'value="mould" checked' in page
    assert station.opened is None


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        ("none", "Chưa thấy mã"),
        ("dark", "Tối quá"),
        ("unread", "Thấy vạch nhưng chưa đọc được"),
        ("wrong-code", "Chỉ thấy mã ISBN hoặc mã hàng"),
    ],
)
def test_a_look_that_finds_no_copys_code_says_what_to_do(
    person: FlaskClient, station: FakeStation, problem: str, words: str
) -> None:
    station.seen = SeenCode(problem=problem)  # type: ignore[arg-type]
    page = form(person, "/job/look", barcode="B1").text
    assert words in page
    assert 'value="B1"' in page


def test_of_several_codes_a_person_chooses(person: FlaskClient, station: FakeStation) -> None:
    station.seen = SeenCode(choices=("B1", "QNG-003187"), problem="several")
    assert 'name="picked" value="QNG-003187"' in form(person, "/job/look").text
    asked = len(station.asked)
    assert "Đã đọc mã QNG-003187" in form(person, "/job/look", picked="QNG-003187").text
    assert len(station.asked) == asked, "nobody looks again"


def test_a_camera_that_fails_is_said_with_its_code(person: FlaskClient, station: FakeStation) -> None:
    station.seen = CameraStalled("CAM-02", "No pictures.", "Wait.")
    answer = form(person, "/job/look")
    assert answer.status_code == 409
    assert "CAM-02" in answer.text


def test_the_form_reaches_the_station_as_it_was_filled_in(person: FlaskClient, station: FakeStation) -> None:
    filled = {"title": " Nhan  đề ", "barcode": "B1 ", "author": "Ai đó", "year": "1925?", "pages_expected": "240"}
    more = {"part": "Tập 2", "rights": "licensed", "numbering": "leaves", "right_to_left": "1", "condition": "mould"}
    answer = form(person, "/job", **filled, **more)
    assert (answer.status_code, answer.location) == (303, "/")
    assert station.opened == NewJob(
        "Nhan đề", "B1", "Ai đó", "1925?", "Tập 2", "", True, 240, "licensed", "leaves", ("mould",)
    )


def test_a_newspaper_larger_than_the_frame_is_asked_for_by_its_parts(person: FlaskClient, station: FakeStation) -> None:
    assert "Mỗi trang chụp 4 phần" in person.get("/job/new").text
    form(person, "/job", title="Báo", parts="4")
    assert station.opened == NewJob("Báo", parts=4)
    form(person, "/job", title="Báo", parts="3")
    assert station.opened == NewJob("Báo")


def test_a_wrong_number_of_pages_is_said_beside_its_field_and_nothing_typed_is_lost(
    person: FlaskClient, station: FakeStation
) -> None:
    answer = form(person, "/job", title="Kiều", pages_expected="nhiều")
    assert answer.status_code == 422
    assert 'aria-describedby="pages-error" autofocus' in answer.text
    assert 'value="Kiều"' in answer.text
    assert 'value="nhiều"' in answer.text
    assert station.opened is None


@pytest.mark.parametrize(
    ("problem", "words"), [("unikey", "Tắt UniKey rồi quét lại"), ("wrong-code", "Đây không phải mã tài liệu")]
)
def test_a_doubtful_code_is_asked_about_once_and_taken_when_it_comes_again(
    person: FlaskClient, visitor: FlaskClient, station: FakeStation, problem: str, words: str
) -> None:
    station.known = {"Đ1": Found("Đ1", problem=problem)}
    assert words in person.get("/job/new?barcode=Đ1").text
    assert form(person, "/job", barcode="Đ1").status_code == 422
    assert station.opened is None
    assert form(person, "/job", barcode="Đ1", accepted="Đ1").status_code == 303
    assert station.opened is not None
    assert station.opened.barcode == "Đ1"
    visitor.post("/job", data={"barcode": "Đ1"}, headers={"Authorization": f"Bearer {TOKEN}"})
    assert len(station.asked) == 2


def test_a_book_that_was_done_before_is_opened_again_or_captured_anew(
    person: FlaskClient, station: FakeStation
) -> None:
    done = DoneBefore("job-1", "Tập 1", "2026-03-01T18:30:00Z", 60, to_conservation=True)
    station.known = {"B1": Found("B1", item=ITEM, before=(done,))}
    page = person.get("/job/new?barcode=B1").text
    assert "đã số hóa ngày 02/03/2026 tại tram-02" in page
    assert "Lần đó dừng để chuyển bảo quản" in page
    assert "Mở lại Tập 1 để chụp bù" in page
    assert "Chụp mới" in page
    assert form(person, "/job/reopen", job="job-1").status_code == 303
    assert station.asked == [("reopen_job", "job-1")]
    assert form(person, "/job/reopen", job="../x").status_code == 404


def test_a_book_that_another_station_digitised_gets_more_captures_or_is_captured_anew(
    person: FlaskClient, station: FakeStation
) -> None:
    done = DoneElsewhere("2026-03-01T18:30:00Z", "tram-09", "made-there", "Tập 1", to_conservation=True)
    station.known = {"B1": Found("B1", item=ITEM, batch="Lô 07", elsewhere=done)}
    page = person.get("/job/new?barcode=B1").text
    for words in ("đã số hóa ngày 02/03/2026 tại tram-09", "Lần đó dừng để chuyển bảo quản", "Mở Tập 1 để chụp bù"):
        assert words in page
    assert "Chụp mới" in page
    form(person, "/job", barcode="B1", adds="1")
    assert station.opened == NewJob(barcode="B1", adds=True)


def test_another_copy_of_the_same_book_is_said_and_asks_only_whether_this_one_is_needed(
    person: FlaskClient, station: FakeStation
) -> None:
    done = DoneElsewhere("2026-03-01T18:30:00Z", barcode="B2")
    station.known = {"B1": Found("B1", item=ITEM, batch="Lô 07", elsewhere=done)}
    page = person.get("/job/new?barcode=B1").text
    assert "Bản khác (B2) đã số hóa ngày 02/03/2026 tại tram-02. Có cần chụp bản này?" in page
    assert "để chụp bù" not in page


def test_the_next_volume_begins_with_what_is_known_of_the_first(person: FlaskClient, station: FakeStation) -> None:
    station.show(state=SessionState.READY, job=job_view())
    answer = form(person, "/job/part")
    assert answer.location == "/job/new?after=job-1"
    page = person.get(answer.location).text
    assert 'value="Tập 2"' in page
    assert 'name="like" value="job-1"' in page
    assert '<option value="leaves" selected>' in page
    assert '<option value="2" selected>' in page
    assert 'name="right_to_left" type="checkbox" value="1" checked' in page
    assert person.get("/job/new?after=nowhere").status_code == 404


def test_the_next_volume_waits_for_what_must_be_done_in_this_one(person: FlaskClient, station: FakeStation) -> None:
    station.listed = Listing((capture_view(1), capture_view(2, Verdict.BAD, right=(BLUR,))))
    station.show(state=SessionState.READY, job=job_view(*station.listed.captures))
    assert form(person, "/job/part").location == "/review?at=capture-2"
    assert station.asked == []


def test_condition_and_an_honest_end_are_on_the_sheet(person: FlaskClient, station: FakeStation) -> None:
    assert person.get("/sheet").status_code == 303
    station.show(state=SessionState.READY, job=job_view())
    assert "Dừng chụp, chuyển bảo quản" in person.get("/sheet").text
    csrf = person.get("/state?after=-1").get_json()["csrf"]
    person.post("/condition", data={"csrf": csrf, "condition": ["mould", "torn", "nonsense"], "note": " bìa  rời "})
    assert form(person, "/stop", note="gáy bung").status_code == 303
    assert station.asked == [("note_condition", "torn", "mould", "bìa rời"), ("stop_for_conservation", "gáy bung")]


def test_the_catalogue_is_asked_on_demand_and_what_it_says_is_kept(person: FlaskClient, station: FakeStation) -> None:
    known = structs.replace(ITEM, record_id="4711", call_number="K 12.3")
    station.known = {
        "B1": Found("B1", catalogue="not-asked"),
        "catalogue B1": Found("B1", item=known, catalogue="found"),
    }
    assert "/job/new?barcode=B1&amp;catalogue=1" in person.get("/job/new?barcode=B1").text
    page = person.get("/job/new?barcode=B1&catalogue=1").text
    assert "Có trong mục lục của thư viện" in page
    assert 'name="record_id" value="4711"' in page
    form(person, "/job", barcode="B1", record_id="4711", call_number="K 12.3")
    assert station.opened == NewJob(barcode="B1", record_id="4711", call_number="K 12.3")


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        ("none", "Mục lục không có mã này"),
        ("several", "Mục lục có nhiều bản ghi"),
        ("absent", "Mục lục chưa trả lời"),
        ("garbage", "Mục lục trả lời không đọc được"),
    ],
)
def test_whatever_the_catalogue_does_the_job_can_begin(
    person: FlaskClient, station: FakeStation, outcome: str, words: str
) -> None:
    station.known = {"catalogue B1": Found("B1", catalogue=outcome)}
    page = person.get("/job/new?barcode=B1&catalogue=1").text
    assert words in page
    assert 'id="open-job"' in page
