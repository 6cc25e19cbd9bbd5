"""Power cuts: a station on the Pi's own software is pressed at full speed and loses its power at random.

Usage: benchmarks/cuts [--n 10] [--seed 1] [--seconds 3600]     (root; LATTRANG_RIG names the folder of a rig)

Every `capture.safe` that left the machine before its power went is a promise. At the end the station delivers what it
has, and each promise must lie at the centre, once, with the bytes that the station has.
"""

import argparse
import contextlib
import json
import random
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks import rig
from benchmarks.rig import Machine
from benchmarks.rig_office import Office
from benchmarks.rig_site import PRESSER, SPOOL, STAGING, deliver, frames, site, wait_until_sent

READY_WITHIN_S = 60.0
EVENTS = f"{SPOOL}/log/events.jsonl"


@dataclass
class Count:
    """What was seen from outside."""

    promised: set[str] = field(default_factory=set)
    ready_s: list[float] = field(default_factory=list)
    cuts: int = 0
    compared: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    differing: list[str] = field(default_factory=list)
    audit: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether every promise was kept, and there were any."""
        return (
            bool(self.promised)
            and not (self.lost or self.doubled or self.differing or self.audit)
            and max(self.ready_s) <= READY_WITHIN_S
        )


def run(machine: Machine, office: Office, n: int, seed: int, seconds: float) -> Count:
    """Cut the power `n` times, or fewer when the time is up, and count."""
    lots, count, end_s = random.Random(seed), Count(), time.monotonic() + seconds
    machine.off()  # what is counted begins with a boot
    machine.boot()
    while count.cuts < n and time.monotonic() < end_s:
        _press_until_cut(machine, count, lots.uniform(0.5, 20.0))
        count.cuts += 1
        machine.boot()
        print(f"cut {count.cuts}: {len(count.promised)} promised, ready after {count.ready_s[-1]:.0f} s", flush=True)
    wait_until_sent(machine)
    here = frames(machine, f"{SPOOL}/captures")  # once all is handed over and confirmed, they leave
    deliver(machine)
    _compare(here, office, count)
    return count


def _press_until_cut(machine: Machine, count: Count, after_s: float) -> None:
    """Press from ready on; `after_s` later the power goes."""
    watch = f"tail -n +1 -F {EVENTS} 2>/dev/null & {PRESSER} 100000"
    with machine.start(watch) as stream:
        ready = threading.Event()
        listener = threading.Thread(target=_listen, args=(stream, count, ready))
        listener.start()
        try:
            if not ready.wait(180):
                raise TimeoutError("the station was not ready within three minutes of a boot")
            threading.Event().wait(after_s)
            machine.cut()
        finally:
            stream.terminate()  # nobody answers any more, and nobody says so
            listener.join()


def _listen(stream: "subprocess.Popen[bytes]", count: Count, ready: threading.Event) -> None:
    """Note what the station says for as long as it has power."""
    for line in stream.stdout or ():
        if line.startswith(b"ready "):
            count.ready_s.append(float(line.split()[1]))
            ready.set()
        elif b'"capture.safe"' in line:
            with contextlib.suppress(ValueError):  # half a line: it was not said
                count.promised.add(json.loads(line)["capture_id"])


def _compare(here: dict[str, list[str]], office: Office, count: Count) -> None:
    """Hold what the centre has against the promises and against the station's own digests."""
    there = frames(office, STAGING)
    count.compared = len(here.keys() & there.keys())
    count.lost = sorted(count.promised - there.keys())
    count.differing = sorted(each for each in here.keys() & there.keys() if here[each] != there[each])
    facts = office.shell(f"for f in {STAGING}/*/capture.json; do tr -d '\\n' <$f; echo; done")
    sequences = Counter(str(json.loads(each)["sequence"]) for each in facts.splitlines())
    count.doubled = sorted(each for each, times in sequences.items() if times > 1)
    try:
        office.shell("lattrang central audit")
    except rig.CommandFailed as error:
        count.audit = error.said


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print the count, return 0 where every promise was kept."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--n", type=int, default=10, help="power cuts")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=3600.0, help="no further cut after this time")
    args = parser.parse_args(arguments)
    try:
        with site() as (machine, office):
            count = run(machine, office, args.n, args.seed, args.seconds)
    except rig.NoRig as why:
        print(f"skipped: {why}")
        return 0
    ready = f"median {statistics.median(count.ready_s):.0f} s, worst {max(count.ready_s):.0f} s"
    print(f"{count.cuts} power cuts, {len(count.promised)} captures promised; ready after boot: {ready}")
    print(f"lost {len(count.lost)}, doubled {len(count.doubled)}, differing {len(count.differing)} of {count.compared}")
    print(f"audit: {count.audit or 'clean'}")
    for name in (*count.lost[:5], *count.doubled[:5], *count.differing[:5]):
        print(f"  {name}")
    return 0 if count.is_whole else 1


if __name__ == "__main__":
    sys.exit(main())
