"""The station's only MQTT client: its thread carries events into a queue, and another one decides.

Every connection has a client of its own. The library would send what an old connection left unanswered once more over
the new one; here the old words are forgotten with the old line, because the delivery has timers of its own.
"""

import logging
import queue
import random
import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from appliance.errors import StationError
from appliance.publisher.config import BrokerAddress
from appliance.publisher.refusal import UNTOLD, ask_why
from wire.limits import KIB, MAX_CHUNK_BYTES, MAX_REPLY_BYTES

log = logging.getLogger(__name__)

KEEPALIVE_S: Final = 30
CONNECT_TIMEOUT_S: Final = 10.0
MAX_INFLIGHT: Final = 16
"""Publications the broker has not answered; two windows of four chunks fit with room for offers and status."""
FIRST_RETRY_S: Final = 1.0
LONGEST_RETRY_S: Final = 30.0
QUEUE_LIMIT: Final = 256
"""Messages of the centre that wait for the delivery: 64 MiB at most. Beyond it they are lost, which does no harm."""
HEADER_BYTES: Final = 1 * KIB
"""More than a chunk's topic and properties take."""
MAX_INCOMING_BYTES: Final = MAX_REPLY_BYTES + 4 * KIB
_REFUSED_CODES: Final = frozenset({0x84, 0x85, 0x86, 0x87, 0x8A, 0x8C})
_TAKEN_OVER: Final = 0x8E


@dataclass(frozen=True, slots=True)
class LineUp:
    """Connected and subscribed; `max_chunk_bytes` fits into the broker's largest packet."""

    max_chunk_bytes: int


@dataclass(frozen=True, slots=True)
class LineDown:
    """Not connected; `refused` where the broker does not want us, which a person must put right."""

    code: str
    refused: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message of the centre."""

    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Answered:
    """The broker's answer to the publication `number`."""

    number: int
    reason_code: int


@dataclass(frozen=True, slots=True)
class Died:
    """The client's thread ended by a fault of our own."""

    error: BaseException


LineEvent = LineUp | LineDown | Incoming | Answered | Died


@dataclass(frozen=True, slots=True)
class LastWill:
    """What the broker says for us when we are gone."""

    topic: str
    payload: bytes


class Line:
    """A line to the broker that puts itself up again; whatever happens on it comes out of `events`."""

    def __init__(self, address: BrokerAddress, subscriptions: Sequence[str], will: LastWill) -> None:
        """Prepare the line; nothing happens before `start`.

        Raises:
            StationError: PAIR-03, the certificates cannot be used.
        """
        self.events: queue.SimpleQueue[LineEvent] = queue.SimpleQueue()
        self._address = address
        self._subscriptions = tuple(subscriptions)
        self._will = will
        self._context = _tls_context(address)
        self._stop = threading.Event()
        self._client: paho.Client | None = None
        self._max_inflight = MAX_INFLIGHT
        self._is_up = False
        self._was_answered = False
        self._last_failure: LineDown | None = None
        self._thread = threading.Thread(target=self._guarded, name="mqtt", daemon=True)

    def start(self) -> None:
        """Begin to connect."""
        self._thread.start()

    def close(self, timeout_s: float = 5.0) -> None:
        """Leave the broker and end the thread; twice is fine."""
        self._stop.set()
        client = self._client
        if client is not None:
            client.disconnect()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def publish(self, topic: str, payload: bytes, *, expiry_s: int | None = None) -> int | None:
        """Send with QoS 1 and return the number its answer will carry; None where there is no line."""
        client = self._client
        if client is None or not self._is_up:
            return None
        properties = None if expiry_s is None else _properties(PacketTypes.PUBLISH, MessageExpiryInterval=expiry_s)
        sent = client.publish(topic, payload, qos=1, properties=properties)
        return sent.mid if sent.rc == MQTTErrorCode.MQTT_ERR_SUCCESS else None

    # The client's thread

    def _guarded(self) -> None:
        try:
            self._keep_up()
        except BaseException as error:
            log.critical("mqtt thread died", exc_info=error)
            self.events.put(Died(error))

    def _keep_up(self) -> None:
        retry_s = FIRST_RETRY_S
        while not self._stop.is_set():
            self._is_up = False
            was_up = self._connect_once()
            if self._stop.is_set():
                return
            retry_s = next_retry_s(retry_s, was_up=was_up)
            self._stop.wait(spread_s(retry_s, random.random()))  # noqa: S311 - nothing secret depends on it

    def _connect_once(self) -> bool:
        """Hold one connection from its beginning to its end; tells whether it ever was up."""
        client = self._new_client()
        self._client = client
        self._last_failure = None
        self._was_answered = False
        was_up, ended = threading.Event(), threading.Event()
        client.on_subscribe = self._subscribed(was_up)
        client.on_disconnect = self._disconnected(ended)
        try:
            client.connect(
                self._address.host,
                self._address.port,
                keepalive=KEEPALIVE_S,
                clean_start=True,
                properties=_properties(
                    PacketTypes.CONNECT, SessionExpiryInterval=0, MaximumPacketSize=MAX_INCOMING_BYTES
                ),
            )
            # The library's own loop thread: with any other, `publish` would write to the TLS socket from its caller's
            # thread while the loop reads from it, and the broker would receive records that it cannot decipher.
            client.loop_start()
            ended.wait()
            with suppress(AttributeError):
                # The thread ends itself now, perhaps between the library's two looks at it.
                client.loop_stop()
        except OSError as error:
            self._last_failure = _failure_of(error)
        finally:
            self._is_up = False
            self._client = None
            with suppress(OSError):
                client.disconnect()
        self.events.put(self._last_failure or self._ending())
        return was_up.is_set()

    def _ending(self) -> LineDown:
        if self._was_answered:
            return LineDown("NET-01", refused=False, detail="the connection ended")
        # A broker that does not want our certificate hangs up in the middle of the greeting.
        code = UNTOLD if self._stop.is_set() else ask_why(self._address.host, self._address.port, self._context)
        return LineDown(code, refused=True, detail="the broker hung up before it answered")

    def _new_client(self) -> paho.Client:
        client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5, reconnect_on_failure=False)
        client.tls_set_context(self._fresh_context())
        client.connect_timeout = CONNECT_TIMEOUT_S
        client.max_inflight_messages = self._max_inflight
        client.will_set(self._will.topic, self._will.payload, qos=1)
        client.on_connect = self._on_connect
        client.on_socket_open = _send_at_once
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        return client

    def _fresh_context(self) -> ssl.SSLContext:
        """Return how to speak TLS with the certificate that is there now: it may have been renewed meanwhile."""
        try:
            self._context = _tls_context(self._address)
        except StationError as error:
            log.warning("the certificates as they were: %s", error)
        return self._context

    def _on_connect(
        self, client: paho.Client, _data: Any, _flags: Any, reason: ReasonCode, properties: Properties | None
    ) -> None:
        if reason.is_failure:
            refused = reason.value in _REFUSED_CODES
            self._last_failure = LineDown("PAIR-01" if refused else "NET-01", refused=refused, detail=str(reason))
            return
        if self._stop.is_set():
            client.disconnect()
            return
        self._was_answered = True
        allowed = getattr(properties, "ReceiveMaximum", self._max_inflight)
        if allowed < self._max_inflight:
            # Only a new client can be told; the next one starts with what this broker can take.
            self._max_inflight = allowed
            client.disconnect()
            return
        packet_bytes = getattr(properties, "MaximumPacketSize", MAX_CHUNK_BYTES + HEADER_BYTES)
        self._max_chunk_bytes = min(MAX_CHUNK_BYTES, packet_bytes - HEADER_BYTES)
        client.subscribe([(topic, SubscribeOptions(qos=1)) for topic in self._subscriptions])

    def _subscribed(self, was_up: threading.Event) -> Callable[..., None]:
        def on_subscribe(
            client: paho.Client, _data: Any, _mid: int, reasons: Sequence[ReasonCode], _properties: Any
        ) -> None:
            if any(reason.is_failure for reason in reasons):
                self._last_failure = LineDown("PAIR-02", refused=True, detail="subscription refused")
                client.disconnect()
                return
            was_up.set()
            self._is_up = True
            self.events.put(LineUp(self._max_chunk_bytes))

        return on_subscribe

    def _disconnected(self, ended: threading.Event) -> Callable[..., None]:
        def on_disconnect(
            _client: paho.Client, _data: Any, _flags: Any, reason: ReasonCode, _properties: Properties | None
        ) -> None:
            if self._last_failure is None and self._was_answered and reason.is_failure:
                refused = reason.value in _REFUSED_CODES
                code = "PAIR-01" if refused else "PAIR-04" if reason.value == _TAKEN_OVER else "NET-01"
                self._last_failure = LineDown(code, refused=code != "NET-01", detail=str(reason))
            ended.set()

        return on_disconnect

    def _on_message(self, _client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        if self.events.qsize() < QUEUE_LIMIT:
            self.events.put(Incoming(message.topic, bytes(message.payload)))

    def _on_publish(self, _client: paho.Client, _data: Any, mid: int, reason: ReasonCode, _properties: Any) -> None:
        self.events.put(Answered(mid, reason.value))


def next_retry_s(retry_s: float, *, was_up: bool) -> float:
    """Return the wait after a connection that ended or was never made, the one before having been `retry_s`."""
    return FIRST_RETRY_S if was_up else min(LONGEST_RETRY_S, retry_s * 2)


def spread_s(retry_s: float, chance: float) -> float:
    """Return a wait about `retry_s`: a fleet that lost its broker at one moment must not come back at one moment."""
    return retry_s * (0.5 + chance)


def _send_at_once(_client: paho.Client, _data: Any, line: Any) -> None:
    """Small words (an offer, an acknowledgement) must not wait for the other side's delayed ones: 40 ms each."""
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _tls_context(address: BrokerAddress) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=str(address.ca))
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(str(address.cert), str(address.key))
    except OSError as error:
        raise StationError(
            "PAIR-03",
            f"The station's certificates cannot be used ({error}).",
            "Pair the station with the centre again; `lattrang station doctor` names the file.",
        ) from error
    return context


def _failure_of(error: OSError) -> LineDown:
    if isinstance(error, ssl.SSLError):
        return LineDown("NET-03", refused=True, detail=str(error))
    return LineDown("NET-01", refused=False, detail=str(error))


def _properties(packet: int, **values: int) -> Properties:
    properties = Properties(packet)  # type: ignore[no-untyped-call]  # paho leaves this constructor untyped
    for name, value in values.items():
        setattr(properties, name, value)
    return properties
