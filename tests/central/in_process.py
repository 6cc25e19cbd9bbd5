"""A worker without a broker: the real receiver, staging and catalogue, its line a list of what it said."""

import queue
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from central.archive import adopt_unknown
from central.catalogue import Catalogue
from central.config import WorkerLimits, default_database
from central.mqtt import Received
from central.receiving.receiver import Receiver
from central.receiving.staging import Staging, StoreLayout
from tests.central.station_client import Package
from wire import codec, topics
from wire.messages import Grant, ObjectRef, Receipt, Reply

LIMITS = WorkerLimits(chunk_bytes=4096, window=4, max_grants=8, lease_s=60.0, reserve_bytes=0)


class Wire:
    """Carries nothing anywhere: notes what is published."""

    def __init__(self) -> None:
        self.events: queue.Queue[object] = queue.Queue()
        self.said: list[tuple[str, Reply]] = []

    def publish(self, topic: str, payload: bytes, *, expiry_s: int | None = None) -> int:
        self.said.append((topic, codec.decode_reply(payload)))
        return len(self.said)


class InProcess:
    """One worker's life in this thread; use it as a context manager, as `run_worker` uses its parts."""

    def __init__(self, root: Path, name: str = "w1", limits: WorkerLimits = LIMITS) -> None:
        self.layout = StoreLayout(root)
        self.name = name
        self.wire = Wire()
        self._limits = limits
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        try:
            staging = Staging(self.layout, self.name)
            self._stack.callback(staging.close)
            self.catalogue = self._stack.enter_context(Catalogue(default_database(self.layout.root)))
            self.adopted = adopt_unknown(self.layout, self.catalogue)
        except BaseException:
            self._stack.close()
            raise
        self.receiver = Receiver(self.name, self.wire, staging, self.catalogue, self._limits)  # type: ignore[arg-type]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # No farewell: whatever the worker leaves unfinished stays as it is, as when it is killed.
        for incoming in self.receiver._incoming.values():
            incoming.rest()
        self._stack.close()

    def hear(self, topic: str, payload: bytes) -> None:
        """Let the worker take one message."""
        self.receiver._handle(Received(topic, payload))

    def pass_time(self, now_s: float) -> None:
        """Let it do what is due."""
        self.receiver._pass_time(now_s)

    def answers(self, ref: ObjectRef, kind: type) -> list[Reply]:
        """Return what was said about an object."""
        return [reply for _, reply in self.wire.said if reply.object == ref and isinstance(reply, kind)]

    def deliver(self, package: Package) -> Receipt:
        """Hand one object over, the whole way."""
        self.hear(topics.offers(package.station), codec.encode(package.offer()))
        last = self.wire.said[-1][1]
        if isinstance(last, Grant):
            held = {one.file for one in last.have}
            for name, data in package.files.items():
                for offset in range(0, len(data), last.chunk_bytes) if name not in held else ():
                    address = topics.ChunkAddress(last.worker, package.station, last.grant_id, name, offset)
                    self.hear(topics.chunk(address), data[offset : offset + last.chunk_bytes])
        receipt = self.answers(package.ref, Receipt)[-1]
        assert isinstance(receipt, Receipt)
        return receipt
