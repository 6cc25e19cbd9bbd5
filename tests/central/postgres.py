"""A PostgreSQL of its own for the tests: a cluster in a temporary folder that listens on a socket there."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from wire.ids import new_id

_BINARIES: Final = (*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True), Path("/usr/bin"))
_START_S: Final = 60


class NoPostgreSQL(Exception):
    """There is none on this machine."""


class Server:
    """A running PostgreSQL."""

    def __init__(self, folder: Path, program: Path, runs_as: list[str]) -> None:
        self.folder = folder
        self._program = program
        self._as = runs_as

    def database(self) -> str:
        """Make an empty database and return its address, as `store.database` names it."""
        name = f"catalogue_{new_id()}"
        self._call("createdb", "-h", str(self.folder), "-U", "lattrang", name)
        return f"postgresql://lattrang@/{name}?host={self.folder}"

    def start(self) -> None:
        """Start it; return when it answers."""
        options = f"-c listen_addresses= -c unix_socket_directories={self.folder} -c fsync=off"
        data, log = self.folder / "data", self.folder / "log"
        self._call("pg_ctl", "-D", str(data), "-l", str(log), "-w", "-t", str(_START_S), "-o", options, "start")

    def stop(self) -> None:
        """Stop it at once, as a cut does."""
        self._call("pg_ctl", "-D", str(self.folder / "data"), "-w", "-m", "immediate", "stop")

    def make(self) -> None:
        """Make the cluster."""
        self._call("initdb", "-D", str(self.folder / "data"), "-U", "lattrang", "-A", "trust", "-N", "--locale=C.UTF-8")

    def _call(self, program: str, *words: str) -> None:
        done = subprocess.run(
            [*self._as, str(self._program / program), *words],
            stdout=subprocess.DEVNULL,  # pg_ctl leaves it to the server, which would keep a pipe open
            stderr=subprocess.DEVNULL,
            cwd="/",
            timeout=_START_S + 10,
            check=False,
        )
        assert done.returncode == 0, f"{program} {words}: {done.returncode}"


@contextmanager
def server(folder: Path) -> Iterator[Server]:
    """Give a running PostgreSQL below `folder`; raises `NoPostgreSQL`."""
    program = next((each for each in _BINARIES if (each / "initdb").exists() and (each / "postgres").exists()), None)
    if program is None:
        raise NoPostgreSQL("no PostgreSQL here (Debian: postgresql)")
    runs_as: list[str] = []
    if os.geteuid() == 0:
        # It refuses to run as root.
        if shutil.which("runuser") is None or "postgres" not in {user.pw_name for user in pwd.getpwall()}:
            raise NoPostgreSQL("PostgreSQL does not run as root, and there is no user postgres")
        runs_as = ["runuser", "-u", "postgres", "--"]
        shutil.chown(folder, "postgres")
    made = Server(folder, program, runs_as)
    made.make()
    made.start()
    try:
        yield made
    finally:
        made.stop()
