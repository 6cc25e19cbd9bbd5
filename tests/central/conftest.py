import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from central.authority.broker import find_plugin, find_program
from central.errors import BrokerError
from tests.central.house import House
from tests.central.postgres import NoPostgreSQL, Server, server


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


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    # The user whom it runs as cannot look into pytest's own folders.
    with tempfile.TemporaryDirectory(prefix="lattrang-pg-") as folder:
        try:
            with server(Path(folder)) as running:
                yield running
        except NoPostgreSQL as why:
            pytest.skip(str(why))
