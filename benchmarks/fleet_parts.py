"""The parts of the fleet: stations many to a process, each with its own certificate and line, and one slow worker."""

import os
import threading
import time
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, Final, cast

from appliance.publisher import mqtt, status
from appliance.publisher.config import BrokerAddress, PublisherConfig
from appliance.publisher.runner import Publisher
from appliance.spool.outbox import Outbox
from appliance.spool.retention import Room
from appliance.spool.rows import Counts, Pending
from appliance.spool.state import PublisherState, StationState
from benchmarks.captures import Capture, draw
from central.authority.ca import Credentials
from central.config import CentralConfig
from central.work import run_worker
from wire import codec, topics
from wire.messages import Busy, Command, Complete, Missing, ObjectRef, Offer, Receipt, Rejected, Reply

STOP_TIMEOUT_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Figures:
    """What one station lived through.

    Attributes:
        received: captures with a receipt, and when (monotonic, s).
        receipts: receipts recorded, repetitions included.
        busy: times it was told to wait.
        too_soon: offers made before the wait that it was told was over.
    """

    station: str
    received: tuple[tuple[str, float], ...]
    receipts: int
    busy: int
    too_soon: int


@dataclass
class Memory:
    """Stands in for the spool: what waits is drawn, what is answered is noted. The rest of the publisher is real."""

    station: str
    waiting: dict[ObjectRef, Capture]
    received: list[tuple[str, float]] = field(default_factory=list)
    receipts: int = 0

    def refresh(self) -> bool:
        """Tell that nothing was rebuilt."""
        return False

    def data_version(self) -> int:
        """Return 0 for ever: only the publisher itself changes anything."""
        return 0

    def pending(self, limit: int) -> tuple[Pending, ...]:
        """Return the oldest captures that wait."""
        return tuple(
            Pending(ref, capture.offer().files, frozenset(capture.offer().inline))
            for ref, capture in list(self.waiting.items())[:limit]
        )

    def offer(self, _station: str, pending: Pending) -> Offer:
        """Return the offer of a capture."""
        return self.waiting[pending.ref].offer()

    def read(self, ref: ObjectRef, file: str, offset: int, length: int) -> bytes:
        """Return bytes of a file."""
        return self.waiting[ref].files[file][offset : offset + length]

    def record_receipt(self, receipt: Receipt) -> bool:
        """Note a receipt, and when the first one came."""
        self.receipts += 1
        if self.waiting.pop(receipt.object, None) is not None:
            self.received.append((receipt.object.id, time.monotonic()))
        return True

    def record_rejection(self, rejected: Rejected) -> None:
        """Fail: nothing here is to be rejected."""
        raise AssertionError(f"rejected: {rejected}")

    def record_damaged(self, ref: ObjectRef, file: str) -> None:
        """Fail: nothing here is damaged."""
        raise AssertionError(f"damaged: {ref} {file}")

    def record_list_answer(self, _answer: Complete | Missing) -> None:
        """Pass over it: there are no lists."""

    def accept(self, _command: Command) -> None:
        """Pass over it: there is no office."""

    def answered(self) -> tuple[str, ...]:
        """Return no command."""
        return ()

    def counts(self) -> Counts:
        """Return how much waits and how much came."""
        return Counts(processed=len(self.waiting), received=len(self.received))

    def room(self) -> Room:
        """Return room without end."""
        return Room(2**30, 2**30, 0, 1)

    def write_state(self, _state: PublisherState) -> None:
        """Pass over it: nobody looks."""

    def read_station_state(self) -> StationState | None:
        """Return None: there is no station process."""
        return None


class WatchedLine(mqtt.Line):
    """The real line, with an eye on whether "busy" is obeyed."""

    busy = 0
    too_soon = 0
    offers = ""
    _not_before_s = 0.0

    def publish(self, topic: str, payload: bytes, **options: Any) -> int | None:
        """Send as the line does; an offer that comes before its time is counted."""
        if payload and topic == self.offers and time.monotonic() < self._not_before_s:
            self.too_soon += 1
        return super().publish(topic, payload, **options)

    def heard(self, reply: Reply) -> None:
        """Note an answer that the delivery is about to see."""
        if isinstance(reply, Busy):
            self.busy += 1
            # What was decided in the same instant had not heard it yet.
            self._not_before_s = time.monotonic() + reply.retry_after_s


class WatchedPublisher(Publisher):
    """The real publisher, telling its line what it hears."""

    def _receive(self, topic: str, payload: bytes) -> None:
        super()._receive(topic, payload)
        if topic == topics.replies(self._config.station):
            cast("WatchedLine", self._line).heard(codec.decode_reply(payload))


@dataclass(frozen=True, slots=True)
class Load:
    """What each station of a process brings."""

    captures: int
    capture_bytes: int
    seed: int


def run_stations(broker: tuple[str, int], stations: dict[str, Credentials], load: Load, pipe: Connection) -> None:
    """Deliver with these stations until told to stop, saying every half second how much has come; then report all."""
    stop, parts = threading.Event(), []
    for name, tls in stations.items():
        captures = [draw(name, number, load.capture_bytes, load.seed) for number in range(load.captures)]
        memory = Memory(name, {capture.offer().object: capture for capture in captures})
        config = PublisherConfig(name, os.devnull, BrokerAddress(*broker, tls.ca, tls.cert, tls.key))  # type: ignore[arg-type]
        will = mqtt.LastWill(topics.status(name), codec.encode(status.offline(name)))
        line = WatchedLine(config.broker, (topics.replies(name), topics.commands(name)), will)
        line.offers = topics.offers(name)
        publisher = WatchedPublisher(config, cast("Outbox", memory), line)
        parts.append((memory, line, threading.Thread(target=publisher.run, args=(stop,), name=name)))
    pipe.send("ready")
    pipe.recv()
    for _, line, thread in parts:
        line.start()
        thread.start()
    while not pipe.poll(0.5):
        pipe.send(sum(len(memory.received) for memory, _, _ in parts))
    stop.set()
    for _, line, thread in parts:
        thread.join(STOP_TIMEOUT_S)
        line.close()
    pipe.send(
        [
            Figures(memory.station, tuple(memory.received), memory.receipts, line.busy, line.too_soon)
            for memory, line, _ in parts
        ]
    )


def run_slow_worker(config: CentralConfig, name: str, delay_s: float) -> None:
    """A real worker whose disk takes `delay_s` longer for each flush."""
    flush = os.fsync
    pause = threading.Event()

    def slow_flush(descriptor: int) -> None:
        pause.wait(delay_s)
        flush(descriptor)

    os.fsync = slow_flush  # type: ignore[assignment]
    run_worker(config, name, threading.Event())


def spawn(target: Any, *arguments: Any) -> BaseProcess:
    """Start a process of its own for `target`."""
    process = get_context("spawn").Process(target=target, args=arguments, daemon=True)
    process.start()
    return process
