"""The delivery loop: one thread that waits for events, lets `Delivery` decide, and does what it decided."""

import logging
import queue
import random
import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, assert_never

from appliance.clocks import is_synchronised
from appliance.errors import SpoolError
from appliance.publisher import mqtt, status
from appliance.publisher.config import PublisherConfig
from appliance.publisher.delivery import FAILURE, Delivery
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
from appliance.publisher.link import Link
from appliance.spool.faults import FileDamaged
from appliance.spool.outbox import Outbox
from appliance.spool.state import PublisherState
from appliance.threads import Beat, unheard
from wire import codec, topics
from wire.errors import ProtocolError
from wire.messages import ObjectRef, StationStatus

log = logging.getLogger(__name__)

PENDING_LIMIT: Final = 16
"""Captures looked at ahead; some are in flight, the rest stands in for any that must wait. Every event looks at all."""
OFFER_EXPIRY_S: Final = 30
CHUNK_EXPIRY_S: Final = 120
STATE_EVERY_S: Final = 2.0
STATUS_EVERY_S: Final = 2.0
STATUS_REPEAT_S: Final = 30.0
"""Nothing is retained: an office that comes late, or missed a word, hears it again after so long."""
HOURS_EVERY_S: Final = 1.0
SPOOL_RETRY_S: Final = 2.0
FAREWELL_S: Final = 1.0
TELLING: Final = frozenset({"online", "waiting_for_hours", "no_server"})
"""States of the line in which the broker takes our status."""


class Publisher:
    """Ties the spool, the line and the delivery together."""

    def __init__(
        self,
        config: PublisherConfig,
        outbox: Outbox,
        line: mqtt.Line,
        clock_s: Callable[[], float] = time.monotonic,
        hours_are_open: Callable[[], bool] | None = None,
    ) -> None:
        """Put the parts together; the caller starts and closes them. `hours_are_open` is asked instead of the clock."""
        self._config = config
        self._outbox = outbox
        self._line = line
        self._clock_s = clock_s
        # Jitter keeps a fleet apart; nothing secret depends on it.
        self._delivery = Delivery(config.station, config.policy, random.random)
        self._tokens: dict[int, int] = {}
        self._offered_at_s: dict[ObjectRef, float] = {}
        self._ask_hours = hours_are_open or self._hours_by_the_clock
        self._hours_are_open = True
        self._hours_at_s = 0.0
        self._version = -1
        self._look_at_s = 0.0
        self._written: tuple[Link, str | None] | None = None
        self._write_at_s = 0.0
        self._told: StationStatus | None = None
        self._tell_at_s = 0.0
        self._repeat_at_s = 0.0
        self._sent_bytes = 0
        self._fault: str | None = None

    def run(self, stop: threading.Event, beat: Beat = unheard) -> None:
        """Deliver until `stop` is set; every turn is a beat that says how the line is.

        Raises:
            StationError: the line's own thread died.
        """
        while not stop.is_set():
            self._keep_hours()
            for event in self._next_events():
                self._take(event)
            self._look()
            self._write_state()
            self._tell()
            beat(" ".join(filter(None, (self._delivery.link.state, self._fault or self._delivery.link.code))))
        self._farewell()

    # Events

    def _next_events(self) -> list[mqtt.LineEvent]:
        """Wait for the line, at most until the spool or a timer is due, and return all that has come."""
        now_s = self._clock_s()
        due_s = min(self._delivery.next_deadline(now_s), max(now_s, self._look_at_s))
        events: list[mqtt.LineEvent] = []
        try:
            events.append(self._line.events.get(timeout=max(0.001, min(due_s - now_s, self._config.poll_s))))
            while True:
                events.append(self._line.events.get_nowait())
        except queue.Empty:
            return events

    def _take(self, event: mqtt.LineEvent) -> None:
        match event:
            case mqtt.LineUp(max_chunk_bytes):
                log.info("line up")
                self._tokens.clear()
                self._told = None
                self._decide(Connected(max_chunk_bytes))
            case mqtt.LineDown(code, refused, detail):
                log.warning("line down code=%s reason=%s", code, detail)
                self._tokens.clear()
                self._decide(Disconnected(code, refused))
            case mqtt.Answered(number, reason_code):
                token = self._tokens.pop(number, None)
                if token is not None:
                    self._decide(PublishAcknowledged(token, reason_code))
            case mqtt.Incoming(topic, payload):
                self._receive(topic, payload)
            case mqtt.Died(error):
                raise error
            case _:
                assert_never(event)

    def _receive(self, topic: str, payload: bytes) -> None:
        try:
            if topic == topics.commands(self._config.station):
                self._outbox.accept(codec.decode_command(payload))
                self._version = -1
            else:
                self._decide(ReplyReceived(codec.decode_reply(payload)))
        except ProtocolError as error:
            log.warning("message ignored topic=%s %s", topic, error.code)
        except SpoolError as error:
            self._spool_failed(error)

    def _look(self) -> None:
        """Tell the delivery what waits, when anybody has changed it; let time pass for it otherwise."""
        now_s = self._clock_s()
        if now_s < self._look_at_s:
            self._decide(Tick())
            return
        try:
            self._outbox.refresh()
            version = self._outbox.data_version()
            if version != self._version:
                self._version = version
                self._decide(ObjectsWaiting(self._outbox.pending(PENDING_LIMIT)))
            else:
                self._decide(Tick())
            self._look_at_s = now_s + self._config.poll_s
            self._fault = None
        except SpoolError as error:
            self._spool_failed(error)
            self._look_at_s = now_s + SPOOL_RETRY_S

    def _keep_hours(self) -> None:
        """Tell the delivery when pictures may go, and when they may not any more."""
        now_s = self._clock_s()
        if now_s < self._hours_at_s:
            return
        self._hours_at_s = now_s + HOURS_EVERY_S
        are_open = self._ask_hours()
        if are_open != self._hours_are_open:
            log.info("hours for pictures %s", "begin" if are_open else "end")
            self._hours_are_open = are_open
            self._decide(HoursChanged(are_open))

    def _hours_by_the_clock(self) -> bool:
        return self._config.hours.allows(datetime.now(UTC).astimezone().time(), is_synchronised=is_synchronised())

    def _spool_failed(self, error: SpoolError) -> None:
        """Note that the spool cannot be used now; a lost answer comes again when its object is offered again."""
        if self._fault != error.code:
            log.error("%s", error)
        self._fault = error.code
        self._version = -1

    # Decisions

    def _decide(self, event: Event) -> None:
        """Hand an event to the delivery and do what it says; what goes wrong is the next event."""
        events: deque[Event] = deque([event])
        while events:
            for action in self._delivery.handle(events.popleft(), self._clock_s()):
                if (outcome := self._perform(action)) is not None:
                    events.append(outcome)

    def _perform(self, action: Action) -> Event | None:
        try:
            match action:
                case SendOffer() | SendChunk():
                    return self._send(action)
                case SendProbe(token):
                    self._publish(token, topics.offers(self._config.station), b"", OFFER_EXPIRY_S)
                    return None
                case RecordReceipt(receipt):
                    self._outbox.record_receipt(receipt)
                case RecordRejection(rejected):
                    self._outbox.record_rejection(rejected)
                case RecordDamaged(ref, file):
                    log.error("DISK-06 damaged kind=%s id=%s file=%s", ref.kind, ref.id, file)
                    self._outbox.record_damaged(ref, file)
                case RecordListAnswer(answer):
                    self._outbox.record_list_answer(answer)
                case _:
                    assert_never(action)
        except SpoolError as error:
            self._spool_failed(error)
        # Our own commits do not change the version that we see.
        self._version = -1
        return None

    def _send(self, action: SendOffer | SendChunk) -> Event | None:
        ref = action.pending.ref
        try:
            if isinstance(action, SendOffer):
                payload = codec.encode(self._outbox.offer(self._config.station, action.pending))
                topic, expiry_s = topics.offers(self._config.station), OFFER_EXPIRY_S
                self._note_offer(ref)
            else:
                address = action.address
                [entry] = [one for one in action.pending.files if one.name == address.file]
                if action.is_doubted:
                    self._outbox.prove(ref, entry)
                payload = self._outbox.read(ref, entry.name, address.offset, action.length)
                topic, expiry_s = topics.chunk(address), CHUNK_EXPIRY_S
        except FileDamaged as damage:
            return ObjectDamaged(ref, damage.file)
        except SpoolError as error:
            self._spool_failed(error)
            return PublishAcknowledged(action.token, FAILURE)
        self._publish(action.token, topic, payload, expiry_s)
        return None

    def _note_offer(self, ref: ObjectRef) -> None:
        """Log an offer that is made once more: every silence ends so, and the log must tell how long it was."""
        now_s = self._clock_s()
        before_s = self._offered_at_s.pop(ref, None)
        if before_s is not None and ref.kind == "capture":
            wait_s, unanswered = now_s - before_s, len(self._tokens)
            log.info("offered again id=%s after_s=%.1f publications_unanswered=%d", ref.id, wait_s, unanswered)
        self._offered_at_s[ref] = now_s
        while len(self._offered_at_s) > 2 * PENDING_LIMIT:
            del self._offered_at_s[next(iter(self._offered_at_s))]

    def _publish(self, token: int, topic: str, payload: bytes, expiry_s: int) -> None:
        number = self._line.publish(topic, payload, expiry_s=expiry_s)
        if number is not None:
            self._tokens[number] = token
            self._sent_bytes += len(payload)

    # How things are

    def _write_state(self) -> None:
        now_s = self._clock_s()
        link = self._delivery.link
        news = (link, self._fault)
        if news == self._written and now_s < self._write_at_s:
            return
        code = self._fault or link.code
        try:
            self._outbox.write_state(PublisherState(link=link.state, code=code, sent_bytes=self._sent_bytes))
        except OSError as error:
            log.warning("state not written: %s", error)
        self._written = news
        self._write_at_s = now_s + STATE_EVERY_S

    def _tell(self) -> None:
        """Publish how the station is: on every connection, when it has changed, and now and then all the same."""
        now_s = self._clock_s()
        if self._delivery.link.state not in TELLING or (self._told and now_s < self._tell_at_s):
            return
        try:
            news = status.online(
                self._config.station,
                self._outbox.counts(),
                self._outbox.room(),
                self._outbox.read_station_state(),
                self._outbox.answered(),
            )
        except SpoolError as error:
            self._spool_failed(error)
            return
        self._tell_at_s = now_s + STATUS_EVERY_S
        if news != self._told or now_s >= self._repeat_at_s:
            topic = topics.status(self._config.station)
            if self._line.publish(topic, codec.encode(news), expiry_s=int(STATUS_REPEAT_S)) is not None:
                self._told = news
                self._repeat_at_s = now_s + STATUS_REPEAT_S

    def _farewell(self) -> None:
        """Say that we go: a clean goodbye sends no last will."""
        goodbye = codec.encode(status.offline(self._config.station))
        number = self._line.publish(topics.status(self._config.station), goodbye)
        deadline_s = self._clock_s() + FAREWELL_S
        while number is not None and (left_s := deadline_s - self._clock_s()) > 0:
            try:
                event = self._line.events.get(timeout=left_s)
            except queue.Empty:
                return
            if event == mqtt.Answered(number, 0) or isinstance(event, mqtt.LineDown | mqtt.Died):
                return
