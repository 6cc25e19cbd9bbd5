"""The session on a disk that fills, fails, or is cut off in mid-work."""

import errno
import os
import signal
import subprocess
import sys
import textwrap
from functools import partial
from pathlib import Path

import pytest

from appliance.api import NewJob, SessionState, Verdict
from appliance.errors import SpoolError
from appliance.spool.files import Disk
from appliance.spool.store import Spool
from firmware.interfaces import Signal

GIB = 2**30


class DiskThatFills(Disk):
    """Says how much room there is; the files are real."""

    free_bytes = 100 * GIB

    def usage(self, folder):
        return self.free_bytes, 200 * GIB


class DiskThatFails(Disk):
    """Fails to sync captures while `is_broken`."""

    def __init__(self, number: int = errno.EIO) -> None:
        self.is_broken = False
        self._number = number

    def step(self, name, path):
        if self.is_broken and name == "sync" and path.name.startswith("frame-"):
            raise OSError(self._number, os.strerror(self._number))


def test_capture_pauses_in_words_before_the_disk_is_full_and_goes_on_by_itself(build) -> None:
    disk = DiskThatFills()
    station = build(spool_open=partial(Spool.open, disk=disk))
    station.front.open_job(NewJob())
    station.shoot()
    disk.free_bytes = 0
    now = station.until(lambda now: now.state is SessionState.PAUSED)
    assert now.notice.key == "s.disk"
    station.press()
    assert station.until(lambda now: now.refused_presses == 1).notice.key == "refused.disk"
    disk.free_bytes = 100 * GIB
    assert station.ready().notice.key == "s.recovered"
    station.shoot()
    assert station.front.snapshot().job.entries == 2


def test_a_state_that_cannot_be_told_to_the_publisher_ends_nothing(build) -> None:
    station = build()
    station.front.open_job(NewJob())
    run = station.folder / "run"
    # Away in one step: the station may be writing its state into the folder at this very moment.
    run.rename(station.folder / "run.away")
    for _ in range(3):
        station.clock.advance(3.0)
        station.shoot()
    assert station.front.snapshot().job.entries == 3
    run.mkdir()


def test_a_disk_that_fills_between_two_looks_costs_the_press_and_nothing_else(build) -> None:
    disk = DiskThatFails(errno.ENOSPC)
    station = build(spool_open=partial(Spool.open, disk=disk))
    station.front.open_job(NewJob())
    station.shoot()
    disk.is_broken = True
    station.press()
    station.sounder.wait_for(Signal.FAULT, 20)
    disk.is_broken = False
    assert station.front.snapshot().safe_captures == 1
    assert station.ready().notice.key == "s.recovered"
    assert '"s.disk"' in (station.folder / "log" / "events.jsonl").read_text(encoding="utf-8")
    assert station.front.snapshot().refused_presses == 1
    station.shoot()
    assert station.front.snapshot().job.entries == 2


def test_a_capture_that_the_disk_did_not_keep_gets_no_verdict_and_the_next_one_is_written_anew(build) -> None:
    disk = DiskThatFails()
    station = build(spool_open=partial(Spool.open, disk=disk))
    station.front.open_job(NewJob())
    disk.is_broken = True
    station.press()
    now = station.until(lambda now: now.state is SessionState.FAULT)
    assert (now.fault.code, now.fault.part) == ("DISK-02", "spool")
    assert station.sounder.signals == (Signal.TICK, Signal.FAULT)
    disk.is_broken = False
    station.ready()
    now = station.shoot()
    assert now.last.verdict is Verdict.OK
    assert now.job.entries == 1


class DiskThatFailsLists(Disk):
    """Loses a list on its way, once."""

    is_broken = True

    def step(self, name, path):
        if self.is_broken and name == "rename" and path.name.startswith("list-"):
            self.is_broken = False
            raise OSError(errno.EIO, "Input/output error")


def test_a_list_that_was_closed_and_not_sent_is_sent_at_the_next_start(build) -> None:
    station = build(spool_open=partial(Spool.open, disk=DiskThatFailsLists()))
    station.front.open_job(NewJob(title="Kiều"))
    station.shoot()
    with pytest.raises(SpoolError, match="DISK-02"):
        station.front.hand_over()
    station.stop()
    again = build()
    now = again.front.snapshot()
    assert now.job is None
    assert [job.title for job in now.handed_over] == ["Kiều"]
    assert again.spool.jobs()[0].handed_over


LIFE = """
    import os, sys, threading, signal
    from pathlib import Path
    from appliance.api import NewJob
    from appliance.model import CaptureSetup
    from appliance.session.front import StationFront
    from appliance.session.runner import Session
    from appliance.spool.retention import RetentionPolicy
    from appliance.spool.store import Spool
    from appliance.threads import ServiceThread
    from appliance.worker import Worker
    from firmware.interfaces import Hardware
    from firmware.pedal_driven import DrivenPedal
    from firmware.recorded import RecordedLamp, RecordedLight, RecordedSounder, SimulatedCradle
    from firmware.simulated.camera import SimulatedCamera

    def die(*_):
        os.kill(os.getpid(), signal.SIGKILL)

    spool = Spool.open(Path(sys.argv[1]), "tram-01", RetentionPolicy(reserve_bytes=0, ballast_bytes=0))
    setup = CaptureSetup("tram-01", rotations_cw=(0,))
    worker = Worker(spool, setup, pipeline=die)
    pedal = DrivenPedal()
    camera = SimulatedCamera(7, 507, 380)
    hardware = Hardware((camera,), pedal, RecordedLamp(), RecordedLight(), RecordedSounder(), SimulatedCradle())
    session = Session(hardware, spool, worker, setup)
    session.start(die)
    if session.snapshot().job is None:
        StationFront(session, spool, (camera,), pedal).open_job(NewJob(title="Kiều"))
        pedal.close_contact()
        while session.wait_for_change(session.snapshot().number, 5).safe_captures == 0:
            pass
    ServiceThread("worker", worker.run, die).start()
    threading.Event().wait(20)
"""


def _live_until_killed(folder) -> None:
    life = [sys.executable, "-c", textwrap.dedent(LIFE), str(folder)]
    died = subprocess.run(life, timeout=60, check=False, capture_output=True, cwd=Path(__file__).parents[3])
    assert died.returncode == -signal.SIGKILL, died.stderr.decode()


def test_a_capture_killed_before_it_was_processed_is_processed_after_the_restart(build, tmp_path) -> None:
    _live_until_killed(tmp_path / "spool")
    station = build()
    now = station.until(lambda now: now.job is not None and now.job.pages == 2)
    assert now.job.item.title == "Kiều"
    assert now.job.latest[0].verdict is Verdict.OK
    station.shoot()
    assert station.front.snapshot().job.entries == 2


def test_a_capture_that_kills_its_process_twice_is_delivered_as_it_is(build, tmp_path) -> None:
    _live_until_killed(tmp_path / "spool")
    _live_until_killed(tmp_path / "spool")
    station = build()
    now = station.until(lambda now: now.queue_length == 0 and now.job.latest[0].verdict is not Verdict.PENDING)
    assert now.job.latest[0].verdict is Verdict.UNSURE
    assert now.job.latest[0].findings[0].code == "processing_failed"
