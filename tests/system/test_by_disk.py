"""The way of a page without a line: both commands as a person calls them, on a site whose broker is away."""

import json
import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from appliance.spool.outbox import Outbox
from lattrang.demo.command import count
from lattrang.demo.operator import Operator
from lattrang.demo.site import Site
from lattrang.demo.waiting import wait_until
from tests.system.conftest import MakeSite
from wire import disk
from wire.errors import ExitCode

pytestmark = pytest.mark.broker

CONFIRMED_TIMEOUT_S = 60.0


def _lattrang(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "lattrang", *arguments], capture_output=True, text=True, timeout=120, check=False
    )


def _export(site: Site, carried: Path) -> "subprocess.CompletedProcess[str]":
    return _lattrang("station", "export", str(carried), "--config", str(site.station_config))


def _import(site: Site, carried: Path) -> "subprocess.CompletedProcess[str]":
    return _lattrang("central", "import", str(carried), "--config", str(site.central_config))


def _captures(site: Site) -> dict[str, int]:
    found = _lattrang("station", "status", "--config", str(site.station_config))
    counts: dict[str, int] = json.loads(found.stdout)["captures"]
    return counts


@pytest.fixture
def carried(tmp_path: Path) -> Path:
    folder = tmp_path / "disk"
    folder.mkdir()
    return folder


@pytest.fixture
def book(make_site: MakeSite) -> tuple[Site, str]:
    """A site without a line, and a book of three spreads that was handed over and waits."""
    site = make_site()
    site.broker.stop()
    operator = Operator(site.client())
    job_id = operator.open_job("Đi bằng ổ đĩa", "DKCB.0007/26")
    for _ in range(3):
        assert operator.capture()
    operator.hand_over()
    with Outbox.open(site.spool) as outbox:
        wait_until(lambda: outbox.counts().processed == 3 and len(outbox.pending(9)) == 4, 30.0, "the book to wait")
    return site, job_id


def test_a_book_goes_by_disk_and_its_receipts_come_home_by_disk(book: tuple[Site, str], carried: Path) -> None:
    site, job_id = book
    out = _export(site, carried)
    assert (out.returncode, out.stderr.count("\n")) == (ExitCode.OK, 1), out.stderr
    assert "       3 captures copied (with 1 lists" in out.stdout
    taken = _import(site, carried)
    assert taken.returncode == ExitCode.OK, taken.stderr
    assert "       3 captures stored (with 1 lists)" in taken.stdout
    assert "       1 lists complete" in taken.stdout
    home = _export(site, carried)
    assert home.returncode == ExitCode.OK, home.stderr
    assert "       4 receipts taken home" in home.stdout
    # The station deletes what the centre has proved to hold, without having heard of it over the line.
    wait_until(lambda: not any((site.spool / "captures").iterdir()), 30.0, "the spool to be empty")
    assert _captures(site)["released"] == 3
    outcome = count(site, {job_id}, 0.0, 0.0)
    assert outcome.is_whole
    assert (outcome.spreads, outcome.received) == (3, 6)
    assert _lattrang("central", "audit", "--config", str(site.central_config)).stdout.endswith(" 0 faults.\n")


def test_an_altered_disk_is_refused_in_words_and_the_line_brings_what_it_lost(
    book: tuple[Site, str], carried: Path
) -> None:
    site, job_id = book
    _export(site, carried)
    altered = sorted(carried.rglob("left.jpg"))[0]
    altered.write_bytes(altered.read_bytes()[:-1] + b"?")
    taken = _import(site, carried)
    assert taken.returncode == ExitCode.FAILED
    assert "lattrang: CARRY-05: left.jpg of" in taken.stderr
    assert "       2 captures stored (with 1 lists)" in taken.stdout
    assert "       1 captures of handed-over lists still missing" in taken.stdout
    # The disk is not back yet; the line is. What both brought is there once.
    site.broker.start()
    Operator(site.client()).wait_until_confirmed(job_id, CONFIRMED_TIMEOUT_S, lambda _done, _of: None)
    outcome = count(site, {job_id}, 0.0, 0.0)
    assert outcome.is_whole
    assert (outcome.spreads, outcome.duplicates) == (3, 0)
    home = _export(site, carried)
    assert home.returncode == ExitCode.OK, home.stderr
    assert list(carried.rglob(disk.OFFER_FILE)) == []


def test_line_and_disk_at_once_bring_every_page_once(book: tuple[Site, str], carried: Path) -> None:
    site, job_id = book
    _export(site, carried)
    site.broker.start()
    taken = _import(site, carried)
    assert taken.returncode == ExitCode.OK, taken.stderr
    home = _export(site, carried)
    assert home.returncode == ExitCode.OK, home.stderr
    Operator(site.client()).wait_until_confirmed(job_id, CONFIRMED_TIMEOUT_S, lambda _done, _of: None)
    outcome = count(site, {job_id}, 0.0, 0.0)
    assert outcome.is_whole
    assert (outcome.spreads, outcome.received, outcome.duplicates) == (3, 6, 0)


def test_the_commands_killed_at_any_moment_only_have_to_be_called_again(book: tuple[Site, str], carried: Path) -> None:
    site, job_id = book
    for command in (
        ["station", "export", str(carried), "--config", str(site.station_config)],
        ["central", "import", str(carried), "--config", str(site.central_config)],
        ["station", "export", str(carried), "--config", str(site.station_config)],
    ):
        for delay_s in (0.2, 0.35, 0.5, 0.8):
            child = subprocess.Popen(
                [sys.executable, "-m", "lattrang", *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            try:
                child.wait(delay_s)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        done = _lattrang(*command)
        assert done.returncode == ExitCode.OK, done.stderr
    assert list(carried.rglob(disk.OFFER_FILE)) == []
    outcome = count(site, {job_id}, 0.0, 0.0)
    assert outcome.is_whole
    assert (outcome.spreads, outcome.received, outcome.duplicates) == (3, 6, 0)


def test_what_is_wrong_with_the_disk_is_said_with_a_code(book: tuple[Site, str], carried: Path) -> None:
    site, _ = book
    absent = _export(site, carried / "absent")
    assert (absent.returncode, absent.stderr[:20]) == (ExitCode.STORAGE, "lattrang: CARRY-01: ")
    empty = _import(site, carried)
    assert empty.returncode == ExitCode.STORAGE
    assert "lattrang: CARRY-11: " in empty.stderr
    unpaired = site.station_config.with_name("unpaired.toml")
    unpaired.write_text(site.station_config.read_text("utf-8").split("[broker]")[0], "utf-8")
    answer = _lattrang("station", "export", str(carried), "--config", str(unpaired))
    assert answer.returncode == ExitCode.CONFIG
    assert "CONF-03" in answer.stderr


def test_a_person_at_a_terminal_sees_how_far_it_is(book: tuple[Site, str], carried: Path) -> None:
    site, _ = book
    terminal, theirs = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-m", "lattrang", "station", "export", str(carried), "--config", str(site.station_config)],
        stdout=subprocess.DEVNULL,
        stderr=theirs,
        timeout=60,
        check=False,
    )
    os.close(theirs)
    shown = os.read(terminal, 65_536).decode()
    os.close(terminal)
    assert done.returncode == ExitCode.OK
    assert "[##############################]" in shown


@pytest.mark.parametrize("size_kib", [900])
def test_a_disk_that_is_too_small_takes_the_oldest_and_the_rest_goes_on_the_next_trip(
    book: tuple[Site, str], carried: Path, size_kib: int
) -> None:
    site, job_id = book
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size_kib}k", "tmpfs", str(carried)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode != 0:
        pytest.skip(f"this user may not mount a small disk: {mounted.stderr.strip()}")
    try:
        trips = 0
        while (out := _export(site, carried)).returncode == ExitCode.STORAGE:
            assert "lattrang: CARRY-02: The disk is full." in out.stderr
            assert _import(site, carried).returncode == ExitCode.OK
            trips += 1
            assert trips < 10
        assert out.returncode == ExitCode.OK, out.stderr
        assert _import(site, carried).returncode == ExitCode.OK
        assert _export(site, carried).returncode == ExitCode.OK
    finally:
        subprocess.run(["umount", "-l", str(carried)], check=True)
    assert trips >= 1
    assert count(site, {job_id}, 0.0, 0.0).is_whole
    assert shutil.disk_usage(carried).free > 0
