"""What to send next, when to try again, and what an answer means. Pure: events and the time in, actions out.

The broker is a wire, not a store, so these timers are the only source of retry anywhere. Everything sent may be lost,
doubled or come late, and a worker may die at any moment; an object is done when its receipt is recorded and not before.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, assert_never

from appliance.publisher.events import (
    Action,
    Connected,
    Disconnected,
    Event,
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
from appliance.publisher.policy import DeliveryPolicy
from appliance.publisher.transfer import Phase, Transfer
from appliance.spool.rows import Pending
from appliance.spool.state import LinkState
from wire.limits import MAX_CHUNK_BYTES
from wire.messages import (
    Again,
    Busy,
    Complete,
    FileEntry,
    Grant,
    Missing,
    ObjectRef,
    Progress,
    Receipt,
    Rejected,
    Reply,
)
from wire.topics import ChunkAddress

NO_SUBSCRIBER: Final = 0x10
NOT_AUTHORISED: Final = 0x87
FAILURE: Final = 0x80


@dataclass(frozen=True, slots=True)
class Link:
    """The line to the centre as the delivery sees it, with the code of what is wrong."""

    state: LinkState
    code: str | None = None


OFFLINE: Final = Link("offline", "NET-01")
ONLINE: Final = Link("online")
NO_SERVER: Final = Link("no_server", "NET-02")
NOT_ALLOWED: Final = Link("refused", "PAIR-02")


class Delivery:
    """Owns every decision about delivery; whoever runs it owns the disk and the line.

    Attributes:
        link: the line to the centre.
    """

    def __init__(self, station: str, policy: DeliveryPolicy, random: Callable[[], float]) -> None:
        """Begin offline with nothing to do.

        Args:
            station: our name, for the addresses of chunks.
            policy: how patient to be.
            random: returns numbers from 0 to 1.
        """
        self._station = station
        self._policy = policy
        self._random = random
        self._transfers: dict[ObjectRef, Transfer] = {}
        self._tokens: dict[int, Transfer] = {}
        self._last_token = 0
        self._max_chunk_bytes = 0
        self._line_chunk_bytes = MAX_CHUNK_BYTES
        self._gate_s = 0.0
        self._failures = 0
        self._probe_at_s = math.inf
        self._probe_token = 0
        self.link = OFFLINE

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
                self._disconnected(Link("refused" if refused else "offline", code))
            case ReplyReceived(reply):
                actions += self._reply(reply, now_s)
            case PublishAcknowledged(token, reason_code):
                self._acknowledged(token, reason_code, now_s)
            case ObjectsWaiting(objects):
                self._waiting(objects, now_s)
            case ObjectDamaged(ref, file):
                actions += self._damaged(ref, file)
            case Tick():
                pass
            case _:
                assert_never(event)
        self._time_out(now_s)
        return actions + self._offers(now_s) + self._chunks(now_s) + self._probe(now_s)

    def next_deadline(self, now_s: float) -> float:
        """Return when a `Tick` is due at the latest; infinity where only an event can bring anything."""
        if not self._is_connected:
            return math.inf
        deadlines = [transfer.deadline_s for transfer in self._transfers.values() if transfer.in_flight]
        if self.in_flight < self._policy.max_in_flight:
            waiting = (one.not_before_s for one in self._transfers.values() if one.phase is Phase.WAITING)
            deadlines += [max(self._gate_s, not_before_s) for not_before_s in waiting]
        return max(now_s, min(deadlines, default=self._probe_at_s))

    # The line

    @property
    def _is_connected(self) -> bool:
        return self._max_chunk_bytes > 0

    def _connected(self, max_chunk_bytes: int, now_s: float) -> None:
        self._max_chunk_bytes = max_chunk_bytes
        self._probe_at_s = now_s + self._policy.first_retry_s
        self.link = ONLINE
        self._restart()

    def _disconnected(self, link: Link) -> None:
        if any(one.phase is Phase.GRANTED and one.unacknowledged for one in self._transfers.values()):
            # A chunk that takes longer than the broker's patience would break every line to come; half of it may not.
            self._line_chunk_bytes = max(self._policy.smallest_chunk_bytes, self._line_chunk_bytes // 2)
        self._max_chunk_bytes = 0
        self.link = link
        self._restart()

    def _chunk_bytes(self, grant: Grant) -> int:
        return min(grant.chunk_bytes, self._max_chunk_bytes, self._line_chunk_bytes)

    def _restart(self) -> None:
        """Forget every timer: what failed on the old line says nothing about the new one."""
        self._tokens.clear()
        self._gate_s = 0.0
        self._failures = 0
        for transfer in self._transfers.values():
            if transfer.phase is not Phase.SETTLED:
                transfer.attempts = 0
                transfer.wait(0.0)

    def _acknowledged(self, token: int, reason_code: int, now_s: float) -> None:
        if token == self._probe_token:
            self.link = NO_SERVER if reason_code == NO_SUBSCRIBER else NOT_ALLOWED if reason_code >= FAILURE else ONLINE
        transfer = self._tokens.pop(token, None)
        if transfer is None or token not in transfer.unacknowledged:
            return
        transfer.unacknowledged.discard(token)
        if reason_code == NO_SUBSCRIBER or reason_code >= FAILURE:
            self._unheard(transfer, reason_code, now_s)
        else:
            self._extend(transfer, now_s)

    def _unheard(self, transfer: Transfer, reason_code: int, now_s: float) -> None:
        """Nobody got it. An offer that reaches nobody means no centre; a chunk, that its worker has gone."""
        if reason_code == NOT_AUTHORISED:
            self.link = NOT_ALLOWED
        elif reason_code == NO_SUBSCRIBER and transfer.phase is Phase.OFFERED:
            self.link = NO_SERVER
        if transfer.phase is Phase.OFFERED:
            self._close_gate(now_s)
        self._retry(transfer, now_s)

    def _close_gate(self, now_s: float) -> None:
        """Offer nothing for a while: what one offer met, the next one would meet too."""
        self._gate_s = max(self._gate_s, now_s + self._backoff_s(self._failures))
        self._failures += 1

    def _retry(self, transfer: Transfer, now_s: float) -> None:
        transfer.wait(now_s + self._backoff_s(transfer.attempts))
        transfer.attempts += 1

    def _backoff_s(self, failures: int) -> float:
        wait_s = min(self._policy.longest_retry_s, self._policy.first_retry_s * 2.0 ** min(failures, 16))
        return wait_s * (1.0 - self._policy.jitter * self._random())

    # What waits

    def _waiting(self, objects: tuple[Pending, ...], now_s: float) -> None:
        known, self._transfers = self._transfers, {}
        for pending in objects:
            transfer = known.pop(pending.ref, None) or Transfer(pending)
            self._transfers[pending.ref] = transfer
            if transfer.phase is Phase.SETTLED:
                # It was answered, yet it waits: the answer could not be recorded, or the centre wants it once more.
                self._retry(transfer, now_s)
            if not transfer.in_flight:
                transfer.pending = pending
            if transfer.phase is Phase.WAITING and pending.outstanding == 0 and transfer.offered_outstanding:
                # The last of a list's captures has its receipt: the centre can now say "complete".
                transfer.offered_outstanding = 0
                transfer.not_before_s = now_s

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
            self.link = ONLINE
            self._failures = 0

    def _receipt(self, transfer: Transfer, receipt: Receipt, now_s: float) -> None:
        if not _same_files(receipt.files, transfer.pending.files):
            return
        if transfer.pending.ref.kind == "capture":
            self._line_chunk_bytes = min(MAX_CHUNK_BYTES, self._line_chunk_bytes * 2)
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
                    until_s = now_s + retry_after_s * (1.0 + self._policy.jitter * self._random())
                    self._gate_s = max(self._gate_s, until_s)
                    transfer.wait(until_s)
            case Progress(grant_id=grant_id, held=held):
                if _is_under(transfer, grant_id) and transfer.hold(held):
                    transfer.attempts = 0
                    self._extend(transfer, now_s)
            case Again():
                self._again(transfer, reply, now_s)
            case _:
                assert_never(reply)

    def _granted(self, transfer: Transfer, grant: Grant, now_s: float) -> None:
        has_place = transfer.phase is Phase.WAITING and self.in_flight < self._policy.max_in_flight
        if self._is_connected and (transfer.phase is Phase.OFFERED or has_place):
            transfer.begin(grant, self._chunk_bytes(grant))
            self._extend(transfer, now_s)

    def _again(self, transfer: Transfer, again: Again, now_s: float) -> None:
        if not _is_under(transfer, again.grant_id) or transfer.grant is None:
            return
        transfer.agains += 1
        if transfer.agains > self._policy.max_agains:
            self._retry(transfer, now_s)
            return
        transfer.send_again(again.file, again.spans, self._chunk_bytes(transfer.grant))
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
            self._close_gate(now_s)
            if self._failures >= self._policy.unanswered_limit:
                self.link = NO_SERVER
        self._retry(transfer, now_s)

    # Sending

    def _offers(self, now_s: float) -> list[Action]:
        actions: list[Action] = []
        if not self._is_connected or now_s < self._gate_s:
            return actions
        free = self._policy.max_in_flight - self.in_flight
        for transfer in self._transfers.values():
            if free <= 0:
                break
            if transfer.phase is Phase.WAITING and transfer.not_before_s <= now_s:
                transfer.phase = Phase.OFFERED
                transfer.offered_outstanding = transfer.pending.outstanding
                actions.append(SendOffer(self._token(transfer), transfer.pending))
                self._extend(transfer, now_s)
                free -= 1
        return actions

    def _chunks(self, now_s: float) -> list[Action]:
        actions: list[Action] = []
        for transfer in self._transfers.values():
            while transfer.grant is not None and (chunk := transfer.next_chunk()):
                grant = transfer.grant
                address = ChunkAddress(grant.worker, self._station, grant.grant_id, chunk.file, chunk.offset)
                actions.append(SendChunk(self._token(transfer), transfer.pending, address, chunk.length))
                self._extend(transfer, now_s)
        return actions

    def _probe(self, now_s: float) -> list[Action]:
        """With nothing to send, an absent centre would go unnoticed until there is."""
        is_idle = not any(one.in_flight or one.phase is Phase.WAITING for one in self._transfers.values())
        if not (self._is_connected and is_idle and now_s >= self._probe_at_s):
            return []
        self._probe_at_s = now_s + self._policy.probe_every_s
        self._last_token += 1
        self._probe_token = self._last_token
        return [SendProbe(self._probe_token)]

    def _token(self, transfer: Transfer) -> int:
        self._last_token += 1
        self._tokens[self._last_token] = transfer
        transfer.unacknowledged.add(self._last_token)
        return self._last_token


def _is_under(transfer: Transfer, grant_id: str) -> bool:
    return transfer.grant is not None and transfer.grant.grant_id == grant_id


def _same_files(ours: tuple[FileEntry, ...], theirs: tuple[FileEntry, ...]) -> bool:
    return {entry.name: entry for entry in ours} == {entry.name: entry for entry in theirs}
