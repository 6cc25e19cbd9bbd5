"""Several workers, full disks, dead workers and brokers: nothing is lost and nothing is stored twice."""

import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from central.archive import Archive, adopt_unknown
from central.catalogue import queries
from central.errors import BrokerError, StoreError
from central.receiving.staging import Incoming, Staging
from central.work import run_worker
from tests.central.house import House, eventually
from tests.central.station_client import Package, StationClient, capture
from wire.ids import new_id
from wire.limits import MIB
from wire.messages import Busy, Grant, Receipt

pytestmark = pytest.mark.broker
ROOT = Path(__file__).parents[2]
WORK = (
    "import sys, threading; from pathlib import Path; from central import config, work; "
    "work.run_worker(config.load(Path(sys.argv[1])), sys.argv[2], threading.Event())"
)


@pytest.fixture
def station(house: House) -> Iterator[StationClient]:
    with house.station(f"s-{new_id()[:8]}") as client:
        yield client


def changed(house: House, **limits: object) -> House:
    """The same house with other limits."""
    other = object.__new__(House)
    other.__dict__.update(house.__dict__)
    other.config = replace(house.config, limits=replace(house.config.limits, **limits))
    return other


@contextmanager
def worker_process(house: House, name: str) -> Iterator["subprocess.Popen[bytes]"]:
    command = [sys.executable, "-c", WORK, str(house.centre.config_file), name]
    process = subprocess.Popen(command, cwd=ROOT)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def stored(house: House, package: Package) -> int:
    with house.catalogue() as catalogue, catalogue.read() as connection:
        return sum(row.captures for row in queries.item_rows(connection, limit=1000, offset=0))


def test_a_worker_killed_in_mid_capture_loses_nothing_and_the_other_finishes(
    house: House, station: StationClient
) -> None:
    package = capture(station.station, frame=b"x" * 4096 * 6)
    with worker_process(house, "w1") as first:
        house.wait_for_worker()
        station.offer(package)
        grant = station.reply(Grant)
        assert grant.worker == "w1"
        for topic, data in station.chunks(grant, package)[:3]:
            station.publish(topic, data)
        first.send_signal(signal.SIGKILL)
        first.wait()
        with worker_process(house, "w2"):
            house.wait_for_worker()
            assert station.deliver(package).worker == "w2"
    assert [path.name for path in house.layout.staging.glob(package.ref.id)] == [package.ref.id]
    with house.worker("w1"):
        assert not list(house.layout.incoming.glob("w1.*/"))
        assert station.deliver(package).worker == "w2"


def test_two_workers_that_store_the_same_capture_at_once_give_one_receipt(house: House) -> None:
    package = capture("twin", frame=b"y" * 100_000)
    start = threading.Barrier(2)

    def store(name: str) -> Receipt:
        with closing(Staging(house.layout, name)) as staging, house.catalogue() as catalogue:
            incoming = staging.open(new_id(), package.entries, {})
            for name_of_file, data in package.files.items():
                incoming.write(name_of_file, 0, data)
            assert all(incoming.prove(entry) for entry in package.entries)
            start.wait(timeout=10)
            archive = Archive(staging, catalogue, name)
            return archive.keep(incoming, package.ref, "twin", package.entries, "2026-01-01T00:00:00Z")

    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(store, ("w1", "w2"))
    assert one == other
    assert not list(house.layout.incoming.glob("w*/"))


def test_more_offers_than_grants_wait_and_a_grant_nobody_feeds_gives_its_place_back(
    house: House, station: StationClient
) -> None:
    packages = [capture(station.station) for _ in range(3)]
    with changed(house, max_grants=2, lease_s=1.0).worker():
        for package in packages:
            station.offer(package)
        grants = [station.reply(Grant) for _ in range(2)]
        assert station.reply(Busy).object == packages[2].ref
        eventually(lambda: not any(list(house.layout.incoming.glob(f"*{one.grant_id}")) for one in grants))
        station.deliver(packages[2])


def test_a_disk_below_its_reserve_keeps_stations_waiting(house: House, station: StationClient) -> None:
    free = shutil.disk_usage(house.config.store).free
    with changed(house, reserve_bytes=free + 1024 * MIB).worker():
        station.offer(capture(station.station))
        assert station.reply(Busy, Grant).retry_after_s >= 30


def test_a_disk_that_fills_in_mid_capture_leaves_nothing_behind_and_the_capture_comes_again(
    house: House, station: StationClient
) -> None:
    package = capture(station.station)
    with house.worker():
        station.offer(package)
        grant = station.reply(Grant)
        # /dev/full answers every write with “no space left on device”: a full disk without filling one.
        (house.layout.incoming / f"w1.{grant.grant_id}" / "frame-1.jpg").symlink_to("/dev/full")
        for topic, data in station.chunks(grant, package):
            station.publish(topic, data)
        assert station.reply(Busy, Receipt).object == package.ref
        eventually(lambda: not list(house.layout.incoming.glob(f"*{grant.grant_id}")))
        assert station.deliver(package).object == package.ref


def test_a_broker_that_restarts_in_mid_capture_costs_nothing_that_is_held(house: House) -> None:
    name = f"s-{new_id()[:8]}"
    package = capture(name, frame=b"z" * 4096 * 4)
    with changed(house, lease_s=60.0).worker():
        with house.station(name) as client:
            client.offer(package)
            grant = client.reply(Grant)
            chunks = client.chunks(grant, package)
            for topic, data in chunks[:2]:
                client.publish(topic, data)
            house.broker.kill()
        house.broker.start()
        house.wait_for_worker()
        with house.station(name) as client:
            client.offer(package)
            again = client.reply(Grant)
            assert again.grant_id == grant.grant_id
            for topic, data in chunks[2:]:
                client.publish(topic, data)
            client.reply(Receipt)


def test_a_name_belongs_to_one_worker_at_a_time(house: House) -> None:
    with house.worker("w1"), pytest.raises(StoreError) as caught:
        run_worker(house.config, "w1", threading.Event())
    assert caught.value.code == "STORE-04"


def test_a_worker_nobody_approved_says_so(house: House) -> None:
    from central.authority import ca

    ca.Authority.load(house.config.broker.pki).issue_client("worker.uninvited")
    with pytest.raises(BrokerError) as caught:
        run_worker(house.config, "uninvited", threading.Event())
    assert caught.value.code == "BROKER-06"


def test_power_cut_between_the_folders_name_and_the_row_is_healed_by_the_next_start(house: House) -> None:
    package = capture("cut")
    _stage(house, package)
    with house.catalogue() as catalogue:
        assert adopt_unknown(house.layout, catalogue) == 1
        assert adopt_unknown(house.layout, catalogue) == 0


def test_power_cut_between_the_folders_name_and_the_row_is_healed_by_the_next_offer(
    house: House, station: StationClient
) -> None:
    package = capture(station.station)
    with house.worker():
        receipt = _stage(house, package)
        station.offer(package)
        assert station.reply(Receipt, Grant) == receipt
    with house.catalogue() as catalogue, catalogue.read() as connection:
        assert queries.page_file_name(connection, package.ref.id, "left") == "left.jpg"


def _stage(house: House, package: Package) -> Receipt:
    """Put an object into the store as a worker that died before the row would leave it."""
    folder = house.layout.incoming / f"dead.{new_id()}"
    folder.mkdir()
    incoming = Incoming(folder, package.entries)
    for name, data in package.files.items():
        incoming.write(name, 0, data)
    assert all(incoming.prove(entry) for entry in package.entries)
    with closing(Staging(house.layout, "cutter")) as staging:
        receipt = Receipt(object=package.ref, files=package.entries, worker="cutter", stored_at="2026-01-01T00:00:00Z")
        return staging.keep(incoming, receipt)


def test_files_of_the_store_are_not_for_everybody(house: House, station: StationClient) -> None:
    with house.worker():
        package = capture(station.station)
        station.deliver(package)
    assert (house.layout.staging / package.ref.id / "frame-1.jpg").stat().st_mode & 0o007 == 0
