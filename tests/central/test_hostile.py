"""Whatever an approved station or a lying worker says: nobody falls, nothing grows, honest captures arrive."""

import errno
import random
from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from appliance.publisher.transfer import Transfer
from appliance.spool import RetentionPolicy, Spool
from appliance.spool.rows import Pending
from appliance.spool.state import MAX_LOG_BYTES, Clock, EventLog
from benchmarks import hostile_messages as drawn
from benchmarks import hostile_pictures
from benchmarks.captures import draw
from benchmarks.hostile_others import HostileWorker
from benchmarks.hostile_station import HostileStation
from central.audit import audit
from central.config import WorkerLimits
from central.derivatives import Derivatives, PictureChild
from central.doctor import _limits
from central.errors import BrokerError
from central.mqtt import Connected
from central.office import Office
from central.receiving.quarantine import Quarantine
from tests.central.hostile_parts import CentreLine, PublisherLine
from tests.central.house import House
from tests.central.in_process import LIMITS, InProcess
from tests.central.station_client import capture, job_list
from wire import codec, topics
from wire.errors import ProtocolError
from wire.ids import new_id
from wire.limits import MIB
from wire.messages import Busy, FileEntry, Grant, Held, Missing, ObjectRef, Receipt, Rejected, Span, StationStatus

READERS = (
    (("Offer",), codec.decode_offer),
    (("Grant", "Progress", "Receipt", "Busy", "Again", "Rejected", "Complete", "Missing"), codec.decode_reply),
    (("StationStatus",), codec.decode_status),
    (("Locate", "Resend", "Reshoot", "OfferBatch"), codec.decode_command),
    (("CaptureDocument",), codec.decode_capture),
    (("PagesDocument",), codec.decode_pages),
    (("JobListDocument",), codec.decode_job_list),
    (("BatchDocument",), codec.decode_batch),
)
CHANCE = st.randoms(use_true_random=False)
SHARED = settings(deadline=None, max_examples=20, suppress_health_check=list(HealthCheck))
"""One store for all examples: what earlier attacks left behind is part of the attack."""


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InProcess]:
    with InProcess(tmp_path_factory.mktemp("hostile") / "store") as worker:
        yield worker


@settings(deadline=None, max_examples=50)
@given(CHANCE)
def test_whatever_is_drawn_from_the_schemas_and_harmed_is_read_or_refused_with_a_code(chance: random.Random) -> None:
    for names, read in READERS:
        value = drawn.whole(chance.choice(names), chance)
        harmed = drawn.as_bytes(drawn.harmed(value, chance), chance)
        for payload in (drawn.as_bytes(value, chance), harmed, drawn.junk(chance)):
            # Anything but this family of errors would end the process that reads.
            with suppress(ProtocolError):
                read(payload)


@SHARED
@given(st.integers(0, 2**32))
def test_an_approved_station_that_means_harm_stops_nobody(worker: InProcess, seed: int) -> None:
    chance = random.Random(seed)
    stations = [
        HostileStation(name, worker.name, CentreLine(worker, name), chance, writes_only=writes_only)  # type: ignore[arg-type]
        for name, writes_only in (("kho-gian", False), ("kho-ke", True))
    ]
    for number in range(40):
        stations[number % 2].attack()
    honest = capture("kho-1", job_id="honest", item_id="honest")
    assert worker.deliver(honest).object == honest.ref
    limits = LIMITS
    assert len(worker.receiver._ledger) <= limits.max_grants
    folders = [one for one in worker.layout.incoming.iterdir() if one.is_dir()]
    assert len(folders) <= limits.max_grants + limits.max_kept
    office = Office(worker.catalogue, worker.layout)
    assert {row.station for row in office.stations()} >= {"kho-1"}
    for row in office.items(limit=1000):
        office.pages(row.item.item_id)


def test_what_hostile_documents_left_in_the_store_is_whole_and_can_be_adopted_again(worker: InProcess) -> None:
    assert audit(worker.layout, worker.catalogue).faults == ()
    with InProcess(worker.layout.root, "another") as successor:
        assert successor.adopted == 0


@pytest.mark.parametrize("seed", range(4))
def test_a_worker_that_lies_delays_honest_captures_and_changes_none(
    worker: InProcess, tmp_path: Path, seed: int
) -> None:
    chance, station = random.Random(seed), f"s-{new_id()[:8]}"
    with Spool.open(tmp_path / "spool", station, RetentionPolicy(0, 4096)) as spool:
        line = PublisherLine(tmp_path / "spool", station, worker)
        liar = HostileWorker(station, line, chance)  # type: ignore[arg-type]
        for _ in range(4):
            made = draw(station, spool.next_sequence(), 400_000, seed=seed)
            spool.add_capture(made.facts, made.frames)
            spool.add_pages(made.pages, made.page_files)
            offer = made.offer()
            liar.refs.append((offer.object, offer.files))
            for number in range(60):
                liar.attack()
                if number % 6 == 0:
                    line.turn()
        line.turn_until(lambda: spool.counts().received == 4, 4000)
        assert (spool.counts().rejected, spool.counts().damaged) == (0, 0)
        line.close()
    assert (tmp_path / "spool" / "log" / "events.jsonl").stat().st_size < 100_000


def test_a_wait_longer_than_any_honest_worker_asks_for_is_not_obeyed(worker: InProcess, tmp_path: Path) -> None:
    station = f"s-{new_id()[:8]}"
    with Spool.open(tmp_path / "spool", station, RetentionPolicy(0, 4096)) as spool:
        made = draw(station, spool.next_sequence(), 1000, seed=1)
        spool.add_capture(made.facts, made.frames)
        spool.add_pages(made.pages, made.page_files)
        line = PublisherLine(tmp_path / "spool", station, worker)
        line.publisher._look()
        line.send(topics.replies(station), codec.encode(Busy(object=made.offer().object, retry_after_s=86_400)))
        line.turn_until(lambda: spool.counts().received == 1, 4 * 90)
        line.close()


@pytest.mark.timeout(20)
def test_ten_thousand_crumbs_asked_for_again_and_again_do_not_stop_a_station() -> None:
    entry = FileEntry("frame-1.jpg", 6_000_000, "0" * 64)
    ref = ObjectRef("capture", "c")
    crumbs = tuple(Span(at, at + 1) for at in range(0, 33_000, 3))
    transfer = Transfer(Pending(ref, (entry,)))
    held = (Held("frame-1.jpg", crumbs[:4096]),)
    grant = Grant(object=ref, grant_id="g", worker="w", inbox="i", chunk_bytes=1024, window=4, lease_s=60.0, have=held)
    transfer.begin(grant)
    for number in range(8):
        transfer.send_again("frame-1.jpg", tuple(Span(one.start + number, one.end + number) for one in crumbs))
        transfer.send_again("frame-1.jpg", (Span(0, 2**30),) * 10_000)
        assert [tuple(one) for one in transfer.todo] == [("frame-1.jpg", 0, 6_000_000)]


def test_a_receipt_that_is_wrong_is_told_once_however_often_it_comes(worker: InProcess, tmp_path: Path) -> None:
    with Spool.open(tmp_path / "spool", "kho-1", RetentionPolicy(0, 4096)) as spool:
        made = draw("kho-1", spool.next_sequence(), 1000, seed=1)
        spool.add_capture(made.facts, made.frames)
        spool.add_pages(made.pages, made.page_files)
        line = PublisherLine(tmp_path / "spool", "kho-1", worker)
        wrong = (FileEntry("frame-1.jpg", 1, "0" * 64),)
        for ref in (made.offer().object, ObjectRef("capture", "unknown")):
            for number in range(20):
                receipt = Receipt(object=ref, files=wrong, worker="w", stored_at=f"2026-01-02T03:04:{number:02d}Z")
                line.send(topics.replies("kho-1"), codec.encode(receipt))
        for _ in range(20):
            missing = Missing(object=ObjectRef("job_list", "j", 1), captures=("x",), total=1)
            line.send(topics.replies("kho-1"), codec.encode(missing))
        line.close()
        assert spool.counts().processed == 1
    events = (tmp_path / "spool" / "log" / "events.jsonl").read_text().splitlines()
    assert sum("receipt.refused" in event for event in events) == 1
    assert not [event for event in events if "missing" in event]


def test_an_event_log_turns_itself_over(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    with file.open("wb") as stream:
        stream.truncate(MAX_LOG_BYTES)
    log = EventLog(file, Clock())
    log.write("one")
    log.write("two")
    assert file.stat().st_size < 1000
    assert (tmp_path / "events.1.jsonl").stat().st_size > MAX_LOG_BYTES


def test_one_station_leaves_places_for_the_others(tmp_path: Path) -> None:
    with InProcess(tmp_path / "store") as worker:
        greedy = [capture("kho-gian") for _ in range(8)]
        for package in greedy:
            worker.hear(topics.offers("kho-gian"), codec.encode(package.offer()))
        assert [bool(worker.answers(package.ref, Grant)) for package in greedy] == [True] * 4 + [False] * 4
        honest = capture("kho-1")
        assert worker.deliver(honest).object == honest.ref


def test_a_capture_with_a_revision_and_too_many_words_inside_an_offer_are_rejected(tmp_path: Path) -> None:
    with InProcess(tmp_path / "store") as worker:
        package = capture("kho-1")
        revised = ObjectRef("capture", package.ref.id, 3)
        worker.hear(topics.offers("kho-1"), codec.encode(package.offer(object=revised)))
        assert [one.code for one in worker.answers(revised, Rejected)] == ["malformed"]  # type: ignore[attr-defined]
        long = capture("kho-1")
        long.files["pages.json"] += b" " * 130_000
        worker.hear(topics.offers("kho-1"), codec.encode(long.offer()))
        assert [one.code for one in worker.answers(long.ref, Rejected)] == ["too_large"]  # type: ignore[attr-defined]


def test_a_list_whose_folder_is_gone_does_not_end_the_worker(tmp_path: Path) -> None:
    with InProcess(tmp_path / "store") as worker:
        package = job_list("kho-1", ["a"])
        worker.deliver(package)
        for file in worker.layout.object_folder(package.ref).iterdir():
            file.unlink()
        worker.hear(topics.offers("kho-1"), codec.encode(package.offer()))
        assert worker.answers(package.ref, Busy)


def test_a_full_disk_under_the_quarantine_does_not_end_the_worker(tmp_path: Path) -> None:
    (tmp_path / "w1.jsonl").symlink_to("/dev/full")
    quarantine = Quarantine(tmp_path, "w1")
    quarantine.note("topic", "MSG-01", b"x", "now")
    assert quarantine.take_counts() == (("MSG-01", 1),)


def test_a_folder_that_could_not_be_begun_is_not_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with InProcess(tmp_path / "store") as worker:
        package = capture("kho-1")

        def full(*_: object) -> int:
            raise OSError(errno.ENOSPC, "full")

        with monkeypatch.context() as patch:
            patch.setattr("os.pwrite", full)
            worker.hear(topics.offers("kho-1"), codec.encode(package.offer()))
        assert worker.answers(package.ref, Busy)
        assert [one for one in worker.layout.incoming.iterdir() if one.is_dir()] == []
        worker.deliver(package)


def test_a_status_that_grows_when_it_is_written_out_does_not_close_the_overview(tmp_path: Path) -> None:
    with InProcess(tmp_path / "store") as worker:
        words = {key: "\u0001" * 400 for key in ("software", "state", "fault")}
        status = {"type": "status", "v": 1, "station": "kho-1", "online": True, "job_title": "\u0001" * 140, **words}
        payload = msgspec.json.encode(status)
        decoded = codec.decode_status(payload)
        with pytest.raises(ProtocolError):
            codec.decode_status(codec.encode(decoded))
        CentreLine(worker, "kho-1").send(topics.status("kho-1"), payload)
        [row] = Office(worker.catalogue, worker.layout).stations()
        assert row.state == "\u0001" * 400


def test_a_station_that_has_fallen_silent_is_offline_whatever_it_said_last(tmp_path: Path) -> None:
    with InProcess(tmp_path / "store") as worker:
        CentreLine(worker, "kho-1").send(
            topics.status("kho-1"), codec.encode(StationStatus(station="kho-1", online=True))
        )
        [row] = Office(worker.catalogue, worker.layout).stations()
        assert not row.online, "it was heard long ago"


def test_the_doctor_warns_of_a_broker_that_retains() -> None:
    _limits(Connected(None, None))
    with pytest.raises(BrokerError, match="BROKER-09"):
        _limits(Connected(None, None, retains=True))


@pytest.mark.broker
def test_a_message_to_be_retained_ends_the_connection_and_is_not_kept(house: House) -> None:
    client = house.station("kho-gian")
    try:
        client.connect()
        client.client.publish(f"{topics.inbox('nobody')}/kho-gian/g/f/0", b"x" * 100_000, qos=1, retain=True)
        assert client.disconnected.get(timeout=10) == 0x9A
    finally:
        client.close()


@pytest.mark.broker
def test_hostile_pictures_are_stored_as_bytes_and_shown_as_what_cannot_be_shown(house: House) -> None:
    stream = BytesIO()
    Image.new("RGB", (50, 70)).save(stream, "JPEG")
    bombs = [bomb(random.Random(5)) for bomb in hostile_pictures._BOMBS]
    packages = [capture("kho-2", sequence=number, page=page) for number, page in enumerate((*bombs, stream.getvalue()))]
    with house.worker(), house.station("kho-2") as station:
        for package in packages:
            assert set(station.deliver(package).files) == set(package.entries)
    with house.catalogue() as catalogue, PictureChild(timeout_s=20.0) as child:
        derivatives = Derivatives(catalogue, house.layout)
        while derivatives.work_once(child):
            pass
        office = Office(catalogue, house.layout)
        assert office.totals().thumbnails_waiting == 0
        assert office.thumbnail_file(packages[-1].ref.id, "left").is_file()
        with pytest.raises(KeyError):
            office.thumbnail_file(packages[0].ref.id, "left")


def test_a_worker_takes_no_more_than_its_limits_whatever_is_claimed(tmp_path: Path) -> None:
    limits = WorkerLimits(chunk_bytes=4096, window=4, max_grants=8, lease_s=60.0, reserve_bytes=512 * MIB)
    with InProcess(tmp_path / "store", limits=limits) as worker:
        for number in range(40):
            files = tuple(FileEntry(name, 2**30 - 1, "0" * 64) for name in ("frame-1.jpg",))
            small = tuple(FileEntry(name, 10, "0" * 64) for name in ("capture.json", "pages.json"))
            offer = capture("kho-gian").offer(files=files + small, inline={}, object=ObjectRef("capture", f"c{number}"))
            worker.hear(topics.offers("kho-gian"), codec.encode(offer))
        assert len(worker.receiver._ledger) <= 4
        assert sum(file.stat().st_blocks for file in worker.layout.incoming.rglob("*.jpg")) == 0
