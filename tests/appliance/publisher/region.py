"""Many stations, each on its own slow line, and one worker that keeps to the real ledger and shelf: in simulated time.

The stations' decisions and the worker's books are the program's own; lines, broker and the passing of days are played.
"""

import heapq
import itertools
import math
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import time

from appliance.publisher.delivery import NO_SUBSCRIBER, Delivery
from appliance.publisher.events import (
    Action,
    Connected,
    Disconnected,
    Event,
    HoursChanged,
    ObjectsWaiting,
    PublishAcknowledged,
    RecordListAnswer,
    RecordReceipt,
    ReplyReceived,
    SendChunk,
    SendOffer,
    SendProbe,
    Tick,
)
from appliance.publisher.hours import UplinkHours
from appliance.publisher.mqtt import next_retry_s, spread_s
from appliance.publisher.pace import OVERHEAD_BYTES
from appliance.publisher.policy import DeliveryPolicy
from appliance.publisher.runner import PENDING_LIMIT
from appliance.spool.rows import Pending
from central.receiving.grants import Expired, Grant, Ledger
from central.receiving.shelf import Shelf
from central.receiving.turns import Turns
from wire import messages
from wire.errors import ProtocolError
from wire.limits import DEFAULT_CHUNK_BYTES, KIB, MAX_CHUNK_BYTES
from wire.messages import Busy, Complete, FileEntry, Missing, ObjectRef, Offer, Progress, Receipt, Reply
from wire.topics import ChunkAddress

DAY_S = 86_400.0
ROUND_TRIPS_TO_CONNECT = 4
"""TCP, TLS, CONNECT, SUBSCRIBE."""


def capture(number: int, size_bytes: int, station: str = "s") -> Pending:
    """A capture of one frame, more than half of it, and one page, with its documents."""
    frame = size_bytes * 11 // 20
    files = (
        FileEntry("capture.json", 2 * KIB, "a" * 64),
        FileEntry("frame-1.jpg", frame, f"{number:064d}"),
        FileEntry("left.jpg", size_bytes - frame, f"{number + 1:064d}"),
    )
    return Pending(ObjectRef("capture", f"{station}-{number:05d}"), files, frozenset({"capture.json"}))


def job_list(name: str, captures: int) -> Pending:
    files = (FileEntry("list.json", 20 * KIB, "b" * 64),)
    return Pending(ObjectRef("job_list", name, captures), files, frozenset({"list.json"}), captures)


class Time:
    """What happens when."""

    def __init__(self, now_s: float = 0.0) -> None:
        self.now_s = now_s
        self._order = itertools.count()
        self._future: list[tuple[float, int, Callable[[], None]]] = []

    def at(self, moment_s: float, what: Callable[[], None]) -> None:
        heapq.heappush(self._future, (max(self.now_s, moment_s), next(self._order), what))

    def run(self, until: Callable[[], bool], limit_s: float) -> None:
        """Let time pass until `until` holds; fails where it does not within `limit_s`."""
        still = 0
        while not until():
            assert self._future, f"nothing will ever happen again at {self.now_s:.0f} s"
            moment_s, _, what = heapq.heappop(self._future)
            assert moment_s <= limit_s, f"not done at {self.now_s:.0f} s"
            still = still + 1 if moment_s <= self.now_s else 0
            assert still < 5000, "time stands still: a busy loop"
            self.now_s = moment_s
            what()


@dataclass
class Line:
    """Uplink of one station. `cut_every_s` ends the connection so long after each multiple of it."""

    bytes_per_s: float = 10e6
    delay_s: float = 0.01
    cut_every_s: float = math.inf


class Worker:
    """One worker behind one broker; `store_s` is what each object and each MiB cost it."""

    def __init__(self, clock: Time, *, max_grants: int = 8, window: int = 4, store_s: float = 0.0) -> None:
        self._clock = clock
        self._window = window
        self._lease_s = 60.0
        self._store_s = store_s
        self.ledger = Ledger(chunk_bytes=DEFAULT_CHUNK_BYTES, max_grants=max_grants, lease_s=self._lease_s)
        self.shelf = Shelf(keep_s=DAY_S, max_kept=256)
        self.turns = Turns()
        self.is_here = True
        self.stored: dict[ObjectRef, Receipt] = {}
        self.stored_at: list[tuple[float, str, ObjectRef]] = []
        self.refused_chunks = 0
        self.busy_said: dict[str, int] = {}
        self.greatest_backlog = 0
        self.jobs: dict[str, set[ObjectRef]] = {}
        self._ids = itertools.count(1)
        self._free_at_s = 0.0
        self._backlog = 0

    def take(self, message: Callable[[], None], cost_s: float) -> None:
        """Queue a message: the worker does one thing after the other."""
        self._backlog += 1
        self.greatest_backlog = max(self.greatest_backlog, self._backlog)
        self._free_at_s = max(self._free_at_s, self._clock.now_s) + cost_s
        self._clock.at(self._free_at_s, lambda: self._do(message))

    def offer(self, station: "Station", pending: Pending) -> None:
        self.take(lambda: self._offered(station, pending), 0.0002)

    def chunk(self, station: "Station", address: ChunkAddress, length: int) -> None:
        self.take(lambda: self._came(station, address, length), self._store_s * length / 2**20)

    def _do(self, message: Callable[[], None]) -> None:
        self._backlog -= 1
        if self.is_here:
            for due in self.ledger.due(self._clock.now_s):
                if isinstance(due, Expired):
                    self.shelf.put(due.grant, self._clock.now_s)
            message()

    def _offered(self, station: "Station", pending: Pending) -> None:
        ref, now_s = pending.ref, self._clock.now_s
        if ref in self.stored:
            self._answer(station, ref)
            return
        grant = self.ledger.find(station.name, ref)
        if grant is not None:
            self.ledger.renew(grant, now_s)
        elif not self.turns.may_go(station.name, self.ledger.free_for(station.name), now_s):
            self.busy_said[station.name] = self.busy_said.get(station.name, 0) + 1
            station.hear(Busy(object=ref, retry_after_s=self.turns.wait_s(station.name)))
            return
        else:
            kept = self.shelf.take(station.name, ref)
            inline = dict.fromkeys(pending.inline, "")
            offer = Offer(station=station.name, object=ref, files=pending.files, inline=inline)
            grant = self.ledger.resume(kept, now_s) if kept else self.ledger.open(f"g{next(self._ids)}", offer, now_s)
        if grant.is_complete:
            self._store(station, grant)
        else:
            station.hear(self._words(grant))

    def _came(self, station: "Station", address: ChunkAddress, length: int) -> None:
        try:
            chunk = self.ledger.take(address, length, self._clock.now_s)
        except ProtocolError:
            self.refused_chunks += 1
            return
        grant = chunk.grant
        if grant.is_complete:
            self._store(station, grant)
        elif grant in self.ledger.to_report(self._window, self._clock.now_s, is_drained=self._backlog == 0):
            station.hear(Progress(object=grant.object, grant_id=grant.grant_id, held=grant.progress()))
            self.ledger.reported(grant, self._clock.now_s)

    def _store(self, station: "Station", grant: Grant) -> None:
        self.ledger.close(grant)
        assert grant.object not in self.stored, "stored twice"
        self.stored[grant.object] = Receipt(
            object=grant.object, files=grant.files, worker="w1", stored_at="2026-01-02T03:04:05Z"
        )
        self.stored_at.append((self._clock.now_s, station.name, grant.object))
        self._answer(station, grant.object)

    def _answer(self, station: "Station", ref: ObjectRef) -> None:
        station.hear(self.stored[ref])
        if ref.kind == "job_list":
            missing = tuple(one.id for one in self.jobs[ref.id] if one not in self.stored)
            if missing:
                station.hear(Missing(object=ref, captures=missing[:2000], total=len(missing)))
            else:
                station.hear(Complete(object=ref, captures=len(self.jobs[ref.id])))

    def _words(self, grant: Grant) -> messages.Grant:
        return messages.Grant(
            object=grant.object,
            grant_id=grant.grant_id,
            worker="w1",
            inbox="lattrang/1/inbox/w1",
            chunk_bytes=DEFAULT_CHUNK_BYTES,
            window=self._window,
            lease_s=self._lease_s,
            have=grant.progress(),
        )


@dataclass
class Sent:
    """What a station put on its line."""

    at_s: float
    size_bytes: int
    is_picture: bool


@dataclass
class Station:
    """A station with a queue, a line that comes and goes, and hours."""

    clock: Time
    worker: Worker
    chance: random.Random
    name: str = "s"
    line: Line = field(default_factory=Line)
    policy: DeliveryPolicy = field(default_factory=DeliveryPolicy)
    hours: UplinkHours = field(default_factory=UplinkHours)
    server_is_back: Callable[[], bool] = lambda: True
    look_ahead: int = PENDING_LIMIT

    def __post_init__(self) -> None:
        self.delivery = Delivery(self.name, self.policy, self.chance.random)
        self.queue: deque[Pending] = deque()
        self.lists: dict[ObjectRef, Pending] = {}
        self.received: list[ObjectRef] = []
        self.complete: list[ObjectRef] = []
        self.sent: list[Sent] = []
        self.offers: list[tuple[float, ObjectRef]] = []
        self.chunk_lengths: list[int] = []
        self.connections = 0
        self._is_connected = False
        self._retry_s = 1.0
        self._line_free_s = 0.0
        self._timer = 0
        self.clock.at(self.clock.now_s, self._try_to_connect)
        self.clock.at(self.clock.now_s, self._keep_hours)

    # The station's own side

    def look(self) -> None:
        waiting = itertools.chain(self.lists.values(), itertools.islice(self.queue, self.look_ahead))
        self.tell(ObjectsWaiting(tuple(waiting)))

    def tell(self, event: Event) -> None:
        recorded = False
        for action in self.delivery.handle(event, self.clock.now_s):
            recorded |= self._perform(action)
        self._set_timer()
        if recorded:
            self.look()

    def hear(self, reply: Reply) -> None:
        connection = self.connections
        self.clock.at(
            self.clock.now_s + self.line.delay_s,
            lambda: self.tell(ReplyReceived(reply)) if self._is_up(connection) else None,
        )

    def _perform(self, action: Action) -> bool:
        match action:
            case SendOffer(token, pending):
                self.offers.append((self.clock.now_s, pending.ref))
                self._send(token, pending.inline_bytes, lambda: self.worker.offer(self, pending), is_picture=False)
            case SendChunk(token, _, address, length):
                self.chunk_lengths.append(length)
                self._send(token, length, lambda: self.worker.chunk(self, address, length), is_picture=True)
            case SendProbe(token):
                self._send(token, 0, lambda: None, is_picture=False)
            case RecordReceipt(receipt):
                return self._record(receipt)
            case RecordListAnswer(answer):
                if isinstance(answer, Complete) and self.lists.pop(answer.object, None):
                    self.complete.append(answer.object)
                return True
            case _:
                raise AssertionError(f"unexpected {action}")
        return False

    def _record(self, receipt: Receipt) -> bool:
        ref = receipt.object
        if ref.kind != "capture":
            return False
        found = next((one for one in self.queue if one.ref == ref), None)
        if found is None:
            return False
        self.queue.remove(found)
        self.received.append(ref)
        for one, pending in self.lists.items():
            if ref in self.worker.jobs[one.id]:
                self.lists[one] = Pending(one, pending.files, pending.inline, pending.outstanding - 1)
        return True

    def _set_timer(self) -> None:
        self._timer += 1
        number, due_s = self._timer, self.delivery.next_deadline(self.clock.now_s)
        if due_s < math.inf:
            # A moment later than exactly due: rounding must not make it a moment too early.
            self.clock.at(due_s + 1e-6, lambda: self.tell(Tick()) if number == self._timer else None)

    def _keep_hours(self) -> None:
        second = self.clock.now_s % DAY_S
        is_open = self.hours.allows(time(int(second // 3600), int(second % 3600 // 60)), is_synchronised=True)
        self.tell(HoursChanged(is_open))
        if self.hours.ranges:
            self.clock.at((self.clock.now_s // 60 + 1) * 60, self._keep_hours)

    # The line

    def _is_up(self, connection: int) -> bool:
        return self._is_connected and connection == self.connections

    def _try_to_connect(self) -> None:
        if not self.server_is_back():
            self.tell(Disconnected("NET-01"))
            self._retry_s = next_retry_s(self._retry_s, was_up=False)
            self.clock.at(self.clock.now_s + spread_s(self._retry_s, self.chance.random()), self._try_to_connect)
            return
        up_s = self.clock.now_s + ROUND_TRIPS_TO_CONNECT * 2 * self.line.delay_s
        self.clock.at(up_s, self._connected)

    def _connected(self) -> None:
        self.connections += 1
        self._is_connected = True
        self._line_free_s = self.clock.now_s
        if self.line.cut_every_s < math.inf:
            next_cut = (self.clock.now_s // self.line.cut_every_s + 1) * self.line.cut_every_s
            self.clock.at(next_cut, self._cut)
        self.tell(Connected(MAX_CHUNK_BYTES))
        self.look()

    def _cut(self) -> None:
        self._is_connected = False
        self.tell(Disconnected("NET-01"))
        self._retry_s = next_retry_s(self._retry_s, was_up=True)
        self.clock.at(self.clock.now_s + spread_s(self._retry_s, self.chance.random()), self._try_to_connect)

    def _send(self, token: int, size_bytes: int, arrive: Callable[[], None], *, is_picture: bool) -> None:
        if not self._is_connected:
            return
        connection = self.connections
        self.sent.append(Sent(self.clock.now_s, size_bytes + OVERHEAD_BYTES, is_picture))
        self._line_free_s = max(self._line_free_s, self.clock.now_s) + (size_bytes + OVERHEAD_BYTES) / (
            self.line.bytes_per_s
        )
        self.clock.at(self._line_free_s + self.line.delay_s, lambda: self._arrived(token, connection, arrive))

    def _arrived(self, token: int, connection: int, arrive: Callable[[], None]) -> None:
        if not self._is_up(connection):
            return
        code = 0 if self.worker.is_here else NO_SUBSCRIBER
        self.clock.at(
            self.clock.now_s + self.line.delay_s,
            lambda: self.tell(PublishAcknowledged(token, code)) if self._is_up(connection) else None,
        )
        if self.worker.is_here:
            arrive()


def greatest_excess(sent: list[Sent], bytes_per_s: float) -> float:
    """Return by how many bytes the worst stretch of what was sent is beyond the limit."""
    worst = excess = last_s = 0.0
    for one in sent:
        excess = max(0.0, excess - bytes_per_s * (one.at_s - last_s)) + one.size_bytes
        worst, last_s = max(worst, excess), one.at_s
    return worst
