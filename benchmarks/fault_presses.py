"""Somebody who presses as fast as the station allows, hands a job over when it is long enough, and never gives up."""

import threading
from collections import Counter
from typing import Any, Final

from lattrang.demo.client import Refused, StationClient

PAUSE_S: Final = 0.1
OPEN: Final = "open"


class Presser:
    """A person, as a thread.

    Attributes:
        shown: captures that the screen showed as taken: what a person believes to be safe.
        presses: how many were made.
        refusals: what the station refused, by code.
    """

    def __init__(self, client: StationClient, per_job: int) -> None:
        self._client = client
        self._per_job = per_job
        self._number = -1
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="presser", daemon=True)
        self.shown: set[str] = set()
        self.presses = 0
        self.jobs = 0
        self.refusals: Counter[str] = Counter()

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Press no more."""
        self._stop.set()
        self._thread.join(60)

    def finish(self) -> bool:
        """Hand over what is open; tells whether nothing is."""
        self._number = -1
        try:
            state = self._look()
            if state["job"] is not None and not is_busy(state):
                self._client.post("/hand-over")
            return state["job"] is None and state["state"] != "fault"
        except Refused as refusal:
            self.refusals[refusal.code] += 1
        except OSError:
            self.refusals["away"] += 1
        return False

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._act(self._look())
            except Refused as refusal:
                # Not now: what holds it up may pass without a change that a screen would show.
                self._number = -1
                self.refusals[refusal.code] += 1
                self._stop.wait(PAUSE_S)
            except OSError:
                self._number = -1
                self.refusals["away"] += 1
                self._stop.wait(PAUSE_S)

    def _look(self) -> dict[str, Any]:
        state = self._client.state(self._number)
        self._number = int(state["number"])
        if state["last"] is not None:
            self.shown.add(str(state["last"]["capture_id"]))
        return state

    def _act(self, state: dict[str, Any]) -> None:
        if state["state"] == "fault":
            return
        if state["job"] is None:
            self.jobs += 1
            self._client.post("/job", {"title": f"Tập {self.jobs}"})
        elif state["job"]["entries"] >= self._per_job:
            if is_busy(state):
                return
            self._client.post("/hand-over")
        elif state["state"] == "ready" and state["queue_length"] < state["queue_limit"]:
            self._client.post("/press")
            self.presses += 1
            self._client.post("/release")


def is_busy(state: dict[str, Any]) -> bool:
    """Tell whether captures are still being taken or judged."""
    return bool(state["queue_length"] or state["state"] == "capturing")
