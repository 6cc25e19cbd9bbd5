"""The set-up, disk and health pages without a script: where a new station begins, what each form asks, what is said."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance.api import LinkView, SessionState, Verdict
from appliance.setup.api import CarryView, Certificate, FeetView, PairingView, Progress
from tests.web_ui.conftest import entered
from tests.web_ui.fakes import BLUR, LAN, FakeStation, capture_view, job_view
from tests.web_ui.running import SECRET_KEY, TOKEN
from tests.web_ui.setup_fakes import GOOD, NETWORKS, STICK, UNEVEN, UNWELL, FakeSetUp
from web_ui.station.app import create_app
from web_ui.station.setup import STEPS

GENERAL = "Lúc này chưa làm được việc đó"
ROOT = Path(__file__).parents[2]
WHERE = ("appliance/pairing/*.py", "appliance/setup/*.py", "appliance/spool/carry*.py")
WHERE += ("wire/disk.py", "wire/pairing.py", "lattrang/pairing_commands.py")
SPOKEN = "".join(file.read_text("utf-8") for pattern in WHERE for file in sorted(ROOT.glob(pattern)))
CODES = sorted(set(re.findall(r'"((?:PAIR|CARRY|ERR|SET)-\d\d)"', SPOKEN)) - {"PAIR-06", "PAIR-22"})
"""What a person at these screens may hear; the others belong to the doctor, or to the centre."""


@pytest.fixture
def setup() -> FakeSetUp:
    return FakeSetUp()


@pytest.fixture
def app(station: FakeStation, setup: FakeSetUp) -> Iterator[Flask]:
    station.show(people=(), person=None)  # before anybody has a PIN; the door has tests of its own
    app = create_app(station, token=TOKEN, secret_key=SECRET_KEY, set_up=setup)
    yield app
    app.extensions["polls"].closing.set()


@pytest.fixture
def someone(app: Flask) -> FlaskClient:
    return entered(app)


def post(client: FlaskClient, path: str, **values: str):
    page = client.get("/setup/language").text
    csrf = re.search(r'name="csrf-token" content="([^"]+)"', page)
    assert csrf
    return client.post(path, data={"csrf": csrf[1], **values})


def test_a_full_disk_names_the_way_by_usb(someone: FlaskClient, station: FakeStation) -> None:
    job = job_view(capture_view(1), capture_view(2))
    station.show(state=SessionState.PAUSED, job=job, last=job.latest[-1], room_for_captures=0)
    assert "4 trang đã an toàn. Nối mạng để gửi bớt, hoặc cắm ổ USB để chuyển về trung tâm." in someone.get("/").text


def test_a_new_station_begins_with_its_set_up_and_goes_where_it_stopped(someone: FlaskClient, setup: FakeSetUp) -> None:
    setup.pairing_view = PairingView("idle", "tram-02")
    assert someone.get("/").location == "/setup"
    assert someone.get("/setup").location == "/setup/language"
    assert post(someone, "/setup/language/done").location == "/setup/network"
    assert someone.get("/setup").location == "/setup/network"


@pytest.mark.parametrize("why", ["paired", "put off", "has captured", "captures", "has people"])
def test_a_station_that_has_begun_to_work_begins_with_its_work(
    someone: FlaskClient, setup: FakeSetUp, station: FakeStation, why: str
) -> None:
    setup.pairing_view = PairingView("idle", "tram-02", "thuvien.local" if why == "paired" else "")
    if why == "put off":
        assert post(someone, "/setup/later").location == "/"
    if why == "has people":
        station.show(people=(LAN,))
    if why == "has captured":
        station.show(safe_captures=1)
    if why == "captures":
        station.show(state=SessionState.READY, job=job_view())
    assert someone.get("/").status_code == 200


@pytest.mark.parametrize("step", [*STEPS, "done"])
@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_step_stands_alone_in_both_languages(someone: FlaskClient, step: str, language: str) -> None:
    answer = someone.get(f"/setup/{step}?lang={language}")
    assert answer.status_code == 200
    assert f'lang="{language}"' in answer.text
    assert "<h1>" in answer.text


def test_the_list_of_codes_found_something() -> None:
    assert len(CODES) >= 25


def test_a_step_that_does_not_exist_is_not_found(someone: FlaskClient) -> None:
    assert someone.get("/setup/other").status_code == 404
    assert post(someone, "/setup/other/done").status_code == 404
    assert post(someone, "/setup/parts/answer", part="../x", works="1").status_code == 404
    assert post(someone, "/setup/parts/try", part="camera").status_code == 404


def test_nothing_is_changed_by_looking_or_without_the_forms_token(someone: FlaskClient, setup: FakeSetUp) -> None:
    for path in ("/setup/pairing/look", "/disk/carry", "/setup/later", "/settings/theme"):
        assert someone.get(path).status_code in (404, 405)
        assert someone.post(path).status_code == 403
    assert setup.asked == []


def test_each_form_asks_for_its_own(someone: FlaskClient, setup: FakeSetUp) -> None:
    for path, values, asked in (
        ("pairing/look", {}, ("look",)),
        ("pairing/address", {"address": " 10.0.0.5 "}, ("pair_at", "10.0.0.5")),
        ("pairing/compare", {"code": "7k0m 1xpd"}, ("compare", "7k0m1xpd")),
        ("pairing/stop", {}, ("give_up",)),
        ("parts/count", {}, ("count_feet",)),
        ("parts/try", {"part": "lamp"}, ("try", "lamp")),
    ):
        assert post(someone, f"/setup/{path}", **values).status_code == 303
        assert setup.asked[-1] == asked
    post(someone, "/setup/parts/answer", part="lamp", works="1")
    post(someone, "/setup/parts/answer", part="sounder")
    assert setup.done.parts == {"lamp": True, "sounder": False}


def test_a_refusal_is_said_where_it_was_asked_with_its_code(someone: FlaskClient, setup: FakeSetUp) -> None:
    setup.refuses = "SET-02"
    answer = post(someone, "/setup/pairing/address", address="x")
    assert answer.status_code == 409
    assert "SET-02" in answer.text
    assert "Địa chỉ này không dùng được" in answer.text


@pytest.mark.parametrize("code", CODES)
def test_every_code_of_pairing_and_carrying_has_its_sentence(someone: FlaskClient, setup: FakeSetUp, code: str) -> None:
    setup.pairing_view = PairingView("failed", "tram-02", code=code)
    page = someone.get("/setup/pairing").text
    assert f"({code})" in page
    assert GENERAL not in page


@pytest.mark.parametrize(
    ("view", "words"),
    [
        (PairingView("idle", "tram-02"), "Tìm mã bằng máy ảnh"),
        (PairingView("looking", "tram-02"), "Thôi tìm"),
        (PairingView("asking", "tram-02", asking="10.0.0.5"), "Đang nói chuyện với 10.0.0.5"),
        (PairingView("comparing", "tram-02", shown="7K0M-1XPD"), "7K0M-1XPD"),
        (PairingView("approving", "tram-02", shown="7K0M-1XPD"), "Chờ trung tâm duyệt"),
        (PairingView("paired", "tram-02", "thuvien.local"), "Trung tâm: thuvien.local"),
        (PairingView("idle", "tram-02", is_possible=False), "lattrang station pair"),
    ],
)
def test_the_pairing_page_tells_where_it_stands(
    someone: FlaskClient, setup: FakeSetUp, view: PairingView, words: str
) -> None:
    setup.pairing_view = view
    whole, part = someone.get("/setup/pairing").text, someone.get("/setup/pairing?fragment=1").text
    assert words in whole
    assert words in part
    assert "<html" not in part
    is_reloaded = 'http-equiv="refresh"' in whole
    assert is_reloaded is (view.step in ("looking", "asking", "comparing", "approving"))


def test_the_page_that_follows_measures_by_itself_when_nothing_moves_any_more(
    someone: FlaskClient, setup: FakeSetUp
) -> None:
    setup.measures, setup.is_still = UNEVEN, True
    assert "Dịch đèn bên phải" not in someone.get("/setup/calibration").text, "who only looks measures nothing"
    part = someone.get("/setup/calibration?fragment=1").text
    assert "Dịch đèn bên phải lại gần một chút" in part
    assert "Bỏ qua, ghi chưa đạt" in part.split("</template>")[0], "the way on comes along"
    assert setup.asked.count(("measure",)) == 1
    someone.get("/setup/calibration?fragment=1")
    assert setup.asked.count(("measure",)) == 1


@pytest.mark.parametrize(("days", "is_due"), [(29, False), (31, True), (None, False)])
def test_between_two_books_a_station_says_that_it_is_time_to_measure(
    someone: FlaskClient, setup: FakeSetUp, station: FakeStation, days: int | None, is_due: bool
) -> None:
    station.show(people=(LAN,), person=LAN)
    if days is not None:
        at = (datetime.now(UTC) - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")
        setup.done = Progress(certificate=Certificate(at, 4056, GOOD.rows))
    page = someone.get("/").text
    assert ('id="measure-again"' in page) is is_due
    if is_due:
        assert "Đã 31 ngày chưa hiệu chuẩn lại" in page


def test_what_a_foot_said_is_shown(someone: FlaskClient, setup: FakeSetUp) -> None:
    setup.feet_view = FeetView(9, 3, 1, 0)
    page = someone.get("/setup/parts/feet?after=8").text
    assert 'data-number="9"' in page
    assert page.count("tone-ok") == 2
    assert "đã nhận 3 lần" in page


def test_the_test_book_shows_each_verdict_and_asks_for_a_red_one(
    someone: FlaskClient, station: FakeStation, setup: FakeSetUp
) -> None:
    assert "Mở sách thử" in someone.get("/setup/book").text
    post(someone, "/setup/book/open", title="Sách thử")
    assert setup.asked[-1] == ("open_trial", "Sách thử")
    good = [capture_view(number) for number in range(1, 5)]
    station.show(state=SessionState.READY, job=job_view(*good))
    assert "Chưa thấy báo đỏ" in someone.get("/setup/book?fragment=1").text
    station.show(job=job_view(*good[:3], capture_view(4, Verdict.BAD, left=(BLUR,))))
    page = someone.get("/setup/book?fragment=1").text
    assert "CHỤP LẠI" in page
    assert "Chưa thấy báo đỏ" not in page
    station.show(job=job_view(*good[:2], replace(capture_view(3), replaced=1)))
    page = someone.get("/setup/book?fragment=1").text
    assert page.count("tone-bad") == 1, "what was taken again was seen, and counts"
    assert "Lần chụp 4" in page
    post(someone, "/setup/book/end")
    assert station.asked[-1] == ("hand_over",)


def certificate(days: int) -> Certificate:
    at = datetime.now(UTC) - timedelta(days=days, minutes=1)
    return Certificate(at.strftime("%Y-%m-%dT%H:%M:%SZ"), 4056, GOOD.rows)


def test_calibrating_gives_one_instruction_at_a_time_and_every_number_with_its_limit(
    someone: FlaskClient, setup: FakeSetUp
) -> None:
    assert "Đặt một tờ giấy trắng A4" in someone.get("/setup/calibration").text
    setup.measures = UNEVEN
    assert post(someone, "/setup/calibration/measure").location == "/setup/calibration"
    page = someone.get("/setup/calibration").text
    assert "<h1>Dịch đèn bên phải lại gần một chút</h1>" in page
    for words in ("312 ppi", "từ 294", "mép 1,2 điểm ảnh", "lệch 18 %", "không quá 15 %", "chưa đo được"):
        assert words in page
    assert "Bỏ qua, ghi chưa đạt" in page
    setup.measures = GOOD
    post(someone, "/setup/calibration/measure")
    assert "Ghi giấy chứng nhận" in someone.get("/setup/calibration").text
    assert post(someone, "/setup/calibration/keep").location == "/setup/book"
    assert "calibration" in setup.done.done


def test_the_certificate_says_what_was_measured_what_was_not_and_when_it_is_too_old(
    someone: FlaskClient, setup: FakeSetUp
) -> None:
    assert someone.get("/setup/certificate").status_code == 404
    setup.done = Progress(certificate=certificate(days=3))
    page = someone.get("/setup/certificate").text
    for words in ("Trạm tram-02", "312 ppi", "chưa đo được", "Có giá trị 30 ngày"):
        assert words in page
    assert "Đã quá" not in page
    setup.done = Progress(certificate=certificate(days=31))
    assert "Đã quá 30 ngày" in someone.get("/setup/certificate").text


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("online", "Trung tâm thuvien.local trả lời."),
        ("waiting_for_hours", "Trung tâm thuvien.local trả lời."),
        ("no_server", "chưa có ai nhận ảnh"),
        ("offline", "chưa trả lời"),
        ("unknown", "chưa trả lời"),
        ("refused", "từ chối trạm này"),
    ],
)
def test_the_network_page_names_sockets_the_wifi_within_reach_and_whether_the_centre_answers(
    someone: FlaskClient, setup: FakeSetUp, station: FakeStation, state: str, words: str
) -> None:
    station.show(link=LinkView(state, 0, 0, 0))
    page = someone.get("/setup/network").text
    assert words in page
    assert "Wi-Fi quanh đây" not in page, "nobody can tell"
    setup.network_view = NETWORKS
    page = someone.get("/setup/network").text
    for part in ("eth0", "10.0.0.21", "chưa nối", "Thư viện – đang dùng", "mạnh 71 %"):
        assert part in page


def test_the_end_says_what_is_missing(someone: FlaskClient, setup: FakeSetUp) -> None:
    everything = dict.fromkeys(STEPS, "2026-11-22T05:00:00Z")
    works = dict.fromkeys(("camera", "lamp", "sounder", "light"), True)
    setup.done = Progress(everything, works)
    assert someone.get("/setup/done").text.count("tone-warn") == 1, "calibration alone"
    setup.done = Progress(everything, works, certificate(days=29))
    assert "tone-warn" not in someone.get("/setup/done").text
    setup.done = Progress(everything, works, certificate(days=30))
    assert "đã quá hạn" in someone.get("/setup/done").text
    setup.done = Progress(everything, works, replace(certificate(days=0), rows=UNEVEN.rows))
    assert "chưa đạt" in someone.get("/setup/done").text
    setup.done = Progress({})
    page = someone.get("/setup/done").text
    assert "chưa ghép" not in page, "paired by hand is paired"
    assert page.count("tone-warn") == 5
    setup.done = Progress(everything, {"camera": True, "lamp": False, "sounder": True, "light": True})
    setup.pairing_view = PairingView("idle", "tram-02")
    assert someone.get("/setup/done").text.count("tone-warn") == 3


def test_a_disk_is_offered_and_copied_to_and_may_be_pulled_out(someone: FlaskClient, setup: FakeSetUp) -> None:
    assert someone.get("/disk/offer").json == {"plugged": False, "step": "idle"}
    assert "Cắm ổ USB" in someone.get("/disk").text
    setup.plugged = (STICK,)
    assert someone.get("/disk/offer").json == {"plugged": True, "step": "idle"}
    page = someone.get("/disk").text
    assert "KHO SÁCH" in page
    assert "32 GB" in page
    assert post(someone, "/disk/carry", disk="sda1").location == "/disk"
    assert setup.asked == [("carry", "sda1")]
    setup.carry_view = CarryView("copying", "sda1", 412_000_000, 1_900_000_000)
    page = someone.get("/disk?fragment=1").text
    assert "đừng rút USB" in page
    assert "412 MB trong 1,9 GB" in page
    assert "Chép vào USB này" not in page
    setup.carry_view = CarryView("done", "sda1", captures=118, receipts=44)
    assert "Xong, có thể rút USB" in someone.get("/disk").text


@pytest.mark.parametrize(
    ("view", "words"),
    [
        (CarryView("failed", "sda1", captures=60, left=58, code="CARRY-02"), ("USB đầy, có thể rút", "60", "58")),
        (CarryView("failed", "sda1", code="CARRY-03"), ("bị rút", "CARRY-03")),
        (CarryView("failed", "sda1", code="CARRY-01"), ("Không ghi được", "CARRY-01")),
        (CarryView("done", "sda1", captures=3, codes=("CARRY-04",)), ("có thể rút", "CARRY-04")),
    ],
)
def test_what_went_wrong_with_a_disk_is_said(
    someone: FlaskClient, setup: FakeSetUp, view: CarryView, words: tuple[str, ...]
) -> None:
    setup.plugged, setup.carry_view = (STICK,), view
    page = someone.get("/disk").text
    for word in words:
        assert word in page


def test_a_station_without_a_centre_offers_pairing_instead_of_copying(someone: FlaskClient, setup: FakeSetUp) -> None:
    setup.plugged, setup.pairing_view = (STICK,), PairingView("idle", "tram-02")
    page = someone.get("/disk").text
    assert "/setup/pairing" in page
    assert "Chép vào USB này" not in page


def test_a_disks_name_is_text_and_nothing_else(someone: FlaskClient, setup: FakeSetUp) -> None:
    setup.plugged = (replace(STICK, label="<script>alert(1)</script>"),)
    assert "<script>alert" not in someone.get("/disk").text


def test_every_part_has_its_words_well_and_unwell(someone: FlaskClient, setup: FakeSetUp) -> None:
    page = someone.get("/health").text
    assert "Mọi bộ phận hoạt động bình thường" in page
    setup.rows = UNWELL
    page = someone.get("/health").text
    assert "Có việc cần xử lý" in page
    for row in UNWELL:
        assert f"<strong>{row.part}</strong>" not in page
        if row.code:
            assert f"({row.code})" in page


def test_the_support_file_comes_as_a_file(someone: FlaskClient) -> None:
    answer = someone.get("/health/support.zip")
    assert answer.mimetype == "application/zip"
    assert "lattrang-tram-02-" in answer.headers["Content-Disposition"]
    assert answer.data == b"PK"


def test_the_look_is_remembered_by_the_browser(someone: FlaskClient) -> None:
    assert 'class="light"' in someone.get("/health").text
    assert post(someone, "/settings/theme", theme="contrast").location == "/health"
    assert 'class="contrast"' in someone.get("/health").text
    assert post(someone, "/settings/theme", theme="pink").status_code == 404


def test_without_a_desk_there_are_no_such_pages(station: FakeStation, tmp_path: Path) -> None:
    plain = entered(create_app(station, token=TOKEN, secret_key=SECRET_KEY))
    assert plain.get("/setup").status_code == 404
    assert "/disk" not in plain.get("/").text
