"""Many stations against one slow worker: are the limits kept, is "busy" obeyed, does nobody starve, comes all once?

Run: `benchmarks/fleet --stations 50 --captures 20 --seed 1`
"""

import argparse
import itertools
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path

import psutil

from benchmarks.fleet_parts import Figures, Load, run_slow_worker, run_stations, spawn
from central.authority import ca, provision
from central.authority.admin import Admin
from central.authority.broker import MAX_QUEUED_BYTES
from central.config import CentralConfig, WorkerLimits
from central.mqtt import QUEUE_LENGTH
from central.receiving.staging import StoreLayout
from lattrang.demo.waiting import wait_until
from wire.limits import KIB, MIB

STATIONS_A_PROCESS = 13
WORKER_ROOM_BYTES = 64 * MIB
"""What a worker may add beyond its full queue of messages: grants, the database's cache, what Python keeps."""
STARVED = 8
"""A station starves that waits so many times as long for a receipt as it would if each had its turn."""
LEAST_GAP_S = 15.0
DROPPED = "dropped"
"""What Mosquitto's log says when a queue was full."""


@dataclass(frozen=True, slots=True)
class Peak:
    """The most memory that a process ever had beyond what it had at rest, in bytes."""

    broker: int
    worker: int


class Watch:
    """Looks at the memory of the broker and the worker; at rest first, then whenever it is asked to."""

    def __init__(self, broker: int, worker: int) -> None:
        self._processes = (psutil.Process(broker), psutil.Process(worker))
        self._rest = self._most = tuple(one.memory_info().rss for one in self._processes)

    def look(self) -> None:
        """Note the memory of this moment."""
        now = tuple(one.memory_info().rss for one in self._processes)
        self._most = tuple(max(pair) for pair in zip(self._most, now, strict=True))

    @property
    def peak(self) -> Peak:
        """What has been added at most."""
        return Peak(*(most - rest for most, rest in zip(self._most, self._rest, strict=True)))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the fleet, print one line of JSON, return 0 where every promise held."""
    parser = argparse.ArgumentParser(prog="benchmarks/fleet", description=__doc__)
    parser.add_argument("--stations", type=int, default=50)
    parser.add_argument("--captures", type=int, default=20, help="of each station")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kib", type=int, default=192, help="of a capture")
    parser.add_argument("--delay-ms", type=float, default=5.0, help="that each of the worker's flushes takes longer")
    parser.add_argument("--max-grants", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=900.0, help="after which it has failed")
    options = parser.parse_args(arguments)
    limits = WorkerLimits(chunk_bytes=64 * KIB, max_grants=options.max_grants, reserve_bytes=0)
    load = Load(options.captures, options.kib * KIB, options.seed)
    with tempfile.TemporaryDirectory(prefix="lattrang-fleet-") as folder, _centre(Path(folder), limits) as centre:
        figures = _run(centre, options.stations, load, options.delay_ms / 1000, options.seconds)
    print(json.dumps(figures))
    return 0 if figures["holds"] else 1


@contextmanager
def _centre(folder: Path, limits: WorkerLimits) -> Iterator[provision.Centre]:
    centre = provision.provision(folder, workers=("w1",), limits=limits)
    try:
        yield centre
    finally:
        centre.broker.stop()


def _run(centre: provision.Centre, stations: int, load: Load, delay_s: float, seconds: float) -> dict[str, object]:
    folder = centre.config_file.parent
    with ExitStack() as undo:
        names = [f"s{number:02d}" for number in range(stations)]
        tls = {name: provision.new_station(centre.config, name, folder / "stations" / name) for name in names}
        pipes: list[Connection] = []
        for start in range(0, stations, STATIONS_A_PROCESS):
            here, there = Pipe()
            some = {name: tls[name] for name in names[start : start + STATIONS_A_PROCESS]}
            process = spawn(run_stations, (centre.broker.host, centre.broker.port), some, load, there)
            undo.callback(process.kill)
            pipes.append(here)
        for pipe in pipes:
            pipe.recv()
        worker = spawn(run_slow_worker, centre.config, "w1", delay_s)
        undo.callback(worker.kill)
        _wait_for_worker(centre.config)
        watch = Watch(centre.broker.pid, worker.pid or 0)
        began_s = time.monotonic()
        for pipe in pipes:
            pipe.send("go")
        _until_all_is_here(pipes, watch, stations * load.captures, began_s + seconds)
        took_s = time.monotonic() - began_s
        found = [one for pipe in pipes for one in _report(pipe)]
    return _judge(centre, found, load, began_s, took_s, watch.peak)


def _wait_for_worker(config: CentralConfig) -> None:
    with Admin(config.broker.address(ca.ADMIN)) as admin:
        wait_until(admin.worker_present, 30.0, "a worker")


def _until_all_is_here(pipes: list[Connection], watch: Watch, wanted: int, end_s: float) -> None:
    received = [0] * len(pipes)
    while sum(received) < wanted and time.monotonic() < end_s:
        watch.look()
        for number, pipe in enumerate(pipes):
            if pipe.poll(0.1):
                received[number] = pipe.recv()


def _report(pipe: Connection) -> list[Figures]:
    pipe.send("stop")
    while not isinstance(answer := pipe.recv(), list):
        pass
    return answer


def _judge(
    centre: provision.Centre, found: list[Figures], load: Load, began_s: float, took_s: float, peak: Peak
) -> dict[str, object]:
    limits = centre.config.limits
    stored = sorted(folder.name for folder in StoreLayout(centre.config.store).staging.iterdir())
    received = sorted({capture for one in found for capture, _ in one.received})
    wanted = len(found) * load.captures
    fewest, most = _shares(found)
    gap_s, fair_gap_s = _longest_gap_s(found, began_s), len(found) * took_s / wanted
    dropped = (centre.config_file.parent / "broker" / "mosquitto.log").read_text(errors="replace").count(DROPPED)
    too_soon = sum(one.too_soon for one in found)
    worker_limit = QUEUE_LENGTH * limits.chunk_bytes + WORKER_ROOM_BYTES
    return {
        "stations": len(found),
        "captures": wanted,
        "received": len(received),
        "stored": len(stored),
        "receipts_repeated": sum(one.receipts for one in found) - len(received),
        "seconds": round(took_s, 1),
        "captures_a_second": round(wanted / took_s, 1),
        "busy": sum(one.busy for one in found),
        "offers_before_their_time": too_soon,
        "longest_gap_s": round(gap_s, 1),
        "fair_gap_s": round(fair_gap_s, 1),
        "at_half_time_fewest": fewest,
        "at_half_time_most": most,
        "broker_dropped": dropped,
        "broker_grew_mib": round(peak.broker / MIB, 1),
        "broker_limit_mib": MAX_QUEUED_BYTES // MIB,
        "worker_grew_mib": round(peak.worker / MIB, 1),
        "worker_limit_mib": worker_limit // MIB,
        "holds": received == stored
        and len(received) == wanted
        and dropped == too_soon == 0
        and gap_s <= max(LEAST_GAP_S, STARVED * fair_gap_s)
        and peak.broker <= MAX_QUEUED_BYTES
        and peak.worker <= worker_limit,
    }


def _shares(found: list[Figures]) -> tuple[int, int]:
    """Return how many captures the last and the first station had through when half of everything was."""
    moments = sorted(at_s for one in found for _, at_s in one.received)
    if not moments:
        return 0, 0
    halfway_s = moments[(len(moments) - 1) // 2]
    shares = [sum(at_s <= halfway_s for _, at_s in one.received) for one in found]
    return min(shares), max(shares)


def _longest_gap_s(found: list[Figures], began_s: float) -> float:
    """Return the longest time that any station waited for its next receipt."""
    moments = [(began_s, *sorted(at_s for _, at_s in one.received)) for one in found]
    return max(later - earlier for one in moments for earlier, later in itertools.pairwise(one))


if __name__ == "__main__":
    sys.exit(main())
