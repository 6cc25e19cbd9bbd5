"""A real publisher on a line that is slow, late and cut again and again: as bad as any, and eight times as fast."""

import asyncio
import contextlib
import dataclasses
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.publisher import DeliveryPolicy
from central.authority.broker import find_plugin, find_program
from central.config import WorkerLimits
from central.errors import BrokerError
from tests.appliance.publisher.depot import Depot
from tests.central.house import House, eventually

TIMES_FASTER = 8
BYTES_PER_S = 32_000 * TIMES_FASTER
DELAY_S = 2.0 / TIMES_FASTER
CUT_EVERY_S = 60.0 / TIMES_FASTER
CAPTURE_BYTES = 3_000_000


class SlowLine:
    """A relay in user space: up at `BYTES_PER_S`, each byte `DELAY_S` late both ways, everything cut at intervals."""

    def __init__(self, port: int) -> None:
        self._target = port
        self.port = 0
        self.cuts = 0
        self.up_bytes = 0
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._is_up = threading.Event()
        self._thread = threading.Thread(target=lambda: self._loop.run_until_complete(self._run()), name="slow line")

    def __enter__(self) -> "SlowLine":
        self._thread.start()
        assert self._is_up.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)
        assert not self._thread.is_alive()
        self._loop.close()

    async def _run(self) -> None:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=64 * 1024)
        self.port = server.sockets[0].getsockname()[1]
        self._is_up.set()
        while not self._stop.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), CUT_EVERY_S)
            self.cuts += bool(self._writers)
            for writer in tuple(self._writers):
                writer.transport.abort()
        server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self._target)
        both = {writer, there_writer}
        self._writers |= both
        pumps = [
            asyncio.ensure_future(self._pump(reader, there_writer, BYTES_PER_S)),
            asyncio.ensure_future(self._pump(there_reader, writer, 10 * BYTES_PER_S)),
        ]
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)
        self._writers -= both
        for one in both:
            one.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, bytes_per_s: float) -> None:
        with contextlib.suppress(OSError):
            while block := await reader.read(4096):
                await asyncio.sleep(len(block) / bytes_per_s)
                if bytes_per_s == BYTES_PER_S:
                    self.up_bytes += len(block)
                self._loop.call_later(DELAY_S, self._pass_on, writer, block)

    @staticmethod
    def _pass_on(writer: asyncio.StreamWriter, block: bytes) -> None:
        if not writer.transport.is_closing():
            writer.write(block)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    try:
        find_program()
        find_plugin()
    except BrokerError as error:
        pytest.skip(f"no Mosquitto here: {error}")
    house = House(tmp_path_factory.mktemp("centre"), WorkerLimits(reserve_bytes=0))
    yield house
    house.broker.stop()


@pytest.mark.broker
@pytest.mark.slow
def test_a_slow_line_that_breaks_again_and_again_delivers_and_does_not_begin_anew_each_time(
    house: House, tmp_path: Path
) -> None:
    with Depot(house, tmp_path / "spool") as depot, SlowLine(house.broker.port) as line:
        broker = dataclasses.replace(depot.config.broker, port=line.port)
        depot.config = dataclasses.replace(depot.config, broker=broker, policy=DeliveryPolicy())
        capture_id = depot.capture(frame_bytes=CAPTURE_BYTES)
        with house.worker(), depot.publisher():
            eventually(lambda: depot.received() == 1, timeout_s=90)
        stored = house.config.store / "staging" / capture_id / "frame-1.jpg"
        assert stored.stat().st_size == CAPTURE_BYTES
        assert line.cuts >= 2, "no single connection lasted long enough for all of it"
        assert line.up_bytes < 2 * CAPTURE_BYTES, "what the worker had was not sent again"
        assert depot.spool.counts().damaged == depot.spool.counts().rejected == 0
