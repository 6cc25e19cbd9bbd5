"""A capture that a cut line leaves half sent is continued where it stopped, also after its lease; by its own worker."""

from collections.abc import Iterator
from dataclasses import replace

import msgspec
import pytest

from tests.central.house import House, eventually
from tests.central.station_client import Package, StationClient, capture
from wire import topics
from wire.ids import new_id
from wire.limits import MIB
from wire.messages import Busy, FileEntry, Grant, Receipt, Span

pytestmark = pytest.mark.broker
CHUNK = 4096


def with_limits(house: House, **limits: object) -> House:
    """The same house with other limits."""
    other = object.__new__(House)
    other.__dict__.update(house.__dict__)
    other.config = replace(house.config, limits=replace(house.config.limits, lease_s=1.0, **limits))
    return other


@pytest.fixture
def station(house: House) -> Iterator[StationClient]:
    with house.station(f"s-{new_id()[:8]}") as client:
        yield client


def begin(station: StationClient, package: Package, chunks: int) -> Grant:
    station.offer(package)
    grant = station.reply(Grant)
    for topic, data in station.chunks(grant, package)[:chunks]:
        station.publish(topic, data)
    return grant


def missing(station: StationClient, grant: Grant, package: Package) -> list[tuple[str, bytes]]:
    """The chunks that the grant does not name as held."""
    held = {one.file: one.spans for one in grant.have}
    return [
        (topic, data)
        for topic, data in station.chunks(msgspec.structs.replace(grant, have=()), package)
        for address in [topics.parse_chunk(topic)]
        if not any(span.start <= address.offset < span.end for span in held.get(address.file, ()))
    ]


def is_continued(grant: Grant) -> bool:
    return any(held.file == "frame-1.jpg" for held in grant.have)


def after_the_lease(house: House, station: StationClient, package: Package) -> Grant:
    """Offer again when the worker has certainly let go of the grant: one place, and another object gets it."""
    other = capture(station.station)

    def has_place() -> bool:
        station.offer(other)
        return isinstance(station.reply(Grant, Busy, Receipt), Grant)

    eventually(has_place)
    station.deliver(other)
    station.offer(package)
    return station.reply(Grant)


def test_what_came_before_a_cut_is_not_sent_again_even_after_the_lease(house: House, station: StationClient) -> None:
    package = capture(station.station, frame=b"abc" * CHUNK)
    with with_limits(house, max_grants=1).worker():
        first = begin(station, package, 2)
        second = after_the_lease(house, station, package)
        assert second.grant_id == first.grant_id
        [frame] = [held for held in second.have if held.file == "frame-1.jpg"]
        assert frame.spans == (Span(0, 2 * CHUNK),)
        for topic, data in missing(station, second, package):
            station.publish(topic, data)
        receipt = station.reply(Receipt)
    assert set(receipt.files) == set(package.entries)
    stored = (house.layout.staging / package.ref.id / "frame-1.jpg").read_bytes()
    assert stored == package.files["frame-1.jpg"]
    assert not list(house.layout.incoming.glob("w1.*/"))


def test_other_files_under_the_same_id_begin_anew(house: House, station: StationClient) -> None:
    package = capture(station.station, frame=b"abc" * CHUNK)
    with with_limits(house, max_grants=1).worker():
        first = begin(station, package, 2)
        changed = capture(station.station, frame=b"xyz" * CHUNK, capture_id=package.ref.id)
        second = after_the_lease(house, station, changed)
        assert second.grant_id != first.grant_id
        assert not is_continued(second)
        assert not list(house.layout.incoming.glob(f"*{first.grant_id}")), "what came before is thrown away"


def test_another_station_finds_nothing_of_it(house: House, station: StationClient) -> None:
    package = capture(station.station, frame=b"abc" * CHUNK)
    with with_limits(house, max_grants=1).worker(), house.station(f"s-{new_id()[:8]}") as other:
        first = begin(station, package, 2)
        theirs = replace(package, station=other.station)
        grant = after_the_lease(house, other, theirs)
        assert grant.grant_id != first.grant_id
        assert not is_continued(grant)


def test_nothing_is_kept_longer_than_its_time(house: House, station: StationClient) -> None:
    package = capture(station.station, frame=b"abc" * CHUNK)
    with with_limits(house, keep_s=0.5).worker():
        first = begin(station, package, 2)
        eventually(lambda: not list(house.layout.incoming.glob(f"*{first.grant_id}")))


def test_an_object_that_has_come_another_way_is_no_longer_kept(house: House, station: StationClient) -> None:
    package = capture(station.station, frame=b"abc" * CHUNK)
    with with_limits(house, max_grants=1).worker("w1"):
        first = begin(station, package, 2)
        eventually(lambda: list(house.layout.incoming.glob(f"*{first.grant_id}")))
        # The other worker of this group may be the one that gets the offers: each offer goes to one of the two.
        with with_limits(house).worker("w2"):

            def has_come() -> bool:
                station.offer(package)
                reply = station.reply(Grant, Receipt)
                if isinstance(reply, Grant) and reply.worker == "w2":
                    for topic, data in station.chunks(reply, package):
                        station.publish(topic, data)
                    return isinstance(station.reply(Receipt), Receipt)
                return isinstance(reply, Receipt)

            eventually(has_come)
        station.offer(package)
        station.reply(Receipt)
        eventually(lambda: not list(house.layout.incoming.glob("w1.*/")))


def test_what_is_kept_makes_room_for_what_is_offered(house: House, station: StationClient) -> None:
    package = capture(station.station, frame=b"abc" * CHUNK)
    huge = capture(station.station)
    entries = tuple(enlarged(entry) for entry in huge.entries)
    reserve_bytes = house.layout.free_bytes() - 512 * MIB
    with with_limits(house, max_grants=1, reserve_bytes=reserve_bytes).worker():
        first = begin(station, package, 2)

        def is_turned_away_for_room() -> bool:
            station.offer(huge, files=entries)
            reply = station.reply(Grant, Busy)
            return isinstance(reply, Busy) and reply.retry_after_s > 10

        eventually(is_turned_away_for_room)
        assert not (house.layout.incoming / f"w1.{first.grant_id}").exists(), "it went before anybody was turned away"


def enlarged(entry: FileEntry) -> FileEntry:
    """The entry of a frame that claims a GiB."""
    return msgspec.structs.replace(entry, size=2**30) if entry.name == "frame-1.jpg" else entry
