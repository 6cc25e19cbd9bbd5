"""The index is lost, torn or old, or the whole station is dead but its disk: everything announced arrives, once."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lattrang.demo.command import count
from lattrang.demo.operator import Operator
from lattrang.demo.site import Site
from lattrang.demo.tally import Outcome
from tests.system.conftest import MakeSite

pytestmark = [pytest.mark.broker, pytest.mark.slow]

CONFIRMED_TIMEOUT_S = 90.0
TAILS = ("", "-wal", "-shm")


def _deleted(database: Path, _old: Path) -> None:
    for tail in TAILS:
        database.with_name(f"{database.name}{tail}").unlink(missing_ok=True)


def _deleted_but_for_its_log(database: Path, _old: Path) -> None:
    database.unlink()


def _truncated(database: Path, _old: Path) -> None:
    for tail in TAILS[1:]:
        database.with_name(f"{database.name}{tail}").unlink(missing_ok=True)
    with database.open("r+b") as stream:
        stream.truncate(database.stat().st_size // 2)


def _older(database: Path, old: Path) -> None:
    _deleted(database, old)
    for file in old.iterdir():
        shutil.copy(file, database.parent / file.name)


def _older_under_a_newer_log(database: Path, old: Path) -> None:
    shutil.copy(old / database.name, database)


@pytest.mark.parametrize("harm", [_deleted, _deleted_but_for_its_log, _truncated, _older, _older_under_a_newer_log])
def test_a_station_whose_index_was_harmed_hands_over_all_that_it_announced(
    make_site: MakeSite, tmp_path: Path, harm: Callable[[Path, Path], None]
) -> None:
    site = make_site()
    operator = Operator(site.client())
    job_id = operator.open_job("Mất mục lục của trạm")
    assert operator.capture()
    _die(site)
    old = tmp_path / "old"
    old.mkdir()
    for file in site.spool.glob("station.db*"):
        shutil.copy(file, old / file.name)
    site.workers[0].stop()
    _revive(site)
    for _ in range(4):
        assert operator.capture()
    _die(site)
    harm(site.spool / "station.db", old)
    _recover(site.spool)
    site.workers[0].start()
    _revive(site)
    outcome = _hand_over(site, operator, job_id)
    assert outcome.is_whole
    assert outcome.spreads == 5


def test_the_disk_of_a_dead_station_is_handed_over_from_another_machine(make_site: MakeSite, tmp_path: Path) -> None:
    site = make_site()
    operator = Operator(site.client())
    job_id = operator.open_job("Ổ đĩa của trạm đã hỏng")
    assert operator.capture()
    site.workers[0].stop()
    for _ in range(3):
        assert operator.capture()
    # Dies on its way: the last capture may be whole and known to nobody.
    site.client().post("/press")
    _die(site)
    copy = tmp_path / "copy" / "of the disk"
    shutil.copytree(site.spool, copy, ignore=shutil.ignore_patterns("station.db*", "lock", "run"))
    site.spool.rename(tmp_path / "dead")
    _recover(copy)
    _move_to(site, copy)
    site.workers[0].start()
    _revive(site)
    outcome = _hand_over(site, operator, job_id)
    assert outcome.is_whole
    assert outcome.spreads in (4, 5)
    assert count(site, {job_id}, 0.0, 0.0).duplicates == 0


def _die(site: Site) -> None:
    for process in (site.station, site.publisher):
        process.kill()


def _revive(site: Site) -> None:
    for process in (site.station, site.publisher):
        process.start()
    site.wait_for_screen(site.station, site.station_port)


def _move_to(site: Site, folder: Path) -> None:
    """The same station on another machine: its name and certificates are kept, its spool lies elsewhere."""
    config = site.station_config.read_text("utf-8")
    assert str(site.spool) in config
    site.station_config.write_text(config.replace(str(site.spool), str(folder)), "utf-8")
    site.spool = folder


def _hand_over(site: Site, operator: Operator, job_id: str) -> Outcome:
    operator.hand_over()
    operator.wait_until_confirmed(job_id, CONFIRMED_TIMEOUT_S, lambda _done, _of: None)
    return count(site, {job_id}, 0.0, 0.0)


def _recover(folder: Path) -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "lattrang", "station", "recover", str(folder)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
