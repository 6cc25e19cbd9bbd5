"""Full disks, wrong configurations, taken ports: each says so with a code, and nothing is lost."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from central.config import WorkerLimits
from lattrang.demo.command import count
from lattrang.demo.operator import Operator
from lattrang.demo.waiting import wait_until
from tests.system.conftest import MakeSite
from wire.errors import ExitCode
from wire.limits import MIB

MountSmallDisk = Callable[[Path, int], None]


@pytest.fixture
def mount_small_disk() -> Iterator[MountSmallDisk]:
    """Return a function that puts a small disk of its own under a folder; calling it again changes the size."""
    mounted: list[Path] = []

    def mount(folder: Path, size_mib: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        option = f"{'remount,' if folder in mounted else ''}size={size_mib}m"
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", option, "tmpfs", str(folder)], capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            pytest.skip(f"this user may not mount a small disk: {done.stderr.strip()}")
        if folder not in mounted:
            mounted.append(folder)

    yield mount
    for folder in mounted:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.broker
@pytest.mark.slow
def test_a_full_station_pauses_in_words_keeps_all_it_announced_and_goes_on_when_the_centre_has_it(
    mount_small_disk: MountSmallDisk, make_site: MakeSite, tmp_path: Path
) -> None:
    mount_small_disk(tmp_path / "site" / "station" / "spool", 64)
    site = make_site(reserve_mib=16)
    operator = Operator(site.client())
    job_id = operator.open_job("Đầy ổ đĩa")
    site.workers[0].stop()
    taken = 0
    while operator.can_capture() and operator.capture():
        taken += 1
        assert taken < 500
    full = site.client().state()
    assert full["state"] == "paused"
    assert full["notice"]["key"].endswith("disk")
    site.workers[0].start()
    operator.hand_over()
    operator.wait_until_confirmed(job_id, 90.0, lambda _done, _of: None)
    outcome = count(site, {job_id}, 0.0, 0.0)
    assert outcome.is_whole
    assert outcome.spreads == taken > 5
    site.client().wait_for(lambda state: state["room_for_captures"] > 5, 30.0, "room on the disk again")
    next_job = operator.open_job("Lại chụp được")
    assert operator.capture()
    operator.hand_over()
    operator.wait_until_confirmed(next_job, 60.0, lambda _done, _of: None)


@pytest.mark.broker
@pytest.mark.slow
def test_a_full_centre_says_busy_and_takes_everything_once_there_is_room(
    mount_small_disk: MountSmallDisk, make_site: MakeSite, tmp_path: Path
) -> None:
    store = tmp_path / "site" / "store"
    mount_small_disk(store, 8)
    site = make_site(limits=WorkerLimits(reserve_bytes=4 * MIB))
    operator = Operator(site.client())
    job_id = operator.open_job("Trung tâm hết chỗ")
    for _ in range(10):
        assert operator.capture()
    operator.hand_over()
    with pytest.raises(TimeoutError):
        operator.wait_until_confirmed(job_id, 8.0, lambda _done, _of: None)
    assert site.workers[0].pid is not None
    mount_small_disk(store, 200)
    operator.wait_until_confirmed(job_id, 120.0, lambda _done, _of: None)
    outcome = count(site, {job_id}, 0.0, 0.0)
    assert outcome.is_whole
    assert outcome.spreads == 10


def test_three_faults_of_a_configuration_are_all_named_at_once(tmp_path: Path) -> None:
    station = tmp_path / "station.toml"
    station.write_text('[station]\nid = "Trạm 1"\n[spool]\nfolder = "spool"\nreserve_mib = -1\n[web]\nport = 1\n')
    answer = _lattrang("station", "run", "--config", str(station))
    assert answer.returncode == ExitCode.CONFIG
    for key in ("station.id", "spool.reserve_mib", "web.token_file"):
        assert key in answer.stderr
    central = tmp_path / "central.toml"
    central.write_text(
        '[store]\nfolder = 3\n[broker]\nport = 99999\npki = "pki"\n[web]\nlanguage = "fr"\ntoken_file = "t"\n'
    )
    answer = _lattrang("central", "work", "--config", str(central))
    assert answer.returncode == ExitCode.CONFIG
    for key in ("store.folder", "broker.port", "web.language"):
        assert key in answer.stderr


def test_the_demo_says_which_port_is_taken(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        answer = _lattrang("demo", "--once", "--port", str(port), "--data", str(tmp_path / "data"))
    assert answer.returncode != 0
    assert "DEMO-03" in answer.stderr
    assert str(port) in answer.stderr


def test_the_demo_says_when_its_folder_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "a-file").write_text("not a folder")
    answer = _lattrang("demo", "--once", "--data", str(tmp_path / "a-file"))
    assert answer.returncode != 0
    assert "DEMO-01" in answer.stderr


def test_a_folder_without_photographs_is_said_before_anything_is_started(tmp_path: Path) -> None:
    answer = _lattrang("demo", "--once", "--photos", str(tmp_path), "--data", str(tmp_path / "data"))
    assert answer.returncode != 0
    assert "CAM-01" in answer.stderr
    assert not (tmp_path / "data").exists()


@pytest.mark.broker
def test_both_doctors_are_content_with_a_running_site_and_name_what_is_missing_in_a_stopped_one(
    make_site: MakeSite,
) -> None:
    site = make_site()
    for side, config in (("station", site.station_config), ("central", site.central_config)):
        healthy = _lattrang(side, "doctor", "--config", str(config))
        assert healthy.returncode == 0, healthy.stdout + healthy.stderr
    site.stop()
    for side, config in (("station", site.station_config), ("central", site.central_config)):
        ill = _lattrang(side, "doctor", "--config", str(config))
        assert ill.returncode == 1
        assert "broker" in ill.stdout.lower()


def _lattrang(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "lattrang", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=os.environ,
    )


@pytest.mark.broker
def test_a_demo_that_is_told_to_end_in_the_middle_leaves_no_process_behind(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "lattrang", "demo", "--once", "--spreads", "500", "--data", str(tmp_path / "data")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as demo:
        events = tmp_path / "data" / "station" / "spool" / "log" / "events.jsonl"
        wait_until(lambda: events.exists() and "capture.safe" in events.read_text("utf-8"), 60.0, "the first capture")
        started = psutil.Process(demo.pid).children(recursive=True)
        demo.send_signal(signal.SIGTERM)
        assert demo.wait(60) == 130
    assert len(started) >= 6
    _, alive = psutil.wait_procs(started, timeout=10)
    assert alive == []
