"""From a frame in memory to a safe capture, beside its floor: the same bytes made durable with nothing promised.

Floor: encode the planes (JPEG, quality 95), write, fsync, rename the folder, fsync its parent, one FULL SQLite commit.
Station: the capture thread's own code from the camera's answer to the word that the capture is safe. It does more: it
proves the frame by SHA-256, writes and flushes `capture.json`, flushes the folder before it gets its name, and logs.
"""

import argparse
import os
import sqlite3
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

import simplejpeg

from appliance.clocks import Clocks
from appliance.model import CaptureSetup
from appliance.session.taking import Order, Taken, Taker
from appliance.spool import RetentionPolicy, Spool
from benchmarks.rounds import alternate, table
from firmware.errors import CameraMissing
from firmware.interfaces import CameraInfo, Frame, Lock, Preview
from firmware.simulated import SimulatedCamera
from wire.documents import ItemRef
from wire.ids import new_id

GOAL = 1.2


@dataclass
class FrameInMemory:
    """A camera that has the frame already: what is timed begins behind the camera."""

    frame: Frame
    info: CameraInfo
    given_at_s: float = 0.0

    def lock(self, values: Lock) -> None:
        """Nothing to lock."""

    def preview(self) -> Preview:
        """There is none, which the contract allows."""
        raise CameraMissing("CAM-01", "The benchmark's camera has no preview.", "Nothing asks for one here.")

    def capture(self, *, pressed_at_ns: int, timeout_s: float = 5.0) -> Frame:
        """Give the frame and note when."""
        self.given_at_s = time.perf_counter()
        return replace(self.frame, sensor_at_ns=pressed_at_ns)

    def recover(self) -> None:
        """Nothing to recover."""

    def close(self) -> None:
        """Nothing to close."""


class Floor:
    """The bare steps, in a folder on the same disk."""

    def __init__(self, folder: Path, frame: Frame) -> None:
        self._folder = folder
        self._frame = frame
        self._numbers = count()
        for name in ("tmp", "captures"):
            (folder / name).mkdir(parents=True)
        self._index = sqlite3.connect(folder / "floor.db", isolation_level=None)
        self._index.execute("PRAGMA journal_mode = WAL")
        self._index.execute("PRAGMA synchronous = FULL")
        self._index.execute("CREATE TABLE captures (id INTEGER PRIMARY KEY, size INTEGER)")

    def run(self) -> float:
        """Do it once and return the seconds."""
        number = next(self._numbers)
        unfinished, captures = self._folder / "tmp" / str(number), self._folder / "captures"
        start_s = time.perf_counter()
        jpeg = simplejpeg.encode_jpeg_yuv_planes(self._frame.y, self._frame.u, self._frame.v, quality=95)
        unfinished.mkdir()
        with (unfinished / "frame-1.jpg").open("xb", buffering=0) as file:
            file.write(jpeg)
            os.fsync(file.fileno())
        unfinished.rename(captures / str(number))
        folder = os.open(captures, os.O_RDONLY | os.O_DIRECTORY)
        os.fsync(folder)
        os.close(folder)
        self._index.execute("INSERT INTO captures VALUES (?, ?)", (number, len(jpeg)))
        return time.perf_counter() - start_s

    def close(self) -> None:
        """Let go of the index."""
        self._index.close()


class Station:
    """The station's capture thread, without the thread."""

    def __init__(self, spool: Spool, frame: Frame, info: CameraInfo) -> None:
        self._camera = FrameInMemory(frame, info)
        self._safe_at_s = 0.0
        self._news: list[object] = []
        self._taker = Taker((self._camera,), spool, CaptureSetup("bench"), Clocks(), self._hear)

    def run(self) -> float:
        """Take one picture and return the seconds from the frame to the word "safe"."""
        item = ItemRef(item_id="bench", title="Bench")
        self._taker.take(Order(new_id(), time.monotonic_ns(), "job", "sitting", item, "sach-in-300", "spread"))
        self._taker.stop()
        self._taker.run()
        [news] = self._news
        self._news.clear()
        if not isinstance(news, Taken):
            raise RuntimeError(f"The capture did not become safe: {news}")  # noqa: TRY004 - no matter of types  # noqa: TRY004 - an outcome, not a type
        return self._safe_at_s - self._camera.given_at_s

    def _hear(self, news: Any) -> None:
        self._safe_at_s = time.perf_counter()
        self._news.append(news)


def main(arguments: Sequence[str] | None = None) -> int:
    """Time both in turn and print medians and their ratio."""
    parser = argparse.ArgumentParser(prog="benchmarks/safe", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--n", type=int, default=40, help="rounds")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=50.0, help="no further round begins after this time")
    parser.add_argument("--width", type=int, default=4056)
    parser.add_argument("--height", type=int, default=3040)
    parser.add_argument("--folder", type=Path, help="on the disk to measure; a temporary folder by default")
    options = parser.parse_args(arguments)
    camera = SimulatedCamera(options.seed, options.width, options.height)
    frame, info = camera.capture(pressed_at_ns=0), camera.info
    camera.close()
    with tempfile.TemporaryDirectory(dir=options.folder) as made:
        folder = Path(made)
        floor = Floor(folder / "floor", frame)
        with Spool.open(folder / "spool", "bench", RetentionPolicy(reserve_bytes=0)) as spool:
            station = Station(spool, frame, info)
            rounds = alternate({"floor": floor.run, "station": station.run}, options.n, options.seconds)
        floor.close()
    title = f"safe: {options.width} x {options.height}, seed {options.seed}"
    print(table(title, rounds, {"station": f"goal <= {GOAL}"}))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
