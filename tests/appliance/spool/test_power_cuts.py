"""The power goes after every single step that reaches the disk; what was promised before is there afterwards."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.api import Delivery
from appliance.spool import Outbox, Spool
from appliance.spool.evidence import first_damaged, page_files
from tests.appliance.spool.failing_disk import PowerCut, PoweredDisk
from tests.appliance.spool.making import POLICY, STATION, Maker
from wire.messages import Complete, FileEntry, ObjectRef, Receipt

LIST = ObjectRef("job_list", "job-1", 3)


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is one: hundreds of spools are made, and no real disk is needed to lose power."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        yield tmp_path
        return
    folder = Path(tempfile.mkdtemp(dir=memory))
    yield folder
    shutil.rmtree(folder)


class Day:
    """A day at the station, and what it was promised before the light went out."""

    def __init__(self, folder: Path, disk: PoweredDisk) -> None:
        self.folder = folder
        self.disk = disk
        self.make = Maker()
        self.safe: set[str] = set()
        self.processed: set[str] = set()
        self.begun: set[str] = set()
        self.sequences: list[int] = []
        self.changes: list[bytes] = []
        self.list_queued = False
        self.released: set[str] = set()

    def live(self) -> None:
        spool = Spool.open(self.folder, STATION, POLICY, disk=self.disk)
        try:
            self._work(spool)
        finally:
            # A process that dies lets go of its locks and writes nothing more.
            spool._index.close()
            os.close(spool._lock_file)

    def _work(self, spool: Spool) -> None:
        self._capture(spool, "a")
        self._process(spool, "a")
        self._change(spool, b'{"n":1}')
        self._capture(spool, "b", job_id="job-2")
        self._change(spool, b'{"n":2}')
        spool.queue_list(self.make.job_list(3, "a"))
        self.list_queued = True
        self._deliver()
        self.released |= {"a"}
        spool.release_due()
        self._capture(spool, "c", job_id="job-2")
        self._process(spool, "b")
        self._process(spool, "c")

    def _capture(self, spool: Spool, capture_id: str, job_id: str = "job-1") -> None:
        sequence = spool.next_sequence()
        self.sequences.append(sequence)
        self.begun.add(capture_id)
        spool.add_capture(self.make.facts(capture_id, sequence, job_id), self.make.frames(capture_id))
        self.safe.add(capture_id)

    def _process(self, spool: Spool, capture_id: str) -> None:
        spool.add_pages(self.make.pages(capture_id), self.make.page_bytes(capture_id))
        self.processed.add(capture_id)

    def _change(self, spool: Spool, change: bytes) -> None:
        assert spool.append_change("job-1", change) == len(self.changes) + 1
        self.changes.append(change)

    def _deliver(self) -> None:
        with Outbox.open(self.folder) as outbox:
            for pending in outbox.pending(10):
                receipt = Receipt(object=pending.ref, files=pending.files, worker="w", stored_at="2026-01-02T03:04:05Z")
                assert outbox.record_receipt(receipt)
            outbox.record_list_answer(Complete(object=LIST, captures=1))


def check(day: Day, spool: Spool) -> None:
    """Hold the spool against what the day was promised."""
    rows = {row.capture_id: row for job in ("job-1", "job-2") for row in spool.captures_of(job)}
    assert day.safe <= rows.keys() <= day.begun
    for capture_id, row in rows.items():
        if row.state is Delivery.RELEASED:
            assert capture_id in day.released
            assert not (day.folder / "captures" / capture_id).exists()
            continue
        facts = spool.capture(capture_id)
        frames = tuple(FileEntry(frame.file, frame.size, frame.sha256) for frame in facts.frames)
        assert first_damaged(day.folder / "captures" / capture_id, frames) is None
        pages = spool.pages(capture_id)
        assert (pages is None) == (row.state is Delivery.SAFE)
        assert pages is None or first_damaged(day.folder / "captures" / capture_id, page_files(pages)) is None
        assert pages is not None or capture_id not in day.processed
    assert {folder.name for folder in (day.folder / "captures").iterdir()} == {
        capture_id for capture_id, row in rows.items() if row.state is not Delivery.RELEASED
    }
    assert list((day.folder / "tmp").iterdir()) == []
    found = list(spool.changes("job-1"))
    assert found[: len(day.changes)] == day.changes
    assert len(found) <= len(day.changes) + 1
    assert spool.append_change("job-1", b'{"next":1}') == len(found) + 1
    assert spool.changes("job-1") == (*found, b'{"next":1}')
    if day.list_queued:
        assert (day.folder / "jobs" / "job-1" / "list-000003.json").is_file()
        assert next(job for job in spool.jobs() if job.job_id == "job-1").list_revision == 3
    assert spool.next_sequence() > max([*day.sequences, *(row.sequence for row in rows.values()), 0])
    assert spool.counts().damaged == 0


def test_a_power_cut_after_any_step_loses_nothing_that_was_promised(workshop: Path) -> None:
    whole = Day(workshop / "whole", PoweredDisk())
    whole.live()
    steps = len(whole.disk.steps)
    assert steps > 100
    for at in range(1, steps + 1):
        for forgets in (False, True):
            day = Day(workshop / f"{at}-{forgets}", PoweredDisk(at))
            with pytest.raises(PowerCut):
                day.live()
            if forgets:
                day.disk.forget_unsynced()
            try:
                with Spool.open(day.folder, STATION, POLICY) as spool:
                    check(day, spool)
                    day.make.add(spool, "later", job_id="job-3")
                with Spool.open(day.folder, STATION, POLICY) as spool:
                    again = spool.sweep
                assert (again.adopted, again.completed, again.set_aside) == ((), (), ()), "a second sweep finds nothing"
            except BaseException as error:
                error.add_note(f"cut at step {at} of {steps}: {whole.disk.steps[at - 1]}, forgets={forgets}")
                raise
            shutil.rmtree(day.folder)


def test_power_cuts_during_the_sweep_itself_lose_nothing_either(workshop: Path, make: Maker) -> None:
    def prepare(folder: Path) -> None:
        with Spool.open(folder, STATION, POLICY) as spool:
            make.add(spool, "a", processed=False)
            make.add(spool, "b")
            make.add(spool, "c", processed=False)
            spool.append_change("job-1", b"{}")
        (folder / "captures" / "a").rename(folder / "tmp" / "a")
        (folder / "captures" / "c" / "frame-1.jpg").rename(folder / "captures" / "c" / ".frame-1.jpg.tmp")
        (folder / "tmp" / "torn").mkdir()
        (folder / "tmp" / "torn" / "frame-1.jpg").write_bytes(b"half")
        with (folder / "jobs" / "job-1" / "changes.jsonl").open("ab") as log:
            log.write(b'{"torn')
        (folder / "station.db").write_bytes(b"not a database, not even nearly" * 40)

    prepare(workshop / "whole")
    disk = PoweredDisk()
    with Spool.open(workshop / "whole", STATION, POLICY, disk=disk) as spool:
        assert spool.sweep.rebuilt
    for at in range(1, len(disk.steps) + 1):
        for forgets in (False, True):
            folder = workshop / f"{at}-{forgets}"
            prepare(folder)
            dying = PoweredDisk(at)
            with pytest.raises(PowerCut):
                Spool.open(folder, STATION, POLICY, disk=dying)
            if forgets:
                dying.forget_unsynced()
            with Spool.open(folder, STATION, POLICY) as spool:
                states = {row.capture_id: row.state for row in spool.captures_of("job-1")}
                assert states == {"a": Delivery.SAFE, "b": Delivery.PROCESSED, "c": Delivery.DAMAGED}, (at, forgets)
                assert spool.changes("job-1") == (b"{}",)
            shutil.rmtree(folder)
