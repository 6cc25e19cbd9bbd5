"""Requests that wait for news: how many may wait at once, and how they end when the server stops."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from flask import has_request_context, request

T = TypeVar("T")
MAX_WAITING = 8
"""A third of the server's threads stays free for commands and pictures, however many tabs are open."""
_SLICE_S = 0.5


class Polls:
    """The waiting room of one application."""

    def __init__(self, max_waiting: int = MAX_WAITING) -> None:
        self.closing = threading.Event()
        self._places = threading.BoundedSemaphore(max_waiting)

    @contextmanager
    def _place(self) -> Iterator[bool]:
        taken = self._places.acquire(blocking=False)
        try:
            yield taken
        finally:
            if taken:
                self._places.release()

    def wait(self, ask: Callable[[float], T], is_news: Callable[[T], bool], timeout_s: float) -> T:
        """Return the first answer that is news, or the latest one when time is up, the room is full or nobody is there.

        Args:
            ask: returns an answer, itself waiting for at most the seconds it is given.
            is_news: tells whether an answer is worth returning before `timeout_s` has passed.
            timeout_s: how long to wait at most.
        """
        answer = ask(0.0)
        ends_at_s = time.monotonic() + timeout_s
        with self._place() as taken:
            while taken and not is_news(answer) and not self.closing.is_set() and not _is_nobody_there():
                left_s = ends_at_s - time.monotonic()
                if left_s <= 0:
                    break
                answer = ask(min(_SLICE_S, left_s))
        return answer


def _is_nobody_there() -> bool:
    """Tell whether the browser has hung up: its place is somebody else's then."""
    hung_up: Callable[[], bool] | None = None
    if has_request_context():
        hung_up = request.environ.get("waitress.client_disconnected")
    return hung_up is not None and hung_up()
