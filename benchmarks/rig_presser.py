"""Runs on the rig's station: opens a job at its screen, then presses the pedal by its pin as fast as it is taken.

Prints `ready SECONDS`, counted from switching on, once the station takes commands.
Usage: rig_presser.py N [--hand-over]; N = 0 only waits for the station to be ready.
"""

import sys
import threading
from pathlib import Path

sys.path.insert(0, "/opt/lattrang/current")

from lattrang.demo.client import StationClient
from lattrang.demo.operator import Operator

PULL = Path("/sys/devices/platform/gpio-sim.0/gpiochip0/sim_gpio17/pull")
TOKEN = Path("/var/lib/lattrang-station/web.token")
PATIENCE_S = 180.0
PRESS_S = 0.1


def main(presses: int, *, hand_over: bool) -> int:
    """Press."""
    client = StationClient(8500, TOKEN.read_text("utf-8").strip())
    operator = Operator(client)
    state = client.wait_for(lambda now: now["state"] in ("closed", "ready"), PATIENCE_S, "the station")
    print(f"ready {Path('/proc/uptime').read_text('ascii').split()[0]}", flush=True)
    if state["job"] is None and presses:
        operator.open_job("Sách mất điện")
    for _ in range(presses):
        before = client.wait_for(_takes_presses, PATIENCE_S, "the station to take a press")
        entries = before["job"]["entries"]
        PULL.write_text("pull-down")
        threading.Event().wait(PRESS_S)  # a foot stays down so long
        PULL.write_text("pull-up")
        client.wait_for(lambda now, entries=entries: now["job"]["entries"] > entries, PATIENCE_S, "a capture")
    if hand_over:
        operator.hand_over()
    return 0


def _takes_presses(now: dict) -> bool:
    return now["state"] == "ready" and now["queue_length"] < now["queue_limit"]


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), hand_over="--hand-over" in sys.argv))
