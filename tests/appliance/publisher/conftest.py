"""A real centre (Mosquitto, certificates, a worker) and a publisher that delivers to it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from central.authority.broker import find_plugin, find_program
from central.errors import BrokerError
from tests.appliance.publisher.depot import Depot
from tests.central.house import House


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    try:
        find_program()
        find_plugin()
    except BrokerError as error:
        pytest.skip(f"no Mosquitto here: {error}")
    house = House(tmp_path_factory.mktemp("centre"))
    yield house
    house.broker.stop()


@pytest.fixture
def depot(house: House, tmp_path: Path) -> Iterator[Depot]:
    with Depot(house, tmp_path / "spool") as depot:
        yield depot
