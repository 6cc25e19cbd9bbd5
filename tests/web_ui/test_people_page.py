"""Who works here: tiles, PIN, handing over the shift, without any script."""

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from appliance.api import SessionState
from tests.web_ui.fakes import LAN, MINH, PIN, FakeStation, job_view
from tests.web_ui.test_station_commands import post


def form(client: FlaskClient, path: str, **values: str) -> TestResponse:
    return post(client, path, json=False, **values)


def test_a_new_station_asks_for_its_first_person(person: FlaskClient, station: FakeStation) -> None:
    station.show(people=(), person=None)
    assert "Thêm người đầu tiên" in person.get("/").text
    assert "Người đầu tiên của trạm" in person.get("/people").text
    answer = form(person, "/people", name="Lê Hoa", pin="2468")
    assert (answer.status_code, answer.location) == (303, "/")
    assert station.asked == [("add_person", "Lê Hoa", "2468")]


def test_a_person_is_two_touches_and_a_pin_away(person: FlaskClient, station: FakeStation) -> None:
    station.show(person=None)
    start = person.get("/").text
    assert f"/people?who={MINH.person_id}" in start
    assert "Tìm sách" not in start
    assert "Trần Minh" in person.get(f"/people?who={MINH.person_id}").text
    assert form(person, "/sign-in", who=MINH.person_id, pin=PIN).status_code == 303
    assert station.snapshot().person == MINH
    assert "Tìm sách" in person.get("/").text


def test_a_wrong_pin_is_said_beside_the_field_and_nothing_of_it_comes_back(
    person: FlaskClient, station: FakeStation
) -> None:
    station.show(person=None)
    answer = form(person, "/sign-in", who=LAN.person_id, pin="8765")
    assert answer.status_code == 409
    assert "Sai mã PIN. Thử lại" in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert "8765" not in answer.text
    assert station.snapshot().person is None


def test_nobody_opens_a_job_at_the_screen_without_a_name_but_a_program_does(
    person: FlaskClient, visitor: FlaskClient, station: FakeStation
) -> None:
    from tests.web_ui.running import TOKEN

    station.show(person=None)
    answer = post(person, "/job", title="Kiều")
    assert (answer.status_code, answer.get_json()["code"]) == (409, "PIN-05")
    visitor.post("/job", data={"title": "Kiều"}, headers={"Authorization": f"Bearer {TOKEN}"})
    assert station.asked == [("open_job", "Kiều", "")]


def test_a_shift_is_handed_over_with_a_note_and_the_open_job_goes_on(person: FlaskClient, station: FakeStation) -> None:
    station.show(state=SessionState.READY, job=job_view())
    page = person.get("/people").text
    assert "Làm tiếp: Chuyện bên sông Trà" in page
    answer = form(person, "/sign-out", note="  Trang 48   rách ")
    assert (answer.status_code, answer.location) == (303, "/")
    assert station.asked == [("sign_out", "Trang 48 rách")]
    assert "Vào ca" in person.get("/").text


def test_after_the_shift_of_a_closed_station_the_next_person_is_asked_for(person: FlaskClient) -> None:
    assert form(person, "/sign-out").location == "/people"


def test_a_colleague_gets_a_new_pin_from_somebody_who_is_signed_in(person: FlaskClient, station: FakeStation) -> None:
    assert "Đặt mã PIN mới: Trần Minh" in person.get(f"/people?who={MINH.person_id}&task=pin").text
    form(person, "/set-pin", who=MINH.person_id, pin="1357")
    assert station.asked == [("set_pin", MINH.person_id, "1357")]
    station.show(person=None)
    assert "Nhập mã PIN" in person.get(f"/people?who={MINH.person_id}&task=pin").text


@pytest.mark.parametrize("path", ["/people", "/sign-in", "/sign-out", "/set-pin"])
def test_a_form_without_the_sessions_token_is_refused(person: FlaskClient, station: FakeStation, path: str) -> None:
    assert person.post(path, data={"who": LAN.person_id, "pin": PIN, "name": "x"}).status_code == 403
    assert station.asked == []


def test_a_stranger_is_not_found(person: FlaskClient) -> None:
    assert person.get("/people?who=../../etc").status_code == 404
