"""The other end of a service's line: a real datagram socket in systemd's place."""

import os
import socket
import time
from collections.abc import Callable
from pathlib import Path


class Systemd:
    """Hears what a service says."""

    def __init__(self, folder: Path) -> None:
        # A Unix socket's path may have 107 bytes; temporary folders of tests are long.
        self.address = os.path.relpath(folder / "notify", Path.cwd())
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.address)
        self.heard: list[str] = []

    def environment(self, watchdog_s: float) -> dict[str, str]:
        return {"NOTIFY_SOCKET": str(Path(self.address).resolve()), "WATCHDOG_USEC": str(int(watchdog_s * 1e6))}

    def listen(self, seconds: float, until: Callable[[list[str]], object] = lambda _: False) -> list[str]:
        """Return what is said in so many seconds, or up to the moment when `until` holds for it."""
        said: list[str] = []
        deadline_s = time.monotonic() + seconds
        while (left_s := deadline_s - time.monotonic()) > 0 and not until(said):
            self._socket.settimeout(left_s)
            try:
                said += self._socket.recv(65_536).decode().split("\n")
            except TimeoutError:
                break
        self.heard += said
        return said

    def wait_for(self, *words: str, seconds: float = 20.0) -> list[str]:
        said = self.listen(seconds, until=lambda said: set(words) <= set(said))
        assert set(words) <= set(said), f"{words} not heard in {seconds} s, but {said}"
        return said

    def close(self) -> None:
        self._socket.close()
