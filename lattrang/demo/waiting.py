"""Waiting with a limit for something that another process does."""

import threading
import time
from collections.abc import Callable


def wait_until(condition: Callable[[], bool], timeout_s: float, what: str, *, step_s: float = 0.1) -> None:
    """Return as soon as `condition` holds, looking every `step_s`.

    Raises:
        TimeoutError: it did not hold within `timeout_s`; the message names `what`.
    """
    deadline_s = time.monotonic() + timeout_s
    pause = threading.Event()
    while not condition():
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"{what}: not within {timeout_s:.0f} s")
        pause.wait(step_s)
