"""Set-up and hand-over by disk ask for a PIN where the station has people; health and first start do not."""

from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.web_ui.conftest import entered
from tests.web_ui.fakes import LAN, MINH, FakeStation
from tests.web_ui.running import SECRET_KEY, TOKEN
from tests.web_ui.setup_fakes import STICK, FakeSetUp
from tests.web_ui.test_station_commands import post
from web_ui.station import setup_door
from web_ui.station.app import create_app

LOCKED = ("/setup", "/setup/pairing", "/setup/certificate", "/disk")


@pytest.fixture
def setup() -> FakeSetUp:
    return FakeSetUp()


@pytest.fixture
def app(station: FakeStation, setup: FakeSetUp) -> Iterator[Flask]:
    station.show(people=(LAN, MINH), person=None)
    app = create_app(station, token=TOKEN, secret_key=SECRET_KEY, set_up=setup)
    yield app
    app.extensions["polls"].closing.set()


@pytest.fixture
def someone(app: Flask) -> FlaskClient:
    return entered(app)


def show_pin(client: FlaskClient, pin: str, to: str = "/setup/pairing"):
    return post(client, "/door", json=False, who=LAN.person_id, pin=pin, to=to)


@pytest.mark.parametrize("path", LOCKED)
def test_where_the_station_has_people_a_pin_is_asked_for_first(
    someone: FlaskClient, station: FakeStation, path: str
) -> None:
    answer = someone.get(path)
    assert answer.status_code == 303
    page = someone.get(answer.location).text
    assert LAN.name in page
    assert MINH.name in page
    assert 'id="pin"' in someone.get(f"{answer.location}&who={LAN.person_id}").text
    assert show_pin(someone, "1111", path).location == path
    assert someone.get(path).status_code != 303 or path == "/setup"


def test_nothing_behind_the_door_is_done_without_a_pin(someone: FlaskClient, setup: FakeSetUp) -> None:
    setup.plugged = (STICK,)
    for path, values in (
        ("/setup/pairing/look", {}),
        ("/setup/later", {}),
        ("/setup/calibration/measure", {}),
        ("/disk/carry", {"disk": "sda1"}),
    ):
        assert "/door" in (post(someone, path, json=False, **values).location or "")
    assert setup.asked == []
    assert not setup.done.is_put_off


def test_a_wrong_pin_is_said_and_opens_nothing(someone: FlaskClient) -> None:
    answer = show_pin(someone, "9999")
    assert answer.status_code == 409
    assert "PIN-01" in answer.text
    assert someone.get("/setup/pairing").status_code == 303
    assert post(someone, "/door", json=False, who="nobody", pin="1111").status_code == 404


def test_the_door_falls_shut_after_a_while_and_with_the_program(
    someone: FlaskClient, station: FakeStation, setup: FakeSetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    show_pin(someone, "1111")
    now_s = setup_door.time.monotonic()
    monkeypatch.setattr(setup_door.time, "monotonic", lambda: now_s + setup_door.OPEN_S - 5)
    assert someone.get("/setup/pairing").status_code == 200
    assert someone.get("/setup/pairing?fragment=1").status_code == 200, "looking does not hold it open"
    monkeypatch.setattr(setup_door.time, "monotonic", lambda: now_s + setup_door.OPEN_S + 5)
    assert someone.get("/setup/pairing").status_code == 303
    assert someone.get("/setup/pairing?fragment=1").status_code == 401
    assert someone.get("/setup/parts/feet?after=3").status_code == 401
    show_pin(someone, "1111")
    restarted = create_app(station, token=TOKEN, secret_key=SECRET_KEY, set_up=setup)
    other = restarted.test_client()
    for cookie in someone._cookies.values():  # type: ignore[attr-defined]
        other.set_cookie(cookie.key, cookie.value)
    assert other.get("/setup/pairing").status_code == 303
    restarted.extensions["polls"].closing.set()


def test_what_is_done_behind_the_door_holds_it_open(someone: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    show_pin(someone, "1111")
    now_s = setup_door.time.monotonic()
    monkeypatch.setattr(setup_door.time, "monotonic", lambda: now_s + 400)
    assert post(someone, "/setup/parts/count", json=False).location == "/setup/parts"
    monkeypatch.setattr(setup_door.time, "monotonic", lambda: now_s + 800)
    assert someone.get("/setup/parts").status_code == 200


def test_who_is_signed_in_carries_by_disk_without_another_pin_but_sets_up_with_one(
    someone: FlaskClient, station: FakeStation
) -> None:
    station.show(person=LAN)
    assert someone.get("/disk").status_code == 200
    assert someone.get("/setup/language").status_code == 303


def test_health_the_offer_of_a_disk_and_a_station_without_people_ask_nobody(
    someone: FlaskClient, station: FakeStation
) -> None:
    for path in ("/health", "/health/support.zip", "/disk/offer"):
        assert someone.get(path).status_code == 200
    station.show(people=())
    assert someone.get("/setup/language").status_code == 200
    assert someone.get("/disk").status_code == 200


@pytest.mark.parametrize(
    "to", ["https://example.org", "//example.org/setup", "/setup/../people", "/people", "", "/setup/" * 20]
)
def test_the_door_leads_nowhere_but_inside(someone: FlaskClient, to: str) -> None:
    assert show_pin(someone, "1111", to).location == "/setup"
