"""A centre that pairs, a station that asks, and a man in the middle who does as he is told. Real TLS on loopback."""

import random
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from appliance.pairing.conversation import Pairing, RightTime
from appliance.pairing.files import Certificates
from appliance.pairing.line import Address
from central.authority import ca, provision
from central.catalogue import Catalogue
from central.config import PairingConfig
from central.pairing.desk import PairingDesk
from central.pairing.listener import PairingListener, server_context
from central.receiving.staging import StoreLayout
from wire import pairing

HOST = "127.0.0.1"


def free_port() -> int:
    """A port that nobody listens on, below those that connections take for themselves while we look away."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind((HOST, port))
            return port


class Centre:
    """Broker, authority, catalogue; its listener on demand."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.set_up = provision.provision(folder, pairing=PairingConfig(HOST, HOST, free_port()))
        self.config = self.set_up.config
        self.config_file = self.set_up.config_file
        self.now: Callable[[], datetime] = lambda: datetime.now(UTC)
        StoreLayout(self.config.store).create()
        self.catalogue = Catalogue(self.config.database_url)
        self.desk = PairingDesk(self.config, self.catalogue, self._instant)

    def _instant(self) -> datetime:
        return self.now()

    @property
    def address(self) -> Address:
        assert self.config.pairing is not None
        return Address(HOST, self.config.pairing.port)

    @contextmanager
    def listening(self) -> Iterator[None]:
        stop, listener = threading.Event(), PairingListener(self.config, self.desk)
        thread = threading.Thread(target=listener.run, args=(stop,))
        thread.start()
        try:
            assert listener.ready.wait(10)
            yield
        finally:
            stop.set()
            thread.join(10)
        assert not thread.is_alive()

    @contextmanager
    def listening_elsewhere(self) -> Iterator[Address]:
        """A second listener with the certificate that is there now."""
        where = PairingConfig(HOST, HOST, free_port())
        stop = threading.Event()
        listener = PairingListener(
            self.config, PairingDesk(replace(self.config, pairing=where), self.catalogue, self._instant)
        )
        thread = threading.Thread(target=listener.run, args=(stop,))
        thread.start()
        try:
            assert listener.ready.wait(10)
            yield Address(HOST, where.port)
        finally:
            stop.set()
            thread.join(10)

    def approve_when_asked(self, station: str, *, approve: bool = True) -> threading.Thread:
        """A person at the centre: waits for a station and decides without looking at its code."""

        def person() -> None:
            until_s, tick = time.monotonic() + 10, threading.Event()
            while time.monotonic() < until_s:
                for asking in self.desk.waiting():
                    if asking.station == station:
                        self.desk.decide(asking.request_id, approve=approve)
                        return
                tick.wait(0.05)

        thread = threading.Thread(target=person)
        thread.start()
        return thread

    def close(self) -> None:
        self.catalogue.close()
        self.set_up.broker.stop()


def station(folder: Path, name: str, time_: RightTime | None = None) -> Pairing:
    return Pairing(
        name,
        Certificates(folder / "ca.crt", folder / "station.crt", folder / "station.key"),
        time_ or RightTime(is_synchronised=lambda: True),
    )


def may_speak(centre: Centre, certificates: Certificates) -> bool:
    """Whether the broker lets the holder of these certificates connect and say something as a station."""
    from paho.mqtt import client as paho
    from paho.mqtt.enums import CallbackAPIVersion

    from wire import topics

    name = ca.common_name(certificates.cert.read_bytes())
    whose = ca.station_of(name) or ""
    done, codes = threading.Event(), list[int]()
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5, client_id=name, reconnect_on_failure=False)
    client.tls_set(str(certificates.ca), str(certificates.cert), str(certificates.key))
    client.on_connect = lambda *_: client.publish(topics.status(whose), b"{}", qos=1)
    client.on_publish = lambda _c, _d, _m, reason, _p: (codes.append(reason.value), done.set())
    client.on_disconnect = lambda *_: done.set()
    try:
        client.connect(HOST, centre.config.broker.port)
        client.loop_start()
        done.wait(10)
    except OSError:
        return False
    finally:
        client.disconnect()
        client.loop_stop()
    return bool(codes) and codes[0] < 0x80


Alter = Callable[[pairing.Request | pairing.Reply], pairing.Request | pairing.Reply]


@dataclass
class Middle:
    """Stands between a station and its centre with a key of its own, passes on what it hears, altered as told."""

    centre: Address
    own: ca.Credentials
    to_centre: Alter = lambda message: message
    to_station: Alter = lambda message: message
    port: int = field(default_factory=free_port)
    heard: list[pairing.Request] = field(default_factory=list)

    @property
    def address(self) -> Address:
        return Address(HOST, self.port)

    @contextmanager
    def listening(self) -> Iterator[None]:
        stop, listening = threading.Event(), socket.create_server((HOST, self.port))
        listening.settimeout(0.05)

        def serve() -> None:
            context = server_context(self.own)
            while not stop.is_set():
                try:
                    plain, _ = listening.accept()
                except TimeoutError:
                    continue
                try:
                    plain.settimeout(5)
                    with plain, context.wrap_socket(plain, server_side=True) as line:
                        self._relay(line)
                except OSError:
                    continue

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(10)
            listening.close()

    def _relay(self, line: ssl.SSLSocket) -> None:
        until_s = time.monotonic() + 10
        anybody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE
        plain = socket.create_connection((self.centre.host, self.centre.port), timeout=5)
        with plain, anybody.wrap_socket(plain) as up:
            while True:
                asked = pairing.decode_request(pairing.receive(line, until_s))
                self.heard.append(asked)
                pairing.send(up, self.to_centre(asked), until_s)  # type: ignore[arg-type]
                answer = pairing.decode_reply(pairing.receive(up, until_s))
                pairing.send(line, self.to_station(answer), until_s)  # type: ignore[arg-type]
