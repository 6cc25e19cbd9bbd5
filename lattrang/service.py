"""What a service tells systemd: that it is ready, that it lives, how it is, and that it goes.

The heart has no thread of its own. Each loop that matters says at every turn that it has come round; only when all of
them have is systemd told. So one loop that is stuck silences the whole service, and systemd starts it anew.
"""

import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, MutableMapping, Sequence
from functools import partial
from typing import Final, Self

log = logging.getLogger(__name__)

BEATS_IN_TIME: Final = 4
"""How often systemd hears of us in the time after which it would take us for dead."""


class Line:
    """The datagram socket that systemd listens on; where there is none, nothing is sent.

    Attributes:
        watchdog_s: silence after which systemd takes the service for dead, or None where it does not care.
    """

    def __init__(self, address: str | None, watchdog_s: float | None = None) -> None:
        self.watchdog_s = watchdog_s
        # A name that begins with @ is one of Linux's abstract sockets.
        self._address = f"\0{address[1:]}" if address is not None and address.startswith("@") else address

    @classmethod
    def from_environment(cls, environment: MutableMapping[str, str] = os.environ) -> Self:
        """Return the line that systemd named, and take its name away so that no child of ours speaks for us."""
        address = environment.pop("NOTIFY_SOCKET", None)
        microseconds = environment.pop("WATCHDOG_USEC", "")
        is_ours = environment.pop("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        return cls(address, int(microseconds) / 1e6 if microseconds.isdecimal() and is_ours else None)

    def say(self, *words: str) -> None:
        """Send one message of one or more assignments. Never waits: a service is not to hang on who watches it."""
        if self._address is None:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                sender.sendto("\n".join(words).encode(), socket.MSG_DONTWAIT, self._address)
        except OSError as error:
            log.warning("systemd was not told %s: %s", words[0], error)


class Heart:
    """Beats when every one of `loops` has come round since the last beat; the first time, the service is ready.

    Args:
        line: to systemd.
        loops: names of all loops that matter. One that never comes round keeps the service from ever being ready.
        clock_s: monotonic.
    """

    def __init__(self, line: Line, loops: Sequence[str], clock_s: Callable[[], float] = time.monotonic) -> None:
        self._line = line
        self._loops = frozenset(loops)
        self._clock_s = clock_s
        self._guard = threading.Lock()
        self._missing = set(self._loops)
        self._words = dict.fromkeys(loops, "")
        self._told = ""
        self._is_ready = False
        self._due_s = 0.0

    def loop(self, name: str) -> Callable[[str], None]:
        """Return what the loop `name` calls at every turn, with a word on how it is or an empty text.

        Raises:
            KeyError: `name` is not among the loops.
        """
        if name not in self._loops:
            raise KeyError(name)
        return partial(self._come_round, name)

    def _come_round(self, name: str, words: str) -> None:
        with self._guard:
            self._missing.discard(name)
            self._words[name] = words
            if news := [*self._beat(), *self._status()]:
                self._line.say(*news)

    def _beat(self) -> list[str]:
        now_s = self._clock_s()
        if self._missing or now_s < self._due_s:
            return []
        self._missing = set(self._loops)
        self._due_s = now_s + (self._line.watchdog_s or 0.0) / BEATS_IN_TIME
        news = [] if self._is_ready else ["READY=1"]
        self._is_ready = True
        return [*news, "WATCHDOG=1"] if self._line.watchdog_s is not None else news

    def _status(self) -> list[str]:
        words = ", ".join(filter(None, self._words.values()))
        if words == self._told:
            return []
        self._told = words
        return [f"STATUS={words}"]


def begin(*loops: str) -> tuple[Heart, threading.Event]:
    """Begin to be a service: log to stderr, and return its heart and the event that SIGTERM and SIGINT set."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    stop = threading.Event()
    line = Line.from_environment()

    def end(*_: object) -> None:
        # Without the heart's lock: the signal may have come while this very thread holds it.
        line.say("STOPPING=1")
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    return Heart(line, loops), stop
