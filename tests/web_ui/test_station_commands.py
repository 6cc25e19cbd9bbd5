"""What a person does at the capture page, with and without scripts."""

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from appliance.api import SessionState
from appliance.errors import NotNow
from tests.web_ui.fakes import FakeStation, job_view
from web_ui.common.once import MAX_KEYS, Once
from wire.errors import CodedError

JSON = {"Accept": "application/json"}


def post(client: FlaskClient, path: str, *, json: bool = True, **values: str) -> TestResponse:
    csrf = client.get("/state?after=-1").get_json()["csrf"]
    return client.post(path, data=values | {"csrf": csrf}, headers=JSON if json else {})


@pytest.mark.parametrize("name", ["press", "release", "retake", "undo", "pause", "resume"])
def test_each_button_reaches_the_station(person: FlaskClient, station: FakeStation, name: str) -> None:
    station.show(state=SessionState.READY, job=job_view())
    answer = post(person, "/" + name.replace("_", "-"))
    assert answer.get_json() == {"ok": True}
    assert station.asked == [(name,)]


@pytest.mark.parametrize("name", ["keep", "delete"])
def test_a_command_on_a_capture_names_it(person: FlaskClient, station: FakeStation, name: str) -> None:
    assert post(person, f"/{name}", capture="capture-7").status_code == 200
    assert station.asked == [(name, "capture-7")]


@pytest.mark.parametrize("capture", ["", "gone", "../../etc/passwd", "A" * 40, "a/b"])
def test_a_capture_that_is_not_there_is_answered_in_words(
    person: FlaskClient, station: FakeStation, capture: str
) -> None:
    answer = post(person, "/keep", json=False, capture=capture)
    assert answer.status_code == 404
    assert "Không tìm thấy" in answer.text
    assert station.asked == []


def test_a_job_opens_with_nothing_known_and_keeps_what_is_typed_without_stray_spaces(
    person: FlaskClient, station: FakeStation
) -> None:
    assert post(person, "/job").status_code == 303
    assert post(person, "/job", title="  Chuyện  bên sông ", barcode=" QNG-1\n").status_code == 303
    assert station.asked == [("open_job", "", ""), ("open_job", "Chuyện bên sông", "QNG-1")]


def test_without_scripts_a_press_is_a_tap_and_the_page_comes_back(person: FlaskClient, station: FakeStation) -> None:
    station.show(state=SessionState.READY, job=job_view())
    answer = post(person, "/press", json=False, tap="1")
    assert (answer.status_code, answer.location) == (303, "/")
    assert station.asked == [("press",), ("release",)]


@pytest.mark.parametrize(
    "said",
    [
        ("press a", "release a", "press b", "release b"),
        ("release a", "press a", "press b", "release b"),
        ("press a", "press b", "release a", "release b"),
        ("press a", "press b", "release b", "release a"),
        ("press a", "release b", "release a", "press b"),
    ],
)
def test_two_taps_are_two_taps_in_whatever_order_a_slow_line_brings_their_halves(
    person: FlaskClient, station: FakeStation, said: tuple[str, ...]
) -> None:
    station.show(state=SessionState.READY, job=job_view())
    for word in said:
        way, foot = word.split()
        assert post(person, f"/{way}", foot=foot).status_code == 200
    assert station.asked == [("press",), ("release",)] * 2


def test_a_command_sent_twice_with_one_key_is_done_once(person: FlaskClient, station: FakeStation) -> None:
    station.show(state=SessionState.READY, job=job_view())
    for key in ("k1", "k1", "k2", "k1"):
        assert post(person, "/press", once=key).status_code == 200
    assert station.asked == [("press",), ("press",)]


def test_a_refusal_says_why_with_its_code_and_is_the_same_when_repeated(
    person: FlaskClient, station: FakeStation
) -> None:
    station.refuses = True
    first = post(person, "/retake", once="k1")
    station.refuses = False
    again = post(person, "/retake", once="k1")
    assert first.status_code == again.status_code == 409
    assert first.get_json() == again.get_json()
    assert first.get_json()["code"] == "NOW-01"
    assert "Lúc này chưa làm được" in first.get_json()["sentence"]
    page = post(person, "/undo", json=False)
    assert page.status_code == 303
    station.refuses = True
    page = post(person, "/undo", json=False)
    assert page.status_code == 409
    assert "NOW-01" in page.text


def test_keys_are_remembered_up_to_a_limit_and_unexpected_errors_are_not() -> None:
    once, done = Once(), []
    for key in range(MAX_KEYS + 1):
        once.run(str(key), lambda: done.append(1))
    once.run("0", lambda: done.append(1))
    assert len(done) == MAX_KEYS + 2
    with pytest.raises(ZeroDivisionError):
        once.run("broken", lambda: 1 // 0)
    once.run("broken", lambda: done.append(1))
    with pytest.raises(CodedError):
        once.run("refused", _refuse)
    assert len(done) == MAX_KEYS + 3


def _refuse() -> None:
    raise NotNow("NOW-01", "Not now.", "Wait.")
