"""A TCP relay in user space that does to a line what a library's network does: cut, slow, late, lost, out of step."""

import asyncio
import random
import threading
from collections.abc import Callable
from contextlib import suppress

from benchmarks.fault_plan import FAIR, Weather

BLOCK_BYTES = 32_768
STEP_S = 0.05
"""How often a pump that may not send looks whether it may again."""


class Relay:
    """Passes connections on to `target`; what it does to them is set from any thread.

    Use as a context manager.

    Args:
        target: returns host and port; asked anew for each connection, for a broker may come back elsewhere.
        seed: of the chance in how late each piece is.
    """

    def __init__(self, target: Callable[[], tuple[str, int]], seed: int) -> None:
        self._target = target
        self._chance = random.Random(seed)
        self._weather = FAIR
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._is_up = threading.Event()
        self._thread = threading.Thread(target=self._run, name="relay", daemon=True)
        self.port = 0
        self.connections = 0
        self.bytes = 0

    def __enter__(self) -> "Relay":
        self._thread.start()
        if not self._is_up.wait(10):
            raise RuntimeError("The relay did not start.")
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def set(self, weather: Weather) -> None:
        """Change the weather; a cut ends every connection at once."""
        self._weather = weather
        if weather.cut:
            self._loop.call_soon_threadsafe(self._abort_all)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port = int(server.sockets[0].getsockname()[1])
        self._is_up.set()
        self._loop.run_forever()
        server.close()
        self._abort_all()
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.close()

    def _abort_all(self) -> None:
        for writer in tuple(self._writers):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._weather.cut:
            writer.transport.abort()
            return
        self.connections += 1
        self._writers.add(writer)
        try:
            with suppress(OSError):
                there_reader, there_writer = await asyncio.open_connection(*self._target())
                self._writers.add(there_writer)
                try:
                    await self._join(reader, writer, there_reader, there_writer)
                finally:
                    self._writers.discard(there_writer)
                    there_writer.transport.abort()
        finally:
            self._writers.discard(writer)
            writer.transport.abort()

    async def _join(
        self,
        here_reader: asyncio.StreamReader,
        here_writer: asyncio.StreamWriter,
        there_reader: asyncio.StreamReader,
        there_writer: asyncio.StreamWriter,
    ) -> None:
        pumps = [
            asyncio.ensure_future(self._pump(here_reader, there_writer)),
            asyncio.ensure_future(self._pump(there_reader, here_writer)),
        ]
        try:
            # The end of one direction is the end of the line, as with a router that forgets it.
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while block := await reader.read(BLOCK_BYTES):
            await self._suffer(len(block))
            writer.write(block)
            await writer.drain()
            self.bytes += len(block)

    async def _suffer(self, size: int) -> None:
        weather = self._weather
        late_s = weather.delay_s + weather.jitter_s * self._chance.random()
        if weather.bytes_per_s:
            late_s += size / weather.bytes_per_s
        if late_s:
            await asyncio.sleep(late_s)
        while self._weather.hole:
            await asyncio.sleep(STEP_S)
