"""The one thread behind every pedal: takes edges from anywhere, minds the time, hands gestures on."""

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final

from firmware.gestures import GestureRecogniser, GestureTimes
from firmware.interfaces import PedalEvent, PedalListener

NS_PER_S: Final = 1_000_000_000
LOOK_EVERY_S: Final = 0.1


class PedalThread:
    """Feeds a `GestureRecogniser` and calls the listener.

    Args:
        times: how long a hold is.
        closed: the contact as it is at the start; not asked where there is a `level`.
        level: reads the contact. A kernel may lose an edge: looking now and then finds what was not told.
        clock_ns: monotonic time; tests may drive it, calling `wake` after they moved it.
    """

    def __init__(
        self,
        times: GestureTimes | None = None,
        *,
        closed: bool = False,
        level: Callable[[], bool] | None = None,
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._recogniser = GestureRecogniser(times, closed=level() if level else closed)
        self._level = level
        self._clock_ns = clock_ns
        self._changed = threading.Condition()
        self._edges: deque[tuple[bool, int]] = deque()
        self._listener: PedalListener | None = None
        self._woken = False
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="pedal", daemon=True)
        self._thread.start()

    def edge(self, closed: bool, at_ns: int | None = None) -> None:
        """Report the contact's level at `at_ns` (now, where None). Never waits for the listener."""
        with self._changed:
            self._edges.append((closed, self._clock_ns() if at_ns is None else at_ns))
            self._changed.notify()

    def wake(self) -> None:
        """Look at the clock again."""
        with self._changed:
            self._woken = True
            self._changed.notify()

    def listen(self, listener: PedalListener | None) -> None:
        """Call `listener` with every event from now on; None stops that."""
        with self._changed:
            self._listener = listener

    def close(self) -> None:
        """Stop the thread; no event comes after this returns (unless called from a listener). May be called twice."""
        with self._changed:
            self._stopped = True
            self._listener = None
            self._changed.notify()
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout=5.0)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(self._has_news, timeout=self._wait_s())
                if self._stopped:
                    return
                self._woken = False
                events = self._take()
                listener = self._listener
            if listener is not None:
                for event in events:
                    listener(event)

    def _has_news(self) -> bool:
        return self._stopped or self._woken or bool(self._edges)

    def _wait_s(self) -> float | None:
        deadline_ns = self._recogniser.deadline_ns()
        limit_s = None if self._level is None else LOOK_EVERY_S
        if deadline_ns is None:
            return limit_s
        due_s = max(0.0, (deadline_ns - self._clock_ns()) / NS_PER_S)
        return due_s if limit_s is None else min(due_s, limit_s)

    def _take(self) -> list[PedalEvent]:
        events: list[PedalEvent] = []
        if self._level is not None and not self._edges:
            events.extend(self._recogniser.feed(self._level(), self._clock_ns()))
        while self._edges:
            events.extend(self._recogniser.feed(*self._edges.popleft()))
        events.extend(self._recogniser.tick(self._clock_ns()))
        return events
