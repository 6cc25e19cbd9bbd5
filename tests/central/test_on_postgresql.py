"""A centre whose catalogue is in PostgreSQL keeps its promises when workers race and the database goes away."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace

import pytest
from sqlalchemy import select

from central.archive import Archive
from central.catalogue import Catalogue, schema
from central.receiving.staging import Staging
from tests.central.house import House, eventually
from tests.central.postgres import Server
from tests.central.station_client import Package, StationClient, capture
from wire.ids import new_id
from wire.messages import Receipt

pytestmark = pytest.mark.broker


@pytest.fixture
def centre(house: House, postgres: Server) -> House:
    """The house, its catalogue in an empty database of PostgreSQL."""
    other = object.__new__(House)
    other.__dict__.update(house.__dict__)
    other.config = replace(house.config, database_url=postgres.database())
    house.layout.create()
    return other


@pytest.fixture
def station(centre: House) -> Iterator[StationClient]:
    with centre.station(f"s-{new_id()[:8]}") as client:
        yield client


def stored(centre: House, package: Package) -> int:
    with centre.catalogue() as catalogue, catalogue.read() as connection:
        rows = connection.execute(select(schema.captures).where(schema.captures.c.capture_id == package.ref.id))
        return len(rows.all())


def test_services_that_open_a_new_catalogue_at_the_same_moment_all_get_it(postgres: Server) -> None:
    url, start = postgres.database(), threading.Barrier(8)

    def open_it(_: int) -> None:
        start.wait(timeout=10)
        Catalogue(url).close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(open_it, range(8)))


def test_two_workers_that_store_the_same_capture_at_once_give_one_receipt(centre: House) -> None:
    package, start = capture("twin"), threading.Barrier(2)

    def store(name: str) -> Receipt:
        with closing(Staging(centre.layout, name)) as staging, centre.catalogue() as catalogue:
            incoming = staging.open(new_id(), package.entries, {})
            for file, data in package.files.items():
                incoming.write(file, 0, data)
            assert all(incoming.prove(entry) for entry in package.entries)
            start.wait(timeout=10)
            return Archive(staging, catalogue, name).keep(
                incoming, package.ref, "twin", package.entries, "2026-01-01T00:00:00Z"
            )

    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(store, ("w1", "w2"))
    assert one == other
    assert stored(centre, package) == 1


def test_a_database_that_stops_and_comes_back_costs_no_capture(
    centre: House, station: StationClient, postgres: Server
) -> None:
    before, between = (capture(station.station, sequence=number) for number in (1, 2))
    with centre.worker():
        station.deliver(before)
        postgres.stop()
        try:
            station.offer(between)
        finally:
            postgres.start()
        assert station.deliver(between).object == between.ref
        assert station.deliver(before).object == before.ref
    assert (stored(centre, before), stored(centre, between)) == (1, 1)


def test_what_the_database_forgot_comes_back_from_the_folders(
    centre: House, station: StationClient, postgres: Server
) -> None:
    package = capture(station.station)
    with centre.worker():
        station.deliver(package)
    centre.config = replace(centre.config, database_url=postgres.database())
    with centre.worker():
        eventually(lambda: stored(centre, package) == 1)


def test_a_nul_in_what_a_station_sends_is_no_reason_to_refuse_a_page(centre: House, station: StationClient) -> None:
    package = capture(station.station, title="Truyện\0Kiều")
    with centre.worker():
        assert station.deliver(package).object == package.ref
    assert stored(centre, package) == 1
