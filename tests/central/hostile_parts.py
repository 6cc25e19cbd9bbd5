"""Lines without a broker: what a hostile sender says reaches a real worker, office or publisher in this thread."""

import queue
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from appliance.publisher import BrokerAddress, PublisherConfig, mqtt
from appliance.publisher.runner import Publisher
from appliance.spool import Outbox
from central.catalogue import fleet_records
from central.fleet import Fleet
from central.mqtt import Received
from tests.central.in_process import InProcess
from wire import topics
from wire.codec import encode
from wire.limits import MAX_CHUNK_BYTES
from wire.messages import StationStatus


class CentreLine:
    """What `benchmarks.hostile_line.Sender` is, to a worker and an office in this process."""

    def __init__(self, worker: InProcess, station: str) -> None:
        self.answers: Counter[str] = Counter()
        self._worker = worker
        self._fleet = Fleet(worker.wire, worker.catalogue)  # type: ignore[arg-type]
        self._replies = topics.replies(station)
        self._from = 0

    @property
    def replies(self) -> list[Any]:
        return [reply for topic, reply in self._worker.wire.said[self._from :] if topic == self._replies]

    def send(self, topic: str, payload: bytes) -> None:
        if topic.endswith("/status"):
            heard: dict[str, StationStatus] = {}
            self._fleet._take(Received(topic, payload), heard)
            with self._worker.catalogue.write() as connection:
                fleet_records.note_status(connection, heard, "2026-01-01T00:00:00.000000Z")
        else:
            self._worker.hear(topic, payload)

    def settle(self) -> None:
        pass

    def listen(self) -> None:
        pass


class PublisherLine:
    """The publisher's line, its other end in this process; time passes when we say so."""

    def __init__(self, folder: Path, station: str, worker: InProcess) -> None:
        self.now_s = 1000.0
        self.events: queue.SimpleQueue[mqtt.LineEvent] = queue.SimpleQueue()
        self.outbox = Outbox.open(folder)
        self.sent = 0
        self._worker = worker
        self._heard = len(worker.wire.said)
        self._station = station
        self._out: list[tuple[int, str, bytes]] = []
        none = Path("none")
        config = PublisherConfig(station, folder, BrokerAddress("127.0.0.1", 1, none, none, none))
        self.publisher = Publisher(config, self.outbox, self, self._clock)  # type: ignore[arg-type]
        self.publisher._take(mqtt.LineUp(MAX_CHUNK_BYTES))

    def publish(self, topic: str, payload: bytes, *, expiry_s: int | None = None) -> int:
        self.sent += 1
        self._out.append((self.sent, topic, payload))
        return self.sent

    def send(self, topic: str, payload: bytes) -> None:
        """A worker that lies says something to the station."""
        assert topic == topics.replies(self._station)
        self.publisher._take(mqtt.Incoming(topic, payload))

    def turn(self) -> None:
        """A moment passes: the publisher looks, and what it said reaches an honest worker, whose answers come back."""
        self.now_s += 0.25
        self.publisher._look()
        out, self._out = self._out, []
        for number, topic, payload in out:
            is_heard = topic.startswith(f"{topics.inbox(self._worker.name)}/") or "/offers/" in topic
            if is_heard:
                self._worker.hear(topic, payload)
            self.publisher._take(mqtt.Answered(number, 0 if is_heard else 0x10))
        self._worker.pass_time(self.now_s)
        said = self._worker.wire.said
        for topic, reply in said[self._heard :]:
            if topic == topics.replies(self._station):
                self.publisher._take(mqtt.Incoming(topic, encode(reply)))
        self._heard = len(said)

    def turn_until(self, holds: Callable[[], bool], turns: int) -> None:
        """Let time pass until `holds`, at most so many moments."""
        for _ in range(turns):
            if holds():
                return
            self.turn()
        assert holds(), self.publisher._delivery.link

    def close(self) -> None:
        self.outbox.close()

    def _clock(self) -> float:
        return self.now_s
