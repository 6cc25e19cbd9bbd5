"""A station's spool and a centre without a broker, and a disk that goes from one to the other."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from appliance.spool import Spool
from appliance.spool.carry import ExportReport, export
from appliance.spool.files import Disk
from appliance.spool.outbox import Outbox
from central.audit import audit
from central.authority import ca
from central.carry import ImportReport, import_disk
from central.catalogue import Catalogue, fleet_records
from central.config import BrokerConfig, CentralConfig, WebConfig, WorkerLimits, default_database
from central.receiving.staging import StoreLayout
from tests.appliance.spool.making import POLICY, Maker
from wire import disk
from wire.seal import Seal

AT = "2026-01-02T03:04:05.000000Z"
STATION = "station-1"


def silent(_done: int, _total: int) -> None:
    """Progress that nobody watches."""


class Centre:
    """A centre with its own authority."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority = ca.Authority.open(folder / "pki")
        self.office = self.authority.issue_client(ca.OFFICE)
        store = folder / "store"
        self.config = CentralConfig(
            store=store,
            database_url=default_database(store),
            broker=BrokerConfig("127.0.0.1", 8883, folder / "pki"),
            web=WebConfig("127.0.0.1", 0, folder / "web.token"),
            limits=WorkerLimits(reserve_bytes=0),
        )
        self.layout = StoreLayout(store)
        self.layout.create()

    @property
    def seal(self) -> Seal:
        return Seal(self.office.ca.read_bytes(), self.office.cert.read_bytes(), self.office.key.read_bytes())

    def approve(self, station: str) -> Seal:
        key, request = ca.new_request(station)
        certificate = self.authority.sign_station(station, request)
        with Catalogue(self.config.database_url) as catalogue, catalogue.write() as connection:
            fleet_records.approve(connection, station, AT, ca.common_name(certificate))
        return Seal(self.office.ca.read_bytes(), certificate, key)

    def revoke(self, station: str) -> None:
        with Catalogue(self.config.database_url) as catalogue, catalogue.write() as connection:
            fleet_records.revoke(connection, station, AT)

    def take(self, carried: Path) -> ImportReport:
        return import_disk(self.config, carried, silent)

    def stored(self) -> set[str]:
        return {str(folder.relative_to(self.layout.root)) for folder in self.layout.objects()}

    def assert_sound(self) -> None:
        with Catalogue(self.config.database_url) as catalogue:
            assert audit(self.layout, catalogue).faults == ()
        assert [one for one in self.layout.incoming.iterdir() if one.is_dir()] == []


class Station:
    """A station's spool, filled by hand, and its half of the hand-over."""

    def __init__(self, folder: Path, seal: Seal, name: str = STATION) -> None:
        self.folder = folder
        self.name = name
        self.seal = seal
        self.make = Maker(name)
        with self.spool():
            pass

    @contextmanager
    def spool(self) -> Iterator[Spool]:
        with Spool.open(self.folder, self.name, POLICY) as spool:
            yield spool

    @contextmanager
    def outbox(self, step_disk: Disk | None = None) -> Iterator[Outbox]:
        with Outbox.open(self.folder, disk=step_disk) as outbox:
            yield outbox

    def capture(self, *captures: str, job_id: str = "job-1", **options: Any) -> None:
        with self.spool() as spool:
            for capture_id in captures:
                self.make.add(spool, capture_id, job_id=job_id, **options)

    def hand_over(self, *captures: str, revision: int = 1, job_id: str = "job-1", state: str = "handed_over") -> None:
        with self.spool() as spool:
            spool.queue_list(self.make.job_list(revision, *captures, job_id=job_id, state=state))

    def export(self, carried: Path, step_disk: Disk | None = None) -> ExportReport:
        with self.outbox(step_disk) as outbox:
            return export(outbox, self.name, self.seal, carried, silent)

    def states(self) -> dict[str, str]:
        with self.spool() as spool:
            return {row.capture_id: row.state.value for job in spool.jobs() for row in spool.captures_of(job.job_id)}

    def list_states(self) -> dict[str, str]:
        with self.spool() as spool:
            return {job.job_id: job.list_state for job in spool.jobs()}


def place(carried: Path, capture_id: str, station: str = STATION) -> Path:
    """Where a capture lies on the disk."""
    return carried / disk.ROOT / station / "captures" / capture_id


def on_disk(carried: Path, station: str = STATION) -> set[str]:
    """What is offered on the disk."""
    root = carried / disk.ROOT / station
    return {str(offer.parent.relative_to(root)) for offer in root.rglob(disk.OFFER_FILE)}


def codes(report: ExportReport | ImportReport) -> list[str]:
    return [fault.code for fault in report.faults]


class Interrupted(BaseException):
    """The process is gone: nothing above may go on, so it is no `Exception`."""


class Steps(Disk):
    """Counts every call that changes a disk, and ends the process before number `at` (from 1)."""

    CALLS = ("mkdir", "open", "write", "fsync", "rename", "unlink", "rmdir")

    def __init__(self, patch: pytest.MonkeyPatch, at: int | None = None) -> None:
        self.taken: list[str] = []
        self._at = at
        for name in self.CALLS:
            patch.setattr(os, name, self._counted(name, getattr(os, name)))

    def _counted(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any, **options: Any) -> Any:
            about = arguments[0]
            path = Path(f"/proc/self/fd/{about}").readlink() if isinstance(about, int) else Path(about)
            self._note(f"{name} {path.name}")
            return call(*arguments, **options)

        return counted

    def step(self, name: str, path: Path) -> None:
        if name == "commit":
            self._note(f"commit {path.name}")

    def _note(self, what: str) -> None:
        self.taken.append(what)
        if len(self.taken) == self._at:
            raise Interrupted(what)


def nothing(_folder: Path) -> None:
    """Prepare a run that needs only its empty folder."""


def every_step(
    run: Callable[[Path, Steps], object], folder: Path, prepare: Callable[[Path], object] = nothing
) -> Iterator[tuple[Path, str]]:
    """Yield a folder for every step of `run`, in which it was interrupted just before that step.

    The list of steps is what a whole run takes; each run gets a folder of its own, prepared outside the count.
    """
    whole = folder / "whole"
    whole.mkdir(parents=True)
    prepare(whole)
    with pytest.MonkeyPatch.context() as patch:
        steps = Steps(patch)
        run(whole, steps)
    assert len(steps.taken) > 20
    for at, what in enumerate(steps.taken, start=1):
        part = folder / f"at-{at}"
        part.mkdir()
        prepare(part)
        with pytest.MonkeyPatch.context() as patch, pytest.raises(Interrupted):
            run(part, Steps(patch, at))
        yield part, what
