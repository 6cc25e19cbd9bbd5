"""What to send next, when to try again, and what an answer means. Pure: events and the time in, actions out.

The broker is a wire, not a store, so these timers are the only source of retry anywhere. Everything sent may be lost,
doubled or come late, and a worker may die at any moment; an object is done when its receipt is recorded and not before.
"""

import math
from collections import deque
from collections.abc import Callable
from typing import Final, assert_never

from appliance.publisher.events import (
    Action,
    Connected,
    Disconnected,
    Event,
    HoursChanged,
    ObjectDamaged,
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
from appliance.publisher.gate import Gate
from appliance.publisher.link import NO_SERVER, NOT_ALLOWED, OFFLINE, ONLINE, WAITING_FOR_HOURS, Link
from appliance.publisher.pace import Flow
from appliance.publisher.policy import DeliveryPolicy
from appliance.publisher.transfer import Phase, Transfer, same_files
from appliance.spool.rows import Pending
from wire.messages import Again, Busy, Complete, Grant, Missing, ObjectRef, Progress, Receipt, Rejected, Reply
from wire.topics import ChunkAddress

NO_SUBSCRIBER: Final = 0x10
NOT_AUTHORISED: Final = 0x87
FAILURE: Final = 0x80


class Delivery:
    """Owns every decision about delivery; whoever runs it owns the disk and the line."""

    def __init__(self, station: str, policy: DeliveryPolicy, random: Callable[[], float]) -> None:
        """Begin offline with nothing to do.

        Args:
            station: our name, for the addresses of chunks.
            policy: how patient to be.
            random: returns numbers from 0 to 1.
        """
        self._station = station
        self._policy = policy
        self._transfers: dict[ObjectRef, Transfer] = {}
        self._tokens: dict[int, Transfer] = {}
        self._last_token = 0
        self._max_chunk_bytes = 0
        self._flow = Flow(policy)
        self._hours_are_open = True
        self._gate = Gate(policy, random)
        self._probe_token = 0
        self._line = OFFLINE

    @property
    def link(self) -> Link:
        """The line to the centre."""
        if self._line == ONLINE and not self._hours_are_open:
            waits = any(not self._may_go(one) for one in self._transfers.values() if one.phase is Phase.WAITING)
            return WAITING_FOR_HOURS if waits else ONLINE
        return self._line

    @property
    def in_flight(self) -> int:
        """Objects on the line."""
        return sum(transfer.in_flight for transfer in self._transfers.values())

    def handle(self, event: Event, now_s: float) -> list[Action]:
        """Take one event and return what is to be done, in order. `now_s` never goes back."""
        actions: list[Action] = []
        match event:
            case Connected(max_chunk_bytes):
                self._connected(max_chunk_bytes, now_s)
            case Disconnected(code, refused):
                self._disconnected(Link("refused" if refused else "offline", code), now_s)
            case ReplyReceived(reply):
                actions += self._reply(reply, now_s)
            case PublishAcknowledged(token, reason_code):
                self._acknowledged(token, reason_code, now_s)
            case ObjectsWaiting(objects):
                self._waiting(objects, now_s)
            case ObjectDamaged(ref, file):
                actions += self._damaged(ref, file)
            case HoursChanged(are_open):
                self._hours_changed(are_open, now_s)
            case Tick():
                pass
            case _:
                assert_never(event)
        self._time_out(now_s)
        # Recording waits for the disk; what is sent before it is on its way meanwhile.
        return self._offers(now_s) + self._chunks(now_s) + self._probe(now_s) + actions

    def next_deadline(self, now_s: float) -> float:
        """Return when a `Tick` is due at the latest; infinity where only an event can bring anything."""
        if not self._is_connected:
            return math.inf
        deadlines = [transfer.deadline_s for transfer in self._transfers.values() if transfer.in_flight]
        deadlines += [self._ready_at_s(one, now_s) for one in self._transfers.values() if one.may_send]
        if self._gate.is_absent:
            deadlines.append(self._gate.probe_at_s)
        elif self.in_flight < self._policy.max_in_flight:
            waiting = (one for one in self._transfers.values() if one.phase is Phase.WAITING and self._may_go(one))
            deadlines += [max(self._gate.opens_at_s, one.not_before_s) for one in waiting]
        return max(now_s, min(deadlines, default=self._gate.probe_at_s))

    # The line

    @property
    def _is_connected(self) -> bool:
        return self._max_chunk_bytes > 0

    def _connected(self, max_chunk_bytes: int, now_s: float) -> None:
        self._max_chunk_bytes = max_chunk_bytes
        self._gate.probe_at_s = now_s + self._policy.first_retry_s
        self._line = ONLINE
        self._restart()

    def _disconnected(self, line: Link, now_s: float) -> None:
        self._flow.broken(now_s)
        self._max_chunk_bytes = 0
        self._line = line
        self._restart()

    def _restart(self) -> None:
        """Forget every timer: what failed on the old line says nothing about the new one."""
        self._tokens.clear()
        self._gate.restart()
        for transfer in self._transfers.values():
            if transfer.phase is not Phase.SETTLED:
                transfer.attempts = 0
                transfer.wait(0.0)

    def _acknowledged(self, token: int, reason_code: int, now_s: float) -> None:
        self._flow.answered(token, now_s)
        if token == self._probe_token:
            self._probed(reason_code, now_s)
        transfer = self._tokens.pop(token, None)
        if transfer is None or token not in transfer.unacknowledged:
            return
        transfer.unacknowledged.discard(token)
        if reason_code == NO_SUBSCRIBER or reason_code >= FAILURE:
            self._unheard(transfer, reason_code, now_s)
        else:
            self._extend(transfer, now_s)

    def _probed(self, reason_code: int, now_s: float) -> None:
        if reason_code == NO_SUBSCRIBER:
            self._absent(now_s)
        else:
            self._gate.is_absent = False
            self._line = NOT_ALLOWED if reason_code >= FAILURE else ONLINE

    def _unheard(self, transfer: Transfer, reason_code: int, now_s: float) -> None:
        """Nobody got it. An offer that reaches nobody means no centre; a chunk, that its worker has gone."""
        if reason_code == NOT_AUTHORISED:
            self._line = NOT_ALLOWED
        if reason_code == NO_SUBSCRIBER and transfer.phase is Phase.OFFERED:
            if not self._gate.is_absent:
                self._absent(now_s)
            transfer.wait(now_s)
            return
        if transfer.phase is Phase.OFFERED:
            self._gate.unanswered(now_s)
        self._retry(transfer, now_s)

    def _absent(self, now_s: float) -> None:
        self._line = NO_SERVER
        self._gate.absent(now_s)

    def _retry(self, transfer: Transfer, now_s: float) -> None:
        transfer.wait(now_s + self._gate.backoff_s(transfer.attempts))
        transfer.attempts += 1

    # What waits

    def _waiting(self, objects: tuple[Pending, ...], now_s: float) -> None:
        known, self._transfers = self._transfers, {}
        for pending in objects:
            transfer = known.pop(pending.ref, None) or Transfer(pending)
            self._transfers[pending.ref] = transfer
            if transfer.phase is Phase.SETTLED:
                # It was answered, yet it waits: the answer could not be recorded, or the centre wants it once more.
                self._retry(transfer, now_s)
            transfer.look_again(pending, now_s)

    def _may_go(self, transfer: Transfer) -> bool:
        """Captures are pictures and keep to the hours; lists are small."""
        return self._hours_are_open or transfer.pending.ref.kind != "capture"

    def _hours_changed(self, are_open: bool, now_s: float) -> None:
        if are_open and not self._hours_are_open:
            self._gate.spread(now_s)
        self._hours_are_open = are_open
        for transfer in self._transfers.values():
            if transfer.in_flight and not self._may_go(transfer):
                # The worker keeps what it has; the rest follows when the hours come.
                transfer.wait(0.0)

    def _damaged(self, ref: ObjectRef, file: str) -> list[Action]:
        transfer = self._transfers.get(ref)
        if transfer is not None:
            transfer.settle()
        return [RecordDamaged(ref, file)]

    # Answers

    def _reply(self, reply: Reply, now_s: float) -> list[Action]:
        self._heard()
        transfer = self._transfers.get(reply.object)
        match reply:
            case Receipt():
                if transfer is not None:
                    self._receipt(transfer, reply, now_s)
                return [RecordReceipt(reply)]
            case Complete() | Missing():
                if transfer is not None:
                    self._list_answer(transfer, reply, now_s)
                return [RecordListAnswer(reply)]
            case Rejected():
                if transfer is None:
                    return []
                transfer.settle()
                return [RecordRejection(reply)]
            case Grant() | Progress() | Busy() | Again():
                if transfer is not None:
                    self._transfer_reply(transfer, reply, now_s)
                return []
            case _:
                assert_never(reply)

    def _heard(self) -> None:
        if self._is_connected:
            self._line = ONLINE
            self._gate.heard()

    def _receipt(self, transfer: Transfer, receipt: Receipt, now_s: float) -> None:
        if not same_files(receipt.files, transfer.pending.files):
            return
        if transfer.pending.ref.kind == "capture":
            transfer.settle()
        elif transfer.phase is not Phase.WAITING:
            transfer.phase = Phase.ANSWERING
            transfer.deadline_s = now_s + self._policy.offer_timeout_s

    def _list_answer(self, transfer: Transfer, answer: Complete | Missing, now_s: float) -> None:
        if isinstance(answer, Complete):
            transfer.settle()
        elif transfer.in_flight:
            self._retry(transfer, now_s)

    def _transfer_reply(self, transfer: Transfer, reply: Grant | Progress | Busy | Again, now_s: float) -> None:
        match reply:
            case Grant():
                self._granted(transfer, reply, now_s)
            case Busy(retry_after_s=retry_after_s):
                if transfer.phase is Phase.OFFERED:
                    transfer.wait(self._gate.busy(retry_after_s, now_s))
            case Progress(grant_id=grant_id, held=held):
                if transfer.is_under(grant_id) and transfer.hold(held):
                    transfer.attempts = 0
                    self._extend(transfer, now_s)
            case Again():
                self._again(transfer, reply, now_s)
            case _:
                assert_never(reply)

    def _granted(self, transfer: Transfer, grant: Grant, now_s: float) -> None:
        has_place = transfer.phase is Phase.WAITING and self.in_flight < self._policy.max_in_flight
        if self._is_connected and self._may_go(transfer) and (transfer.phase is Phase.OFFERED or has_place):
            transfer.begin(grant)
            self._extend(transfer, now_s)

    def _again(self, transfer: Transfer, again: Again, now_s: float) -> None:
        if not transfer.is_under(again.grant_id):
            return
        transfer.agains += 1
        if transfer.agains > self._policy.max_agains:
            self._retry(transfer, now_s)
            return
        transfer.send_again(again.file, again.spans)
        self._extend(transfer, now_s)

    # Time

    def _extend(self, transfer: Transfer, now_s: float) -> None:
        """Give a transfer that shows signs of life its time again.

        While the broker itself has not answered, the line is slow and nobody is to blame yet.
        """
        policy = self._policy
        usual_s = policy.progress_timeout_s if transfer.phase is Phase.GRANTED else policy.offer_timeout_s
        transfer.deadline_s = now_s + (policy.line_timeout_s if transfer.unacknowledged else usual_s)

    def _time_out(self, now_s: float) -> None:
        for transfer in self._transfers.values():
            if transfer.in_flight and transfer.deadline_s <= now_s:
                if transfer.phase is Phase.GRANTED:
                    # The silence was wait enough; its worker may be dead and another one is not.
                    transfer.attempts += 1
                    transfer.wait(now_s)
                else:
                    self._unanswered(transfer, now_s)

    def _unanswered(self, transfer: Transfer, now_s: float) -> None:
        if transfer.phase is Phase.OFFERED:
            self._gate.unanswered(now_s)
            if self._gate.failures >= self._policy.unanswered_limit:
                self._line = NO_SERVER
        self._retry(transfer, now_s)

    # Sending

    def _offers(self, now_s: float) -> list[Action]:
        actions: list[Action] = []
        if not self._is_connected or self._gate.is_absent or now_s < self._gate.opens_at_s:
            return actions
        free = self._policy.max_in_flight - self.in_flight
        for transfer in self._transfers.values():
            if free <= 0:
                break
            if transfer.phase is Phase.WAITING and transfer.not_before_s <= now_s and self._may_go(transfer):
                transfer.phase = Phase.OFFERED
                transfer.offered_outstanding = transfer.pending.outstanding
                self._flow.offered(transfer.pending.inline_bytes, now_s)
                actions.append(SendOffer(self._token(transfer), transfer.pending))
                self._extend(transfer, now_s)
                free -= 1
        return actions

    def _chunks(self, now_s: float) -> list[Action]:
        """Send what windows and limit allow, in turn, so that no lease ends while another object takes the line."""
        actions: list[Action] = []
        sending = deque(transfer for transfer in self._transfers.values() if transfer.may_send)
        while sending:
            transfer = sending.popleft()
            self._extend(transfer, now_s)
            if self._ready_at_s(transfer, now_s) > now_s:
                continue
            actions.append(self._chunk(transfer, now_s))
            if transfer.may_send:
                sending.append(transfer)
        return actions

    def _chunk(self, transfer: Transfer, now_s: float) -> SendChunk:
        grant = transfer.granted
        chunk = transfer.next_chunk(self._chunk_bytes(grant))
        token = self._token(transfer)
        self._flow.sent(token, chunk.length, now_s, is_last=not transfer.todo)
        self._extend(transfer, now_s)
        address = ChunkAddress(grant.worker, self._station, grant.grant_id, chunk.file, chunk.offset)
        is_doubted = chunk.file in transfer.doubted
        transfer.doubted.discard(chunk.file)
        return SendChunk(token, transfer.pending, address, chunk.length, is_doubted)

    def _chunk_bytes(self, grant: Grant) -> int:
        return min(grant.chunk_bytes, self._max_chunk_bytes, self._flow.chunk_bytes(grant.window))

    def _ready_at_s(self, transfer: Transfer, now_s: float) -> float:
        """Return when the limit lets a transfer's next chunk go."""
        return self._flow.ready_at_s(transfer.next_length(self._chunk_bytes(transfer.granted)), now_s)

    def _probe(self, now_s: float) -> list[Action]:
        """With nothing to send, an absent centre would go unnoticed until there is, and so would its return."""
        all_of_them = self._transfers.values()
        is_idle = not any(one.in_flight or (one.phase is Phase.WAITING and self._may_go(one)) for one in all_of_them)
        if not (self._is_connected and (is_idle or self._gate.is_absent) and now_s >= self._gate.probe_at_s):
            return []
        self._gate.probe_at_s = now_s + self._policy.probe_every_s
        self._last_token += 1
        self._probe_token = self._last_token
        return [SendProbe(self._probe_token)]

    def _token(self, transfer: Transfer) -> int:
        self._last_token += 1
        self._tokens[self._last_token] = transfer
        transfer.unacknowledged.add(self._last_token)
        return self._last_token
