"""The station's half of the hand-over by disk: what it copies, what it believes, and what it never deletes."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from appliance.spool.carry import export
from tests.appliance.spool.making import Maker
from tests.system.carrying import STATION, Centre, Station, codes, on_disk, place, silent
from wire import codec, disk
from wire.disk import ANSWER_FILE, OFFER_FILE, CarryError
from wire.documents import CAPTURE_FILE
from wire.messages import Again, Complete, FileEntry, Message, Missing, ObjectRef, Receipt, Rejected, Span
from wire.seal import Seal


def _receipt(station: Station, capture_id: str) -> Receipt:
    ref = ObjectRef("capture", capture_id)
    with station.outbox() as outbox:
        return Receipt(object=ref, files=outbox.files(ref), worker="disk", stored_at="2026-01-02T03:04:05Z")


def _answer(carried: Path, seal: Seal, capture_id: str, *replies: Message, station: str = STATION) -> None:
    messages: Sequence[bytes] = [codec.encode(reply) for reply in replies]
    (place(carried, capture_id) / ANSWER_FILE).write_bytes(seal.close(station, messages))


def test_what_waits_is_on_the_disk_byte_for_byte_and_nothing_else_is(station: Station, carried: Path) -> None:
    station.capture("a1")
    station.capture("a2", processed=False)
    report = station.export(carried)
    assert (report.captures, report.lists, report.left, report.faults) == (1, 0, 0, [])
    assert on_disk(carried) == {"captures/a1"}
    copied = {file.name: file.read_bytes() for file in place(carried, "a1").iterdir() if file.name != OFFER_FILE}
    assert copied == {file.name: file.read_bytes() for file in (station.folder / "captures" / "a1").iterdir()}


def test_what_was_received_over_the_line_is_not_copied_and_leaves_the_disk(station: Station, carried: Path) -> None:
    station.capture("a1", "a2")
    station.export(carried)
    with station.outbox() as outbox:
        outbox.record_receipt(_receipt(station, "a1"))
    station.capture("a3")
    report = station.export(carried)
    assert (report.captures, report.already, report.receipts) == (1, 1, 0)
    assert on_disk(carried) == {"captures/a2", "captures/a3"}


def test_an_open_list_that_has_its_receipt_is_not_carried_again(
    station: Station, centre: Centre, carried: Path
) -> None:
    station.capture("a1")
    station.hand_over("a1", state="open")
    assert station.export(carried).lists == 1
    centre.take(carried)
    report = station.export(carried)
    assert (report.receipts, report.complete, report.lists) == (2, 0, 0)
    assert on_disk(carried) == set()


def test_a_receipt_on_the_disk_counts_like_one_on_the_line(station: Station, centre: Centre, carried: Path) -> None:
    station.capture("a1")
    station.export(carried)
    _answer(carried, centre.seal, "a1", _receipt(station, "a1"))
    assert station.export(carried).receipts == 1
    assert station.states() == {"a1": "received"}
    assert not place(carried, "a1").exists()
    assert (station.folder / "captures" / "a1" / CAPTURE_FILE).is_file(), "only the station service deletes"


def test_a_receipt_for_other_files_is_not_believed_and_nothing_is_deleted(
    station: Station, centre: Centre, carried: Path
) -> None:
    station.capture("a1")
    station.export(carried)
    receipt = _receipt(station, "a1")
    files = (FileEntry(receipt.files[0].name, receipt.files[0].size, "0" * 64), *receipt.files[1:])
    _answer(carried, centre.seal, "a1", msgspec.structs.replace(receipt, files=files))
    assert codes(station.export(carried)) == ["CARRY-07"]
    assert station.states() == {"a1": "processed"}
    assert on_disk(carried) == {"captures/a1"}


@pytest.mark.parametrize("forger", ["another centre", "the station itself", "another station", "altered", "rubbish"])
def test_a_forged_receipt_is_not_believed(
    station: Station, centre: Centre, carried: Path, tmp_path: Path, forger: str
) -> None:
    station.capture("a1")
    station.export(carried)
    receipt = _receipt(station, "a1")
    if forger == "another centre":
        _answer(carried, Centre(tmp_path / "other").seal, "a1", receipt)
    elif forger == "the station itself":
        _answer(carried, station.seal, "a1", receipt)
    elif forger == "another station":
        _answer(carried, centre.seal, "a1", receipt, station="station-2")
    else:
        _answer(carried, centre.seal, "a1", receipt)
        file = place(carried, "a1") / ANSWER_FILE
        content = file.read_bytes().replace(b"03:04:05", b"03:04:06")
        file.write_bytes(content if forger == "altered" else b"\x00" * 100)
    report = station.export(carried)
    assert codes(report) == ["CARRY-06"]
    assert report.receipts == 0
    assert station.states() == {"a1": "processed"}


def test_a_true_receipt_laid_beside_another_capture_is_not_believed(
    station: Station, centre: Centre, carried: Path
) -> None:
    station.capture("a1", "a2")
    station.export(carried)
    _answer(carried, centre.seal, "a2", _receipt(station, "a1"))
    assert codes(station.export(carried)) == ["CARRY-06"]
    assert station.states() == {"a1": "processed", "a2": "processed"}


def test_a_refusal_comes_home_in_words_and_the_capture_stays(station: Station, centre: Centre, carried: Path) -> None:
    station.capture("a1")
    station.export(carried)
    _answer(carried, centre.seal, "a1", Rejected(object=ObjectRef("capture", "a1"), code="digest_conflict"))
    assert codes(station.export(carried)) == ["CARRY-08"]
    assert station.states() == {"a1": "rejected"}
    assert station.export(carried).captures == 0


def test_what_the_centre_could_not_read_is_copied_again(station: Station, centre: Centre, carried: Path) -> None:
    station.capture("a1")
    station.export(carried)
    (place(carried, "a1") / "left.jpg").write_bytes(b"altered, and of another size")
    ref = ObjectRef("capture", "a1")
    _answer(carried, centre.seal, "a1", Again(object=ref, grant_id="g", file="left.jpg", spans=(Span(0, 1),)))
    report = station.export(carried)
    assert (report.captures, report.already, report.faults) == (1, 0, [])
    assert (place(carried, "a1") / "left.jpg").read_bytes() == Maker().page_bytes("a1")["left.jpg"]
    assert not (place(carried, "a1") / ANSWER_FILE).exists()


def test_what_a_list_lacks_is_copied_again_although_it_was_received(
    station: Station, centre: Centre, carried: Path
) -> None:
    station.capture("a1")
    station.hand_over("a1")
    station.export(carried)
    centre.take(carried)
    station.export(carried)
    assert station.list_states() == {"job-1": "complete"}
    station.hand_over("a1", revision=2)
    station.export(carried)
    ref = ObjectRef("job_list", "job-1", 2)
    answer = codec.encode(Missing(object=ref, captures=("a1",), total=1))
    (carried / "lattrang" / STATION / "lists" / "job-1" / "2" / ANSWER_FILE).write_bytes(
        centre.seal.close(STATION, [answer])
    )
    station.export(carried)
    assert station.states() == {"a1": "processed"}
    assert on_disk(carried) == {"captures/a1", "lists/job-1/2"}


def test_what_a_list_lacked_when_the_disk_left_is_old_news_once_the_line_completed_it(
    station: Station, centre: Centre, carried: Path
) -> None:
    station.capture("a1", "a2")
    station.hand_over("a1", "a2")
    station.export(carried)
    shutil.rmtree(place(carried, "a2"))
    assert centre.take(carried).missing == 1
    ref = ObjectRef("job_list", "job-1", 1)
    with station.outbox() as outbox:
        for capture_id in ("a1", "a2"):
            assert outbox.record_receipt(_receipt(station, capture_id))
        outbox.record_list_answer(Complete(object=ref, captures=2))
    report = station.export(carried)
    assert (report.captures, report.lists, report.faults) == (0, 0, [])
    assert station.states() == {"a1": "received", "a2": "received"}
    assert on_disk(carried) == set()


def test_what_the_spool_does_not_know_is_never_taken_off_the_disk(
    station: Station, centre: Centre, carried: Path, tmp_path: Path
) -> None:
    station.capture("a1")
    station.export(carried)
    reborn = Station(tmp_path / "new spool", station.seal)
    reborn.capture("b1")
    reborn.export(carried)
    assert on_disk(carried) == {"captures/a1", "captures/b1"}
    centre.take(carried)
    assert codes(reborn.export(carried)) == ["CARRY-07"]
    assert on_disk(carried) == {"captures/a1"}


def test_what_the_spool_does_not_know_stays_even_where_the_centre_asks_for_it_again(
    station: Station, centre: Centre, carried: Path, tmp_path: Path
) -> None:
    station.capture("a1", "a2")
    station.export(carried)
    reborn = Station(tmp_path / "new spool", station.seal)
    ref = ObjectRef("capture", "a1")
    _answer(carried, centre.seal, "a1", Again(object=ref, grant_id="g", file="left.jpg", spans=(Span(0, 1),)))
    _answer(carried, centre.seal, "a2", Rejected(object=ObjectRef("capture", "a2"), code="malformed"))
    reborn.export(carried)
    assert on_disk(carried) == {"captures/a1", "captures/a2"}


def test_what_lies_under_our_name_and_is_not_ours_is_copied_over(
    station: Station, centre: Centre, carried: Path, tmp_path: Path
) -> None:
    twin = Station(tmp_path / "twin", station.seal)
    twin.make.page_bytes = lambda capture_id: {  # type: ignore[method-assign]
        name: content[::-1] for name, content in Maker().page_bytes(capture_id).items()
    }
    twin.capture("a1")
    station.capture("a1", "a2")
    twin.export(carried)
    station.export(carried)
    file = place(carried, "a2") / "left.jpg"
    elsewhere = file.rename(tmp_path / "elsewhere.jpg")
    file.symlink_to(elsewhere)
    assert station.export(carried).captures == 1
    assert not file.is_symlink()
    assert centre.take(carried).captures == 2
    assert station.export(carried).receipts == 2


def test_the_folders_of_other_stations_are_left_alone(
    station: Station, centre: Centre, carried: Path, tmp_path: Path
) -> None:
    other = Station(tmp_path / "other", centre.approve("station-2"), "station-2")
    station.capture("a1")
    other.capture("b1")
    station.export(carried)
    other.export(carried)
    centre.take(carried)
    assert station.export(carried).receipts == 1
    assert on_disk(carried, "station-2") == {"captures/b1"}
    assert (place(carried, "b1", "station-2") / ANSWER_FILE).is_file()
    assert other.export(carried).receipts == 1


def test_a_damaged_capture_is_named_and_the_others_are_copied(station: Station, carried: Path) -> None:
    station.capture("a1", "a2", "a3")
    (station.folder / "captures" / "a2" / "left.jpg").write_bytes(Maker().page_bytes("a2")["left.jpg"][::-1])
    report = station.export(carried)
    assert codes(report) == ["DISK-06"]
    assert on_disk(carried) == {"captures/a1", "captures/a3"}
    assert not place(carried, "a2").exists()
    assert station.states()["a2"] == "damaged"


def test_when_the_disk_is_too_small_the_oldest_go_first_and_the_rest_is_counted(
    station: Station, carried: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    station.capture("c1", "b2", "a3")
    monkeypatch.setattr(disk.Folder, "room", lambda _self: (2 * (disk.OVERHEAD_BYTES + 6 * 4096), 4096))
    report = station.export(carried)
    assert (report.captures, report.left) == (2, 1)
    assert report.stopped is not None
    assert report.stopped.code == "CARRY-02"
    assert on_disk(carried) == {"captures/c1", "captures/b2"}


@pytest.mark.parametrize(("free_bytes", "number"), [(0, 0), (80_000, 0), (90_000, 1), (180_000, 2), (10**9, 3)])
def test_room_is_reckoned_in_whole_blocks_and_with_the_answer_to_come(free_bytes: int, number: int) -> None:
    files = tuple(FileEntry(name, 4097, "0" * 64) for name in ("a", "b"))
    assert disk.fitting([files] * 3, free_bytes, 4096) == number


def test_a_link_on_the_disk_is_never_followed(station: Station, carried: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("still here")
    station.capture("a1", "a2")
    place(carried, "a1").parent.mkdir(parents=True)
    place(carried, "a1").symlink_to(outside)
    report = station.export(carried)
    assert codes(report) == ["CARRY-04"]
    assert (report.captures, report.stopped) == (1, None)
    assert on_disk(carried) == {"captures/a2"}
    assert [file.name for file in outside.iterdir()] == ["precious"]
    place(carried, "a1").parent.rename(tmp_path / "elsewhere")
    place(carried, "a1").parent.symlink_to(outside)
    report = station.export(carried)
    assert report.stopped is not None
    assert report.stopped.code == "CARRY-04"
    shutil.rmtree(carried / "lattrang")
    (carried / "lattrang").symlink_to(outside)
    with pytest.raises(CarryError, match="CARRY-04"):
        station.export(carried)
    assert [file.name for file in outside.iterdir()] == ["precious"]


def test_strange_names_on_the_disk_are_named_and_left_where_they_are(station: Station, carried: Path) -> None:
    station.capture("a1")
    station.export(carried)
    strange = ["B1", "a b", "x" * 33, "new\nline", os.fsdecode(b"\xff\xfe")]
    for name in strange:
        (place(carried, "a1").parent / name).mkdir()
    (place(carried, "a1").parent / ".DS_Store").write_bytes(b"litter")
    report = station.export(carried)
    assert codes(report) == ["CARRY-04"] * len(strange)
    assert all("\n" not in fault.message for fault in report.faults)
    assert all((place(carried, "a1").parent / name).is_dir() for name in strange)


@pytest.mark.parametrize("what", ["missing", "file"])
def test_a_disk_that_is_not_mounted_is_named_and_not_made(station: Station, tmp_path: Path, what: str) -> None:
    target = tmp_path / "mnt"
    if what == "file":
        target.write_text("")
    with pytest.raises(CarryError, match="CARRY-01"):
        station.export(target)
    assert not target.is_dir()


def test_two_commands_on_one_disk_do_not_mix(station: Station, carried: Path) -> None:
    station.capture("a1")
    with disk.Folder.open(carried) as top, top.make(disk.ROOT) as root:
        root.lock()
        with pytest.raises(CarryError, match="CARRY-09"):
            station.export(carried)
    assert station.export(carried).captures == 1


def test_a_station_under_another_name_does_not_take_our_receipts(
    station: Station, centre: Centre, carried: Path
) -> None:
    station.capture("a1")
    station.export(carried)
    centre.take(carried)
    (carried / "lattrang" / STATION).rename(carried / "lattrang" / "station-2")
    with station.outbox() as outbox:
        report = export(outbox, "station-2", centre.approve("station-2"), carried, silent)
    assert "CARRY-06" in codes(report)
    assert station.states() == {"a1": "processed"}
