"""One worker's way from chunks to a receipt, beside its floor: the same files hashed, written and flushed.

The worker is the real one (receiver, staging, catalogue) behind its message queue; the network's share is what
`benchmarks/uplink` measures.
"""

import argparse
import tempfile
from collections.abc import Sequence
from itertools import count
from pathlib import Path

from benchmarks.captures import Capture, draw
from benchmarks.ingest_parts import Floor, WorkerByHand
from benchmarks.rounds import alternate, table
from central.config import WorkerLimits
from wire.limits import KIB, MIB

GOAL = 0.5


def main(arguments: Sequence[str] | None = None) -> int:
    """Time both in turn and print medians and the worker's rate as a share of the floor's."""
    parser = argparse.ArgumentParser(prog="benchmarks/ingest", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--n", type=int, default=20, help="rounds")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=50.0, help="no further round begins after this time")
    parser.add_argument("--captures", type=int, default=8, help="captures in a round")
    parser.add_argument("--kib", type=int, default=9 * KIB, help="size of a capture's pictures in KiB")
    parser.add_argument("--folder", type=Path, help="on the disk to measure; a temporary folder by default")
    options = parser.parse_args(arguments)
    sequence = count(1)

    def some() -> list[Capture]:
        return [draw("bench", next(sequence), options.kib * KIB, options.seed) for _ in range(options.captures)]

    with tempfile.TemporaryDirectory(dir=options.folder) as made:
        folder = Path(made)
        (folder / "floor").mkdir()
        floor = Floor(folder / "floor")
        with WorkerByHand(folder / "store", WorkerLimits(reserve_bytes=0)) as worker:
            ways = {"floor": lambda: floor.run(some()), "worker": lambda: worker.run(some())}
            rounds = alternate(ways, options.n, options.seconds)
    share = 1 / rounds.ratio("worker")
    rate = options.captures * options.kib * KIB / MIB / rounds.median_s("worker")
    title = f"ingest: {options.captures} captures of {options.kib} KiB a round, seed {options.seed}"
    print(table(title, rounds, {"worker": f"{rate:.0f} MiB/s = {share:.2f} of the floor's rate, goal >= {GOAL}"}))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
