"""A site under fire: what was drawn is done to it, several things at a time, and all of it is put right again."""

import contextlib
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Final, assert_never

import simplejpeg

from appliance import config as station_config
from benchmarks.fault_clock import Clock
from benchmarks.fault_disks import Disk, hold
from benchmarks.fault_plan import FAIR, Abilities, Busy, Fault, Full, Jump, Kill, PowerCut, ReadOnly, Side, Storm, draw
from benchmarks.fault_relay import Relay
from benchmarks.fault_ward import Ward
from central import config as central_config
from central.config import WorkerLimits
from firmware.registry import CameraConfig
from firmware.simulated import SimulatedCamera
from lattrang.demo.site import Site, SitePlan

WIDTH_PX: Final = 507
HEIGHT_PX: Final = 380
PHOTOGRAPHS: Final = 7
IMAGE_MIB: Final = 8192
AT_ONCE: Final = 6
CHUNK_BYTES: Final = 16_384
"""So that a capture takes several chunks, and most faults meet one in the middle."""


class FaultySite:
    """A whole site with everything between its parts in our hands. Use as a context manager.

    Attributes:
        site: started.
        lines: the relays, by side.
        done: how often each kind of fault was inflicted.
    """

    def __init__(self, folder: Path, seed: int, abilities: Abilities, clock_library: Path | None) -> None:
        photos = folder / "photographs"
        draw_photographs(photos, seed)
        camera = CameraConfig("replay", folder=photos, loop=True)
        limits = WorkerLimits(chunk_bytes=CHUNK_BYTES, reserve_bytes=0)
        self.site = Site(SitePlan(folder / "site", camera, limits=limits, reserve_mib=4))
        self._folder = folder
        self._abilities = abilities
        self._library = clock_library
        self._clock: Clock | None = None
        self._parts = contextlib.ExitStack()
        self._stop = threading.Event()
        self._taken: set[str] = set()
        self._guard = threading.Lock()
        self.lines: dict[Side, Relay] = {}
        self.disks: dict[Side, Disk] = {}
        self.done: Counter[str] = Counter()
        self.failures: list[str] = []

    def __enter__(self) -> "FaultySite":
        with self._parts:
            self._mount()
            self._parts.callback(self.site.stop)
            self.site.prepare()
            self._lay_lines()
            self._wind_clock()
            for process in self.site.processes:
                # Compiled once, as where it is installed, whatever the environment of the bench says.
                process.environment |= {
                    "PYTHONDONTWRITEBYTECODE": "",
                    "PYTHONPYCACHEPREFIX": str(self._folder / "bytecode"),
                }
            self.site.start()
            self._parts = self._parts.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._parts.close()

    def inflict(self, ward: Ward, seed: int, kills: int, seconds: float) -> None:
        """Do what is drawn until there were so many kills or the time is over; afterwards everything is well again.

        With no kills asked for, nothing is done to the site for that time: what it does undisturbed.
        """
        if kills == 0:
            self._stop.wait(seconds)
            return
        end_s = time.monotonic() + seconds
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="fault") as pool:
            for step in draw(seed, seconds / kills, self._abilities):
                left_s = end_s - time.monotonic()
                if ward.kills >= kills or left_s <= 0 or self._stop.wait(min(left_s, step.after_s)):
                    break
                if ward.kills < kills and self._take(step.fault):
                    pool.submit(self._inflict, ward, step.fault)
            # Those that last end with the pool: each puts right what it did.
        if self._clock is not None:
            self._clock.set(0)

    # One fault

    def _take(self, fault: Fault) -> bool:
        """Begin a fault, unless its place is taken by another one."""
        place = _place(fault)
        with self._guard:
            if place in self._taken:
                return False
            self._taken.add(place)
        return True

    def _inflict(self, ward: Ward, fault: Fault) -> None:
        try:
            self._act(ward, fault)
            with self._guard:
                self.done[fault.name] += 1
        except Exception as error:  # noqa: BLE001 - the bench's own failure must show in its figures, not end a thread
            self.failures.append(f"{fault}: {error!r}")
        finally:
            with self._guard:
                self._taken.discard(_place(fault))

    def _act(self, ward: Ward, fault: Fault) -> None:
        match fault:
            case Kill(victim, pause_s):
                ward.kill(victim, pause_s)
            case Storm(side, weather, seconds):
                self.lines[side].set(weather)
                self._stop.wait(seconds)
                self.lines[side].set(FAIR)
            case Jump(offset_s):
                if self._clock is not None:
                    self._clock.set(offset_s)
            case Full(side, seconds):
                self.disks[side].fill()
                self._stop.wait(seconds)
                self.disks[side].empty()
            case ReadOnly(side, seconds):
                self.disks[side].fail()
                self._stop.wait(seconds)
                self._switch_off_and_on(ward, side)
            case PowerCut(side):
                self.disks[side].lose_power()
                self._switch_off_and_on(ward, side)
            case Busy(side, seconds):
                hold(self._database(side), seconds, self._stop)
            case _:
                assert_never(fault)

    def _switch_off_and_on(self, ward: Ward, side: Side) -> None:
        site = self.site
        processes = (site.station, site.publisher) if side == "station" else (site.office, *site.workers)
        with ward.down([process.name for process in processes]):
            self.disks[side].cycle()

    def _database(self, side: Side) -> Path:
        return self.site.spool / "station.db" if side == "station" else self.site.central.store / "catalogue.db"

    # Building

    def _mount(self) -> None:
        if not self._abilities.disks:
            return
        for side, folder in (("station", self.site.spool), ("centre", self.site.plan.folder / "store")):
            disk = Disk(folder, self._folder / f"{side}.img", IMAGE_MIB)
            self._parts.callback(disk.unmount)
            self.disks[side] = disk  # type: ignore[index]  # the two literals above

    def _lay_lines(self) -> None:
        """Put a relay between the broker and each side, and write both configurations anew with its port."""
        broker, plan = self.site.broker, self.site.plan

        def address() -> tuple[str, int]:
            return broker.host, broker.port

        self.lines = {
            "station": self._parts.enter_context(Relay(address, 1)),
            "centre": self._parts.enter_context(Relay(address, 2)),
        }
        station = station_config.load(self.site.station_config)
        if station.broker is None:
            raise RuntimeError("The station's configuration names no broker.")
        station = replace(station, broker=replace(station.broker, port=self.lines["station"].port))
        self.site.station_config.write_text(station_config.render(station), "utf-8")
        central = central_config.load(self.site.central_config)
        central = replace(central, broker=replace(central.broker, port=self.lines["centre"].port))
        (plan.folder / "central.toml").write_text(central_config.render(central), "utf-8")

    def _wind_clock(self) -> None:
        if self._library is not None:
            self._clock = Clock(self._folder / "clock", self._library)
            for process in (self.site.station, self.site.publisher):
                process.environment |= self._clock.environment


def draw_photographs(folder: Path, seed: int) -> None:
    """Draw a few small photographs of a book; the camera shows them over and over."""
    folder.mkdir(parents=True, exist_ok=True)
    camera = SimulatedCamera(seed=seed, width_px=WIDTH_PX, height_px=HEIGHT_PX)
    try:
        for number in range(PHOTOGRAPHS):
            frame = camera.capture(pressed_at_ns=0)
            jpeg = simplejpeg.encode_jpeg_yuv_planes(frame.y, frame.u, frame.v, 85)
            (folder / f"spread-{number}.jpg").write_bytes(jpeg)
    finally:
        camera.close()


def _place(fault: Fault) -> str:
    """Return what a fault is done to: two at once on the same thing would undo one another."""
    match fault:
        case Kill(victim):
            return victim
        case Storm(side):
            return f"line of {side}"
        case Jump():
            return "clock"
        case _:
            return f"disk of {fault.side}"


@contextlib.contextmanager
def said_every(seconds: float, words: Callable[[], str]) -> Iterator[None]:
    """Say how far it is on stderr while the block runs."""
    stop = threading.Event()

    def say() -> None:
        while not stop.wait(seconds):
            print(words(), file=sys.stderr, flush=True)

    thread = threading.Thread(target=say, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(5)
