"""Keeps a site's processes alive while others kill them, as systemd would, and notes who ended by himself and how."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from benchmarks.fault_plan import BROKER
from lattrang.demo.processes import Process
from lattrang.demo.site import Site

LOOK_EVERY_S: Final = 0.05
OWN_END_PAUSE_S: Final = 0.5
"""systemd waits as well before it starts again what ended by itself."""
TRACEBACK: Final = b"Traceback (most recent call last)"


@dataclass(frozen=True, slots=True)
class End:
    """A process that ended without being killed by us.

    Attributes:
        last_words: the end of what it said.
        is_crash: whether a traceback is in what this run of it said after its start.
    """

    process: str
    exit_code: int
    last_words: str
    is_crash: bool


class Ward:
    """Use as a context manager around the time in which processes may die.

    Attributes:
        kills: how many processes were killed.
        ends: those who ended by themselves.
        pids: every process there was.
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self._processes = {process.name: process for process in site.processes}
        self._locks = {name: threading.RLock() for name in (*self._processes, BROKER)}
        self._log_from: dict[str, int] = {name: 0 for name in self._processes}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="ward", daemon=True)
        self._count = threading.Lock()
        self.kills = 0
        self.ends: list[End] = []
        self.pids: set[int] = {process.pid for process in site.processes if process.pid}

    def __enter__(self) -> "Ward":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(60)

    def kill(self, name: str, pause_s: float) -> None:
        """Kill one process and start it again after `pause_s`."""
        with self.down((name,)):
            self._stop.wait(pause_s)

    @contextmanager
    def down(self, names: Sequence[str]) -> Iterator[None]:
        """Kill processes, keep them down inside the block, start them again after it."""
        taken = sorted(names)
        for name in taken:
            self._locks[name].acquire()
        try:
            for name in taken:
                self._kill(name)
            yield
        finally:
            for name in taken:
                self._start(name)
                self._locks[name].release()

    def all_up(self) -> bool:
        """Tell whether every process runs."""
        return self._site.broker.is_running and all(process.pid is not None for process in self._processes.values())

    def _kill(self, name: str) -> None:
        process = self._processes.get(name)
        if process is None:
            self._site.broker.kill()
        elif process.pid is None:
            self._note_end(process)
            return
        else:
            process.kill()
        with self._count:
            self.kills += 1

    def _start(self, name: str) -> None:
        process = self._processes.get(name)
        if process is None:
            self._site.broker.start()
            return
        self._log_from[name] = process.log_file.stat().st_size if process.log_file.exists() else 0
        process.start()
        if process.pid is not None:
            self.pids.add(process.pid)

    def _watch(self) -> None:
        while not self._stop.wait(LOOK_EVERY_S):
            for name, process in self._processes.items():
                if process.exit_code is None or not self._locks[name].acquire(blocking=False):
                    continue
                try:
                    if process.exit_code is not None:
                        self._note_end(process)
                        self._stop.wait(OWN_END_PAUSE_S)
                        self._start(name)
                finally:
                    self._locks[name].release()

    def _note_end(self, process: Process) -> None:
        if process.exit_code is None:
            return
        with process.log_file.open("rb") as log:
            log.seek(self._log_from[process.name])
            said = log.read()
        # What was logged on the way and survived is no crash; a thread that died is, whatever sentence came last.
        lines = said.rstrip().split(b"\n")
        last = next((line for line in reversed(lines[-8:]) if line.startswith(b"lattrang:")), lines[-1])
        is_crash = TRACEBACK in said and (not last.startswith(b"lattrang:") or b"STATION-01" in last)
        words = last.decode("utf-8", errors="replace")[:160]
        self.ends.append(End(process.name, process.exit_code, words, is_crash))
