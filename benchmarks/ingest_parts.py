"""One worker fed by hand, and the same files merely hashed, written and flushed."""

import hashlib
import os
import queue
import threading
import time
from collections import deque
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Self

from benchmarks.captures import Capture
from central import mqtt
from central.catalogue import Catalogue
from central.config import WorkerLimits, default_database
from central.receiving.receiver import Receiver
from central.receiving.staging import Staging, StoreLayout
from wire import codec, topics
from wire.limits import DEFAULT_CHUNK_BYTES
from wire.messages import Grant, Receipt
from wire.topics import ChunkAddress

WORKER = "w1"
IN_FLIGHT = 2
"""Captures under way at once, as one station does."""


class Floor:
    """Each file hashed and written block by block while the block is in the processor's cache, then flushed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = count()

    def run(self, captures: Sequence[Capture]) -> float:
        """Do it for every file of `captures` and return the seconds."""
        files = [capture.files for capture in captures]
        start_s = time.perf_counter()
        for one in files:
            folder = self._folder / str(next(self._numbers))
            folder.mkdir()
            for name, content in one.items():
                digest = hashlib.sha256()
                with (folder / name).open("xb", buffering=0) as file:
                    for start in range(0, len(content), DEFAULT_CHUNK_BYTES):
                        block = memoryview(content)[start : start + DEFAULT_CHUNK_BYTES]
                        digest.update(block)
                        file.write(block)
                    os.fsync(file.fileno())
                digest.hexdigest()
        return time.perf_counter() - start_s


class HandFed(mqtt.MqttClient):
    """A client without a line: what a broker would bring is put in, what the worker answers comes out."""

    def __init__(self) -> None:
        self.events = queue.Queue(mqtt.QUEUE_LENGTH)
        self.answers: queue.SimpleQueue[tuple[str, bytes]] = queue.SimpleQueue()

    def publish(self, topic: str, payload: bytes, **_: object) -> int:
        """Hand an answer out."""
        self.answers.put((topic, payload))
        return 0


class WorkerByHand:
    """A real receiver, staging and catalogue, with chunks put before it as the network thread would."""

    def __init__(self, folder: Path, limits: WorkerLimits) -> None:
        layout = StoreLayout(folder)
        self._staging = Staging(layout, WORKER)
        self._catalogue = Catalogue(default_database(folder))
        self._client = HandFed()
        self._limits = limits
        self._stop = threading.Event()
        receiver = Receiver(WORKER, self._client, self._staging, self._catalogue, limits)
        self._thread = threading.Thread(target=receiver.run, args=(self._stop,), name="worker")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        self._catalogue.close()
        self._staging.close()

    def run(self, captures: Sequence[Capture]) -> float:
        """Hand every capture in and return the seconds to the last receipt."""
        known = {capture.facts.capture_id: capture for capture in captures}
        waiting = deque((capture.facts.station, codec.encode(capture.offer())) for capture in captures)
        start_s = time.perf_counter()
        for _ in range(min(IN_FLIGHT, len(waiting))):
            self._offer(*waiting.popleft())
        while known:
            _, payload = self._client.answers.get(timeout=30)
            reply = codec.decode_reply(payload)
            if isinstance(reply, Grant):
                self._send(known[reply.object.id], reply)
            elif isinstance(reply, Receipt):
                del known[reply.object.id]
                if waiting:
                    self._offer(*waiting.popleft())
        return time.perf_counter() - start_s

    def _offer(self, station: str, payload: bytes) -> None:
        self._client.events.put(mqtt.Received(topics.offers(station), payload))

    def _send(self, capture: Capture, grant: Grant) -> None:
        for name, content in capture.pictures.items():
            for offset in range(0, len(content), grant.chunk_bytes):
                address = ChunkAddress(WORKER, capture.facts.station, grant.grant_id, name, offset)
                chunk = content[offset : offset + grant.chunk_bytes]
                self._client.events.put(mqtt.Received(topics.chunk(address), chunk))
