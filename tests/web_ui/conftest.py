"""Screens over fakes, signed in and not."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.web_ui.browser import address, central_address, chromium
from tests.web_ui.central_fakes import FakeCentral, busy_central
from tests.web_ui.fakes import FakeStation
from tests.web_ui.running import SECRET_KEY, TOKEN
from web_ui.central.app import create_app as create_central
from web_ui.station.app import create_app as create_station

__all__ = ["address", "central_address", "chromium"]
"""A browser and what it is shown, for whoever asks; it is started by the first."""


@pytest.fixture
def station(tmp_path: Path) -> FakeStation:
    return FakeStation(tmp_path)


@pytest.fixture
def central(tmp_path: Path) -> FakeCentral:
    return busy_central(tmp_path)


@pytest.fixture
def station_app(station: FakeStation) -> Iterator[Flask]:
    app = create_station(station, token=TOKEN, secret_key=SECRET_KEY, training=station)
    yield app
    app.extensions["polls"].closing.set()


@pytest.fixture
def central_app(central: FakeCentral) -> Flask:
    return create_central(central, token=TOKEN, secret_key=SECRET_KEY)


@pytest.fixture
def visitor(station_app: Flask) -> FlaskClient:
    """Somebody who has not entered."""
    return station_app.test_client()


@pytest.fixture
def person(station_app: Flask) -> FlaskClient:
    """Somebody at the station's screen."""
    return entered(station_app)


@pytest.fixture
def manager(central_app: Flask) -> FlaskClient:
    """Somebody at the centre's screen."""
    return entered(central_app)


def entered(app: Flask) -> FlaskClient:
    client = app.test_client()
    assert client.get("/enter", query_string={"token": TOKEN}).status_code == 303
    return client
