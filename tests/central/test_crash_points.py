"""The centre stops at every single step that reaches its disk or its catalogue; what it said before stays true."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import select

from central.audit import audit
from central.catalogue import Catalogue, database, fleet_records, schema
from central.derivatives import Derivatives, PictureChild
from central.receiving.staging import read_receipt
from tests.central.in_process import InProcess
from tests.central.power import Power, PowerCut
from tests.central.station_client import capture, job_list
from wire.messages import Complete, Locate, Receipt, StationStatus

NOW = "2026-01-01T00:00:00.000000Z"
COMMAND = Locate(command_id="locate-1")


def picture() -> bytes:
    stream = BytesIO()
    Image.new("RGB", (60, 80), (200, 180, 150)).save(stream, "JPEG")
    return stream.getvalue()


PAGE = picture()
CAPTURES = [
    capture("kho-1", sequence=number, capture_id=f"capture-{number}", page=PAGE, frame=bytes([number]) * 9000)
    for number in (1, 2)
]
LISTS = [
    job_list("kho-1", ["capture-1"], revision=1, state="open"),
    job_list("kho-1", ["capture-1", "capture-2"], revision=2),
]
OBJECTS = [CAPTURES[0], LISTS[0], CAPTURES[1], LISTS[1]]


@pytest.fixture(scope="module")
def child() -> Iterator[PictureChild]:
    with PictureChild(timeout_s=20.0) as child:
        yield child


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is one, with the store that every run begins with."""
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(dir=memory)) if os.access(memory, os.W_OK) else tmp_path
    with InProcess(folder / "begin") as worker, worker.catalogue.write() as connection:
        fleet_records.approve(connection, "kho-1", NOW)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


class Day:
    """What happens at a centre, and what it told the station before the light went out."""

    def __init__(self, root: Path, child: PictureChild) -> None:
        self.root = root
        self.child = child
        self.receipts: dict[str, Receipt] = {}
        self.complete = False
        self.command_kept = False
        self.command_answered = False

    def live(self) -> None:
        with InProcess(self.root) as worker:
            try:
                for package in OBJECTS:
                    worker.deliver(package)
            finally:
                self._note(worker)
            self._fleet(worker.catalogue)
            derivatives = Derivatives(worker.catalogue, worker.layout)
            while derivatives.work_once(self.child):
                pass

    def _note(self, worker: InProcess) -> None:
        for package in OBJECTS:
            for receipt in worker.answers(package.ref, Receipt):
                assert isinstance(receipt, Receipt)
                assert self.receipts.setdefault(str(package.ref), receipt) == receipt, "one object, two receipts"
            self.complete |= bool(worker.answers(package.ref, Complete))

    def _fleet(self, catalogue: Catalogue) -> None:
        if not self.command_kept:
            with catalogue.write() as connection:
                connection.execute(schema.commands.delete())
                fleet_records.add_command(connection, "kho-1", COMMAND, NOW, None)
            self.command_kept = True
        status = StationStatus(station="kho-1", online=True, answered=(COMMAND.command_id,))
        with catalogue.write() as connection:
            fleet_records.note_status(connection, {"kho-1": status}, NOW)
        self.command_answered = True


def check_what_was_said(day: Day, root: Path) -> None:
    """Hold the store against what the station was told, before anything is done about it."""
    with InProcess(root, "w2") as worker:
        report = audit(worker.layout, worker.catalogue)
        assert report.faults == (), "half of something is announced"
        for package in OBJECTS:
            told = day.receipts.get(str(package.ref))
            folder = worker.layout.object_folder(package.ref)
            if told is not None:
                assert read_receipt(folder) == told
                for name, data in package.files.items():
                    assert (folder / name).read_bytes() == data
                assert worker.receiver._archive.receipt(package.ref) == told
        with worker.catalogue.read() as connection:
            kept = connection.execute(select(schema.commands.c.answered_at)).scalars().all()
        assert len(kept) >= day.command_kept
        assert not day.command_answered or kept[0] is not None
        check_thumbnails(worker)


def check_thumbnails(worker: InProcess) -> None:
    with worker.catalogue.read() as connection:
        rows = connection.execute(select(schema.pages).where(schema.pages.c.thumbnail == "made")).all()
    for row in rows:
        with Image.open(worker.layout.thumbnail_file(row.capture_id, row.side)) as small:
            small.load()


def check_the_end(day: Day, root: Path) -> None:
    """After the station has tried everything once more: each object once, nothing doubled, nothing left over."""
    assert len(day.receipts) == len(OBJECTS)
    assert day.complete
    with InProcess(root, "w3") as worker:
        assert worker.adopted == 0
        assert audit(worker.layout, worker.catalogue).faults == ()
        assert sorted(folder.name for folder in worker.layout.staging.iterdir()) == ["capture-1", "capture-2"]
        assert sorted(folder.name for folder in worker.layout.lists.glob("*/*")) == ["1", "2"]
        assert [one for one in worker.layout.incoming.iterdir() if one.is_dir()] == []
        with worker.catalogue.read() as connection:
            assert len(connection.execute(select(schema.captures)).all()) == 2
            assert len(connection.execute(select(schema.lists)).all()) == 2
            assert set(connection.execute(select(schema.pages.c.thumbnail)).scalars()) == {"made"}
            assert len(connection.execute(select(schema.commands)).all()) == 1
        check_thumbnails(worker)


@contextmanager
def begun(workshop: Path, child: PictureChild, at: int | None) -> Iterator[tuple[Day, Power]]:
    """A day that was lived under watch until its end, or until the light went out at one step; still watched."""
    root = workshop / "run"
    shutil.copytree(workshop / "begin", root)
    day, power = Day(root, child), Power(root, at)
    make = database._engine
    with pytest.MonkeyPatch.context() as patch:

        def engines(watch: object) -> None:
            def watched(url: str) -> object:
                engine = make(url)
                watch(engine)  # type: ignore[operator]
                return engine

            patch.setattr(database, "_engine", watched)

        power.watch(patch, engines)
        with suppress(PowerCut):
            day.live()
        assert power.is_out == (at is not None)
        yield day, power
    shutil.rmtree(root)


def test_a_stop_at_any_step_takes_back_nothing_that_was_said(workshop: Path, child: PictureChild) -> None:
    with begun(workshop, child, None) as (whole, power):
        steps = list(power.steps)
        check_the_end(whole, whole.root)
    assert {"commit"} < {step.split()[0] for step in steps} >= {"fsync", "rename", "create", "mkdir", "pwrite", "sql"}
    assert len(steps) > 120
    for at in range(1, len(steps) + 1):
        for manner in (killed_and_then_cut, cut, cut_with_names_left):
            try:
                with begun(workshop, child, at) as (day, power):
                    manner(day, power, workshop / "left")
            except BaseException as error:
                error.add_note(f"{manner.__name__} at step {at} of {len(steps)}: {steps[at - 1]}")
                raise
            shutil.rmtree(workshop / "left")


def killed_and_then_cut(day: Day, power: Power, left: Path) -> None:
    """The process alone dies; its successor vouches for what it finds, and then the power goes too."""
    power.revive()
    day.live()
    power.left(left, names_survive=False)
    check_the_end(day, left)


def cut(day: Day, power: Power, left: Path, *, names_survive: bool = False) -> None:
    """The power goes, and with it whatever was not flushed."""
    power.left(left, names_survive=names_survive)
    day.root = left
    check_what_was_said(day, left)
    day.live()
    check_the_end(day, left)


def cut_with_names_left(day: Day, power: Power, left: Path) -> None:
    """The power goes; names were flushed by chance, what they stand for was not."""
    cut(day, power, left, names_survive=True)
