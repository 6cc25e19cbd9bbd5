"""Reads the station's event log along, as it is written: a power cut may take back lines that somebody has heard."""

import re
import threading
from pathlib import Path
from typing import Final

SAFE_EVENT: Final = re.compile(rb'\{"event": "capture\.safe"[^{}\n]*"capture_id": "([^"]+)"')
"""A line that a full disk cut off has the next one glued to it: each event is looked for, not each line."""
LOOK_EVERY_S: Final = 0.1


class Listener:
    """Use as a context manager.

    Attributes:
        heard: every capture that was called safe while we listened.
    """

    def __init__(self, log: Path) -> None:
        self._log = log
        self._read_to = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="listener", daemon=True)
        self.heard: set[str] = set()

    def __enter__(self) -> "Listener":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(10)

    def _run(self) -> None:
        while not self._stop.wait(LOOK_EVERY_S):
            try:
                self._look()
            except OSError:
                # Its disk is being mended; what it says then is read when it is back.
                self._read_to = 0

    def _look(self) -> None:
        if self._log.stat().st_size < self._read_to:
            self._read_to = 0
        with self._log.open("rb") as stream:
            stream.seek(self._read_to)
            news = stream.read()
        whole = news.rfind(b"\n") + 1
        self._read_to += whole
        self.heard.update(name.decode() for name in SAFE_EVENT.findall(news[:whole]))
