"""Tickets: each opens one session, once and soon. A command line can be read by others, so no token stands there."""

import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

LIFE_S: Final = 60.0
_MOST: Final = 8
"""Tickets that wait at once; the oldest goes."""


class Tickets:
    """Those that were given out and not used yet. Safe across threads."""

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._lock = threading.Lock()
        self._given: OrderedDict[str, float] = OrderedDict()

    def give(self) -> str:
        """Return a new ticket."""
        ticket = secrets.token_urlsafe(24)
        with self._lock:
            self._given[ticket] = self._now_s() + LIFE_S
            while len(self._given) > _MOST:
                self._given.popitem(last=False)
        return ticket

    def take(self, ticket: str) -> bool:
        """Tell whether `ticket` counts, and let it count no more."""
        with self._lock:
            return self._given.pop(ticket, 0.0) > self._now_s()
