"""A worker and the real broker: what comes in, comes in whole, once, or is answered in words."""

import json
from collections.abc import Iterator
from dataclasses import replace

import msgspec
import pytest

from central.authority import ca
from central.authority.admin import Admin
from central.catalogue import queries
from central.receiving.staging import RECEIPT_FILE
from tests.central.house import House, eventually
from tests.central.station_client import Package, StationClient, capture, job_list
from wire import codec, limits, topics
from wire.digest import sha256_of
from wire.ids import new_id
from wire.messages import Again, Complete, Grant, Missing, ObjectRef, Progress, Receipt, Rejected, Span

pytestmark = pytest.mark.broker


@pytest.fixture(scope="module", autouse=True)
def worker(house: House) -> Iterator[None]:
    with house.worker():
        yield


@pytest.fixture
def station(house: House) -> Iterator[StationClient]:
    with house.station(f"s-{new_id()[:8]}") as client:
        yield client


def quarantined(house: House) -> int:
    with house.catalogue() as catalogue, catalogue.read() as connection:
        return queries.totals(connection).quarantined


def test_a_capture_arrives_whole_and_is_proved_by_its_receipt(house: House, station: StationClient) -> None:
    package = capture(station.station, frame=bytes(range(256)) * 200)
    receipt = station.deliver(package)
    assert set(receipt.files) == set(package.entries)
    folder = house.layout.staging / package.ref.id
    assert {path.name for path in folder.iterdir()} == {*package.files, RECEIPT_FILE}
    for name, data in package.files.items():
        assert (folder / name).read_bytes() == data
    assert codec.decode_reply((folder / RECEIPT_FILE).read_bytes()) == receipt


def test_the_same_capture_offered_again_gets_the_same_receipt_and_no_grant(station: StationClient) -> None:
    package = capture(station.station)
    first = station.deliver(package)
    station.offer(package)
    assert station.reply(Receipt, Grant) == first


def test_other_files_under_a_known_id_are_a_conflict(station: StationClient) -> None:
    package = capture(station.station)
    station.deliver(package)
    other = capture(station.station, capture_id=package.ref.id, frame=b"another frame")
    station.offer(other)
    assert station.reply(Rejected, Grant).code == "digest_conflict"


def test_documents_that_came_inline_are_held_from_the_start(station: StationClient) -> None:
    station.offer(capture(station.station))
    grant = station.reply(Grant)
    assert {held.file for held in grant.have} == {"capture.json", "pages.json"}
    assert grant.inbox == topics.inbox("w1")


def test_progress_says_what_is_held_and_opens_the_window(station: StationClient) -> None:
    package = capture(station.station, frame=b"x" * 4096 * 8)
    station.offer(package)
    grant = station.reply(Grant)
    topic, data = station.chunks(grant, package)[0]
    station.publish(topic, data)
    progress = station.reply(Progress)
    held = {one.file: one.spans for one in progress.held}
    assert progress.grant_id == grant.grant_id
    assert held["frame-1.jpg"] == (Span(0, 4096),)


def test_chunks_in_any_order_and_twice_make_the_same_capture(house: House, station: StationClient) -> None:
    package = capture(station.station, frame=bytes(range(251)) * 100)
    station.offer(package)
    grant = station.reply(Grant)
    chunks = station.chunks(grant, package)
    for topic, data in [*reversed(chunks[1:]), *chunks]:
        station.publish(topic, data)
    assert set(station.reply(Receipt).files) == set(package.entries)
    assert (house.layout.staging / package.ref.id / "frame-1.jpg").read_bytes() == package.files["frame-1.jpg"]


def test_an_offer_repeated_while_it_is_under_way_gets_the_same_grant(station: StationClient) -> None:
    package = capture(station.station)
    station.offer(package)
    first = station.reply(Grant)
    topic, data = station.chunks(first, package)[0]
    station.publish(topic, data)
    station.offer(package)
    second = station.reply(Grant)
    assert second.grant_id == first.grant_id
    assert "frame-1.jpg" in {held.file for held in second.have}


def test_bytes_that_changed_on_the_way_are_asked_for_again_and_then_taken(station: StationClient) -> None:
    package = capture(station.station, frame=b"right bytes")
    station.offer(package)
    grant = station.reply(Grant)
    for topic, data in station.chunks(grant, package):
        station.publish(topic, b"wrong bytes" if data == b"right bytes" else data)
    again = station.reply(Again)
    assert (again.file, again.spans) == ("frame-1.jpg", (Span(0, 11),))
    address = topics.ChunkAddress("w1", station.station, grant.grant_id, "frame-1.jpg", 0)
    station.publish(topics.chunk(address), b"right bytes")
    station.reply(Receipt)


def test_bytes_that_are_wrong_twice_are_rejected_and_leave_nothing(house: House, station: StationClient) -> None:
    package = capture(station.station, frame=b"right bytes")
    station.offer(package)
    grant = station.reply(Grant)
    address = topics.ChunkAddress("w1", station.station, grant.grant_id, "frame-1.jpg", 0)
    for _ in range(2):
        station.publish(topics.chunk(address), b"wrong bytes")
    assert station.reply(Rejected).code == "digest_mismatch"
    assert not (house.layout.staging / package.ref.id).exists()
    assert not list(house.layout.incoming.glob(f"*{grant.grant_id}"))


def test_a_lost_chunk_is_named_when_half_the_lease_is_over(station: StationClient) -> None:
    package = capture(station.station, frame=b"x" * 4096 * 3)
    station.offer(package)
    chunks = station.chunks(station.reply(Grant), package)
    for topic, data in (chunks[0], chunks[2]):
        station.publish(topic, data)
    again = station.reply(Again)
    assert (again.file, again.spans) == ("frame-1.jpg", (Span(4096, 8192),))


def _changed(package: Package, **documents: bytes) -> Package:
    files = {**package.files, **{name.replace("_json", ".json"): data for name, data in documents.items()}}
    return replace(package, files=files)


def test_documents_that_contradict_their_offer_are_rejected_as_malformed(station: StationClient) -> None:
    good = capture(station.station)
    other = capture(station.station)
    stranger = capture("somebody-else", capture_id=good.ref.id)
    for bad in (
        _changed(good, capture_json=b"{}"),
        _changed(good, pages_json=b"not json"),
        _changed(good, capture_json=other.files["capture.json"]),
        _changed(good, pages_json=other.files["pages.json"]),
        _changed(good, capture_json=stranger.files["capture.json"]),
        replace(good, files={**good.files, "frame-1.jpg": b"another frame than capture.json says"}),
    ):
        station.offer(bad)
        grant = station.reply(Grant)
        for topic, data in station.chunks(grant, bad):
            station.publish(topic, data)
        assert station.reply(Rejected, Receipt).code == "malformed"
    station.deliver(good)


@pytest.mark.parametrize("missing", ["capture.json", "pages.json"])
def test_a_capture_without_its_documents_is_not_granted(station: StationClient, missing: str) -> None:
    package = capture(station.station)
    files = {name: data for name, data in package.files.items() if name != missing}
    inline = tuple(name for name in package.inline if name != missing)
    station.offer(replace(package, files=files, inline=inline))
    assert station.reply(Rejected, Grant).code == "malformed"


def test_an_offer_larger_than_any_object_may_be_is_too_large(station: StationClient) -> None:
    package = capture(station.station)
    huge = tuple(msgspec.structs.replace(entry, size=limits.MAX_FILE_BYTES) for entry in package.entries)
    station.offer(package, files=huge, inline={})
    assert station.reply(Rejected, Grant).code == "too_large"


def test_a_batch_from_a_station_is_of_no_kind_that_is_taken(station: StationClient) -> None:
    package = capture(station.station)
    station.offer(package, object=ObjectRef("batch", "b"))
    assert station.reply(Rejected, Grant).code == "unknown_kind"


def test_inline_text_with_another_digest_is_refused_at_once(station: StationClient) -> None:
    package = capture(station.station)
    wrong = {name: text.replace("0", "1") for name, text in package.offer().inline.items()}
    station.offer(package, inline=wrong)
    assert station.reply(Rejected, Grant).code == "digest_mismatch"


def test_nonsense_is_counted_kept_out_of_the_records_and_does_not_stop_the_worker(
    house: House, station: StationClient
) -> None:
    before, package = quarantined(house), capture(station.station)
    offer = json.loads(codec.encode(package.offer()))
    nonsense = [
        b"\xff\xfe secret words",
        b"[]",
        b"[" * 100_000,
        json.dumps({**offer, "v": 2}).encode(),
        json.dumps({**offer, "station": "somebody-else"}).encode(),
        json.dumps({**offer, "files": []}).encode(),
        json.dumps({**offer, "object": {"kind": "capture", "id": "../../etc"}}).encode(),
        json.dumps({**offer, "pad": "x" * limits.MAX_OFFER_BYTES}).encode(),
    ]
    for payload in nonsense:
        station.publish(topics.offers(station.station), payload)
    eventually(lambda: quarantined(house) == before + len(nonsense))
    records = (house.layout.quarantine / "w1.jsonl").read_text()
    assert "secret words" not in records
    assert sha256_of(nonsense[0]) in records
    station.deliver(package)


def test_chunks_that_fit_no_grant_are_counted_and_dropped(house: House, station: StationClient) -> None:
    before, package = quarantined(house), capture(station.station, frame=b"x" * 9000)
    station.offer(package)
    grant = station.reply(Grant)
    inbox = f"{grant.inbox}/{station.station}"
    station.publish(f"{inbox}/{grant.grant_id}/frame-1.jpg/0", b"x" * 4096)
    for topic, data in (
        (f"{inbox}/{new_id()}/frame-1.jpg/0", b"x"),
        (f"{inbox}/{grant.grant_id}/other.jpg/0", b"x"),
        (f"{inbox}/{grant.grant_id}/frame-1.jpg/8999", b"xx"),
        (f"{inbox}/{grant.grant_id}/frame-1.jpg/-1", b"x"),
        (f"{inbox}/{grant.grant_id}/frame-1.jpg/99999999999999999999", b"x"),
        (f"{inbox}/{grant.grant_id}/frame-1.jpg/4000", b"x" * 200),
        (f"{inbox}/{grant.grant_id}/frame-1.jpg/5000", b""),
        (f"{inbox}/{grant.grant_id}/frame-1.jpg/4096", b"x" * 4097),
        (f"{inbox}/{grant.grant_id}/frame-1.jpg", b"x"),
        (f"{inbox}/{grant.grant_id}/../../frame-1.jpg/0", b"x"),
    ):
        station.publish(topic, data)
    eventually(lambda: quarantined(house) == before + 10)
    for topic, data in station.chunks(grant, package):
        station.publish(topic, data)
    station.reply(Receipt)


def test_a_message_over_the_limit_ends_the_connection_not_the_worker(house: House, station: StationClient) -> None:
    other = house.station(f"big-{new_id()[:8]}")
    try:
        other.connect()
        topic = f"{topics.inbox('w1')}/{other.station}/g/f/0"
        other.client.publish(topic, b"x" * (limits.MAX_PACKET_BYTES + 1), qos=1)
        other.disconnected.get(timeout=10)
    finally:
        other.close()
    station.deliver(capture(station.station))


def test_a_list_that_is_handed_over_is_answered_with_what_is_missing_and_then_complete(station: StationClient) -> None:
    job_id = new_id()
    here, late = capture(station.station, job_id=job_id), capture(station.station, job_id=job_id)
    station.deliver(here)
    package = job_list(station.station, [here.ref.id, late.ref.id], job_id=job_id)
    first = station.deliver(package)
    missing = station.reply(Missing, Complete)
    assert (missing.captures, missing.total) == ((late.ref.id,), 1)
    station.deliver(late)
    station.offer(package)
    assert station.reply(Receipt) == first
    assert station.reply(Missing, Complete).captures == 2


def test_an_open_list_gets_a_receipt_and_no_verdict_on_what_is_missing(station: StationClient) -> None:
    job_id = new_id()
    station.deliver(job_list(station.station, ["not-here"], job_id=job_id, state="open"))
    station.deliver(capture(station.station))
    assert not any(isinstance(reply, Missing | Complete) for reply in list(station.replies.queue))


def test_two_revisions_of_a_list_are_two_objects_and_the_same_revision_cannot_change(station: StationClient) -> None:
    job_id = new_id()
    station.deliver(job_list(station.station, ["a"], job_id=job_id, revision=1))
    station.deliver(job_list(station.station, ["a", "b"], job_id=job_id, revision=2))
    station.offer(job_list(station.station, ["a", "c"], job_id=job_id, revision=2))
    assert station.reply(Rejected).code == "digest_conflict"


def test_an_empty_offer_only_asks_whether_a_worker_is_there(house: House) -> None:
    before = quarantined(house)
    with Admin(house.config.broker.address(ca.ADMIN)) as admin:
        assert admin.worker_present()
    assert quarantined(house) == before
