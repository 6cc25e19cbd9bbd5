"""Listens to how stations are and sends them what the outbox holds until they answer. One thread owns it."""

import logging
import queue
import threading
import time
from typing import Final

from central import batches, clock, mqtt
from central.catalogue import Catalogue, fleet_records, queries
from central.errors import CatalogueError
from central.pulse import Beat, unheard
from wire import codec, topics
from wire.errors import Malformed, ProtocolError
from wire.messages import StationStatus

log = logging.getLogger(__name__)

SUBSCRIPTIONS: Final = (mqtt.Subscription(topics.ANY_STATUS),)
RESEND_S: Final = 5.0
NEWS_S: Final = 30.0
"""Books take an hour: several that are handed over together are one revision of their batch."""
_WAIT_S: Final = 0.5
_RETRY_S: Final = 2.0
_MOST_AT_ONCE: Final = 200


class Fleet:
    """Keeps the stations' rows fresh and their commands going."""

    def __init__(self, client: mqtt.MqttClient, catalogue: Catalogue, *, news_s: float = NEWS_S) -> None:
        """Put the parts together; `run` uses them, the caller starts and closes them.

        Every `news_s` it looks whether stations have to hear what was digitised of a batch.
        """
        self._client = client
        self._catalogue = catalogue
        self._news_s = news_s
        self._news_at_s = 0.0
        self._lists_told = (-1, "")
        self._sent_at_s: dict[str, float] = {}
        self._connected = False

    def run(self, stop: threading.Event, beat: Beat = unheard) -> None:
        """Work until `stop` is set; every turn is a beat that says how the line is.

        A catalogue that cannot be used now (a full disk) is tried again; the screens stay up to show it.

        Raises:
            BrokerError: the broker refuses the office.
        """
        statuses: dict[str, StationStatus] = {}
        while not stop.is_set():
            beat("connected" if self._connected else "not connected")
            statuses |= self._collect()
            try:
                self._note(statuses)
                statuses = {}
                self._tell_news(time.monotonic())
                if self._connected:
                    self._send_commands(time.monotonic())
            except CatalogueError as error:
                log.warning("what stations say waits for the catalogue: %s", error)
                stop.wait(_RETRY_S)

    def _note(self, statuses: dict[str, StationStatus]) -> None:
        if statuses:
            with self._catalogue.write() as connection:
                fleet_records.note_status(connection, statuses, clock.now())

    def _tell_news(self, now_s: float) -> None:
        if now_s < self._news_at_s:
            return
        self._news_at_s = now_s + self._news_s
        with self._catalogue.read() as connection:
            received = queries.lists_received(connection)
        if received != self._lists_told:
            batches.tell_what_was_digitised(self._catalogue)
            self._lists_told = received

    def _collect(self) -> dict[str, StationStatus]:
        """Return the newest status of each station that spoke: one transaction, however often they did."""
        statuses: dict[str, StationStatus] = {}
        wait_s = _WAIT_S
        for _ in range(_MOST_AT_ONCE):
            try:
                event = self._client.events.get(timeout=wait_s) if wait_s else self._client.events.get_nowait()
            except queue.Empty:
                break
            wait_s = 0.0
            match event:
                case mqtt.Received():
                    self._take(event, statuses)
                case mqtt.Refused(error):
                    raise error
                case mqtt.Connected():
                    self._connected = True
                    self._sent_at_s.clear()
                case mqtt.Disconnected(reason):
                    self._connected = False
                    log.warning("office disconnected reason=%s", reason)
                case mqtt.Acknowledged():
                    pass
        return statuses

    def _take(self, message: mqtt.Received, statuses: dict[str, StationStatus]) -> None:
        if not message.payload:
            return  # the status of a station that was shut out, taken off the wire
        try:
            status = _decoded(message)
        except ProtocolError as error:
            log.warning("refused status topic=%s %s", message.topic[:200], error.code)
            return
        else:
            statuses[status.station] = status

    def _send_commands(self, now_s: float) -> None:
        with self._catalogue.read() as connection:
            waiting = fleet_records.open_commands(connection, clock.now())
        sent_at_s = {one: self._sent_at_s[one] for _, one, _ in waiting if one in self._sent_at_s}
        for station, command_id, payload in waiting:
            if now_s - sent_at_s.get(command_id, -RESEND_S) >= RESEND_S:
                self._client.publish(topics.commands(station), payload, expiry_s=int(RESEND_S))
                sent_at_s[command_id] = now_s
        self._sent_at_s = sent_at_s


def _decoded(message: mqtt.Received) -> StationStatus:
    station = topics.parse_status(message.topic)
    status = codec.decode_status(message.payload)
    if status.station != station:
        raise ProtocolError(Malformed.WRONG_STATION, "A status names another station than its topic.")
    return status
