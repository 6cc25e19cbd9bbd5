"""A central server beside the rig: a container with systemd of its own, at the other end of the rig's one cable."""

import os
import signal
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from benchmarks.rig import CommandFailed

ADDRESS: Final = "192.168.77.1"
"""The end of the cable that is not the station's."""
_BOOT_S: Final = 60.0
_STOP_S: Final = 30.0


class Office:
    """A centre from boot to end. What it stores is gone with it: it lives in memory, above the rig's own root.

    Args:
        folder: of the rig; the cable must be there, so the station's machine has been booted once.
    """

    def __init__(self, folder: Path) -> None:
        command = ["systemd-nspawn", "-q", "-D", str(folder / "root"), "--boot", "--register=no", "--keep-unit"]
        command += ["--network-namespace-path=/run/netns/rig", "--console=pipe", "--volatile=overlay"]
        environment = {**os.environ, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"}
        with (folder / "office.log").open("wb") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)
        self._first = self._wait_for_first()

    def shell(self, command: str, *, stdin: bytes = b"", timeout_s: float = 300) -> str:
        """Run a command as root and return what it printed; raises `CommandFailed` where it failed."""
        inside = [*self._inside(), "sh", "-c", command]
        done = subprocess.run(inside, input=stdin, capture_output=True, timeout=timeout_s, check=False)
        if done.returncode:
            raise CommandFailed(command, done)
        return done.stdout.decode(errors="replace")

    def start(self, command: str) -> "subprocess.Popen[bytes]":
        """Start a command as root and return it."""
        return subprocess.Popen([*self._inside(), "sh", "-c", command], stdin=subprocess.DEVNULL)

    def install(self, packed: Path) -> None:
        """Make it a centre with the project's own installer."""
        self.shell("mkdir -p /opt/src && tar -C /opt/src -xf -", stdin=packed.read_bytes())
        self.shell(f"cd /opt/src && ./install.sh central --host {ADDRESS} 2>&1", timeout_s=600)

    def invite(self, station: str) -> tuple["subprocess.Popen[bytes]", bytes]:
        """Return a code for a station as a picture (PNG), and the command that waits for it to be used."""
        waiting = self.start(f"lattrang central pair {station} --picture /tmp/{station}.png >/tmp/{station}.log 2>&1")
        end_s = time.monotonic() + _BOOT_S
        while True:
            try:
                return waiting, self._read(f"/tmp/{station}.png")
            except subprocess.CalledProcessError:
                if time.monotonic() > end_s or waiting.poll() is not None:
                    raise

    def close(self) -> None:
        """Switch it off."""
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _read(self, file: str) -> bytes:
        done = subprocess.run(
            [*self._inside(), "sh", "-c", f"test -s {file} && cat {file}"], capture_output=True, check=True
        )
        return done.stdout

    def _inside(self) -> list[str]:
        path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"
        return ["nsenter", "-t", str(self._first), "-a", "env", path, "HOME=/root"]

    def _wait_for_first(self) -> int:
        """Return the process that is the first one inside, once systemd there has come up."""
        end_s = time.monotonic() + _BOOT_S
        while time.monotonic() < end_s:
            children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text("ascii").split()
            if children:
                self._first = int(children[0])
                done = subprocess.run(
                    [*self._inside(), "systemctl", "is-system-running", "--wait"],
                    capture_output=True,
                    check=False,
                    timeout=_BOOT_S,
                )
                if done.stdout.strip() in {b"running", b"degraded"}:
                    return self._first
            if self._process.poll() is not None:
                raise RuntimeError("the container ended while it booted")
        raise TimeoutError("the container did not boot")
