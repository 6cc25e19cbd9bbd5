"""Jobs that end, go on and follow one another, through power cuts."""

import dataclasses
from contextlib import closing

import pytest

from appliance.api import NewJob, SessionState
from appliance.errors import NotNow
from appliance.spool.outbox import Outbox
from wire.codec import decode_job_list, encode
from wire.digest import sha256_of
from wire.documents import BatchDocument, BatchItem, Digitised, ItemRef
from wire.messages import ObjectRef, OfferBatch


def sent(station, job_id: str):
    newest = max(station.folder.glob(f"jobs/{job_id}/list-*.json"))
    return decode_job_list(newest.read_bytes())


def test_what_is_known_of_the_copy_travels_with_the_list(build) -> None:
    station = build()
    job_id = station.front.open_job(
        NewJob("Kiều", "QNG-1", pages_expected=120, rights="public-domain", numbering="leaves", condition=("mould",))
    )
    station.shoot()
    station.front.note_condition(("brittle", "torn"), "bìa rời")
    station.front.hand_over()
    document = sent(station, job_id)
    assert (document.pages_expected, document.rights, document.numbering) == (120, "public-domain", "leaves")
    assert (document.condition, document.condition_note) == (("brittle", "torn"), "bìa rời")


def test_a_job_that_was_handed_over_goes_on_also_after_a_power_cut(station) -> None:
    job_id = station.front.snapshot().job.job_id
    station.shoot()
    station.front.hand_over()
    (done,) = station.front.look_up("VN-001").before
    station.front.reopen_job(done.job_id)
    station.shoot()
    station.stop()
    now = station.start().front.snapshot()
    assert (now.state, now.job.job_id, now.job.entries) == (SessionState.READY, job_id, 2)
    station.front.hand_over()
    assert len(sent(station, job_id).entries) == 2
    assert len(sent(station, job_id).sittings) == 2


def test_only_one_job_is_open_and_only_a_known_one_is_reopened(station) -> None:
    with pytest.raises(KeyError):
        station.front.reopen_job("nowhere")
    station.front.hand_over()
    (done,) = station.front.look_up("VN-001").before
    station.front.open_job(NewJob("Khác"))
    with pytest.raises(NotNow, match="SES-02"):
        station.front.reopen_job(done.job_id)


def test_a_fragile_book_stops_with_a_reason_and_what_there_is_is_sent(station) -> None:
    job_id = station.front.snapshot().job.job_id
    station.shoot()
    station.front.stop_for_conservation("gáy bung")
    document = sent(station, job_id)
    assert (document.state, document.condition_note, len(document.entries)) == ("to_conservation", "gáy bung", 1)
    assert station.front.snapshot().state is SessionState.CLOSED
    assert station.front.look_up("VN-001").before[0].to_conservation
    station.stop()
    assert station.start().front.snapshot().state is SessionState.CLOSED


def test_the_next_part_is_another_item_of_the_same_copy(build) -> None:
    station = build()
    first = station.front.open_job(NewJob("Nam Phong", "NP-1", part="Số 9"))
    station.front.hand_over()
    found = station.front.next_part(first)
    assert (found.barcode, found.item.part, found.item.title) == ("NP-1", "Số 10", "Nam Phong")
    station.front.open_job(NewJob("Nam Phong", "NP-1", part="Số 10", like=first))
    item = station.front.snapshot().job.item
    assert item.part == "Số 10"
    assert item.item_id != found.item.item_id


def test_the_next_part_is_captured_as_the_one_before_was(build) -> None:
    station = build()
    opened = NewJob("Báo", "BAO-1", part="Số 9", parts=2, numbering="none", right_to_left=True, rights="library-only")
    first = station.front.open_job(dataclasses.replace(opened, height_cm=58.0))
    station.front.hand_over()
    found = station.front.next_part(first)
    assert (found.parts, found.numbering, found.right_to_left) == (2, "none", True)
    assert (found.rights, found.height_cm) == ("library-only", 58.0)


def test_a_book_of_another_station_gets_more_captures_with_the_network_off(build) -> None:
    station = build()
    there = Digitised(item_id="made-there", station="tram-09", at="2026-03-01T00:00:00Z")
    book = BatchItem(item=ItemRef(item_id="listed", barcode="QNG-1", title="Kiều"), digitised=there)
    receive(station, BatchDocument(batch_id="lo-1", name="Lô 1", revision=2, items=(book,)))
    assert station.front.look_up("QNG-1").elsewhere.station == "tram-09"
    job_id = station.front.open_job(NewJob("Kiều", "QNG-1", adds=True))
    station.shoot()
    station.front.hand_over()
    assert sent(station, job_id).item.item_id == "made-there"


def test_a_newspaper_in_two_parts_a_page_is_counted_and_handed_over_by_its_pages(build) -> None:
    station = build()
    job_id = station.front.open_job(NewJob("Báo", "BAO-1", parts=2))
    for _ in range(5):
        last = station.shoot()
    station.front.set_page_type(last.last.capture_id, "target")
    shown = station.front.snapshot().job
    assert (shown.entries, shown.pages) == (5, 3)  # two large pages, and the one of the ruler
    assert all(len(one.pages) == 1 for one in shown.latest), "each frame is kept whole"
    station.front.hand_over()
    document = sent(station, job_id)
    told = [one.part and (one.part.page, one.part.part, one.part.of) for one in document.entries]
    assert document.layout == "parts"
    assert told == [(1, 1, 2), (1, 2, 2), (2, 1, 2), (2, 2, 2), None]


def test_two_cameras_never_photograph_parts(build, drawn) -> None:
    station = build(drawn(), drawn(), layout="two-camera")
    station.front.open_job(NewJob("Báo", parts=4))
    assert station.shoot().job.latest[0].part is None


def receive(station, batch: BatchDocument) -> None:
    """Let the publisher take a batch from the centre."""
    document = encode(batch)
    ref = ObjectRef("batch", batch.batch_id, batch.revision)
    with closing(Outbox.open(station.folder)) as outbox:
        outbox.accept(OfferBatch(command_id="c1", object=ref, document=document.decode(), sha256=sha256_of(document)))
