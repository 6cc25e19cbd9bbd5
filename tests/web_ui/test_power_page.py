"""Switching the station off from its screen: asked once, with what is safe; a refusal is said where it was asked."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance.api import SessionState
from appliance.setup.api import PowerView
from tests.web_ui.conftest import entered
from tests.web_ui.fakes import FakeStation, capture_view, job_view
from tests.web_ui.running import SECRET_KEY, TOKEN
from tests.web_ui.setup_fakes import FakeSetUp
from web_ui.station.app import create_app


@pytest.fixture
def setup() -> FakeSetUp:
    return FakeSetUp()


@pytest.fixture
def staff(station: FakeStation, setup: FakeSetUp) -> FlaskClient:
    app: Flask = create_app(station, token=TOKEN, secret_key=SECRET_KEY, set_up=setup)
    return entered(app)


def csrf_of(client: FlaskClient) -> str:
    return str(client.get("/state?after=-1").get_json()["csrf"])


def test_the_health_page_leads_to_a_question_that_says_what_is_safe(staff: FlaskClient, station: FakeStation) -> None:
    station.show(state=SessionState.READY, job=job_view(capture_view(1)), safe_captures=641)
    assert 'href="/power"' in staff.get("/health").text
    text = staff.get("/power").text
    assert "Tắt máy trạm?" in text
    assert "641 lần chụp đã an toàn ở trạm." in text
    assert "Phiếu đang mở được giữ nguyên" in text


@pytest.mark.parametrize("way", ["off", "restart"])
def test_each_way_is_a_form_of_its_own(staff: FlaskClient, setup: FakeSetUp, way: str) -> None:
    assert staff.get(f"/power/{way}").status_code == 405
    assert staff.post(f"/power/{way}").status_code == 403
    assert setup.asked == []
    answer = staff.post(f"/power/{way}", data={"csrf": csrf_of(staff)})
    assert (answer.status_code, answer.location) == (303, "/power")
    assert setup.asked == [("switch", way)]


def test_no_other_way_exists(staff: FlaskClient, setup: FakeSetUp) -> None:
    assert staff.post("/power/halt", data={"csrf": csrf_of(staff)}).status_code == 404
    assert setup.asked == []


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("OFF-01", "Máy đang chụp."),
        ("OFF-02", "Đang chép ra USB."),
        ("OFF-04", "Máy đang tắt rồi."),
        ("ERR-02", "Gọi kỹ thuật."),
    ],
)
def test_a_refusal_is_said_with_its_code_and_the_question_stays(
    staff: FlaskClient, setup: FakeSetUp, code: str, words: str
) -> None:
    setup.refuses = code
    answer = staff.post("/power/off", data={"csrf": csrf_of(staff)})
    assert answer.status_code == 409
    assert f"({code})" in answer.text
    assert words in answer.text
    assert "Tắt máy trạm?" in answer.text


def test_under_way_the_page_says_when_the_plug_may_be_pulled(staff: FlaskClient, setup: FakeSetUp) -> None:
    setup.power_view = PowerView("going", "off")
    page = staff.get("/power?fragment=1").text
    assert "Chờ đèn trên máy tắt hẳn rồi mới rút điện." in page
    assert "<form" not in page
    setup.power_view = PowerView("asked", "restart")
    assert "màn hình sẽ tự hiện lại" in staff.get("/power?fragment=1").text
    setup.power_view = PowerView("failed", "off", "OFF-03")
    assert "(OFF-03)" in staff.get("/power?fragment=1").text
