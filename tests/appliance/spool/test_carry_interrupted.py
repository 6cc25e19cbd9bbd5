"""The hand-over by disk, interrupted at any step and pulled out at any moment: the next run makes it whole."""

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from appliance.spool.carry import export
from appliance.spool.outbox import Outbox
from tests.system.carrying import STATION, Centre, Station, Steps, every_step, on_disk, silent
from wire import disk
from wire.disk import OFFER_FILE, CarryError


def test_the_offer_gets_its_name_only_when_every_file_is_on_the_disk(
    station: Station, carried: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    station.capture("a1")
    steps = Steps(monkeypatch)
    station.export(carried, steps)
    monkeypatch.undo()
    durable = [what for what in steps.taken if what.startswith(("fsync", "rename"))]
    files = ["capture.json", "frame-1.jpg", "left.jpg", "pages.json", "right.jpg"]
    offered = ["fsync a1", f"fsync .{OFFER_FILE}.tmp", f"rename .{OFFER_FILE}.tmp", "fsync a1"]
    assert durable[-9:] == [*(f"fsync {name}" for name in files), *offered]


def test_an_export_interrupted_at_any_step_is_made_whole_by_the_next(
    station: Station, centre: Centre, tmp_path: Path
) -> None:
    station.capture("a1", "a2", frame_bytes=50)
    for carried, what in every_step(station.export, tmp_path / "runs"):
        offered = on_disk(carried)
        report = station.export(carried)
        assert report.faults == [], what
        assert report.captures + report.already == 2, what
        assert report.already == len(offered), what
        assert on_disk(carried) == {"captures/a1", "captures/a2"}, what
    assert centre.take(carried).captures == 2


class PulledOut:
    """The system as `wire.disk` sees it, with the disk gone from one step on."""

    def __init__(self, at: int | None = None) -> None:
        self.at = at
        self.taken = 0

    def __getattr__(self, name: str) -> Any:
        call = getattr(os, name)
        return self._failing(call) if name in (*Steps.CALLS, "read", "stat", "listdir") else call

    def _failing(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def failing(*arguments: Any, **options: Any) -> Any:
            self.taken += 1
            if self.at is not None and self.taken >= self.at:
                raise OSError(errno.EIO, "Input/output error")
            return call(*arguments, **options)

        return failing


def test_a_disk_pulled_out_at_any_moment_is_said_with_a_code_and_costs_nothing(
    station: Station, centre: Centre, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    station.capture("a1", "a2", frame_bytes=50)
    whole = PulledOut()
    monkeypatch.setattr(disk, "os", whole)
    (tmp_path / "whole").mkdir()
    station.export(tmp_path / "whole")
    assert whole.taken > 50
    for at in range(1, whole.taken + 1):
        carried = tmp_path / f"at-{at}"
        carried.mkdir()
        monkeypatch.setattr(disk, "os", PulledOut(at))
        try:
            stopped = station.export(carried).stopped
        except CarryError as error:
            stopped = error
        assert stopped is not None, at
        assert stopped.code == "CARRY-03", at
        monkeypatch.setattr(disk, "os", os)
        report = station.export(carried)
        assert (report.faults, report.stopped, report.captures + report.already) == ([], None, 2), at
    assert set(station.states().values()) == {"processed"}
    assert centre.take(carried).captures == 2


def test_taking_receipts_home_interrupted_at_any_step_loses_none(
    station: Station, centre: Centre, tmp_path: Path
) -> None:
    station.capture("a1", "a2", frame_bytes=50)
    station.hand_over("a1", "a2")
    answered = tmp_path / "answered"
    answered.mkdir()
    station.export(answered)
    centre.take(answered)

    def prepare(folder: Path) -> Station:
        if not (folder / "spool").exists():
            shutil.copytree(station.folder, folder / "spool")
            shutil.copytree(answered, folder / "disk")
        return Station(folder / "spool", station.seal)

    def run(folder: Path, steps: Steps) -> None:
        with Outbox.open(folder / "spool", disk=steps) as outbox:
            export(outbox, STATION, station.seal, folder / "disk", silent)

    for folder, what in every_step(run, tmp_path / "runs", prepare):
        again = prepare(folder)
        report = again.export(folder / "disk")
        assert report.faults == [], what
        assert report.captures == 0, what
        assert set(again.states().values()) == {"received"}, what
        assert again.list_states() == {"job-1": "complete"}, what
        assert on_disk(folder / "disk") == set(), what
