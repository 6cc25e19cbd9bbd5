"""The only MQTT client of the centre: callbacks carry events into a queue, another thread decides.

MQTT 5 over TLS with our own certificate, clean start, no session left behind: the broker is a wire, not a store.
"""

import contextlib
import logging
import queue
import socket
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from central.authority.ca import Credentials
from central.errors import BrokerError

log = logging.getLogger(__name__)

NO_SUBSCRIBER: Final = 0x10
NOT_AUTHORISED: Final = 0x87
TAKEN_OVER: Final = 0x8E
KEEPALIVE_S: Final = 30
QUEUE_LENGTH: Final = 256


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """Where the broker is and who we are to it."""

    host: str
    port: int
    tls: Credentials


@dataclass(frozen=True, slots=True)
class Subscription:
    """One filter."""

    topic: str


@dataclass(frozen=True, slots=True)
class Connected:
    """The broker took us and every subscription; its limits as it told them."""

    max_packet_bytes: int | None
    receive_maximum: int | None
    retains: bool = False


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The line is down; the client goes on trying by itself."""

    reason: str


@dataclass(frozen=True, slots=True)
class Received:
    """A message came."""

    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Refused:
    """The broker will not have us: not approved, or another process uses our name. Trying again would not help."""

    error: BrokerError


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The broker's answer to a publication; a code from 0x80 is a refusal, `NO_SUBSCRIBER` means nobody listens."""

    number: int
    reason_code: int


Event = Connected | Disconnected | Received | Refused | Acknowledged


class MqttClient:
    """A connection that keeps itself up; everything that happens comes out of `events`, in order."""

    def __init__(
        self,
        address: BrokerAddress,
        subscriptions: Sequence[Subscription] = (),
        *,
        acknowledgements: bool = False,
        queue_length: int = QUEUE_LENGTH,
    ) -> None:
        """Prepare a client for `address`; nothing is sent before `start`.

        The queue is bounded: when it is full the network thread waits, the broker holds its messages back, and
        whoever sends feels it. With `acknowledgements`, every publication's answer becomes an event.

        Raises:
            BrokerError: the certificates cannot be read (BROKER-05).
        """
        self.events: queue.Queue[Event] = queue.Queue(queue_length)
        self._address = address
        self._subscriptions = tuple(subscriptions)
        self._acknowledgements = acknowledgements
        self._closing = threading.Event()
        self._limits = Connected(None, None)
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5, reconnect_on_failure=True)
        self._set_tls(address.tls)
        self._client.reconnect_delay_set(min_delay=1, max_delay=30)
        self._client.on_socket_open = _send_at_once
        self._client.on_connect = self._on_connect
        self._client.on_connect_fail = self._on_connect_fail
        self._client.on_disconnect = self._on_disconnect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message
        self._client.on_publish = self._on_publish

    def start(self) -> None:
        """Begin to connect; the outcome comes as an event."""
        self._client.connect_async(
            self._address.host,
            self._address.port,
            keepalive=KEEPALIVE_S,
            clean_start=True,
            properties=_properties(PacketTypes.CONNECT, SessionExpiryInterval=0),
        )
        self._client.loop_start()

    def publish(self, topic: str, payload: bytes, *, expiry_s: int | None = None) -> int:
        """Send with QoS 1 and return the number that its acknowledgement will carry."""
        properties = None if expiry_s is None else _properties(PacketTypes.PUBLISH, MessageExpiryInterval=expiry_s)
        return self._client.publish(topic, payload, qos=1, properties=properties).mid

    def close(self) -> None:
        """Leave the broker and end the thread; harmless when repeated."""
        self._closing.set()
        self._client.disconnect()
        with contextlib.suppress(AttributeError):
            # The thread ends itself now, perhaps between the library's two looks at it.
            self._client.loop_stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _set_tls(self, tls: Credentials) -> None:
        try:
            self._client.tls_set(ca_certs=str(tls.ca), certfile=str(tls.cert), keyfile=str(tls.key))
        except OSError as error:
            raise BrokerError(
                "BROKER-05",
                f"The certificates {_names(tls)} cannot be used ({error}).",
                "Run: lattrang central doctor",
            ) from error

    def _put(self, event: Event) -> None:
        while not self._closing.is_set():
            try:
                self.events.put(event, timeout=0.2)
            except queue.Full:
                continue
            return

    def _on_connect(
        self, client: paho.Client, _data: Any, _flags: Any, reason: ReasonCode, properties: Properties | None
    ) -> None:
        if reason.is_failure:
            self._put(Disconnected(str(reason)))
            return
        self._limits = Connected(
            getattr(properties, "MaximumPacketSize", None),
            getattr(properties, "ReceiveMaximum", None),
            bool(getattr(properties, "RetainAvailable", 1)),
        )
        if not self._subscriptions:
            self._put(self._limits)
            return
        client.subscribe([(one.topic, SubscribeOptions(qos=1)) for one in self._subscriptions])

    def _on_subscribe(
        self, _client: paho.Client, _data: Any, _mid: int, reasons: Sequence[ReasonCode], _properties: Any
    ) -> None:
        if any(reason.is_failure for reason in reasons):
            self._put(Refused(_not_allowed()))
        else:
            self._put(self._limits)

    def _on_connect_fail(self, _client: paho.Client, _data: Any) -> None:
        self._put(Disconnected("no answer"))

    def _on_disconnect(
        self, client: paho.Client, _data: Any, _flags: Any, reason: ReasonCode, _properties: Any
    ) -> None:
        if reason.value == TAKEN_OVER:
            # Coming back would throw the other one out in turn, for ever.
            client.reconnect_delay_set(min_delay=30, max_delay=30)
            self._put(Refused(_name_in_use()))
        else:
            self._put(Disconnected(str(reason)))

    def _on_message(self, _client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        self._put(Received(message.topic, bytes(message.payload)))

    def _on_publish(self, _client: paho.Client, _data: Any, mid: int, reason: ReasonCode, _properties: Any) -> None:
        if self._acknowledgements:
            self._put(Acknowledged(mid, reason.value))
        elif reason.value == NOT_AUTHORISED:
            self._put(Refused(_not_allowed()))


def _send_at_once(_client: paho.Client, _data: Any, line: Any) -> None:
    # Otherwise small answers wait for the other side's delayed acknowledgement: 40 ms each.
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _properties(packet: int, **values: int) -> Properties:
    properties = Properties(packet)  # type: ignore[no-untyped-call]  # paho leaves this constructor untyped
    for name, value in values.items():
        setattr(properties, name, value)
    return properties


def _names(tls: Credentials) -> str:
    return ", ".join(Path(path).name for path in (tls.ca, tls.cert, tls.key))


def _not_allowed() -> BrokerError:
    return BrokerError(
        "BROKER-06", "The broker does not allow this process what it needs.", "Approve it: lattrang central approve"
    )


def _name_in_use() -> BrokerError:
    return BrokerError(
        "BROKER-07", "Another process is connected under the same name.", "Give every worker a name of its own."
    )
