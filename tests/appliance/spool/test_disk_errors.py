"""The disk reports an error at every single step: nothing half is left, the error has a code, and work goes on."""

import errno
import os
import resource
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from appliance.errors import SpoolError, SpoolFull
from appliance.spool import RetentionPolicy, Spool
from appliance.spool.faults import FileDamaged
from appliance.spool.outbox import Outbox
from tests.appliance.spool.failing_disk import FailingDisk
from tests.appliance.spool.making import POLICY, STATION, Maker


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[Path]:
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(dir=memory)) if os.access(memory, os.W_OK) else tmp_path
    yield folder
    if folder != tmp_path:
        shutil.rmtree(folder)


def io_error() -> OSError:
    return OSError(errno.EIO, "Input/output error")


def no_space() -> OSError:
    return OSError(errno.ENOSPC, "No space left on device")


def fail_each_step(
    workshop: Path, error: Callable[[], OSError], work: Callable[[Spool], object], check: Callable[[Spool, bool], None]
) -> int:
    """Run `work` with an error at its first step, its second… and then once more; return how many of them failed."""
    failed, at = 0, 1
    while True:
        folder = workshop / str(at)
        disk = FailingDisk(None, error)
        with Spool.open(folder, STATION, POLICY, disk=disk) as spool:
            Maker().add(spool, "before", processed=False)
            spool.append_change("job-1", b'{"n":0}')
            begun = len(disk.steps)
            disk.at = begun + at
            try:
                work(spool)
                code = None
            except SpoolError as raised_error:
                code = raised_error.code
            raised = code is not None
            assert code in {None, "DISK-01" if error is no_space else "DISK-02"}
            reached = len(disk.steps) >= disk.at
            check(spool, raised)
            if raised:
                failed += 1
                work(spool)
                check(spool, False)
        with Spool.open(folder, STATION, POLICY) as spool:
            check(spool, False)
            assert spool.sweep.set_aside == ()
        shutil.rmtree(folder)
        if not reached:
            return failed
        at += 1


@pytest.mark.parametrize("error", [io_error, no_space])
def test_a_capture_is_safe_or_there_is_no_trace_of_it(
    workshop: Path, make: Maker, error: Callable[[], OSError]
) -> None:
    def check(spool: Spool, raised: bool) -> None:
        known = [row.capture_id for row in spool.captures_of("job-1")]
        assert known == (["before"] if raised else ["before", "a"])
        assert (spool.path("before", "capture.json").parent.parent / "a").exists() is not raised
        assert not any((spool.path("before", "capture.json").parents[2] / "tmp").iterdir())

    def work(spool: Spool) -> None:
        spool.add_capture(make.facts("a", 2), make.frames("a"))

    assert fail_each_step(workshop, error, work, check) >= 7


@pytest.mark.parametrize("error", [io_error, no_space])
def test_pages_are_recorded_or_the_capture_is_processed_again(
    workshop: Path, make: Maker, error: Callable[[], OSError]
) -> None:
    def check(spool: Spool, raised: bool) -> None:
        assert spool.unprocessed() == (("before",) if raised else ())

    def work(spool: Spool) -> None:
        spool.add_pages(make.pages("before"), make.page_bytes("before"))

    assert fail_each_step(workshop, error, work, check) >= 8


@pytest.mark.parametrize("error", [io_error, no_space])
def test_a_change_happened_or_it_did_not(workshop: Path, error: Callable[[], OSError]) -> None:
    def check(spool: Spool, raised: bool) -> None:
        assert spool.changes("job-1") == ((b'{"n":0}',) if raised else (b'{"n":0}', b'{"n":1}'))

    fail_each_step(workshop, error, lambda spool: spool.append_change("job-1", b'{"n":1}'), check)


@pytest.mark.parametrize("error", [io_error, no_space])
def test_a_list_is_queued_or_it_is_not(workshop: Path, make: Maker, error: Callable[[], OSError]) -> None:
    def check(spool: Spool, raised: bool) -> None:
        assert spool.jobs()[0].list_revision == (None if raised else 2)

    fail_each_step(workshop, error, lambda spool: spool.queue_list(make.job_list(2, "before")), check)


def test_a_sequence_number_is_not_lost_to_an_error(workshop: Path) -> None:
    disk = FailingDisk(None, io_error)
    with Spool.open(workshop / "spool", STATION, POLICY, disk=disk) as spool:
        disk.at = len(disk.steps) + 1
        with pytest.raises(SpoolError, match="DISK-02"):
            spool.next_sequence()
        assert [spool.next_sequence() for _ in range(200)] == list(range(1, 201))


def test_a_capture_is_refused_before_the_reserve_is_touched(tmp_path: Path, make: Maker) -> None:
    class SmallDisk(FailingDisk):
        free_bytes = 3000

        def usage(self, folder: Path) -> tuple[int, int]:
            return self.free_bytes, 10_000

    disk = SmallDisk(None, io_error)
    policy = RetentionPolicy(reserve_bytes=2600, ballast_bytes=100)
    with Spool.open(tmp_path / "spool", STATION, policy, disk=disk) as spool:
        sequence = spool.next_sequence()
        steps = len(disk.steps)
        with pytest.raises(SpoolFull, match="DISK-01"):
            spool.add_capture(make.facts("a", sequence), make.frames("a"))
        assert len(disk.steps) == steps
        assert spool.room().captures_left == 0
        disk.free_bytes = 9000
        spool.add_capture(make.facts("a", sequence), make.frames("a"))
        assert spool.room().free_bytes == 9000


def test_the_ballast_is_given_up_for_the_index_and_restored_when_there_is_room(tmp_path: Path) -> None:
    disk = FailingDisk(None, no_space)
    folder = tmp_path / "spool"
    with Spool.open(folder, STATION, POLICY, disk=disk) as spool:
        assert (folder / "ballast").stat().st_size == POLICY.ballast_bytes
        spool.append_change("job-1", b"{}")
        disk.at = len(disk.steps) + 1
        assert spool.append_change("job-1", b"{}") == 2
        assert not (folder / "ballast").exists()
        spool.release_due()
        assert (folder / "ballast").exists()


def test_a_folder_without_permission_says_so(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    tmp_path.chmod(0o500)
    with pytest.raises(SpoolError, match="DISK-07"):
        Spool.open(tmp_path / "spool", STATION)
    tmp_path.chmod(0o700)


def test_a_file_where_the_spool_should_be_says_so(tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("not a folder")
    with pytest.raises(SpoolError, match="DISK-07"):
        Spool.open(tmp_path / "spool", STATION)


def test_a_file_that_cannot_be_read_just_now_is_not_taken_for_damaged(tmp_path: Path, make: Maker) -> None:
    with Spool.open(tmp_path / "spool", STATION, POLICY) as spool, Outbox.open(tmp_path / "spool") as outbox:
        make.add(spool, "c")
        [pending] = outbox.pending(1)
        entry = next(one for one in pending.files if one.name == "frame-1.jpg")
        with no_descriptors(), pytest.raises(SpoolError, match="DISK-11"):
            outbox.read(pending.ref, entry.name, 0, entry.size)
        assert len(outbox.read(pending.ref, entry.name, 0, entry.size)) == entry.size
        (tmp_path / "spool" / "captures" / "c" / "frame-1.jpg").unlink()
        with pytest.raises(FileDamaged):
            outbox.read(pending.ref, entry.name, 0, entry.size)


def test_a_lock_that_cannot_be_made_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "spool" / "lock").mkdir(parents=True)  # A disk that became read-only this very moment answers alike.
    with pytest.raises(SpoolError, match="DISK-07"):
        Spool.open(tmp_path / "spool", STATION, POLICY)


@contextmanager
def no_descriptors() -> Iterator[None]:
    """Let this process open nothing more."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
