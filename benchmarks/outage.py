"""The centre and the broker are away while a station works on; then they come back. Is everything there once?

Run: `benchmarks/outage --spreads 360` (an hour's work of a practised person).
"""

import argparse
import dataclasses
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from central.config import WorkerLimits
from firmware.registry import CameraConfig
from lattrang.demo.command import count
from lattrang.demo.operator import Operator
from lattrang.demo.site import Site, SitePlan

CONFIRM_TIMEOUT_S = 1800.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the outage, print one line of JSON, return 0 where nothing was lost or doubled."""
    parser = argparse.ArgumentParser(prog="benchmarks/outage", description=__doc__)
    parser.add_argument("--spreads", type=int, default=360, help="captured while the centre is away")
    parser.add_argument("--seed", type=int, default=1, help="of the drawn book")
    parser.add_argument("--width", type=int, default=1352, help="of a frame, px")
    options = parser.parse_args(arguments)
    camera = CameraConfig(seed=options.seed, width_px=options.width, height_px=options.width * 3 // 4)
    with tempfile.TemporaryDirectory(prefix="lattrang-outage-") as folder:
        plan = SitePlan(Path(folder), camera, limits=WorkerLimits(reserve_bytes=0), reserve_mib=1)
        with Site(plan) as site:
            figures = _run(site, options.spreads)
    print(json.dumps(figures))
    return 0 if figures["lost"] == figures["duplicates"] == figures["digest_mismatches"] == 0 else 1


def _run(site: Site, spreads: int) -> dict[str, object]:
    operator = Operator(site.client())
    job_id = operator.open_job("Một giờ không có máy chủ")
    for process in (site.office, *site.workers):
        process.stop()
    site.broker.stop()
    began_s = time.monotonic()
    taken = sum(operator.capture() for _ in range(spreads))
    operator.hand_over()
    away_s = time.monotonic() - began_s
    site.broker.start()
    for process in (site.office, *site.workers):
        process.start()
    back_s = time.monotonic()
    operator.wait_until_confirmed(job_id, CONFIRM_TIMEOUT_S, lambda _done, _of: None)
    outcome = count(site, {job_id}, away_s, 0.0)
    return dataclasses.asdict(outcome) | {
        "presses": spreads,
        "taken": taken,
        "away_s": round(away_s, 1),
        "delivered_in_s": round(time.monotonic() - back_s, 1),
    }


if __name__ == "__main__":
    sys.exit(main())
