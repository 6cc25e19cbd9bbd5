"""A worker: takes offers, grants, collects chunks, proves and stores them, answers. One thread owns all of it.

Nothing is acknowledged to a station before it is durable; whatever goes wrong with one object is answered or dropped
and the worker goes on. The station's timers are the only source of retry.
"""

import logging
import queue
import threading
import time
from typing import Final

from central import clock, mqtt
from central.archive import Archive
from central.catalogue import Catalogue, records
from central.config import WorkerLimits
from central.errors import CatalogueError, CentralError
from central.pulse import Beat, unheard
from central.receiving import ingest
from central.receiving.grants import Expired, Grant, Ledger
from central.receiving.ingest import Refusal
from central.receiving.quarantine import Quarantine
from central.receiving.shelf import Shelf
from central.receiving.staging import Incoming, Staging, same_files
from central.receiving.turns import Turns
from wire import codec, messages, topics
from wire.errors import Malformed, ProtocolError
from wire.ids import new_id
from wire.messages import FileEntry, ObjectRef, Offer, Reply

log = logging.getLogger(__name__)

REPLY_EXPIRY_S: Final = 120
BUSY_DISK_S: Final = 60.0
BUSY_FAULT_S: Final = 15.0
_FLUSH_S: Final = 1.0
_LONGEST_WAIT_S: Final = 0.5


def subscriptions(worker: str) -> tuple[mqtt.Subscription, ...]:
    """Return what a worker listens to."""
    return mqtt.Subscription(topics.SHARED_OFFERS), mqtt.Subscription(topics.any_chunk(worker))


class Receiver:
    """Owns the grants of one worker and every decision about them."""

    def __init__(
        self, worker: str, client: mqtt.MqttClient, staging: Staging, catalogue: Catalogue, limits: WorkerLimits
    ) -> None:
        """Put the parts together; `run` uses them, the caller starts and closes them."""
        self._worker = worker
        self._client = client
        self._staging = staging
        self._catalogue = catalogue
        self._archive = Archive(staging, catalogue, worker)
        self._limits = limits
        self._ledger = Ledger(chunk_bytes=limits.chunk_bytes, max_grants=limits.max_grants, lease_s=limits.lease_s)
        self._shelf = Shelf(keep_s=limits.keep_s, max_kept=limits.max_kept)
        self._turns = Turns()
        self._incoming: dict[str, Incoming] = {}
        self._quarantine = Quarantine(staging.layout.quarantine, worker)
        self._flushed_at_s = 0.0
        self._line = "not connected yet"

    def run(self, stop: threading.Event, beat: Beat = unheard) -> None:
        """Work until `stop` is set; every turn is a beat that says how the line is.

        Raises:
            BrokerError: the broker refuses this worker, or another process has its name.
        """
        try:
            while not stop.is_set():
                event = self._next_event()
                if event is not None:
                    self._handle(event)
                self._pass_time(time.monotonic())
                beat(self._line)
        finally:
            for incoming in self._incoming.values():
                incoming.discard()
            self._flush_quarantine()

    def _next_event(self) -> mqtt.Event | None:
        due_s = self._ledger.next_due_s()
        wait_s = _LONGEST_WAIT_S if due_s is None else min(_LONGEST_WAIT_S, max(0.0, due_s - time.monotonic()))
        try:
            return self._client.events.get(timeout=wait_s)
        except queue.Empty:
            return None

    def _handle(self, event: mqtt.Event) -> None:
        match event:
            case mqtt.Received():
                self._receive(event)
            case mqtt.Refused(error):
                raise error
            case mqtt.Connected():
                log.info("worker connected name=%s", self._worker)
                self._line = "connected"
                for grant in self._ledger.all():
                    self._report(grant, time.monotonic())
            case mqtt.Disconnected(reason):
                log.warning("worker disconnected name=%s reason=%s", self._worker, reason)
                self._line = f"disconnected: {reason}"
            case mqtt.Acknowledged():
                pass

    def _receive(self, message: mqtt.Received) -> None:
        try:
            if message.topic.startswith(f"{topics.inbox(self._worker)}/"):
                self._chunk(message)
            elif message.payload:
                self._offer(message)
            # An empty offer is somebody asking whether a worker is there: the broker has answered already.
        except ProtocolError as error:
            self._quarantine.note(message.topic, error.code, message.payload, clock.now())
            log.warning("refused message topic=%s %s", message.topic[:200], error.code)

    # -- offers

    def _offer(self, message: mqtt.Received) -> None:
        station = topics.parse_offer(message.topic)
        offer = codec.decode_offer(message.payload)
        if offer.station != station:
            raise ProtocolError(Malformed.WRONG_STATION, "An offer names another station than its topic.")
        try:
            self._answer_offer(offer)
        except Refusal as refusal:
            self._reject(station, offer.object, refusal)
        except CentralError as error:
            self._fault(station, offer.object, error)

    def _answer_offer(self, offer: Offer) -> None:
        ingest.check_offer(offer)
        receipt = self._archive.receipt(offer.object)
        if receipt is not None:
            self._forget(offer)
            if not same_files(receipt.files, offer.files):
                raise Refusal("digest_conflict", "the centre has other files under this id")
            self._send_receipt(offer.station, receipt)
            return
        grant = self._ledger.find(offer.station, offer.object)
        if grant is not None and same_files(grant.files, offer.files):
            self._ledger.renew(grant, time.monotonic())
            self._send_grant(grant)
            return
        kept = self._shelf.find(offer.station, offer.object)
        if grant is not None or (kept is not None and not same_files(kept.files, offer.files)):
            self._forget(offer)
            kept = None
        if not self._turns.may_go(offer.station, self._ledger.free_for(offer.station), time.monotonic()):
            wait_s = self._turns.wait_s(offer.station)
            self._send(offer.station, messages.Busy(object=offer.object, retry_after_s=wait_s))
        elif not self._has_room(offer):
            log.error("STORE-02 no room for object=%s", offer.object.id)
            self._send(offer.station, messages.Busy(object=offer.object, retry_after_s=BUSY_DISK_S))
        elif kept is not None and self._shelf.take(offer.station, offer.object) is not None:
            log.info("continued object=%s station=%s", offer.object.id, offer.station)
            self._send_grant(self._ledger.resume(kept, time.monotonic()))
        else:
            self._open(offer)

    def _has_room(self, offer: Offer) -> bool:
        """Tell whether the offer fits; what is kept of other objects goes before this one is turned away."""
        wanted = sum(entry.size for entry in offer.files) + self._ledger.open_bytes
        while self._staging.layout.free_bytes() - wanted < self._limits.reserve_bytes:
            oldest = self._shelf.take_oldest()
            if oldest is None:
                return False
            self._drop(oldest)
        return True

    def _forget(self, offer: Offer) -> None:
        """Throw away what came of this object: it is here already, or it is offered with other files."""
        found = (self._ledger.find(offer.station, offer.object), self._shelf.take(offer.station, offer.object))
        for grant in found:
            if grant is not None:
                self._drop(grant)

    def _open(self, offer: Offer) -> None:
        grant_id = new_id()
        incoming = self._staging.open(grant_id, offer.files, offer.inline)
        self._incoming[grant_id] = incoming
        grant = self._ledger.open(grant_id, offer, time.monotonic())
        try:
            _prove_inline(grant, incoming)
            if grant.is_complete:
                self._finish(grant)
            else:
                self._send_grant(grant)
        except (Refusal, CentralError):
            self._drop(grant)
            raise

    # -- chunks

    def _chunk(self, message: mqtt.Received) -> None:
        address = topics.parse_chunk(message.topic)
        chunk = self._ledger.take(address, len(message.payload), time.monotonic())
        if not chunk.is_new:
            return
        grant, incoming = chunk.grant, self._incoming[chunk.grant.grant_id]
        try:
            incoming.write(chunk.entry.name, chunk.span.start, message.payload)
            if grant.holds(chunk.entry) and not incoming.prove(chunk.entry):
                self._send_again(grant, chunk.entry, incoming)
            elif grant.is_complete:
                self._finish(grant)
        except Refusal as refusal:
            self._drop(grant)
            self._reject(grant.station, grant.object, refusal)
        except CentralError as error:
            self._drop(grant)
            self._fault(grant.station, grant.object, error)

    def _send_again(self, grant: Grant, entry: FileEntry, incoming: Incoming) -> None:
        if entry.name in grant.retried:
            raise Refusal("digest_mismatch", f"{entry.name} came twice with another digest than offered")
        log.warning("digest mismatch object=%s file=%s, asked again", grant.object.id, entry.name)
        incoming.restart(entry.name)
        self._ledger.again(grant, entry, time.monotonic())
        whole = (messages.Span(0, entry.size),)
        self._send(
            grant.station,
            messages.Again(object=grant.object, grant_id=grant.grant_id, file=entry.name, spans=whole),
        )

    def _finish(self, grant: Grant) -> None:
        incoming = self._incoming[grant.grant_id]
        receipt = self._archive.keep(incoming, grant.object, grant.station, grant.files, clock.now())
        self._drop(grant)
        log.info("stored kind=%s id=%s bytes=%d", grant.object.kind, grant.object.id, grant.total_bytes)
        self._send_receipt(grant.station, receipt)

    def _drop(self, grant: Grant) -> None:
        self._ledger.close(grant)
        incoming = self._incoming.pop(grant.grant_id, None)
        if incoming is not None:
            incoming.discard()

    # -- time

    def _pass_time(self, now_s: float) -> None:
        for due in self._ledger.due(now_s):
            if isinstance(due, Expired):
                self._interrupted(due.grant, now_s)
                continue
            self._report(due.grant, now_s)
            for name, gaps in due.holes:
                again = messages.Again(object=due.grant.object, grant_id=due.grant.grant_id, file=name, spans=gaps)
                self._send(due.grant.station, again)
        for grant in self._shelf.due(now_s):
            self._drop(grant)
        for grant in self._ledger.to_report(self._limits.window, now_s, is_drained=self._client.events.empty()):
            self._report(grant, now_s)
        if now_s - self._flushed_at_s >= _FLUSH_S:
            self._flushed_at_s = now_s
            self._flush_quarantine()

    def _interrupted(self, grant: Grant, now_s: float) -> None:
        log.info("lease over object=%s station=%s", grant.object.id, grant.station)
        self._incoming[grant.grant_id].rest()
        for one in self._shelf.put(grant, now_s):
            self._drop(one)

    def _flush_quarantine(self) -> None:
        counts = self._quarantine.take_counts()
        if not counts:
            return
        try:
            with self._catalogue.write() as connection:
                records.count_quarantined(connection, counts, clock.now())
        except CatalogueError:
            # The lines are in the file; only the sums on the screen are short.
            log.exception("quarantine not counted")

    # -- answers

    def _send(self, station: str, reply: Reply) -> None:
        self._client.publish(topics.replies(station), codec.encode(reply), expiry_s=REPLY_EXPIRY_S)

    def _send_grant(self, grant: Grant) -> None:
        reply = messages.Grant(
            object=grant.object,
            grant_id=grant.grant_id,
            worker=self._worker,
            inbox=topics.inbox(self._worker),
            chunk_bytes=self._limits.chunk_bytes,
            window=self._limits.window,
            lease_s=self._limits.lease_s,
            have=grant.progress(),
        )
        self._send(grant.station, reply)

    def _report(self, grant: Grant, now_s: float) -> None:
        progress = messages.Progress(object=grant.object, grant_id=grant.grant_id, held=grant.progress())
        self._send(grant.station, progress)
        self._ledger.reported(grant, now_s)

    def _send_receipt(self, station: str, receipt: messages.Receipt) -> None:
        self._send(station, receipt)
        if receipt.object.kind == "job_list":
            answer = self._archive.list_answer(receipt.object)
            if answer is not None:
                self._send(station, answer)

    def _reject(self, station: str, ref: ObjectRef, refusal: Refusal) -> None:
        log.warning("rejected object=%s code=%s detail=%s", ref.id, refusal.code, refusal.detail)
        self._send(station, messages.Rejected(object=ref, code=refusal.code, detail=refusal.detail[:400]))

    def _fault(self, station: str, ref: ObjectRef, error: CentralError) -> None:
        log.error("not stored object=%s %s", ref.id, error)
        self._send(station, messages.Busy(object=ref, retry_after_s=BUSY_FAULT_S))


def _prove_inline(grant: Grant, incoming: Incoming) -> None:
    for entry in grant.files:
        if grant.holds(entry) and not incoming.prove(entry):
            raise Refusal("digest_mismatch", f"{entry.name} does not have the digest that is offered")
