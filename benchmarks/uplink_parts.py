"""A broker with two stations and two workers: one pair speaks the protocol, the other only sends and counts bytes."""

import socket
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from appliance.config import BrokerSection, SpoolSection, StationConfig, StationSection, WebSection
from appliance.config import render as render_station
from appliance.spool import RetentionPolicy, Spool
from benchmarks.captures import Capture, draw
from central import mqtt
from central.authority import provision
from central.authority.ca import Credentials, worker_name
from central.config import CentralConfig, WorkerLimits
from central.receiving.grants import Grant, Ledger
from central.receiving.receiver import subscriptions
from lattrang.buffers import keep_chunks
from lattrang.demo.processes import Process
from lattrang.demo.waiting import wait_until
from wire import codec, messages, topics
from wire.ids import new_id
from wire.topics import ChunkAddress

STATION: Final = "bench"
WORKER: Final = "w1"
BARE_STATION: Final = "bare"
BARE_WORKER: Final = "w2"
ROUND_TIMEOUT_S: Final = 60.0
GO: Final = b"go"
_START_TIMEOUT_S: Final = 20.0


@dataclass(frozen=True, slots=True)
class Counted:
    """What a counting process saw of one round: when its first message came and when its last byte did."""

    first_s: float
    last_s: float
    received_bytes: int

    @property
    def seconds(self) -> float:
        """How long the round took."""
        return self.last_s - self.first_s


@dataclass(frozen=True, slots=True)
class Plan:
    """What a round sends, the same for both ways."""

    captures: int
    capture_bytes: int
    chunk_bytes: int
    window: int
    seed: int


# The worker's side, each in a process of its own


def count_captures(config: CentralConfig, limits: WorkerLimits, reports: Connection) -> None:
    """Answer as a worker does, but store nothing; after as many receipts as asked for, report and wait for the next."""
    keep_chunks()
    with mqtt.MqttClient(config.broker.address(worker_name(WORKER)), subscriptions(WORKER)) as client:
        _wait_connected(client)
        reports.send(True)
        while wanted := reports.recv():
            reports.send(_CountingWorker(client, limits).run(wanted))


class _CountingWorker:
    """Grants, tells progress and gives receipts by the real ledger, for bytes that are only counted."""

    def __init__(self, client: mqtt.MqttClient, limits: WorkerLimits) -> None:
        self._client = client
        self._limits = limits
        self._ledger = Ledger(chunk_bytes=limits.chunk_bytes, max_grants=limits.max_grants, lease_s=limits.lease_s)
        self._first_s = self._last_s = 0.0
        self._bytes = 0
        self._receipts = 0

    def run(self, wanted: int) -> Counted:
        while self._receipts < wanted:
            event = self._client.events.get(timeout=ROUND_TIMEOUT_S)
            if isinstance(event, mqtt.Received) and event.payload:
                if event.topic.startswith(topics.inbox(WORKER)):
                    self._chunk(event)
                else:
                    self._offer(codec.decode_offer(event.payload))
            self._report()
        return Counted(self._first_s, self._last_s, self._bytes)

    def _offer(self, offer: messages.Offer) -> None:
        self._first_s = self._first_s or time.monotonic()
        grant = self._ledger.find(offer.station, offer.object)
        grant = grant or self._ledger.open(new_id(), offer, time.monotonic())
        self._answer(
            grant.station,
            messages.Grant(
                object=grant.object,
                grant_id=grant.grant_id,
                worker=WORKER,
                inbox=topics.inbox(WORKER),
                chunk_bytes=self._limits.chunk_bytes,
                window=self._limits.window,
                lease_s=self._limits.lease_s,
                have=grant.progress(),
            ),
        )

    def _chunk(self, message: mqtt.Received) -> None:
        self._bytes += len(message.payload)
        grant = self._ledger.take(topics.parse_chunk(message.topic), len(message.payload), time.monotonic()).grant
        if grant.is_complete:
            self._ledger.close(grant)
            self._last_s = time.monotonic()
            receipt = messages.Receipt(
                object=grant.object, files=grant.files, worker=WORKER, stored_at="2026-01-02T03:04:05Z"
            )
            self._answer(grant.station, receipt)
            self._receipts += 1

    def _report(self) -> None:
        now_s = time.monotonic()
        is_drained = self._client.events.empty()
        for grant in self._ledger.to_report(self._limits.window, now_s, is_drained=is_drained):
            self._progress(grant, now_s)

    def _progress(self, grant: Grant, now_s: float) -> None:
        news = messages.Progress(object=grant.object, grant_id=grant.grant_id, held=grant.progress())
        self._answer(grant.station, news)
        self._ledger.reported(grant, now_s)

    def _answer(self, station: str, reply: messages.Reply) -> None:
        self._client.publish(topics.replies(station), codec.encode(reply))


def _wait_connected(client: mqtt.MqttClient) -> None:
    while not isinstance(client.events.get(timeout=_START_TIMEOUT_S), mqtt.Connected):
        pass


def count_bytes(config: CentralConfig, window: int, reports: Connection) -> None:
    """The floor's subscriber: paho and a sum."""
    counter = _Counter()
    client = bare_client(config.broker.credentials(worker_name(BARE_WORKER)), window)
    subscribed = threading.Event()
    client.on_message = counter.on_message
    client.on_subscribe = lambda *_: subscribed.set()

    def on_connect(*_: object) -> None:
        client.subscribe(topics.any_chunk(BARE_WORKER), qos=1)

    client.on_connect = on_connect
    client.connect(config.broker.host, config.broker.port)
    client.loop_start()
    reports.send(subscribed.wait(_START_TIMEOUT_S))
    while wanted := reports.recv():
        counter.begin(wanted)
        reports.send(True)
        reports.send(counter.end())
    client.disconnect()
    client.loop_stop()


class _Counter:
    def __init__(self) -> None:
        self._all_here = threading.Event()
        self._wanted = self._bytes = 0
        self._first_s = self._last_s = 0.0

    def begin(self, wanted: int) -> None:
        self._all_here.clear()
        self._wanted, self._bytes = wanted, 0

    def on_message(self, _client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        if message.payload == GO:
            self._first_s = time.monotonic()
            return
        self._bytes += len(message.payload)
        if self._bytes >= self._wanted:
            self._last_s = time.monotonic()
            self._all_here.set()

    def end(self) -> Counted:
        if not self._all_here.wait(ROUND_TIMEOUT_S):
            raise TimeoutError(f"{self._bytes} of {self._wanted} bytes came")
        return Counted(self._first_s, self._last_s, self._bytes)


def bare_client(tls: Credentials, window: int) -> paho.Client:
    """Return a plain client: TLS, MQTT 5, `window` publications under way, words sent at once."""
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    client.tls_set(ca_certs=str(tls.ca), certfile=str(tls.cert), keyfile=str(tls.key))
    client.max_inflight_messages = window
    client.on_socket_open = _send_at_once
    return client


def _send_at_once(_client: paho.Client, _data: Any, line: Any) -> None:
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


class Rig:
    """The broker, both counting processes, a spool to fill and a bare sender."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        self._plan = plan
        self._folder = folder
        self._undo = ExitStack()
        self._sequence = count(1)
        self._limits = WorkerLimits(plan.chunk_bytes, plan.window, reserve_bytes=0)
        self._reports: list[Connection] = []

    def __enter__(self) -> Self:
        with self._undo:
            centre = provision.provision(self._folder / "centre", workers=(WORKER, BARE_WORKER), limits=self._limits)
            self._undo.callback(centre.broker.stop)
            config = centre.config
            tls = provision.new_station(config, STATION, self._folder / "pki")
            self._write_config(config, tls)
            self._spool = self._undo.enter_context(Spool.open(self._folder / "spool", STATION, RetentionPolicy(0)))
            self._sender = self._connect(config, provision.new_station(config, BARE_STATION, self._folder / "bare-pki"))
            self._worker = self._process(count_captures, config, self._limits)
            self._subscriber = self._process(count_bytes, config, self._plan.window)
            self._undo = self._undo.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._undo.close()

    def floor(self) -> float:
        """Send a round's bytes with paho alone and return the seconds until they were counted."""
        chunks = self._chunks()
        self._subscriber.send(sum(map(len, chunks)))
        self._subscriber.recv()
        address = ChunkAddress(BARE_WORKER, BARE_STATION, "bare", "frame-1.jpg", 0)
        self._sender.publish(topics.chunk(address), GO, qos=1)
        for number, chunk in enumerate(chunks, start=1):
            self._sender.publish(topics.chunk(address._replace(offset=number)), chunk, qos=1)
        return self._counted(self._subscriber, sum(map(len, chunks)))

    def publisher(self) -> float:
        """Let the real publisher process deliver as much from the spool; seconds from first offer to last receipt."""
        captures = [self._draw() for _ in range(self._plan.captures)]
        for capture in captures:
            self._spool.add_capture(capture.facts, capture.frames)
            self._spool.add_pages(capture.pages, capture.page_files)
        self._worker.send(len(captures))
        publisher = Process("publisher", ("station", "publish", "--config", str(self._config)), self._folder)
        publisher.start()
        try:
            seconds = self._counted(self._worker, sum(capture.size_bytes for capture in captures))
            # What has no receipt on record would be offered once more in the next round.
            wait_until(lambda: self._spool.counts().processed == 0, ROUND_TIMEOUT_S, "receipts recorded")
        finally:
            publisher.stop()
        return seconds

    def _draw(self) -> Capture:
        return draw(STATION, next(self._sequence), self._plan.capture_bytes, self._plan.seed)

    def _chunks(self) -> list[bytes]:
        size = self._plan.chunk_bytes
        pictures = [picture for _ in range(self._plan.captures) for picture in self._draw().pictures.values()]
        return [one[start : start + size] for one in pictures for start in range(0, len(one), size)]

    def _counted(self, reports: Connection, expected: int) -> float:
        if not reports.poll(ROUND_TIMEOUT_S):
            raise TimeoutError("A round did not end.")
        counted: Counted = reports.recv()
        if counted.received_bytes != expected:
            raise RuntimeError(f"{counted.received_bytes} bytes came, {expected} were sent")
        return counted.seconds

    def _connect(self, config: CentralConfig, tls: Credentials) -> paho.Client:
        connected = threading.Event()
        sender = bare_client(tls, self._plan.window)
        sender.on_connect = lambda *_: connected.set()
        sender.connect(config.broker.host, config.broker.port)
        sender.loop_start()
        self._undo.callback(sender.loop_stop)
        self._undo.callback(sender.disconnect)
        if not connected.wait(_START_TIMEOUT_S):
            raise TimeoutError("The bare sender did not connect.")
        return sender

    def _process(self, body: Callable[..., None], *arguments: object) -> Connection:
        """Start a counting process and return our end of its pipe once it is connected; 0 ends it."""
        ours, theirs = get_context("spawn").Pipe()
        child = get_context("spawn").Process(target=body, args=(*arguments, theirs), daemon=True)
        child.start()
        self._undo.callback(child.join, 10)
        self._undo.callback(ours.send, 0)
        if not ours.poll(_START_TIMEOUT_S) or not ours.recv():
            raise TimeoutError("A counting process did not connect.")
        return ours

    def _write_config(self, config: CentralConfig, tls: Credentials) -> None:
        self._config = self._folder / "station.toml"
        station = StationConfig(
            station=StationSection(STATION),
            spool=SpoolSection(self._folder / "spool", 0),
            web=WebSection(self._folder / "web.token"),
            broker=BrokerSection(config.broker.host, tls.ca, tls.cert, tls.key, config.broker.port),
        )
        self._config.write_text(render_station(station), "utf-8")
