"""Runs on the rig's station: a person at its screen and a foot on its pedal (by its pin), told what to do in words.

Usage: rig_presser.py WORD...
  N            wait for the station (prints `ready SECONDS`, counted from switching on), open a job, press N times
  step         press once, whether or not it is taken
  hand-over    hand over once everything is judged
  off          ask on the screen that the machine is switched off
  KEY=VALUE    wait until the screen's state says so
At the end it prints what the screen says, as JSON.
"""

import json
import sys
import threading
from functools import partial
from pathlib import Path

sys.path.insert(0, "/opt/lattrang/current")

from lattrang.demo.client import StationClient
from lattrang.demo.operator import Operator

PULL = Path("/sys/devices/platform/gpio-sim.0/gpiochip0/sim_gpio17/pull")
TOKEN = Path("/var/lib/lattrang-station/web.token")
PATIENCE_S = 180.0
WAIT_S = 1800.0
PRESS_S = 0.1


def main(words: list[str]) -> int:
    """Do what the words say, one after the other."""
    client = StationClient(8500, TOKEN.read_text("utf-8").strip())
    for word in words:
        key, is_state, value = word.partition("=")
        if word.isdigit():
            press(client, int(word))
        elif word == "step":
            step()
        elif word == "hand-over":
            Operator(client).hand_over()
        elif word == "off":
            client.post("/power/off")
            return 0
        elif is_state:
            client.wait_for(lambda now, key=key, value=value: str(now[key]) == value, WAIT_S, word)
        else:
            sys.exit(__doc__)
    print(json.dumps(client.state()))
    return 0


def press(client: StationClient, times: int) -> None:
    """Press as fast as it is taken, and see each capture become safe."""
    state = client.wait_for(lambda now: now["state"] in ("closed", "ready"), PATIENCE_S, "the station")
    # On a line of its own, whatever a torn log has left in front of it.
    print(f"\nready {Path('/proc/uptime').read_text('ascii').split()[0]}", flush=True)
    if state["job"] is None and times:
        Operator(client).open_job("Sách mất điện")
    for _ in range(times):
        before = client.wait_for(_takes_presses, PATIENCE_S, "the station to take a press")
        entries = before["job"]["entries"]
        now = before
        while now["job"]["entries"] <= entries:
            step()
            now = client.wait_for(partial(_is_answered, entries), PATIENCE_S, "a capture")
            if now["fault"]:
                # One processor also draws the camera's pictures here: under load none may come in time.
                print(f"pressing again after {now['fault']}", flush=True)
                now = client.wait_for(_takes_presses, PATIENCE_S, "the camera to come back")


def step() -> None:
    """Put the foot down and lift it."""
    PULL.write_text("pull-down")
    threading.Event().wait(PRESS_S)  # a foot stays down so long
    PULL.write_text("pull-up")


def _is_answered(entries: int, now: dict) -> bool:
    return now["job"]["entries"] > entries or bool(now["fault"])


def _takes_presses(now: dict) -> bool:
    return now["state"] == "ready" and now["queue_length"] < now["queue_limit"]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
