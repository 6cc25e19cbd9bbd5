"""A thread of a service: named, and never dead in silence."""

import logging
import threading
from collections.abc import Callable

log = logging.getLogger(__name__)

OnDeath = Callable[[str, BaseException], None]

Beat = Callable[[str], None]
"""What a loop calls at every turn, with a word on how it is or an empty text, so that a watcher knows that it lives."""
Pulse = Callable[[str], Beat]
"""Gives the loop of that name its `Beat`."""


def unheard(_words: str) -> None:
    """The `Beat` of a loop that nobody watches."""


def unwatched(_loop: str) -> Beat:
    """The `Pulse` of a service that nobody watches."""
    return unheard


class ServiceThread:
    """Runs `work` until it returns. An exception out of it is told to `on_death`, who takes the service down.

    Args:
        name: of the thread, as logs show it.
        work: returns soon after it was told to stop; how it is told is its own matter.
        on_death: called with the name and the exception, from the dying thread.
    """

    def __init__(self, name: str, work: Callable[[], None], on_death: OnDeath) -> None:
        self._name = name
        self._work = work
        self._on_death = on_death
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def join(self, timeout_s: float = 10.0) -> None:
        """Wait for the end; one that does not come is logged, for nobody can force it."""
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(timeout_s)
            if self._thread.is_alive():
                log.error("thread did not end name=%s", self._name)

    def _run(self) -> None:
        try:
            self._work()
        except BaseException as error:
            log.critical("thread died name=%s", self._name, exc_info=error)
            self._on_death(self._name, error)
