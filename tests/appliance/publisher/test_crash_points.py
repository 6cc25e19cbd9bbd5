"""The publisher stops at every step that reaches the disk or the index: what it has recorded stays, and no more."""

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance.spool import Outbox, Spool, queries
from tests.appliance.spool.failing_disk import PowerCut, PoweredDisk
from tests.appliance.spool.making import POLICY, STATION, Maker
from wire.codec import encode
from wire.digest import sha256_of
from wire.documents import BatchDocument, BatchItem, ItemRef
from wire.messages import (
    Complete,
    Locate,
    Missing,
    ObjectRef,
    OfferBatch,
    Receipt,
    Rejected,
    Resend,
)

LIST = ObjectRef("job_list", "job-1", 4)
STORED_AT = "2026-01-02T03:04:05Z"
CAPTURES = ("a", "b", "c", "d")


def batch(revision: int) -> OfferBatch:
    document = BatchDocument(
        batch_id="batch-1", name="Lô 1", revision=revision, items=(BatchItem(item=ItemRef(item_id="item-1")),)
    )
    content = encode(document)
    return OfferBatch(
        command_id=f"batch-1-{revision}",
        object=ObjectRef("batch", "batch-1", revision),
        document=content.decode(),
        sha256=sha256_of(content),
    )


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is one, with the spool that every run begins with: captures and their list."""
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(dir=memory)) if os.access(memory, os.W_OK) else tmp_path
    make = Maker()
    with Spool.open(folder / "begin", STATION, POLICY) as spool:
        for capture_id in CAPTURES:
            make.add(spool, capture_id)
        spool.queue_list(make.job_list(4, *CAPTURES))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


class SteppedConnection(sqlite3.Connection):
    """Announces every statement to the disk of the run: SQLite is stopped between any two of them."""

    disk: PoweredDisk | None = None

    def execute(self, query: str, *values: Any) -> sqlite3.Cursor:
        self._announce(query)
        return super().execute(query, *values)

    def executemany(self, query: str, *values: Any) -> sqlite3.Cursor:
        self._announce(query)
        return super().executemany(query, *values)

    def _announce(self, query: str) -> None:
        word = query.split(maxsplit=1)[0]
        if self.disk is not None and word in {"BEGIN", "INSERT", "UPDATE", "DELETE"}:
            self.disk.step(f"sql {word}", Path("station.db"))


class Shift:
    """What the centre answers and asks, each durable before the next; `done` names what was recorded."""

    def __init__(self, folder: Path, disk: PoweredDisk) -> None:
        self.folder = folder
        self.disk = disk
        self.done: list[str] = []

    def live(self) -> None:
        outbox = Outbox.open(self.folder, disk=self.disk)
        SteppedConnection.disk = self.disk
        try:
            for name, step in self._steps(outbox):
                step()
                self.done.append(name)
        finally:
            SteppedConnection.disk = None
            outbox.close()

    def _steps(self, outbox: Outbox) -> Iterator[tuple[str, Callable[[], object]]]:
        def receipt(ref: ObjectRef) -> Callable[[], object]:
            files = queries.files(outbox._index, ref)
            return lambda: outbox.record_receipt(Receipt(object=ref, files=files, worker="w", stored_at=STORED_AT))

        refs = {one: ObjectRef("capture", one) for one in CAPTURES}
        yield "receipt a", receipt(refs["a"])
        yield "receipt a again", receipt(refs["a"])
        yield "rejected b", lambda: outbox.record_rejection(Rejected(object=refs["b"], code="malformed"))
        yield "damaged c", lambda: outbox.record_damaged(refs["c"], "frame-1.jpg")
        yield "receipt list", receipt(LIST)
        yield "missing", lambda: outbox.record_list_answer(Missing(object=LIST, captures=("d",), total=1))
        yield "receipt d", receipt(refs["d"])
        yield "complete", lambda: outbox.record_list_answer(Complete(object=LIST, captures=4))
        yield "locate", lambda: outbox.accept(Locate(command_id="locate-1"))
        yield "batch", lambda: outbox.accept(batch(1))
        yield "newer batch", lambda: outbox.accept(batch(2))
        yield "resend", lambda: outbox.accept(Resend(command_id="resend-1", captures=("b",)))


def state(folder: Path) -> dict[str, Any]:
    """What a station and a publisher that start now know."""
    with Spool.open(folder, STATION, POLICY) as spool, Outbox.open(folder) as outbox:
        assert spool.sweep.adopted == spool.sweep.damaged == ()
        assert not spool.sweep.rebuilt
        [job] = spool.jobs()
        return {
            **{
                one: (row := spool.row(one)).state.value + (row.rejected_code or row.damaged_file or "")
                for one in CAPTURES
            },
            "list": (job.list_state, job.missing),
            "batches": [(one.batch_id, one.revision) for one in spool.batches()],
            "answered": set(outbox.answered()),
            "commands": len(spool._index.rows("SELECT * FROM commands")),
            "receipts": spool._index.rows("SELECT kind, id, document FROM receipts ORDER BY id"),
            "pending": [one.ref for one in outbox.pending(10)],
        }


def states_along_the_way(workshop: Path) -> tuple[list[dict[str, Any]], list[tuple[str, Path]]]:
    """The state after each thing done, from the beginning to the end, and the steps that it took."""
    folder = workshop / "whole"
    shutil.copytree(workshop / "begin", folder)
    shift = Shift(folder, PoweredDisk())
    shift.live()
    found = []
    for number in range(len(shift.done) + 1):
        part = workshop / f"part-{number}"
        shutil.copytree(workshop / "begin", part)
        with Outbox.open(part) as outbox:
            for _, step in list(zip(range(number), shift._steps(outbox), strict=False)):
                step[1]()
        found.append(state(part))
    assert found[-1] == state(folder)
    return found, shift.disk.steps


def test_a_stop_at_any_step_leaves_what_was_recorded_and_nothing_of_what_was_not(
    workshop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect = sqlite3.connect
    monkeypatch.setattr(
        sqlite3, "connect", lambda *arguments, **options: connect(*arguments, factory=SteppedConnection, **options)
    )
    states, steps = states_along_the_way(workshop)
    assert {name.split()[0] for name, _ in steps} >= {"commit", "sql", "write", "sync", "rename", "sync-folder"}
    assert len(steps) > 50
    for at in range(1, len(steps) + 1):
        for forgets in (False, True):
            folder = workshop / "run"
            shutil.copytree(workshop / "begin", folder)
            shift = Shift(folder, PoweredDisk(at))
            with pytest.raises(PowerCut):
                shift.live()
            if forgets:
                shift.disk.forget_unsynced()
            try:
                # Everything that returned is there; of the one that did not, all or nothing. A batch's file may be
                # there before its command counts as answered: it comes again and is answered then.
                before, after = states[len(shift.done)], states[len(shift.done) + 1]
                assert_between(state(folder), before, after)
                Shift(folder, PoweredDisk()).live()
                assert state(folder) == states[-1], "the second try comes to the same end"
            except BaseException as error:
                error.add_note(f"cut at step {at} of {len(steps)}: {steps[at - 1]}, forgets={forgets}, {shift.done}")
                raise
            shutil.rmtree(folder)


def assert_between(found: dict[str, Any], before: dict[str, Any], after: dict[str, Any]) -> None:
    for key, value in found.items():
        assert value in (before[key], after[key]), key
    if found["answered"] != before["answered"]:
        assert found == after, "a command counts as answered only when all of it is done"
