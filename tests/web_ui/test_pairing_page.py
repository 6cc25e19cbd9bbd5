"""The manager's pages for letting a station in: the code, the comparison, and what may go wrong."""

import re
from pathlib import Path

import cv2
import numpy as np
import pytest
import segno
import zxingcpp
from flask.testing import FlaskClient

from tests.web_ui.central_fakes import PAIRING_CODE as TEXT
from tests.web_ui.central_fakes import WAITING_STATION, FakeCentral, FakePairing
from tests.web_ui.conftest import entered
from tests.web_ui.running import SECRET_KEY, TOKEN
from web_ui.central.app import create_app


@pytest.fixture
def pairing() -> FakePairing:
    return FakePairing()


@pytest.fixture
def manager(tmp_path: Path, pairing: FakePairing) -> FlaskClient:
    return entered(create_app(FakeCentral(tmp_path, pairing=pairing), token=TOKEN, secret_key=SECRET_KEY))


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def post(client: FlaskClient, path: str, **form: str) -> tuple[int, str, str]:
    csrf = re.search(r'name="csrf" value="([^"]+)"', client.get("/pair").text)
    assert csrf
    answer = client.post(path, data={"csrf": csrf[1], **form})
    return answer.status_code, answer.location or "", answer.text


def test_a_name_becomes_a_code_that_a_camera_can_read(manager: FlaskClient) -> None:
    status, where, _ = post(manager, "/pair", station=" Kho-1 ")
    assert (status, where) == (303, "/pair/kho-1")
    html = manager.get(where).text
    path = re.search(r'<svg viewBox="0 0 (\d+) \d+" class="segno">.*?</svg>', html, re.DOTALL)
    assert path
    assert "style=" not in path[0]
    assert "<script" not in path[0]
    assert TEXT not in html
    # The drawing is segno's; that it says what it should is asked of the reader that stations use.
    matrix = np.array([[0 if one else 255 for one in row] for row in segno.make_qr(TEXT, error="m").matrix], np.uint8)
    large = cv2.copyMakeBorder(np.kron(matrix, np.ones((6, 6), np.uint8)), 30, 30, 30, 30, 0, value=255)
    assert [one.text for one in zxingcpp.read_barcodes(large)] == [TEXT]
    assert "sudo lattrang station pair --address 10.0.0.5<" in html


@pytest.mark.parametrize("name", ["", "Kho 1", "../x", "kho_1", "x" * 33, "trạm"])
def test_what_cannot_be_a_name_is_said_beside_it(manager: FlaskClient, pairing: FakePairing, name: str) -> None:
    status, _, html = post(manager, "/pair", station=name)
    assert status == 400
    assert "Tên này không dùng được" in html
    assert pairing.row is None


def test_a_code_that_cannot_be_made_says_why(manager: FlaskClient, pairing: FakePairing) -> None:
    pairing.fails = True
    status, _, html = post(manager, "/pair", station="kho-1")
    assert status == 409
    assert "CERT-01" in html


def test_a_machine_that_will_be_shut_out_is_spoken_of_before(manager: FlaskClient, pairing: FakePairing) -> None:
    pairing.becomes("open")
    assert "máy cũ không vào được nữa" not in manager.get("/pair/kho-1").text
    pairing.paired.add("kho-1")
    assert "máy cũ không vào được nữa" in manager.get("/pair/kho-1").text


def test_a_waiting_station_is_approved_by_the_code_that_its_screen_shows(
    manager: FlaskClient, pairing: FakePairing
) -> None:
    pairing.becomes("open", WAITING_STATION)
    assert "7K0M-1XPD" in manager.get("/pair/kho-1").text
    wrong = post(manager, "/pair/kho-1/decide", request="request-1", code="7K0M-1XPE", approve="1")
    assert wrong[1].endswith("note=differs")
    assert post(manager, "/pair/kho-1/decide", request="request-1", approve="1")[1].endswith("note=differs")
    assert pairing.decided == []
    assert "có thể có kẻ đứng giữa" in manager.get(wrong[1]).text
    right = post(manager, "/pair/kho-1/decide", request="request-1", code="7k0m 1xpd", approve="1")
    assert right[1].endswith("note=approved")
    assert pairing.decided == [("request-1", True)]


def test_a_waiting_station_is_refused_without_a_code(manager: FlaskClient, pairing: FakePairing) -> None:
    pairing.becomes("open", WAITING_STATION)
    assert post(manager, "/pair/kho-1/decide", request="request-1", refuse="1")[1].endswith("note=refused")
    assert pairing.decided == [("request-1", False)]


def test_a_request_of_another_station_is_not_decided_here(manager: FlaskClient, pairing: FakePairing) -> None:
    pairing.becomes("open", WAITING_STATION)
    assert post(manager, "/pair/kho-1/decide", request="request-2", code="7K0M-1XPD", approve="1")[1].endswith("late")
    assert post(manager, "/pair/kho-2/decide", request="request-1", code="7K0M-1XPD", approve="1")[0] == 404
    assert pairing.decided == []


def test_nothing_is_decided_without_the_sessions_token(manager: FlaskClient, pairing: FakePairing) -> None:
    pairing.becomes("open", WAITING_STATION)
    form = {"request": "request-1", "code": "7K0M-1XPD", "approve": "1"}
    assert manager.post("/pair/kho-1/decide", data=form).status_code == 403
    assert manager.post("/pair", data={"station": "kho-1"}).status_code == 403
    assert manager.post("/pair/kho-1/withdraw").status_code == 403
    assert pairing.decided == []


def test_a_stranger_sees_no_code(tmp_path: Path, pairing: FakePairing) -> None:
    pairing.becomes("open", WAITING_STATION)
    app = create_app(FakeCentral(tmp_path, pairing=pairing), token=TOKEN, secret_key=SECRET_KEY)
    answer = app.test_client().get("/pair/kho-1")
    assert answer.status_code == 401
    assert "<path" not in answer.text.split("<main", 1)[-1].replace("#", "")


def test_the_page_follows_what_becomes_of_it(manager: FlaskClient, pairing: FakePairing) -> None:
    pairing.becomes("open", WAITING_STATION)
    fragment = manager.get("/pair/kho-1?fragment=1").text.strip()
    assert fragment.startswith('<div id="overview"')
    pairing.becomes("paired")
    assert "đã ghép xong" in text_of(manager.get("/pair/kho-1?fragment=1").text)
    pairing.becomes("ended")
    assert "Mã ghép đã hết hạn" in text_of(manager.get("/pair/kho-1?fragment=1").text)


def test_a_code_is_kept_by_no_browser(manager: FlaskClient, pairing: FakePairing) -> None:
    pairing.becomes("open")
    assert manager.get("/pair/kho-1").headers["Cache-Control"] == "no-store"


def test_a_code_can_be_taken_back(manager: FlaskClient, pairing: FakePairing) -> None:
    pairing.becomes("open")
    assert post(manager, "/pair/kho-1/withdraw")[0] == 303
    assert manager.get("/pair/kho-1").status_code == 404


def test_a_centre_that_pairs_nobody_says_what_is_missing(tmp_path: Path) -> None:
    client = entered(create_app(FakeCentral(tmp_path), token=TOKEN, secret_key=SECRET_KEY))
    assert "CONF-05" in client.get("/pair").text
    assert client.get("/pair/kho-1").status_code == 404
