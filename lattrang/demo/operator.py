"""Somebody at the pedal: opens a job, presses, turns, hands over. Speaks to the station's screen as a person would."""

import contextlib
from collections.abc import Callable
from typing import Any

from lattrang.demo.client import Refused, StationClient

PRESS_TIMEOUT_S = 120.0
JUDGE_TIMEOUT_S = 120.0


class Operator:
    """Patient: waits for READY before each press, lives through restarts of the station, never presses into a queue."""

    def __init__(self, client: StationClient) -> None:
        self._client = client

    def open_job(self, title: str, barcode: str = "") -> str:
        """Open a job and return its id."""
        self._client.wait_for(lambda state: state["state"] != "fault", PRESS_TIMEOUT_S, "the station to be ready")
        self._client.post("/job", {"title": title, "barcode": barcode})
        state = self._client.wait_for(lambda state: state["job"] is not None, PRESS_TIMEOUT_S, "the job to open")
        return str(state["job"]["job_id"])

    def can_capture(self, timeout_s: float = 10.0) -> bool:
        """Tell whether the station takes a press, now or soon."""
        try:
            self._client.wait_for(_can_press, timeout_s, "the station to take a press")
        except TimeoutError:
            return False
        return True

    def capture(self) -> bool:
        """Press once and wait until the capture is in the list; False where the station could not take it."""
        before = self._client.wait_for(_can_press, PRESS_TIMEOUT_S, "the station to take a press")
        entries, notice = before["job"]["entries"], before["notice"]
        try:
            self._press()
        except (Refused, OSError):
            return False
        after = self._client.wait_for(
            lambda state: _grew(state, entries) or state["state"] == "fault" or state["notice"] != notice,
            PRESS_TIMEOUT_S,
            "the capture to be safe",
        )
        return _grew(after, entries)

    def wait_until_judged(self) -> dict[str, Any]:
        """Return the snapshot once every capture is judged."""
        return self._client.wait_for(_is_idle, JUDGE_TIMEOUT_S, "every capture to be judged")

    def hand_over(self) -> None:
        """Close the list and send it."""
        self.wait_until_judged()
        self._client.post("/hand-over")

    def wait_until_confirmed(self, job_id: str, timeout_s: float, on_progress: Callable[[int, int], None]) -> None:
        """Return once the centre has confirmed every capture of the job."""

        def confirmed(state: dict[str, Any]) -> bool:
            job = next((one for one in state["handed_over"] if one["job_id"] == job_id), None)
            if job is not None:
                on_progress(job["confirmed"], job["captures"])
            return job is not None and bool(job["complete"])

        self._client.wait_for(confirmed, timeout_s, "the centre to confirm every capture")

    def _press(self) -> None:
        self._client.post("/press")
        with contextlib.suppress(OSError):
            # A station that dies between press and release has no foot on its pedal when it comes back.
            self._client.post("/release")


def _can_press(state: dict[str, Any]) -> bool:
    return state["state"] == "ready" and state["job"] is not None and state["queue_length"] < state["queue_limit"]


def _is_idle(state: dict[str, Any]) -> bool:
    last = state["last"]
    return (
        state["queue_length"] == 0 and state["state"] != "capturing" and (last is None or last["verdict"] != "pending")
    )


def _grew(state: dict[str, Any], entries: int) -> bool:
    return state["job"] is not None and state["job"]["entries"] > entries
