"""Stations as the office hears them, and commands that are repeated until they are answered."""

import contextlib
import threading
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection

from central.api import StationRow
from central.authority import ca, provision
from central.batches import send_batch
from central.catalogue import Catalogue
from central.errors import CatalogueError
from central.fleet import SUBSCRIPTIONS, Fleet
from central.mqtt import MqttClient
from central.office import Office
from tests.central.house import House, eventually
from tests.central.station_client import StationClient, job_list
from wire import codec, topics
from wire.ids import new_id
from wire.messages import Locate, OfferBatch, StationStatus

pytestmark = pytest.mark.broker


@pytest.fixture(scope="module")
def catalogue(house: House) -> Iterator[Catalogue]:
    house.layout.create()
    with house.catalogue() as catalogue:
        yield catalogue


@pytest.fixture(scope="module")
def office(house: House, catalogue: Catalogue) -> Iterator[Office]:
    stop = threading.Event()
    with MqttClient(house.config.broker.address(ca.OFFICE), SUBSCRIPTIONS) as client:
        thread = threading.Thread(target=Fleet(client, catalogue, news_s=0.0).run, args=(stop,))
        thread.start()
        yield Office(catalogue, house.layout)
        stop.set()
        thread.join(timeout=10)


@pytest.fixture
def station(house: House) -> Iterator[StationClient]:
    with house.station(f"s-{new_id()[:8]}") as client:
        yield client


def row(office: Office, name: str) -> StationRow | None:
    return next((one for one in office.stations() if one.station == name), None)


def say(station: StationClient, **values: object) -> None:
    status = StationStatus(station=station.station, online=True, **values)  # type: ignore[arg-type]
    station.publish(topics.status(station.station), codec.encode(status))


def test_what_a_station_says_of_itself_is_what_the_office_shows(office: Office, station: StationClient) -> None:
    say(station, waiting=7, fault="CAM-02", last_verdicts=("ok", "warn"), job_title="Số đỏ")
    eventually(lambda: (found := row(office, station.station)) and found.waiting == 7)
    found = row(office, station.station)
    assert found is not None
    assert (found.online, found.fault, found.job_title) == (True, "CAM-02", "Số đỏ")
    assert found.last_verdicts == ("ok", "warn")
    assert found.last_seen_at is not None


def test_nonsense_as_a_status_changes_nothing(office: Office, station: StationClient) -> None:
    say(station, waiting=3)
    eventually(lambda: (found := row(office, station.station)) and found.waiting == 3)
    other = codec.encode(StationStatus(station="somebody-else", online=True))
    for payload in (b"nonsense", other, b'{"v": 9}'):
        station.publish(topics.status(station.station), payload)
    say(station, waiting=4)
    eventually(lambda: (found := row(office, station.station)) and found.waiting == 4)
    assert row(office, "somebody-else") is None


def next_command(station: StationClient) -> object:
    while True:
        message = station.received.get(timeout=20)
        if message.topic == topics.commands(station.station):
            return codec.decode_command(message.payload)


def test_a_command_comes_again_until_it_is_answered(office: Office, station: StationClient) -> None:
    station.subscribe(topics.commands(station.station))
    office.locate(station.station)
    first, second = next_command(station), next_command(station)
    assert isinstance(first, Locate)
    assert first == second
    say(station, answered=(first.command_id,))
    eventually(lambda: first.command_id not in open_commands(office))


def open_commands(office: Office) -> set[str]:
    from central import clock
    from central.catalogue import fleet_records

    with office._catalogue.read() as connection:
        return {one for _, one, _ in fleet_records.open_commands(connection, clock.now())}


def test_one_station_cannot_answer_for_another(office: Office, house: House, station: StationClient) -> None:
    with house.station(f"o-{new_id()[:8]}") as other:
        other.subscribe(topics.commands(other.station))
        office.locate(other.station)
        command = next_command(other)
        assert isinstance(command, Locate)
        say(station, answered=(command.command_id,), waiting=1)
        eventually(lambda: (found := row(office, station.station)) and found.waiting == 1)
        assert command.command_id in open_commands(office)


def test_a_batch_reaches_every_approved_station_whole(house: House, office: Office, station: StationClient) -> None:
    station.subscribe(topics.commands(station.station))
    file = house.folder / "lô.csv"
    file.write_text("barcode;title\nVN1;Số đỏ\n", encoding="utf-8-sig")
    batch, _ = send_batch(house.config, file, "Lô 1")
    command = next_command(station)
    assert isinstance(command, OfferBatch)
    assert codec.decode_batch(command.document.encode()) == batch
    with house.worker():
        station.deliver(job_list(station.station, [], item_id=batch.items[0].item.item_id))
    while isinstance(command, OfferBatch) and command.object.revision == 1:
        command = next_command(station)
    assert isinstance(command, OfferBatch)
    told = codec.decode_batch(command.document.encode()).items[0].digitised
    assert told
    assert told.station == station.station


def test_a_station_that_was_shut_out_is_shown_no_more(house: House, office: Office) -> None:
    name = f"g-{new_id()[:8]}"
    with house.station(name) as client:
        say(client)
        eventually(lambda: row(office, name))
        provision.revoke_station(house.config, name)
    assert row(office, name) is None
    with pytest.raises(KeyError):
        office.locate(name)


class FullForAWhile(Catalogue):
    """A catalogue on a disk that is full for the first few writes."""

    refusals = 0

    @classmethod
    def opened(cls, url: str) -> "FullForAWhile":
        """Open it, and let its disk be full from then on."""
        full = cls(url)
        full.refusals = 2
        return full

    @contextlib.contextmanager
    def write(self) -> Iterator[Connection]:
        if self.refusals:
            self.refusals -= 1
            raise CatalogueError("CAT-01", "The disk is full.", "Make room.")
        with super().write() as connection:
            yield connection


def test_a_status_that_the_catalogue_could_not_take_is_kept_until_it_can(
    house: House, catalogue: Catalogue, station: StationClient
) -> None:
    stop = threading.Event()
    with (
        FullForAWhile.opened(house.config.database_url) as full,
        MqttClient(house.config.broker.address(ca.OFFICE), SUBSCRIPTIONS) as client,
    ):
        thread = threading.Thread(target=Fleet(client, full).run, args=(stop,))
        thread.start()
        try:
            eventually(lambda: say(station, waiting=11) or full.refusals == 0)
            shown = Office(catalogue, house.layout)
            eventually(lambda: (found := row(shown, station.station)) and found.waiting == 11)
            assert thread.is_alive()
        finally:
            stop.set()
            thread.join(timeout=10)
