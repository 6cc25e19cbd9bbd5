"""A new page joins the screens that are looked at for accessibility, or this fails."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.web_ui.conftest import entered
from tests.web_ui.fakes import FakeStation
from tests.web_ui.routes import CENTRAL_PATHS, NO_PAGES, endpoints_at, pages_of
from tests.web_ui.running import SECRET_KEY, TOKEN
from tests.web_ui.screens import SCREENS
from tests.web_ui.setup_fakes import FakeSetUp
from tests.web_ui.states import STATES
from tests.web_ui.test_setup_in_browser import STATES as SET_UP
from web_ui.station.app import create_app
from web_ui.station.setup import STEPS

BY_TESTS_OF_THEIR_OWN = {"access.enter": "test_axe", "door": "test_setup_in_browser"}


@pytest.fixture
def whole_station(station: FakeStation) -> Flask:
    """The station's screen with everything that it can have."""
    return create_app(station, token=TOKEN, secret_key=SECRET_KEY, set_up=FakeSetUp(), training=station)


def test_every_page_of_the_station_is_looked_at(whole_station: Flask) -> None:
    paths = [
        *(shown.path for shown in SCREENS),
        *(state.path for state in STATES),
        *(path for path, _ in SET_UP.values()),
    ]
    seen = endpoints_at(whole_station, paths) | set(BY_TESTS_OF_THEIR_OWN)
    assert pages_of(whole_station) - NO_PAGES["station"] - seen == set()
    assert {f"/setup/{step}" for step in (*STEPS, "done")} - set(paths) == set()


def test_every_page_of_the_centre_is_looked_at(central_app: Flask) -> None:
    assert pages_of(central_app) - NO_PAGES["central"] - endpoints_at(central_app, CENTRAL_PATHS) == set()


def test_what_is_left_out_is_there_and_no_page(whole_station: Flask, central_app: Flask) -> None:
    for side, app in (("station", whole_station), ("central", central_app)):
        assert NO_PAGES[side] - pages_of(app) == set(), "a name that nothing answers to any more"
        assert_no_page(entered(app), app, NO_PAGES[side])
    whole_station.extensions["polls"].closing.set()


def assert_no_page(client: FlaskClient, app: Flask, endpoints: set[str]) -> None:
    for rule in app.url_map.iter_rules():
        if rule.endpoint in endpoints and not rule.arguments and rule.endpoint not in ("state", "preview"):
            answer = client.get(str(rule))
            assert answer.status_code == 303 or not answer.data.lower().startswith(b"<!doctype html"), rule
