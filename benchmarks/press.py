"""From the edge at the pedal's pin to the order at the camera, through the real session; bounces and a foot that stays.

Usage: benchmarks/press [--n 30] [--seed 1] [--chip FOLDER] [--camera picamera2]

`--chip` is a chip of the kernel's gpio-sim (its folder in sysfs): the edge then goes through kernel, lgpio and
gpiozero, as on a Raspberry Pi. Without it the contact is closed in the program, which shows what the program adds.
"""

import argparse
import random
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from appliance.api import NewJob, SessionState, StationSnapshot
from appliance.lent_camera import LentCamera
from appliance.model import CaptureSetup
from appliance.session.front import StationFront
from appliance.session.runner import Session
from appliance.spool import RetentionPolicy, Spool
from appliance.threads import ServiceThread
from appliance.worker import Worker
from firmware.interfaces import Camera, Frame
from firmware.pedal_driven import DrivenPedal
from firmware.registry import CameraConfig, HardwareConfig, open_hardware

GOAL_MS = 20.0
PATIENCE_S = 60.0
LIFTED_S = 0.15
"""A foot is up for at least so long between two presses; less than the settling time counts as bouncing."""
HELD_S = 4.0
"""Longer than the longest gesture."""


class NotedCamera(LentCamera):
    """A camera that notes when it was asked."""

    def __init__(self, camera: Camera) -> None:
        super().__init__(camera)
        self.asked_at_s: list[float] = []
        self.asked = threading.Event()

    def capture(self, *, pressed_at_ns: int, timeout_s: float = 5.0) -> Frame:
        """Note the time and pass on."""
        self.asked_at_s.append(time.monotonic())
        self.asked.set()
        return super().capture(pressed_at_ns=pressed_at_ns, timeout_s=timeout_s)


@dataclass
class Bench:
    """A station, a foot, and what the camera noted."""

    front: StationFront
    camera: NotedCamera
    move: Callable[[bool], None]

    def press_once(self) -> float:
        """Press and lift; return the milliseconds from the edge to the order once the capture is safe."""
        asked, captures = len(self.camera.asked_at_s), self._captures()
        self.camera.asked.clear()
        begun_s = time.monotonic()
        self.move(True)
        self.camera.asked.wait(PATIENCE_S)
        self._lift(captures)
        return (self.camera.asked_at_s[asked] - begun_s) * 1000

    def bounce_once(self, lots: random.Random) -> int:
        """Press with a bouncing contact; return how many orders that made."""
        asked, captures = len(self.camera.asked_at_s), self._captures()
        self.camera.asked.clear()
        for closed in (True, False) * lots.randint(2, 8) + (True,):
            self.move(closed)
        self.camera.asked.wait(PATIENCE_S)
        self._lift(captures)
        return len(self.camera.asked_at_s) - asked

    def stand_on_it(self) -> int:
        """Leave the foot down for longer than any gesture; return how many orders followed the first."""
        asked = len(self.camera.asked_at_s)
        self.move(True)
        self._until(lambda now: now.state is SessionState.PAUSED)
        self.front.wait_for_change(self.front.snapshot().number + 1_000_000, HELD_S)  # nothing more may happen
        self.move(False)
        self.front.resume()
        return len(self.camera.asked_at_s) - asked - 1

    def _lift(self, captures: int) -> None:
        """Let the foot up for a moment, and wait until the capture is safe."""
        self.move(False)
        end_s = time.monotonic() + LIFTED_S
        self._until(lambda now: now.safe_captures > captures and _takes_presses(now))
        self._until(lambda _: time.monotonic() > end_s)

    def _captures(self) -> int:
        return self.front.snapshot().safe_captures

    def _until(self, true: Callable[[StationSnapshot], bool]) -> None:
        end_s = time.monotonic() + PATIENCE_S
        seen = self.front.snapshot()
        while not true(seen):
            if time.monotonic() > end_s:
                raise TimeoutError(f"the station stays {seen.state.value} with {seen.safe_captures} captures")
            seen = self.front.wait_for_change(seen.number, 0.05)


def _takes_presses(now: StationSnapshot) -> bool:
    return now.state is SessionState.READY and now.queue_length < now.queue_limit


@contextmanager
def bench(chip: Path | None, camera: CameraConfig) -> Iterator[Bench]:
    """Give a station with an open job."""
    with ExitStack() as parts:
        folder = Path(parts.enter_context(tempfile.TemporaryDirectory()))
        config = HardwareConfig(cameras=(camera,), pedal="driven" if chip is None else "gpio")
        hardware = open_hardware(config)
        parts.callback(hardware.close)
        noted = NotedCamera(hardware.cameras[0])
        hardware = replace(hardware, cameras=(noted,))
        setup = CaptureSetup("bench", rotations_cw=(0,))
        spool = parts.enter_context(
            Spool.open(folder, setup.station, RetentionPolicy(reserve_bytes=0, ballast_bytes=0))
        )
        worker = Worker(spool, setup)
        session = Session(hardware, spool, worker, setup)
        working = ServiceThread("worker", worker.run, _died)
        session.start(_died)
        parts.callback(working.join)
        parts.callback(worker.stop)
        parts.callback(session.stop)
        working.start()
        screen = DrivenPedal()
        parts.callback(screen.close)
        front = StationFront(session, spool, hardware.cameras, screen)
        front.open_job(NewJob(title="Bàn đạp"))
        yield Bench(front, noted, _foot(hardware.pedal, chip, config.pedal_pin))


def _died(name: str, error: BaseException) -> None:
    sys.exit(f"the thread {name} died: {error!r}")


def _foot(pedal: object, chip: Path | None, pin: int) -> Callable[[bool], None]:
    """Return what moves the contact: the program's own pedal, or the pull of a simulated line."""
    if chip is not None:
        pull = chip / f"sim_gpio{pin}" / "pull"
        return lambda closed: void(pull.write_text("pull-down" if closed else "pull-up"))
    if not isinstance(pedal, DrivenPedal):
        raise TypeError("without a chip the pedal is driven")
    return lambda closed: pedal.close_contact() if closed else pedal.open_contact()


def void(_: object) -> None:
    """Return nothing."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Press, bounce, stand on it; print what was seen; return 1 where a goal was missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--n", type=int, default=30, help="presses, and a third as many bounces")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--chip", type=Path, help="folder of a gpio-sim chip")
    parser.add_argument("--camera", choices=("simulated", "picamera2"), default="simulated")
    args = parser.parse_args(arguments)
    lots = random.Random(args.seed)
    with bench(args.chip, CameraConfig(driver=args.camera, width_px=1014, height_px=760)) as station:
        spent_ms = sorted(station.press_once() for _ in range(args.n))
        orders = [station.bounce_once(lots) for _ in range(max(1, args.n // 3))]
        more = station.stand_on_it()
    median_ms = statistics.median(spent_ms)
    spread = f"median {median_ms:.1f} ms, worst {spent_ms[-1]:.1f} ms of {args.n}"
    print(f"edge to order at the camera: {spread} (goal {GOAL_MS:g})")
    print(f"bouncing presses: {len(orders)}, orders {sum(orders)}; foot left on the pedal: {more} orders more")
    return int(median_ms > GOAL_MS or any(number != 1 for number in orders) or more != 0)


if __name__ == "__main__":
    sys.exit(main())
