"""A spool in a temporary folder, opened and opened again."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from appliance.spool import Spool
from tests.appliance.spool.making import POLICY, STATION, Maker


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
