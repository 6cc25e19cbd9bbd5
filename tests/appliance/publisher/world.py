"""A station, a lossy wire and a centre whose workers die: all simulated, in simulated time, from one seed."""

import heapq
import itertools
import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from appliance.publisher.delivery import NO_SUBSCRIBER, Delivery
from appliance.publisher.events import (
    Action,
    Connected,
    Disconnected,
    Event,
    ObjectsWaiting,
    PublishAcknowledged,
    RecordDamaged,
    RecordListAnswer,
    RecordReceipt,
    RecordRejection,
    ReplyReceived,
    SendChunk,
    SendOffer,
    SendProbe,
    Tick,
)
from appliance.publisher.policy import DeliveryPolicy
from appliance.publisher.transfer import Chunk, Phase
from appliance.spool.rows import Pending
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
    Reply,
    Span,
)

POLICY = DeliveryPolicy()
CHUNK_BYTES = 1024


@dataclass(frozen=True)
class Weather:
    """How bad the wire and the centre are while the storm lasts; parts of one."""

    loss: float = 0.0
    doubling: float = 0.0
    delay_s: float = 0.05
    death: float = 0.0
    busy: float = 0.0
    cut: float = 0.0
    no_server: float = 0.0
    again: float = 0.0
    lasts_s: float = 120.0


@dataclass
class Worker:
    """Takes offers and chunks as the protocol says; `held` is by grant."""

    name: str
    grants: dict[str, tuple[Pending, dict[str, set[int]]]] = field(default_factory=dict)


class World:
    """Everything outside the delivery, and a watch over what it does."""

    def __init__(self, objects: list[Pending], weather: Weather, seed: int, window: int = 4) -> None:
        self.random = random.Random(seed)
        self.weather = weather
        self.window = window
        self.now_s = 0.0
        self.delivery = Delivery("s1", POLICY, self.random.random)
        self.waiting = {pending.ref: pending for pending in objects}
        self.sizes = {pending.ref: pending.size_bytes for pending in objects}
        self.stored: dict[ObjectRef, Receipt] = {}
        self.stored_times: dict[ObjectRef, int] = {}
        self.recorded: list[ObjectRef] = []
        self.answers: list[Complete | Missing] = []
        self.worker: Worker | None = Worker("w0")
        self.names = itertools.count(1)
        self.connected = False
        self.chunks_sent = 0
        self.probes_sent: list[float] = []
        self.offers_sent: list[tuple[float, ObjectRef]] = []
        self.beyond_progress: dict[str, set[Chunk]] = {}
        self._order = itertools.count()
        self._future: list[tuple[float, int, Callable[[], None]]] = []

    # Time

    def run(self, until: Callable[[], bool], limit_s: float) -> None:
        """Let time pass until `until` holds; fails where it does not within `limit_s`."""
        self.later(0.0, self._connect)
        for second in range(int(self.weather.lasts_s)):
            self.later(float(second), self._storm)
        self.later(self.weather.lasts_s, self._calm)
        still = 0
        while not until():
            deadline_s = self.delivery.next_deadline(self.now_s)
            due_s = min(self._future[0][0] if self._future else math.inf, deadline_s)
            assert due_s <= limit_s, f"not done at {self.now_s:.1f} s; waiting: {list(self.waiting)}"
            still = still + 1 if due_s <= self.now_s else 0
            assert still < 200, "time stands still: a busy loop"
            self.now_s = max(self.now_s, due_s)
            if self._future and self._future[0][0] <= self.now_s:
                heapq.heappop(self._future)[2]()
            else:
                self.tell(Tick())

    def later(self, delay_s: float, what: Callable[[], None]) -> None:
        heapq.heappush(self._future, (self.now_s + delay_s, next(self._order), what))

    # Weather

    @property
    def is_stormy(self) -> bool:
        return self.now_s < self.weather.lasts_s

    def chance(self, part: float) -> bool:
        return self.is_stormy and self.random.random() < part

    def _storm(self) -> None:
        if self.chance(self.weather.death):
            self.worker = Worker(f"w{next(self.names)}")
        if self.chance(self.weather.no_server):
            self.worker = None
        elif self.worker is None and self.chance(0.3):
            self.worker = Worker(f"w{next(self.names)}")
        if self.connected and self.chance(self.weather.cut):
            self.connected = False
            self.tell(Disconnected("NET-01"))
            self.later(self.random.uniform(0.1, 5.0), self._connect)

    def _calm(self) -> None:
        self.worker = self.worker or Worker(f"w{next(self.names)}")

    def _connect(self) -> None:
        if not self.connected:
            self.connected = True
            self.tell(Connected(CHUNK_BYTES))
            self.look()

    # The station

    def look(self) -> None:
        self.tell(ObjectsWaiting(tuple(self.waiting.values())))

    def tell(self, event: Event) -> None:
        if isinstance(event, ReplyReceived):
            self._note_reply(event.reply)
        recorded = len(self.recorded) + len(self.answers)
        for action in self.delivery.handle(event, self.now_s):
            self.perform(action)
        assert self.delivery.in_flight <= POLICY.max_in_flight
        if len(self.recorded) + len(self.answers) > recorded:
            self.look()

    def perform(self, action: Action) -> None:
        match action:
            case SendOffer(token, pending):
                self.offers_sent.append((self.now_s, pending.ref))
                self._send(token, lambda: self._offer(pending))
            case SendChunk(token, pending, address, length):
                self.chunks_sent += 1
                chunk = Chunk(address.file, address.offset, length)
                self._note_chunk(address.grant_id, chunk)
                self._send(token, lambda: self._chunk(address.worker, address.grant_id, chunk))
            case SendProbe(token):
                self.probes_sent.append(self.now_s)
                self._send(token, lambda: None)
            case RecordReceipt(receipt):
                self.recorded.append(receipt.object)
                if receipt.object.kind == "capture":
                    self.waiting.pop(receipt.object, None)
                self._count_outstanding()
            case RecordListAnswer(answer):
                self.answers.append(answer)
                if isinstance(answer, Complete):
                    self.waiting.pop(answer.object, None)
            case RecordRejection(rejected):
                self.waiting.pop(rejected.object, None)
            case RecordDamaged(ref, _):
                self.waiting.pop(ref, None)

    def _count_outstanding(self) -> None:
        captures = sum(ref.kind == "capture" for ref in self.waiting)
        for ref, pending in self.waiting.items():
            if ref.kind == "job_list":
                self.waiting[ref] = Pending(ref, pending.files, pending.inline, captures)

    def _note_chunk(self, grant_id: str, chunk: Chunk) -> None:
        beyond = self.beyond_progress.setdefault(grant_id, set())
        beyond.add(chunk)
        assert len(beyond) <= self.window, "the window is exceeded"

    def _note_reply(self, reply: Reply) -> None:
        if isinstance(reply, Progress):
            self._note_progress(reply)
        elif isinstance(reply, Grant):
            transfer = self.delivery._transfers.get(reply.object)
            if transfer is not None and transfer.phase is not Phase.GRANTED:
                self.beyond_progress[reply.grant_id] = set()
        elif isinstance(reply, Again):
            beyond = self.beyond_progress.get(reply.grant_id, set())
            beyond -= {chunk for chunk in beyond if any(span.start <= chunk.offset < span.end for span in reply.spans)}

    def _note_progress(self, progress: Progress) -> None:
        for held in progress.held:
            beyond = self.beyond_progress.get(progress.grant_id, set())
            beyond -= {
                chunk
                for chunk in beyond
                if chunk.file == held.file
                and any(span.start <= chunk.offset and chunk.offset + chunk.length <= span.end for span in held.spans)
            }

    # The wire

    def _send(self, token: int, arrive: Callable[[], None]) -> None:
        if not self.connected:
            return
        code = 0 if self.worker else NO_SUBSCRIBER
        self.later(self._delay_s(), lambda: self.connected and self.tell(PublishAcknowledged(token, code)))
        if self.worker:
            self._carry(arrive)

    def _reply(self, reply: Reply) -> None:
        self._carry(lambda: self.connected and self.tell(ReplyReceived(reply)))

    def _carry(self, arrive: Callable[[], None]) -> None:
        if not self.chance(self.weather.loss):
            self.later(self._delay_s(), arrive)
        if self.chance(self.weather.doubling):
            self.later(self._delay_s() + self._delay_s(), arrive)

    def _delay_s(self) -> float:
        return self.random.uniform(0.001, self.weather.delay_s if self.is_stormy else 0.05)

    # The centre

    def _offer(self, pending: Pending) -> None:
        ref, worker = pending.ref, self.worker
        if worker is None:
            return
        if ref in self.stored:
            self._answer_stored(ref)
        elif self.chance(self.weather.busy):
            self._reply(Busy(object=ref, retry_after_s=2.0))
        elif all(entry.name in pending.inline for entry in pending.files):
            self._store(pending)
        else:
            known = (grant_id for grant_id, (one, _) in worker.grants.items() if one.ref == ref)
            grant_id = next(known, None) or f"g{next(self.names)}"
            worker.grants.setdefault(grant_id, (pending, {entry.name: set() for entry in pending.files}))
            self._reply(
                Grant(
                    object=ref,
                    grant_id=grant_id,
                    worker=worker.name,
                    inbox=f"lattrang/1/inbox/{worker.name}",
                    chunk_bytes=CHUNK_BYTES,
                    window=self.window,
                    lease_s=60.0,
                    have=self._held(worker, grant_id),
                )
            )

    def _chunk(self, name: str, grant_id: str, chunk: Chunk) -> None:
        worker = self.worker
        if worker is None or worker.name != name or grant_id not in worker.grants:
            return
        pending, held = worker.grants[grant_id]
        held[chunk.file].add(chunk.offset)
        wanted = {
            entry.name: set(range(0, entry.size, CHUNK_BYTES))
            for entry in pending.files
            if entry.name not in pending.inline
        }
        if all(held[file] >= offsets for file, offsets in wanted.items()):
            del worker.grants[grant_id]
            self._store(pending)
            return
        self._reply(Progress(object=pending.ref, grant_id=grant_id, held=self._held(worker, grant_id)))
        for file, offsets in wanted.items():
            holes = sorted(offset for offset in offsets - held[file] if offset < max(held[file], default=0))
            if holes and self.chance(self.weather.again):
                spans = tuple(Span(offset, offset + CHUNK_BYTES) for offset in holes)
                self._reply(Again(object=pending.ref, grant_id=grant_id, file=file, spans=spans))

    def _held(self, worker: Worker, grant_id: str) -> tuple[Held, ...]:
        pending, held = worker.grants[grant_id]
        sizes = {entry.name: entry.size for entry in pending.files}
        return tuple(
            Held(file, tuple(Span(offset, min(sizes[file], offset + CHUNK_BYTES)) for offset in sorted(offsets)))
            for file, offsets in held.items()
        )

    def _store(self, pending: Pending) -> None:
        ref = pending.ref
        if ref not in self.stored:
            self.stored_times[ref] = self.stored_times.get(ref, 0) + 1
            self.stored[ref] = Receipt(object=ref, files=pending.files, worker="w", stored_at="2026-01-02T03:04:05Z")
        self._answer_stored(ref)

    def _answer_stored(self, ref: ObjectRef) -> None:
        self._reply(self.stored[ref])
        if ref.kind == "job_list":
            missing = tuple(one.id for one in self.sizes if one.kind == "capture" and one not in self.stored)
            if missing:
                self._reply(Missing(object=ref, captures=missing, total=len(missing)))
            else:
                self._reply(Complete(object=ref, captures=len(self.sizes) - 1))


def capture(number: int, frame_bytes: int = 10_000) -> Pending:
    files = (
        FileEntry("capture.json", 300, "a" * 64),
        FileEntry("frame-1.jpg", frame_bytes, f"{number:064d}"),
        FileEntry("left.jpg", frame_bytes // 2, f"{number + 1:064d}"),
    )
    return Pending(ObjectRef("capture", f"c{number}"), files, frozenset({"capture.json"}))


def job_list(captures: int) -> Pending:
    ref = ObjectRef("job_list", "job-1", 9)
    return Pending(ref, (FileEntry("list.json", 200, "b" * 64),), frozenset({"list.json"}), captures)
