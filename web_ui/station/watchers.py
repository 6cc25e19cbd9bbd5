"""Which screens follow the station at present: a second one says that it is one, also from another machine."""

import threading
import time
from collections.abc import Callable
from typing import Final

GONE_AFTER_S: Final = 5.0
"""A screen asks anew within milliseconds, on a slow line within seconds."""


class Watchers:
    """Screens by a name that each has for itself, in the order in which they came. Safe across threads."""

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._lock = threading.Lock()
        self._seen_s: dict[str, float] = {}

    def is_second(self, screen: str) -> bool:
        """Note that `screen` is here and tell whether another one was here before it; a nameless one is not noted."""
        if not screen:
            return False
        now_s = self._now_s()
        with self._lock:
            self._seen_s = {one: at_s for one, at_s in self._seen_s.items() if now_s - at_s < GONE_AFTER_S}
            self._seen_s[screen] = now_s
            return next(iter(self._seen_s)) != screen
