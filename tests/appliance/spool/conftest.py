"""A spool in a temporary folder, opened and opened again."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from appliance.spool import Spool
from tests.appliance.spool.making import POLICY, STATION, Maker
from tests.system import carrying


@pytest.fixture
def make() -> Maker:
    return Maker()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "spool"


@pytest.fixture
def open_spool(folder: Path) -> Iterator[Callable[..., Spool]]:
    opened: list[Spool] = []

    def open_it(**options: object) -> Spool:
        for spool in opened:
            spool.close()
        opened.append(Spool.open(folder, STATION, POLICY, **options))
        return opened[-1]

    yield open_it
    for spool in opened:
        spool.close()


@pytest.fixture
def centre(tmp_path: Path) -> carrying.Centre:
    return carrying.Centre(tmp_path / "centre")


@pytest.fixture
def station(tmp_path: Path, centre: carrying.Centre) -> carrying.Station:
    return carrying.Station(tmp_path / "spool", centre.approve(carrying.STATION))


@pytest.fixture
def carried(tmp_path: Path) -> Path:
    folder = tmp_path / "disk"
    folder.mkdir()
    return folder
