"""The index is lost, torn, broken or old; the folders still tell everything that matters."""

import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.api import Delivery
from appliance.errors import SpoolError
from appliance.spool import Outbox, Spool, recover
from appliance.spool.sweep import RELEASED_FILE
from tests.appliance.spool.making import POLICY, STATION, Maker
from wire.messages import Complete, ObjectRef, Receipt

OpenSpool = Callable[..., Spool]


@pytest.fixture
def filled(folder: Path, make: Maker) -> Path:
    """A closed spool: `a` released, `b` processed, `c` safe, two changes and a list of job-1."""
    with Spool.open(folder, STATION, POLICY) as spool:
        make.add(spool, "a")
        spool.append_change("job-1", b'{"n":1}')
        spool.queue_list(make.job_list(2, "a"))
        with Outbox.open(folder) as outbox:
            for pending in outbox.pending(10):
                receipt = Receipt(object=pending.ref, files=pending.files, worker="w", stored_at="2026-01-02T03:04:05Z")
                outbox.record_receipt(receipt)
            outbox.record_list_answer(Complete(object=ObjectRef("job_list", "job-1", 2), captures=1))
        assert spool.release_due() == ("a",)
        make.add(spool, "b", job_id="job-2")
        make.add(spool, "c", job_id="job-2", processed=False)
        spool.append_change("job-2", b'{"n":2}')
    return folder


def states(spool: Spool) -> dict[str, Delivery]:
    return {row.capture_id: row.state for job in ("job-1", "job-2") for row in spool.captures_of(job)}


WHOLE = {"a": Delivery.RELEASED, "b": Delivery.PROCESSED, "c": Delivery.SAFE}


def forget(database: Path) -> None:
    database.unlink()


def empty(database: Path) -> None:
    database.write_bytes(b"")


def halve(database: Path) -> None:
    content = database.read_bytes()
    database.write_bytes(content[: len(content) // 2])


def scramble(database: Path) -> None:
    content = bytearray(database.read_bytes())
    for position in range(4096, len(content), 7):
        content[position] ^= 0x5A
    database.write_bytes(content)


def replace_by_text(database: Path) -> None:
    database.write_text("this is not a database at all\n" * 400)


def drop_a_table(database: Path) -> None:
    connection = sqlite3.connect(database)
    connection.execute("DROP TABLE files")
    connection.commit()
    connection.close()


@pytest.mark.parametrize("harm", [forget, empty, halve, scramble, replace_by_text, drop_a_table])
def test_a_broken_index_is_moved_aside_and_made_again(
    filled: Path, open_spool: OpenSpool, harm: Callable[[Path], None], make: Maker
) -> None:
    for tail in ("-wal", "-shm"):
        (filled / f"station.db{tail}").unlink(missing_ok=True)
    harm(filled / "station.db")
    broken = (filled / "station.db").read_bytes() if (filled / "station.db").exists() else b""
    spool = open_spool()
    assert states(spool) == WHOLE
    assert spool.changes("job-2") == (b'{"n":2}',)
    assert {job.job_id: (job.changes, job.list_revision) for job in spool.jobs()} == {
        "job-1": (1, 2),
        "job-2": (1, None),
    }
    assert spool.next_sequence() > 3
    if spool.sweep.rebuilt:
        assert (filled / "aside" / "station.db").read_bytes() == broken
    with Outbox.open(filled) as outbox:
        assert [pending.ref.id for pending in outbox.pending(10)] == ["job-1", "b"]
    assert open_spool().sweep.adopted == ()


def test_an_older_index_is_brought_up_to_date(folder: Path, open_spool: OpenSpool, make: Maker) -> None:
    spool = open_spool()
    make.add(spool, "a", processed=False)
    spool.close()
    shutil.copy(folder / "station.db", folder.parent / "old.db")
    spool = open_spool()
    spool.add_pages(make.pages("a"), make.page_bytes("a"))
    make.add(spool, "b", processed=False)
    spool.append_change("job-1", b"{}")
    spool.close()
    shutil.copy(folder.parent / "old.db", folder / "station.db")
    spool = open_spool()
    assert (spool.sweep.adopted, spool.sweep.completed, spool.sweep.unprocessed) == (("b",), ("a",), ("b",))
    assert spool.jobs()[0].changes == 1


def test_the_copied_disk_of_a_dead_station_is_recovered_anywhere(filled: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(filled, copy)
    (copy / "station.db").unlink()
    (copy / "station").unlink()
    report = recover(copy)
    assert (report.adopted, report.unprocessed, report.set_aside) == (("b", "c"), ("c",), ())
    with Spool.open(copy, STATION, POLICY) as spool:
        assert states(spool) == WHOLE


def test_recovering_what_is_no_spool_says_so(tmp_path: Path) -> None:
    with pytest.raises(SpoolError, match="DISK-08"):
        recover(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_frame_that_rotted_is_shown_as_damaged_when_the_index_is_made_again(
    filled: Path, open_spool: OpenSpool
) -> None:
    (filled / "captures" / "b" / "frame-1.jpg").write_bytes(b"x" * 500)
    (filled / "station.db").unlink()
    spool = open_spool()
    assert states(spool) == {**WHOLE, "b": Delivery.DAMAGED}
    assert spool.row("b").damaged_file == "frame-1.jpg"


def test_a_capture_cut_short_or_gone_is_damaged_and_stays_counted(filled: Path, open_spool: OpenSpool) -> None:
    (filled / "captures" / "b" / "left.jpg").write_bytes(b"short")
    shutil.rmtree(filled / "captures" / "c")
    spool = open_spool()
    assert states(spool) == {**WHOLE, "b": Delivery.DAMAGED, "c": Delivery.DAMAGED}
    assert set(spool.sweep.damaged) == {"b", "c"}


def test_pages_that_do_not_match_are_set_aside_and_the_frame_is_processed_again(
    filled: Path, open_spool: OpenSpool
) -> None:
    (filled / "captures" / "b" / "left.jpg").write_bytes(b"other bytes of another length")
    (filled / "station.db").unlink()
    spool = open_spool()
    assert spool.unprocessed() == ("b", "c")
    assert [moved.now for moved in spool.sweep.set_aside] == ["aside/pages.json"]


def test_what_does_not_explain_itself_is_moved_aside_with_a_reason_and_kept(
    folder: Path, open_spool: OpenSpool, make: Maker
) -> None:
    open_spool().close()
    (folder / "captures" / "stranger").mkdir()
    (folder / "captures" / "stranger" / "frame-1.jpg").write_bytes(b"whose?")
    (folder / "captures" / "note.txt").write_text("a file")
    (folder / "tmp" / "half").mkdir()
    (folder / "tmp" / "half" / "capture.json").write_text('{"v":1,')
    spool = open_spool()
    assert sorted(moved.found for moved in spool.sweep.set_aside) == [
        "captures/note.txt",
        "captures/stranger",
        "tmp/half",
    ]
    assert (folder / "aside" / "stranger" / "frame-1.jpg").read_bytes() == b"whose?"
    assert "capture.json" in (folder / "aside" / "stranger.reason").read_text()


def test_a_capture_under_another_name_is_not_adopted_twice(folder: Path, open_spool: OpenSpool, make: Maker) -> None:
    make.add(open_spool(), "a")
    shutil.copytree(folder / "captures" / "a", folder / "captures" / "copy-of-a")
    shutil.copytree(folder / "captures" / "a", folder / "tmp" / "a")
    spool = open_spool()
    assert [row.capture_id for row in spool.captures_of("job-1")] == ["a"]
    assert len(spool.sweep.set_aside) == 2


def test_a_released_capture_half_deleted_is_deleted_even_if_the_index_is_lost(
    filled: Path, open_spool: OpenSpool
) -> None:
    (filled / "captures" / "a").mkdir()
    (filled / "captures" / "a" / "right.jpg").write_bytes(b"left over")
    (filled / "station.db").unlink()
    spool = open_spool()
    assert not (filled / "captures" / "a").exists()
    assert states(spool) == WHOLE
    assert spool.sweep.set_aside == ()


def test_a_released_line_that_cannot_be_read_does_not_cost_the_job(filled: Path, open_spool: OpenSpool) -> None:
    (filled / "jobs" / "job-1" / RELEASED_FILE).write_bytes(b"\x00\x00 rubbish\n")
    (filled / "station.db").unlink()
    spool = open_spool()
    assert spool.changes("job-1") == (b'{"n":1}',)


def test_sequence_numbers_are_never_given_out_twice_even_without_an_index(
    folder: Path, open_spool: OpenSpool, make: Maker
) -> None:
    spool = open_spool()
    given = {spool.next_sequence() for _ in range(70)}
    spool._index.close()
    os.close(spool._lock_file)
    spool._lock_file = -1
    (folder / "station.db").unlink()
    spool = open_spool()
    assert min(spool.next_sequence() for _ in range(70)) > max(given)


def test_a_clean_stop_leaves_no_gap_in_the_sequence(open_spool: OpenSpool) -> None:
    assert [open_spool().next_sequence() for _ in range(3)] == [1, 2, 3]


def test_a_spool_in_use_or_of_another_station_is_not_touched(folder: Path, open_spool: OpenSpool) -> None:
    open_spool()
    with pytest.raises(SpoolError, match="DISK-03"):
        Spool.open(folder, STATION, POLICY)
    open_spool().close()
    with pytest.raises(SpoolError, match="DISK-04"):
        Spool.open(folder, "another", POLICY)
    Spool.open(folder, STATION, POLICY).close()


def test_the_outbox_waits_for_the_station_to_repair_a_broken_index_and_then_sees_it(
    filled: Path, open_spool: OpenSpool
) -> None:
    with Outbox.open(filled) as outbox:
        replace_by_text(filled / "broken")
        (filled / "broken").replace(filled / "station.db")
        with pytest.raises(SpoolError, match="DISK-05"):
            outbox.refresh()
        with pytest.raises(SpoolError, match="DISK-05"):
            Outbox.open(filled)
        spool = open_spool()
        assert spool.sweep.rebuilt
        assert outbox.refresh()
        assert [pending.ref.id for pending in outbox.pending(10)] == ["job-1", "b"]
