"""A bad line between station and centre: whether everything arrives, and how fast beside one plain TCP stream.

Usage: benchmarks/line [--n 3] [--captures 2] [--loss 5] [--delay-ms 300] [--rate-kbit 1000]

Needs root and a rig (LATTRANG_RIG names its folder). The kernel of the station loses, delays and brakes what goes to
the centre. In each round, in turn: the publisher delivers captures that waited, from its start to the last receipt that
the centre has written; iperf3 sends as many bytes through one connection.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks import rig, rig_site
from benchmarks.rig import Machine
from benchmarks.rig_office import ADDRESS, Office
from benchmarks.rig_site import PRESSER, SPOOL, STAGING, site

GOAL = 0.8
ROUND_S = 1800.0
SMALLER = r"sed -i 's/^number = 0/&\nwidth_px = 2028\nheight_px = 1520/' /etc/lattrang/station.toml"
"""A quarter of the camera's points: such a line needs four minutes for a capture of twelve million."""


@dataclass(frozen=True, slots=True)
class Weather:
    """What the line does to whatever the station sends."""

    loss_percent: float
    delay_ms: float
    rate_kbit: float

    def __str__(self) -> str:
        return f"loss {self.loss_percent:g}% delay {self.delay_ms:g}ms rate {self.rate_kbit:g}kbit"


@dataclass(frozen=True, slots=True)
class Round:
    """As many bytes both ways: how fast each was."""

    size_bytes: int
    plain_kbit_s: float
    ours_kbit_s: float


@dataclass(frozen=True, slots=True)
class Result:
    """Every round, and the captures that the centre lacks or has with other bytes."""

    rounds: tuple[Round, ...]
    missing: tuple[str, ...]

    @property
    def share(self) -> float:
        """Our median rate as a share of the plain stream's."""
        return statistics.median(one.ours_kbit_s for one in self.rounds) / statistics.median(
            one.plain_kbit_s for one in self.rounds
        )


def run(machine: Machine, office: Office, n: int, captures: int, weather: Weather) -> Result:
    """Press, let the weather in, send both ways; `n` times."""
    machine.shell(f"{SMALLER} && systemctl restart lattrang-station")
    # Only packets as long as the cable's are lost one by one.
    machine.shell("ip link set vec0 gso_max_segs 1")
    rounds = []
    for number in range(n):
        rounds.append(_round(machine, office, captures, weather, plain_first=number % 2 == 0))
        last = rounds[-1]
        print(
            f"{last.size_bytes / 1024:.0f} KiB: one TCP stream {last.plain_kbit_s:.0f} kbit/s, "
            f"publisher {last.ours_kbit_s:.0f} kbit/s",
            flush=True,
        )
    return Result(tuple(rounds), tuple(rig_site.missing(machine, office)))


def _round(machine: Machine, office: Office, captures: int, weather: Weather, *, plain_first: bool) -> Round:
    machine.shell("systemctl stop lattrang-publisher")
    before = _bytes_waiting(machine)
    machine.shell(f"{PRESSER} {captures}", timeout_s=ROUND_S)
    rig_site.wait_for(machine, lambda status: bool(status["captures"]["unprocessed"] == 0))
    size_bytes = _bytes_waiting(machine) - before
    ways: list[tuple[str, Callable[[], float]]] = [
        ("plain", lambda: _plain(machine, office, size_bytes, weather)),
        ("ours", lambda: _ours(machine, office, size_bytes, weather)),
    ]
    rates = {name: way() for name, way in (ways if plain_first else reversed(ways))}
    return Round(size_bytes, rates["plain"], rates["ours"])


def _in(weather: Weather, command: str) -> str:
    """Return a command that the station runs in this weather; its own line is open before it comes up."""
    return f"tc qdisc replace dev vec0 root netem {weather}; trap 'tc qdisc del dev vec0 root' EXIT; {command}"


def _bytes_waiting(machine: Machine) -> int:
    """Return the size of all captures on the station; none leaves while their job is open."""
    sizes = machine.shell(f"find {SPOOL}/captures -type f -printf '%s\\n'")
    return sum(map(int, sizes.split()))


def _plain(machine: Machine, office: Office, size_bytes: int, weather: Weather) -> float:
    """Return what one TCP stream brings over, in kbit/s, as its receiver counts."""
    office.shell("iperf3 -s -1 -D")
    send = f"iperf3 -c {ADDRESS} -n {size_bytes} --json"
    told = json.loads(machine.shell(_in(weather, send), timeout_s=ROUND_S))
    return float(told["end"]["sum_received"]["bits_per_second"]) / 1000


def _ours(machine: Machine, office: Office, size_bytes: int, weather: Weather) -> float:
    """Return the publisher's rate in kbit/s, from its start to the last receipt that the centre has written."""
    ahead_s = float(machine.shell("date +%s.%N")) - time.time()
    deliver = f"systemctl start lattrang-publisher && date +%s.%N && {PRESSER} waiting=0"
    said = machine.shell(_in(weather, deliver), timeout_s=ROUND_S)
    begun_s = float(said.split()[0]) - ahead_s
    written = office.shell(f"find {STAGING} -name receipt.json -printf '%T@\\n'").split()
    return size_bytes * 8e-3 / (max(map(float, written)) - begun_s)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; print each round and the share; return 0 where everything arrived, fast enough."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--n", type=int, default=3, help="rounds")
    parser.add_argument("--captures", type=int, default=2, help="captures in a round")
    parser.add_argument("--loss", type=float, default=5.0, help="of the packets, in percent")
    parser.add_argument("--delay-ms", type=float, default=300.0)
    parser.add_argument("--rate-kbit", type=float, default=1000.0)
    args = parser.parse_args(arguments)
    weather = Weather(args.loss, args.delay_ms, args.rate_kbit)
    try:
        with site() as (machine, office):
            result = run(machine, office, args.n, args.captures, weather)
    except rig.NoRig as why:
        print(f"skipped: {why}")
        return 0
    print(f"{weather}: {len(result.missing)} captures missing or differing")
    print(f"publisher: {result.share:.2f} of one TCP stream, medians of {args.n} (goal {GOAL})")
    return int(bool(result.missing) or result.share < GOAL)


if __name__ == "__main__":
    sys.exit(main())
