"""How much memory a station and a worker take while captures go through, and whether it grows.

A whole site of real processes: the replay camera presses through drawn frames, books are handed over as they are full.
Said is the proportional set size (PSS). The station's unit is its station and publisher processes. The slope is a
straight line through the second half of the samples.
"""

import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from appliance.imaging.encode import encode
from appliance.imaging.planes import Planes
from benchmarks.memory_parts import Sampler, slope_per_capture
from central.config import WorkerLimits
from firmware.registry import CameraConfig
from firmware.simulated import SimulatedCamera
from lattrang.demo.operator import Operator
from lattrang.demo.site import Site, SitePlan

GOAL_MIB = 350
_CONFIRM_TIMEOUT_S = 300.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Let captures go through and print level, peak and slope of every process."""
    parser = argparse.ArgumentParser(prog="benchmarks/memory", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--n", type=int, default=40, help="captures")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=60.0, help="no further book is opened after this time")
    parser.add_argument("--width", type=int, default=4056)
    parser.add_argument("--height", type=int, default=3040)
    parser.add_argument("--book", type=int, default=50, help="captures in a book")
    parser.add_argument("--folder", type=Path, help="for the site; a temporary folder by default")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(dir=options.folder) as made:
        frames = Path(made) / "frames"
        _draw(frames, options.seed, options.width, options.height)
        camera = CameraConfig("replay", folder=frames, loop=True)
        plan = SitePlan(Path(made) / "site", camera, workers=1, limits=WorkerLimits(reserve_bytes=0), reserve_mib=0)
        with Site(plan) as site, _sampler(site) as sampler:
            _work(site, sampler, options.n, options.book, options.seconds)
    print(f"memory: {sampler.captures} captures of {options.width} x {options.height}, seed {options.seed}")
    print(f"{'':22} {'median':>10} {'peak':>10} {'slope of the second half':>28}")
    for name in sampler.names:
        samples = sampler.of(name)
        note = f"   goal: peak <= {GOAL_MIB} MiB" if name == "station unit" else ""
        slope = f"{slope_per_capture(samples):+.2f} KiB a capture"
        print(f"{name:22} {samples.median_mib:6.0f} MiB {samples.peak_mib:6.0f} MiB {slope:>28}{note}")
    return 0


def _sampler(site: Site) -> Sampler:
    return Sampler(
        {
            "station unit": (site.station, site.publisher),
            "  station": (site.station,),
            "  publisher": (site.publisher,),
            "worker": (site.workers[0],),
            "office": (site.office,),
        }
    )


def _draw(folder: Path, seed: int, width_px: int, height_px: int) -> None:
    folder.mkdir()
    camera = SimulatedCamera(seed, width_px, height_px)
    for number in range(1, 5):
        frame = camera.capture(pressed_at_ns=0)
        (folder / f"{number}.jpg").write_bytes(encode(Planes(frame.y, frame.u, frame.v)))
    camera.close()


def _work(site: Site, sampler: Sampler, n: int, book: int, seconds: float) -> None:
    operator = Operator(site.client())
    end_s = time.monotonic() + seconds
    while sampler.captures < n and (sampler.captures == 0 or time.monotonic() < end_s):
        job = operator.open_job(f"Book from capture {sampler.captures + 1}")
        for _ in range(min(book, n - sampler.captures)):
            if not operator.capture():
                raise RuntimeError("The station did not take a picture.")
            sampler.captures += 1
        operator.hand_over()
        operator.wait_until_confirmed(job, _CONFIRM_TIMEOUT_S, lambda *_: None)


if __name__ == "__main__":
    raise SystemExit(main())
