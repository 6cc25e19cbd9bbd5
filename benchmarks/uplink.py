"""The publisher's way to a worker that stores nothing, beside its floor: paho, Mosquitto, and paho counting bytes.

Same broker, TLS, certificates, chunk and window. Floor: one paho client publishes the chunks from memory with as many
under way as the window allows. Publisher: the station's own process reads the spool, proves every digest again while
sending, and waits for grants, progress and receipts, which the counting worker gives at once.
"""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.rounds import alternate, table
from benchmarks.uplink_parts import Plan, Rig
from wire.limits import DEFAULT_CHUNK_BYTES, DEFAULT_WINDOW, KIB, MIB

GOAL = 0.8


def main(arguments: Sequence[str] | None = None) -> int:
    """Time both in turn and print medians and the publisher's rate as a share of the floor's."""
    parser = argparse.ArgumentParser(prog="benchmarks/uplink", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--n", type=int, default=10, help="rounds")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=90.0, help="no further round begins after this time")
    parser.add_argument("--captures", type=int, default=24, help="captures in a round: half a book")
    parser.add_argument("--kib", type=int, default=9 * KIB, help="size of a capture's pictures in KiB")
    parser.add_argument("--chunk", type=int, default=DEFAULT_CHUNK_BYTES // KIB, help="KiB")
    parser.add_argument("--window", type=int, default=DEFAULT_WINDOW)
    parser.add_argument("--folder", type=Path, help="for the spool; a temporary folder by default")
    options = parser.parse_args(arguments)
    plan = Plan(options.captures, options.kib * KIB, options.chunk * KIB, options.window, options.seed)
    with tempfile.TemporaryDirectory(dir=options.folder) as folder, Rig(Path(folder), plan) as rig:
        rounds = alternate({"floor": rig.floor, "publisher": rig.publisher}, options.n, options.seconds)
    share = 1 / rounds.ratio("publisher")
    mib = options.captures * options.kib * KIB / MIB
    notes = {
        "floor": f"{mib / rounds.median_s('floor'):.0f} MiB/s",
        "publisher": f"{mib / rounds.median_s('publisher'):.0f} MiB/s = {share:.2f} of the floor, goal >= {GOAL}",
    }
    title = f"uplink: {options.captures} captures of {options.kib} KiB a round, {options.chunk} KiB x {options.window}"
    print(table(title, rounds, notes))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
