"""A whole centre for tests: real Mosquitto, real certificates, real SQLite."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from central.authority import ca, provision
from central.authority.admin import Admin
from central.catalogue import Catalogue
from central.config import WorkerLimits
from central.receiving.staging import StoreLayout
from central.work import run_worker
from tests.central.station_client import StationClient

LIMITS = WorkerLimits(chunk_bytes=4096, window=4, max_grants=64, lease_s=3.0, reserve_bytes=0)


class House:
    """A whole centre on this machine: broker, authority, store; stations and workers on demand."""

    def __init__(self, folder: Path, limits: WorkerLimits = LIMITS) -> None:
        self.folder = folder
        self.centre = provision.provision(folder, limits=limits)
        self.config = self.centre.config
        self.broker = self.centre.broker
        self.layout = StoreLayout(self.config.store)

    def station(self, name: str) -> StationClient:
        tls = provision.new_station(self.config, name, self.folder / f"station-{name}")
        return StationClient(self.broker.host, self.broker.port, tls, name)

    def client(self, tls: ca.Credentials, name: str) -> StationClient:
        return StationClient(self.broker.host, self.broker.port, tls, name)

    def catalogue(self) -> Catalogue:
        return Catalogue(self.config.database_url)

    @contextmanager
    def worker(self, name: str = "w1") -> Iterator[None]:
        """A worker in a thread; whatever it raises comes out at the end."""
        stop, errors = threading.Event(), []

        def work() -> None:
            try:
                run_worker(self.config, name, stop)
            except BaseException as error:
                errors.append(error)

        thread = threading.Thread(target=work, name=f"worker {name}")
        thread.start()
        try:
            self.wait_for_worker()
            yield
        finally:
            stop.set()
            thread.join(timeout=20)
        assert not thread.is_alive()
        assert errors == []

    def wait_for_worker(self) -> None:
        with Admin(self.config.broker.address(ca.ADMIN)) as admin:
            eventually(admin.worker_present)


def eventually(holds: Callable[[], object], timeout_s: float = 15.0) -> None:
    """Wait until `holds` does, or fail."""
    deadline, tick = time.monotonic() + timeout_s, threading.Event()
    while not holds():
        assert time.monotonic() < deadline, f"not in {timeout_s} s: {holds}"
        tick.wait(0.05)
