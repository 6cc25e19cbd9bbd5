"""Child processes of the demo: started, watched, ended by their own handle, their words kept in a file."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

STOP_TIMEOUT_S = 20.0


class Process:
    """One `lattrang` command running as a child, with its output in a log file.

    Attributes:
        environment: variables it gets beside our own, from the next start on.
    """

    def __init__(self, name: str, arguments: Sequence[str], log_folder: Path) -> None:
        self.name = name
        self.arguments = tuple(arguments)
        self.log_file = log_folder / f"{name}.log"
        self.environment: dict[str, str] = {}
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""
        return self._child.pid if self._child is not None and self._child.poll() is None else None

    @property
    def exit_code(self) -> int | None:
        """Exit code once it has ended; None before the start and while it runs."""
        return None if self._child is None else self._child.poll()

    def start(self) -> None:
        """Start it, or start it again after its end."""
        if self.pid is not None:
            return
        with self.log_file.open("ab") as log:
            self._child = subprocess.Popen(  # noqa: S603 - our own program with arguments of our own
                [sys.executable, "-m", "lattrang", *self.arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=os.environ | {"PYTHONUNBUFFERED": "1"} | self.environment,
                # Its own group: Ctrl-C in the terminal reaches the demo alone, which then stops its children in order.
                start_new_session=True,
            )

    def stop(self) -> None:
        """Ask it to end and wait; kill it if it does not."""
        if self._child is None or self._child.poll() is not None:
            return
        self._child.send_signal(signal.SIGTERM)
        try:
            self._child.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End it without warning, as a power cut would."""
        if self._child is not None and self._child.poll() is None:
            self._child.kill()
            self._child.wait()

    def last_words(self, lines: int = 12) -> str:
        """Return the end of its log, for an error message."""
        if not self.log_file.exists():
            return ""
        return "\n".join(self.log_file.read_text("utf-8", errors="replace").splitlines()[-lines:])
