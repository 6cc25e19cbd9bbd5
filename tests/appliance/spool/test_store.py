"""What the spool promises the station, and what it tells the publisher."""

import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from appliance.api import Delivery
from appliance.spool import Outbox, PublisherState, Spool, StationState
from appliance.spool.files import Disk
from appliance.spool.schema import Index
from appliance.spool.state import Clock
from tests.appliance.spool.making import POLICY, STATION, Maker
from tests.racing import what_openers_hear
from wire.codec import encode
from wire.digest import sha256_of
from wire.documents import BatchDocument
from wire.messages import Complete, Locate, Missing, ObjectRef, OfferBatch, Receipt, Rejected, Resend

OpenSpool = Callable[..., Spool]


def receipt_for(outbox: Outbox, ref: ObjectRef) -> Receipt:
    [pending] = [one for one in outbox.pending(100) if one.ref == ref]
    return Receipt(object=ref, files=pending.files, worker="w1", stored_at="2026-01-02T03:04:05Z")


def test_a_capture_goes_from_safe_to_released(open_spool: OpenSpool, folder: Path, make: Maker) -> None:
    spool = open_spool()
    make.add(spool, "a", processed=False)
    assert spool.unprocessed() == ("a",)
    assert spool.row("a").state is Delivery.SAFE
    spool.add_pages(make.pages("a"), make.page_bytes("a"))
    assert spool.unprocessed() == ()
    assert spool.append_change("job-1", b'{"type":"handed-over"}') == 1
    spool.queue_list(make.job_list(2, "a"))
    with Outbox.open(folder) as outbox:
        kinds = [pending.ref.kind for pending in outbox.pending(10)]
        assert kinds == ["job_list", "capture"]
        outbox_files = outbox.pending(10)[1].files
        assert outbox.record_receipt(receipt_for(outbox, ObjectRef("capture", "a")))
        assert spool.row("a").state is Delivery.RECEIVED
        assert spool.release_due() == ()
        ref = ObjectRef("job_list", "job-1", 2)
        assert outbox.record_receipt(receipt_for(outbox, ref))
        assert spool.release_due() == ()
        outbox.record_list_answer(Complete(object=ref, captures=1))
        late = Receipt(
            object=ObjectRef("capture", "a"), files=outbox_files, worker="w", stored_at="2026-01-02T03:04:05Z"
        )
        assert spool.jobs()[0].complete
        assert spool.release_due() == ("a",)
        assert outbox.record_receipt(late), "a receipt may come at any time"
        assert spool.release_due() == ()
    assert not (folder / "captures" / "a").exists()
    assert spool.row("a").state is Delivery.RELEASED
    with pytest.raises(KeyError):
        spool.capture("a")
    assert open_spool().row("a").state is Delivery.RELEASED


def test_the_event_log_counts_what_was_safe_and_nothing_else(open_spool: OpenSpool, folder: Path, make: Maker) -> None:
    spool = open_spool()
    for capture_id in "abc":
        make.add(spool, capture_id, processed=False)
    events = [json.loads(line) for line in (folder / "log" / "events.jsonl").read_text().splitlines()]
    assert [(event["event"], event["capture_id"], event["sequence"], event["job_id"]) for event in events] == [
        ("capture.safe", "a", 1, "job-1"),
        ("capture.safe", "b", 2, "job-1"),
        ("capture.safe", "c", 3, "job-1"),
    ]


def test_a_capture_is_added_once_and_with_the_frames_it_names(open_spool: OpenSpool, make: Maker) -> None:
    spool = open_spool()
    with pytest.raises(ValueError, match="not those"):
        spool.add_capture(make.facts("a", 1), {"frame-1.jpg": b"short"})
    make.add(spool, "a")
    with pytest.raises(ValueError, match="safe already"):
        spool.add_capture(make.facts("a", 1), make.frames("a"))
    with pytest.raises(KeyError):
        spool.add_pages(make.pages("nobody"), make.page_bytes("nobody"))
    spool.add_pages(make.pages("a"), make.page_bytes("a"))
    assert spool.counts().safe == 1


def test_attempts_are_counted_across_restarts(open_spool: OpenSpool, make: Maker) -> None:
    make.add(open_spool(), "a", processed=False)
    assert open_spool().note_attempt("a") == 1
    assert open_spool().note_attempt("a") == 2
    assert open_spool().attempts("a") == 2
    with pytest.raises(KeyError):
        open_spool().note_attempt("nobody")


def test_a_path_leads_to_files_of_captures_and_nowhere_else(open_spool: OpenSpool, make: Maker) -> None:
    spool = open_spool()
    make.add(spool, "a")
    assert spool.path("a", "left.jpg").read_bytes() == make.page_bytes("a")["left.jpg"]
    for capture_id, name in [("a", "../../station.db"), ("..", "station.db"), ("a", "none.jpg"), ("b", "left.jpg")]:
        with pytest.raises(KeyError):
            spool.path(capture_id, name)


def test_a_receipt_with_other_digests_is_not_a_receipt(open_spool: OpenSpool, folder: Path, make: Maker) -> None:
    spool = open_spool()
    make.add(spool, "a")
    ref = ObjectRef("capture", "a")
    with Outbox.open(folder) as outbox:
        whole = receipt_for(outbox, ref)
        changed = whole.files[0].__class__(whole.files[0].name, whole.files[0].size, "0" * 64)
        for files in (whole.files[:-1], (changed, *whole.files[1:]), (*whole.files, whole.files[0])):
            assert not outbox.record_receipt(Receipt(object=ref, files=files, worker="w", stored_at=whole.stored_at))
            assert spool.row("a").state is Delivery.PROCESSED
        assert outbox.record_receipt(whole)
        assert outbox.record_receipt(whole)
    assert spool.counts().received == 1


def test_what_is_rejected_stays_until_a_manager_asks_for_it_again(
    open_spool: OpenSpool, folder: Path, make: Maker
) -> None:
    spool = open_spool()
    make.add(spool, "a")
    with Outbox.open(folder) as outbox:
        outbox.record_rejection(Rejected(object=ObjectRef("capture", "a"), code="digest_conflict"))
        assert outbox.pending(10) == ()
        assert (spool.row("a").state, spool.row("a").rejected_code) == (Delivery.REJECTED, "digest_conflict")
        resend = Resend(command_id="c1", captures=("a", "unknown"))
        outbox.accept(resend)
        assert outbox.answered() == ("c1",)
        assert [pending.ref.id for pending in outbox.pending(10)] == ["a"]
        outbox.record_rejection(Rejected(object=ObjectRef("capture", "a"), code="digest_conflict"))
        outbox.accept(resend)
        assert outbox.pending(10) == (), "a repeated command is not carried out again"


def test_a_job_that_changed_after_its_list_was_answered_keeps_its_captures(
    open_spool: OpenSpool, folder: Path, make: Maker
) -> None:
    spool = open_spool()
    make.add(spool, "a")
    spool.append_change("job-1", b"{}")
    spool.queue_list(make.job_list(2, "a"))
    with Outbox.open(folder) as outbox:
        for pending in outbox.pending(10):
            outbox.record_receipt(receipt_for(outbox, pending.ref))
        spool.append_change("job-1", b'{"reopened":1}')
        outbox.record_list_answer(Complete(object=ObjectRef("job_list", "job-1", 2), captures=1))
    assert spool.release_due() == ()
    spool.queue_list(make.job_list(3, "a", state="open"))
    with Outbox.open(folder) as outbox:
        outbox.record_receipt(receipt_for(outbox, ObjectRef("job_list", "job-1", 3)))
        outbox.record_list_answer(Complete(object=ObjectRef("job_list", "job-1", 3), captures=1))
    assert spool.release_due() == (), "an open list releases nothing"


def test_what_the_centre_misses_is_sent_again_although_it_was_received(
    open_spool: OpenSpool, folder: Path, make: Maker
) -> None:
    spool = open_spool()
    make.add(spool, "a")
    spool.append_change("job-1", b"{}")
    spool.queue_list(make.job_list(2, "a"))
    with Outbox.open(folder) as outbox:
        for pending in outbox.pending(10):
            outbox.record_receipt(receipt_for(outbox, pending.ref))
        assert outbox.pending(10)[0].outstanding == 0
        outbox.record_list_answer(Missing(object=ObjectRef("job_list", "job-1", 2), captures=("a",), total=1))
        assert [(pending.ref.kind, pending.outstanding) for pending in outbox.pending(10)] == [
            ("job_list", 1),
            ("capture", 0),
        ]
    assert spool.jobs()[0].missing == 1


def test_a_newer_list_takes_the_place_of_an_older_one(open_spool: OpenSpool, folder: Path, make: Maker) -> None:
    spool = open_spool()
    make.add(spool, "a")
    spool.queue_list(make.job_list(1, "a"))
    spool.queue_list(make.job_list(1, "a"))
    spool.queue_list(make.job_list(4, "a"))
    with pytest.raises(ValueError, match="Revision 4"):
        spool.queue_list(make.job_list(4))
    with Outbox.open(folder) as outbox:
        assert [pending.ref.revision for pending in outbox.pending(10)] == [4, 0]
        assert outbox.pending(0)[0].inline == {"list.json"}


def test_commands_reach_the_station_once_and_batches_are_kept(open_spool: OpenSpool, folder: Path) -> None:
    spool = open_spool()
    document = encode(BatchDocument(batch_id="lot-1", name="Lô 1", revision=2, items=())).decode()
    batch = OfferBatch(
        command_id="c2", object=ObjectRef("batch", "lot-1"), document=document, sha256=sha256_of(document.encode())
    )
    with Outbox.open(folder) as outbox:
        outbox.accept(Locate(command_id="c1"))
        assert outbox.answered() == ()
        assert spool.take_commands() == (Locate(command_id="c1"),)
        assert spool.take_commands() == ()
        outbox.accept(Locate(command_id="c1"))
        assert spool.take_commands() == ()
        assert outbox.answered() == ("c1",)
        outbox.accept(msgspec.structs.replace(batch, command_id="c3", sha256="0" * 64))
        assert spool.batches() == ()
        outbox.accept(batch)
        assert outbox.answered() == ("c2", "c1")
    assert [one.name for one in spool.batches()] == ["Lô 1"]


def test_a_service_that_falls_silent_is_unknown(folder: Path) -> None:
    now_ns = [10**12]
    clock = Clock(monotonic_ns=lambda: now_ns[0])
    with Spool.open(folder, STATION, POLICY, clock=clock) as spool, Outbox.open(folder, clock=clock) as outbox:
        assert (spool.read_publisher_state(), outbox.read_station_state()) == (None, None)
        outbox.write_state(PublisherState(link="online"))
        spool.write_station_state(StationState(state="ready"))
        assert (spool.read_publisher_state().link, outbox.read_station_state().state) == ("online", "ready")
        now_ns[0] += 11 * 10**9
        assert (spool.read_publisher_state(), outbox.read_station_state()) == (None, None)
        now_ns[0] = 0
        assert spool.read_publisher_state() is None, "a heartbeat from the future is of another run"


def test_either_service_sees_what_the_other_has_committed(open_spool: OpenSpool, folder: Path, make: Maker) -> None:
    with Outbox.open(folder) as outbox:
        spool = open_spool()
        before = outbox.data_version()
        make.add(spool, "a")
        assert outbox.data_version() != before
        before = spool.data_version()
        assert spool.data_version() == before
        outbox.record_receipt(receipt_for(outbox, ObjectRef("capture", "a")))
        assert spool.data_version() != before


def test_files_may_be_shared_by_two_users_of_one_group(folder: Path, make: Maker) -> None:
    before = os.umask(0o007)
    try:
        with Spool.open(folder, STATION, POLICY) as spool:
            make.add(spool, "a")
            spool.append_change("job-1", b"{}")
            modes = {path.name: path.stat().st_mode & 0o777 for path in folder.rglob("*")}
            folders = {path.name for path in folder.rglob("*") if path.is_dir()}
    finally:
        os.umask(before)
    assert {name: oct(mode) for name, mode in modes.items() if mode != (0o770 if name in folders else 0o660)} == {}


def test_a_long_event_log_begins_anew_and_the_one_before_is_kept(folder: Path, open_spool: OpenSpool) -> None:
    open_spool().close()
    with (folder / "log" / "events.jsonl").open("ab") as log:
        log.truncate(33 * 2**20)
    open_spool().log_event("test")
    assert (folder / "log" / "events.jsonl").stat().st_size < 1000
    assert (folder / "log" / "events.1.jsonl").stat().st_size == 33 * 2**20


def test_several_threads_may_use_the_spool_at_once(open_spool: OpenSpool, make: Maker) -> None:
    spool = open_spool()

    def work(name: str) -> None:
        for number in range(10):
            make.add(spool, f"{name}-{number}")
            spool.append_change("job-1", name.encode())
            spool.jobs()

    with ThreadPoolExecutor(3) as pool:
        for done in [pool.submit(work, name) for name in ("x", "y", "z")]:
            done.result(timeout=60)
    rows = spool.captures_of("job-1")
    assert len({row.sequence for row in rows}) == len(rows) == 30
    assert spool.jobs()[0].changes == len(spool.changes("job-1")) == 30


def test_two_services_that_open_a_new_index_at_the_same_moment_both_get_it(tmp_path: Path) -> None:
    assert what_openers_hear(_open_new, tmp_path, 150) == []


def _open_new(file: Path) -> None:
    Index(file, Disk()).close()


def test_an_event_after_a_power_cut_has_a_line_of_its_own(folder: Path, open_spool: OpenSpool) -> None:
    open_spool().close()
    with (folder / "log" / "events.jsonl").open("ab") as log:
        log.write(b'{"event": "capt\0\0')
    spool = open_spool()
    spool.log_event("test")
    spool.close()
    lines = (folder / "log" / "events.jsonl").read_bytes().splitlines()
    assert json.loads(lines[-1])["event"] == "test"
    open_spool().close()
    assert (folder / "log" / "events.jsonl").read_bytes().splitlines() == lines
