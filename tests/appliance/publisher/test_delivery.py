"""Single rules of the delivery, event by event; `test_weather.py` lets whole days pass."""

import math

from appliance.publisher.delivery import Delivery
from appliance.publisher.events import (
    Connected,
    Disconnected,
    ObjectDamaged,
    ObjectsWaiting,
    PublishAcknowledged,
    RecordDamaged,
    RecordReceipt,
    RecordRejection,
    ReplyReceived,
    SendChunk,
    SendOffer,
    SendProbe,
    Tick,
)
from appliance.publisher.gate import Gate
from appliance.spool.rows import Pending
from tests.appliance.publisher.world import CHUNK_BYTES, POLICY, capture, job_list
from wire.limits import MAX_CHUNK_BYTES
from wire.messages import (
    Again,
    Busy,
    Complete,
    FileEntry,
    Grant,
    Held,
    Missing,
    ObjectRef,
    Progress,
    Receipt,
    Rejected,
    Span,
)


def granted(ref: ObjectRef, **changes: object) -> Grant:
    fields = {
        "object": ref,
        "grant_id": "g1",
        "worker": "w1",
        "inbox": "lattrang/1/inbox/w1",
        "chunk_bytes": CHUNK_BYTES,
        "window": 4,
        "lease_s": 60.0,
        **changes,
    }
    return Grant(**fields)


def receipt_of(pending: Pending) -> Receipt:
    return Receipt(object=pending.ref, files=pending.files, worker="w", stored_at="2026-01-02T03:04:05Z")


class Bench:
    """A delivery with its clock at hand."""

    def __init__(self, *pending: object) -> None:
        self.delivery = Delivery("s1", POLICY, lambda: 0.0)
        self.now_s = 100.0
        self.sent: list[object] = []
        self.give(Connected(CHUNK_BYTES))
        self.first = self.give(ObjectsWaiting(tuple(pending)))

    def give(self, event: object, after_s: float = 0.0) -> list[object]:
        self.now_s += after_s
        actions = self.delivery.handle(event, self.now_s)
        self.sent += actions
        return actions

    def reply(self, reply: object, after_s: float = 0.0) -> list[object]:
        return self.give(ReplyReceived(reply), after_s)

    def to_deadline(self) -> list[object]:
        deadline_s = self.delivery.next_deadline(self.now_s)
        assert deadline_s > self.now_s
        return self.give(Tick(), deadline_s - self.now_s)


def chunks(actions: list[object]) -> list[tuple[str, int, int]]:
    return [(one.address.file, one.address.offset, one.length) for one in actions if isinstance(one, SendChunk)]


def test_the_window_opens_by_progress_and_not_by_the_brokers_answer() -> None:
    bench = Bench(capture(1))
    sent = bench.reply(granted(capture(1).ref))
    assert chunks(sent) == [("frame-1.jpg", n * CHUNK_BYTES, CHUNK_BYTES) for n in range(4)]
    for action in sent:
        assert bench.give(PublishAcknowledged(action.token, 0)) == []
    held = (Held("frame-1.jpg", (Span(0, 2 * CHUNK_BYTES),)),)
    more = bench.reply(Progress(object=capture(1).ref, grant_id="g1", held=held))
    assert chunks(more) == [("frame-1.jpg", n * CHUNK_BYTES, CHUNK_BYTES) for n in (4, 5)]
    assert bench.reply(Progress(object=capture(1).ref, grant_id="g1", held=held)) == []
    assert bench.reply(Progress(object=capture(1).ref, grant_id="other", held=held)) == []


def test_what_the_worker_has_is_not_sent_and_the_last_chunk_is_as_short_as_the_file() -> None:
    bench = Bench(capture(1, frame_bytes=2 * CHUNK_BYTES + 10))
    have = (Held("frame-1.jpg", (Span(0, CHUNK_BYTES),)),)
    sent = bench.reply(granted(capture(1).ref, have=have, window=9))
    assert chunks(sent)[:2] == [("frame-1.jpg", CHUNK_BYTES, CHUNK_BYTES), ("frame-1.jpg", 2 * CHUNK_BYTES, 10)]
    assert {file for file, _, _ in chunks(sent)} == {"frame-1.jpg", "left.jpg"}, "documents went with the offer"


def test_spans_asked_for_again_come_first_and_not_twice() -> None:
    bench = Bench(capture(1))
    bench.reply(granted(capture(1).ref))
    again = Again(object=capture(1).ref, grant_id="g1", file="frame-1.jpg", spans=(Span(0, CHUNK_BYTES),))
    assert chunks(bench.reply(again)) == [("frame-1.jpg", 0, CHUNK_BYTES)]
    beyond = Again(object=capture(1).ref, grant_id="g1", file="nothing.jpg", spans=(Span(0, 50),))
    assert chunks(bench.reply(beyond)) == []


def test_a_file_that_is_wanted_again_is_proved_once_before_any_more_of_it_is_sent() -> None:
    bench = Bench(capture(1))
    first = bench.reply(granted(capture(1).ref))
    again = Again(object=capture(1).ref, grant_id="g1", file="frame-1.jpg", spans=(Span(0, 4 * CHUNK_BYTES),))
    more = bench.reply(again)
    assert [one.is_doubted for one in first if isinstance(one, SendChunk)] == [False] * 4
    assert [one.is_doubted for one in more if isinstance(one, SendChunk)] == [True] + [False] * 3


def test_a_worker_that_asks_again_for_ever_is_left() -> None:
    bench = Bench(capture(1))
    bench.reply(granted(capture(1).ref))
    again = Again(object=capture(1).ref, grant_id="g1", file="frame-1.jpg", spans=(Span(0, CHUNK_BYTES),))
    sent = [bench.reply(again) for _ in range(POLICY.max_agains + 3)]
    assert sum(len(chunks(one)) for one in sent) == POLICY.max_agains
    assert isinstance(bench.to_deadline()[0], SendOffer)


def test_a_silent_worker_is_given_up_but_not_while_the_line_is_merely_slow() -> None:
    bench = Bench(capture(1))
    sent = bench.reply(granted(capture(1).ref))
    assert bench.give(Tick(), POLICY.progress_timeout_s * 2) == [], "the broker has not even answered"
    for action in sent:
        bench.give(PublishAcknowledged(action.token, 0))
    assert bench.give(Tick(), POLICY.progress_timeout_s - 0.1) == []
    [offer] = bench.give(Tick(), 0.2)
    assert isinstance(offer, SendOffer)
    assert chunks(bench.reply(granted(capture(1).ref, grant_id="g2", worker="w2")))[0] == (
        "frame-1.jpg",
        0,
        CHUNK_BYTES,
    )


def test_a_chunk_that_reaches_nobody_means_the_worker_has_gone() -> None:
    bench = Bench(capture(1))
    sent = bench.reply(granted(capture(1).ref))
    bench.give(PublishAcknowledged(sent[0].token, 0x10))
    assert bench.delivery.link.state == "online"
    assert bench.delivery.next_deadline(bench.now_s) <= bench.now_s + POLICY.first_retry_s
    assert isinstance(bench.to_deadline()[0], SendOffer)


def test_busy_is_obeyed() -> None:
    bench = Bench(capture(1), capture(2), capture(3))
    bench.reply(Busy(object=capture(1).ref, retry_after_s=7.0))
    bench.reply(Busy(object=capture(2).ref, retry_after_s=7.0))
    assert bench.give(Tick(), 6.9) == []
    assert [action.pending.ref.id for action in bench.give(Tick(), 0.2)] == ["c1", "c2"]


def test_retries_grow_rarer_up_to_a_minute_and_start_anew_on_a_new_connection() -> None:
    bench = Bench(capture(1))
    waits = []
    for _ in range(9):
        bench.give(Tick(), POLICY.line_timeout_s)
        before = bench.now_s
        [offer] = bench.to_deadline()
        assert isinstance(offer, SendOffer)
        waits.append(bench.now_s - before)
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    bench.give(Disconnected("NET-01"))
    assert bench.delivery.next_deadline(bench.now_s) == math.inf
    assert [type(action) for action in bench.give(Connected(CHUNK_BYTES))] == [SendOffer]


def test_an_absent_centre_is_asked_for_every_ten_seconds_at_most_and_chance_spreads_a_fleet() -> None:
    bench = Bench(capture(1))
    bench.give(PublishAcknowledged(bench.first[0].token, 0x10))
    waits = []
    for _ in range(6):
        before = bench.now_s
        [probe] = bench.to_deadline()
        assert isinstance(probe, SendProbe)
        waits.append(bench.now_s - before)
        assert bench.give(PublishAcknowledged(probe.token, 0x10)) == []
    assert waits == [1, 2, 4, 8, 10, 10]
    gate = Gate(POLICY, lambda: 1.0)
    gate.failures, gate.is_absent = 9, True
    gate.absent(0.0)
    assert 0.4 < gate.probe_at_s < 0.6, "from half a second to ten: chance alone decides"
    [probe] = bench.to_deadline()
    assert [type(action) for action in bench.give(PublishAcknowledged(probe.token, 0))] == [SendOffer]


def test_the_link_says_what_is_wrong() -> None:
    bench = Bench(capture(1))
    assert bench.delivery.link.state == "online"
    bench.give(PublishAcknowledged(bench.first[0].token, 0x87))
    assert (bench.delivery.link.state, bench.delivery.link.code) == ("refused", "PAIR-02")
    [offer] = bench.to_deadline()
    bench.give(PublishAcknowledged(offer.token, 0x10))
    assert (bench.delivery.link.state, bench.delivery.link.code) == ("no_server", "NET-02")
    [probe] = bench.to_deadline()
    [offer] = bench.give(PublishAcknowledged(probe.token, 0))
    bench.give(PublishAcknowledged(offer.token, 0))
    bench.reply(granted(capture(1).ref))
    assert bench.delivery.link.state == "online"
    bench.give(Disconnected("PAIR-01", refused=True))
    assert (bench.delivery.link.state, bench.delivery.link.code) == ("refused", "PAIR-01")


def test_an_absent_centre_is_noticed_even_while_there_is_nothing_to_send() -> None:
    bench = Bench()
    [probe] = bench.to_deadline()
    bench.give(PublishAcknowledged(probe.token, 0x10))
    assert bench.delivery.link.state == "no_server"
    [probe] = bench.to_deadline()
    bench.give(PublishAcknowledged(probe.token, 0))
    assert bench.delivery.link.state == "online"
    before = bench.now_s
    assert isinstance(bench.to_deadline()[0], SendProbe)
    assert bench.now_s - before <= POLICY.probe_every_s


def test_chunks_shrink_on_a_line_that_breaks_under_them_and_grow_back() -> None:
    bench = Bench(capture(1, frame_bytes=3_000_000))
    ref = capture(1).ref
    sizes = []
    for _ in range(8):
        bench.give(Disconnected("NET-01"))
        bench.give(Connected(MAX_CHUNK_BYTES))
        sizes.append(chunks(bench.reply(granted(ref, chunk_bytes=512 * 1024, window=1)))[0][2] // 1024)
    assert sizes == [64, 32, 16, 8, 4, 4, 4, 4], "what was never answered was too large for this line"
    sent = bench.reply(granted(ref, grant_id="g1"))
    for action in bench.give(Disconnected("NET-01")) + bench.give(Connected(MAX_CHUNK_BYTES)):
        assert isinstance(action, SendOffer)
    sent = bench.reply(granted(ref, chunk_bytes=512 * 1024, window=1, grant_id="g2"))
    bench.give(PublishAcknowledged(sent[0].token, 0), after_s=0.01)
    held = (Held("frame-1.jpg", (Span(0, 4096),)),)
    [grown] = bench.reply(Progress(object=ref, grant_id="g2", held=held))
    assert grown.length == 512 * 1024, "4 KiB in 10 ms: this line is fast after all"


def test_a_centre_that_takes_offers_and_never_answers_counts_as_absent() -> None:
    bench = Bench(capture(1))
    for _ in range(4):
        bench.to_deadline()
    assert bench.delivery.link.state == "no_server"


def test_answers_for_strangers_change_nothing_but_a_receipt_is_always_recorded() -> None:
    bench = Bench(capture(1))
    stranger = ObjectRef("capture", "stranger")
    assert bench.reply(granted(stranger)) == []
    assert bench.reply(Rejected(object=stranger, code="malformed")) == []
    assert bench.reply(Busy(object=stranger, retry_after_s=3600)) == []
    receipt = Receipt(object=stranger, files=capture(1).files, worker="w", stored_at="2026-01-02T03:04:05Z")
    assert bench.reply(receipt) == [RecordReceipt(receipt)]
    assert bench.delivery.in_flight == 1


def test_a_receipt_for_other_files_ends_nothing() -> None:
    bench = Bench(capture(1))
    other = (FileEntry("frame-1.jpg", 1, "f" * 64),)
    bench.reply(Receipt(object=capture(1).ref, files=other, worker="w", stored_at="2026-01-02T03:04:05Z"))
    assert bench.delivery.in_flight == 1
    bench.reply(receipt_of(capture(1)))
    assert bench.delivery.in_flight == 0


def test_a_receipt_that_could_not_be_recorded_is_fetched_again_without_haste() -> None:
    bench = Bench(capture(1))
    receipt = receipt_of(capture(1))
    bench.reply(receipt)
    assert bench.give(ObjectsWaiting((capture(1),))) == []
    assert isinstance(bench.to_deadline()[0], SendOffer)
    bench.reply(receipt)
    assert not any(isinstance(action, SendOffer) for action in bench.give(ObjectsWaiting(())))
    assert isinstance(bench.to_deadline()[0], SendProbe)


def test_a_rejection_is_recorded_and_the_next_object_goes() -> None:
    bench = Bench(capture(1), capture(2), capture(3))
    rejected = Rejected(object=capture(1).ref, code="digest_conflict")
    actions = bench.reply(rejected)
    assert actions[0].pending.ref.id == "c3", "the line is not kept waiting for the disk"
    assert actions[1] == RecordRejection(rejected)


def test_a_damaged_object_is_recorded_and_its_transfer_abandoned() -> None:
    bench = Bench(capture(1))
    bench.reply(granted(capture(1).ref))
    assert bench.give(ObjectDamaged(capture(1).ref, "left.jpg")) == [RecordDamaged(capture(1).ref, "left.jpg")]
    assert bench.delivery.in_flight == 0


def test_a_list_is_offered_again_as_soon_as_its_last_capture_has_its_receipt() -> None:
    bench = Bench(job_list(1))
    bench.reply(Missing(object=job_list(1).ref, captures=("c1",), total=1))
    bench.give(PublishAcknowledged(bench.first[0].token, 0))
    assert bench.give(ObjectsWaiting((job_list(1),))) == []
    [offer] = bench.give(ObjectsWaiting((job_list(0),)))
    assert isinstance(offer, SendOffer)
    complete = Complete(object=job_list(0).ref, captures=1)
    bench.reply(complete)
    assert bench.give(ObjectsWaiting(())) == []


def test_a_list_that_stays_incomplete_is_offered_at_growing_intervals() -> None:
    bench = Bench(job_list(0))
    waits = []
    for _ in range(8):
        bench.reply(
            Receipt(object=job_list(0).ref, files=job_list(0).files, worker="w", stored_at="2026-01-02T03:04:05Z")
        )
        bench.reply(Missing(object=job_list(0).ref, captures=("c1",), total=1))
        before = bench.now_s
        bench.give(ObjectsWaiting((job_list(0),)))
        assert isinstance(bench.to_deadline()[0], SendOffer)
        waits.append(bench.now_s - before)
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]


def test_a_grant_that_comes_late_is_taken_only_where_there_is_a_place() -> None:
    bench = Bench(capture(1), capture(2), capture(3))
    assert bench.reply(granted(capture(3).ref)) == []
    bench.reply(granted(capture(1).ref))
    assert bench.reply(granted(capture(1).ref, grant_id="g9", worker="w9")) == [], "one grant at a time"


def test_what_the_broker_says_of_an_earlier_try_does_not_disturb_the_present_one() -> None:
    bench = Bench(capture(1))
    [old] = bench.first
    bench.give(Tick(), POLICY.line_timeout_s)
    [new] = bench.to_deadline()
    bench.give(PublishAcknowledged(old.token, 0x10))
    assert bench.delivery.in_flight == 1
    bench.reply(granted(capture(1).ref))
    assert bench.give(PublishAcknowledged(new.token, 0x10)) == []
    assert bench.delivery.in_flight == 1
    assert bench.delivery.link.state == "online"
