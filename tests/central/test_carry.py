"""The centre's half of the hand-over by disk: what it takes, what it refuses in words, and what it answers."""

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from central.archive import Archive
from central.authority import ca
from central.carry import WORKER, import_disk
from central.catalogue import Catalogue
from central.config import WorkerLimits
from central.errors import StoreError
from central.receiving.staging import Staging, read_receipt
from tests.central.station_client import Package, capture, job_list
from tests.system.carrying import STATION, Centre, Steps, codes, every_step, place, silent
from wire import codec, disk
from wire.disk import ANSWER_FILE, OFFER_FILE, CarryError, Folder
from wire.ids import new_id
from wire.messages import Again, Complete, Missing, ObjectRef, Offer, Receipt, Rejected, Reply
from wire.seal import OFFICE, Seal


class Carrier:
    """A disk that a station has filled, made by hand so that it can be made wrong."""

    def __init__(self, folder: Path, seal: Seal, station: str = STATION) -> None:
        self.folder = folder
        self.seal = seal
        self.station = station

    def put(self, package: Package) -> Path:
        folder = self.at(package.ref)
        folder.mkdir(parents=True)
        for name, content in package.files.items():
            (folder / name).write_bytes(content)
        offer = codec.encode(Offer(station=package.station, object=package.ref, files=package.entries))
        (folder / OFFER_FILE).write_bytes(self.seal.close(self.station, [offer]))
        return folder

    def at(self, ref: ObjectRef) -> Path:
        return self.folder.joinpath(disk.ROOT, self.station, *disk.place(ref))

    def answers(self, package: Package) -> tuple[Reply, ...]:
        content = (self.at(package.ref) / ANSWER_FILE).read_bytes()
        messages = self.seal.open(content, station=self.station, signer=OFFICE)
        return tuple(codec.decode_reply(message) for message in messages)


@pytest.fixture
def centre(tmp_path: Path) -> Centre:
    return Centre(tmp_path / "centre")


@pytest.fixture
def carrier(tmp_path: Path, centre: Centre) -> Carrier:
    return Carrier(tmp_path / "disk", centre.approve(STATION))


def test_what_a_disk_brings_is_stored_as_from_the_line_and_receipted_on_the_disk(
    centre: Centre, carrier: Carrier
) -> None:
    one, two = capture(STATION), capture(STATION, sequence=2)
    for package in (one, two):
        carrier.put(package)
    report = centre.take(carrier.folder)
    assert (report.captures, report.faults, report.stopped) == (2, [], None)
    centre.assert_sound()
    assert centre.stored() == {f"staging/{one.ref.id}", f"staging/{two.ref.id}"}
    (receipt,) = carrier.answers(one)
    assert receipt == read_receipt(centre.layout.object_folder(one.ref))
    assert isinstance(receipt, Receipt)
    assert set(receipt.files) == set(one.entries)


def test_a_disk_that_is_brought_twice_gets_the_same_receipts(centre: Centre, carrier: Carrier) -> None:
    package = capture(STATION)
    carrier.put(package)
    centre.take(carrier.folder)
    first = carrier.answers(package)
    (carrier.at(package.ref) / ANSWER_FILE).unlink()
    report = centre.take(carrier.folder)
    assert (report.captures, report.known) == (0, 1)
    assert carrier.answers(package) == first


def test_a_list_is_answered_after_the_captures_of_the_same_disk(centre: Centre, carrier: Carrier) -> None:
    here, away = capture(STATION), capture(STATION)
    whole = job_list(STATION, [here.ref.id], job_id="job-1")
    lacking = job_list(STATION, [here.ref.id, away.ref.id], job_id="job-2")
    still_open = job_list(STATION, [here.ref.id], job_id="job-3", state="open")
    for package in (whole, lacking, still_open, here):
        carrier.put(package)
    report = centre.take(carrier.folder)
    assert (report.captures, report.lists, report.complete, report.missing) == (1, 3, 1, 1)
    assert [type(reply) for reply in carrier.answers(whole)] == [Receipt, Complete]
    assert carrier.answers(lacking)[1] == Missing(object=lacking.ref, captures=(away.ref.id,), total=1)
    assert [type(reply) for reply in carrier.answers(still_open)] == [Receipt]


@pytest.mark.parametrize("damage", ["altered", "shorter", "longer", "missing"])
def test_an_altered_file_is_not_taken_and_asked_for_again_and_the_others_are_taken(
    centre: Centre, carrier: Carrier, damage: str
) -> None:
    good, bad = capture(STATION), capture(STATION)
    carrier.put(good)
    file = carrier.put(bad) / "left.jpg"
    content = file.read_bytes()
    if damage == "missing":
        file.unlink()
    else:
        file.write_bytes({"altered": content[:-1] + b"?", "shorter": content[:-1], "longer": content + b"?"}[damage])
    report = centre.take(carrier.folder)
    assert codes(report) == ["CARRY-05"]
    assert centre.stored() == {f"staging/{good.ref.id}"}
    (again,) = carrier.answers(bad)
    assert isinstance(again, Again)
    assert again.file == "left.jpg"
    centre.assert_sound()


def test_an_object_whose_copying_was_interrupted_is_passed_over_without_a_word(
    centre: Centre, carrier: Carrier
) -> None:
    (carrier.put(capture(STATION)) / OFFER_FILE).unlink()
    report = centre.take(carrier.folder)
    assert (report.unfinished, report.captures, report.faults) == (1, 0, [])


@pytest.mark.parametrize("forger", ["another centre's station", "another station", "the office", "altered", "rubbish"])
def test_an_offer_that_its_station_did_not_seal_is_not_taken(
    centre: Centre, carrier: Carrier, tmp_path: Path, forger: str
) -> None:
    package = capture(STATION)
    file = carrier.put(package) / OFFER_FILE
    offer = codec.encode(Offer(station=STATION, object=package.ref, files=package.entries))
    if forger in ("altered", "rubbish"):
        content = file.read_bytes()
        file.write_bytes(content.replace(b'\\"size\\":', b'\\"size\\" :', 1) if forger == "altered" else content[:50])
        assert file.read_bytes() != content
    else:
        seal = {
            "another centre's station": lambda: Centre(tmp_path / "other").approve(STATION),
            "another station": lambda: centre.approve("station-2"),
            "the office": lambda: centre.seal,
        }[forger]()
        file.write_bytes(seal.close(STATION, [offer]))
    report = centre.take(carrier.folder)
    assert codes(report) == ["CARRY-06"]
    assert centre.stored() == set()
    assert not (carrier.at(package.ref) / ANSWER_FILE).exists()


def test_the_offer_of_one_object_beside_another_is_not_taken(centre: Centre, carrier: Carrier) -> None:
    one, two = capture(STATION), capture(STATION)
    folder = carrier.put(one)
    shutil.copy(carrier.put(two) / OFFER_FILE, folder / OFFER_FILE)
    assert codes(centre.take(carrier.folder)) == ["CARRY-06"]
    assert centre.stored() == {f"staging/{two.ref.id}"}


def test_a_capture_that_names_another_station_is_refused(centre: Centre, carrier: Carrier) -> None:
    package = capture("station-2")
    package.station = STATION
    carrier.put(package)
    report = centre.take(carrier.folder)
    assert codes(report) == ["CARRY-08"]
    (rejected,) = carrier.answers(package)
    assert isinstance(rejected, Rejected)
    assert rejected.code == "malformed"


def test_nothing_is_taken_of_a_station_that_was_shut_out(centre: Centre, carrier: Carrier, tmp_path: Path) -> None:
    carrier.put(capture(STATION))
    other = Carrier(carrier.folder, centre.approve("station-2"), "station-2")
    package = capture("station-2")
    other.put(package)
    centre.revoke(STATION)
    assert codes(centre.take(carrier.folder)) == ["CARRY-10"]
    assert centre.stored() == {f"staging/{package.ref.id}"}


def test_other_files_under_a_known_id_are_refused_and_the_first_stay(centre: Centre, carrier: Carrier) -> None:
    first = capture(STATION)
    carrier.put(first)
    centre.take(carrier.folder)
    shutil.rmtree(carrier.at(first.ref))
    second = capture(STATION, capture_id=first.ref.id, page=b"other" * 100)
    carrier.put(second)
    assert codes(centre.take(carrier.folder)) == ["CARRY-08"]
    (rejected,) = carrier.answers(second)
    assert isinstance(rejected, Rejected)
    assert rejected.code == "digest_conflict"
    centre.assert_sound()


def test_links_and_pipes_on_the_disk_are_never_opened(centre: Centre, carrier: Carrier, tmp_path: Path) -> None:
    linked, piped, moved = capture(STATION), capture(STATION), capture(STATION)
    good = capture(STATION)
    for package in (linked, piped, good):
        carrier.put(package)
    file = carrier.at(linked.ref) / "left.jpg"
    outside = tmp_path / "outside.jpg"
    file.rename(outside)
    file.symlink_to(outside)
    pipe = carrier.at(piped.ref) / OFFER_FILE
    pipe.unlink()
    os.mkfifo(pipe)
    elsewhere = carrier.put(moved).rename(tmp_path / "elsewhere")
    carrier.at(moved.ref).symlink_to(elsewhere)
    (carrier.folder / disk.ROOT / "station-2").symlink_to(carrier.folder / disk.ROOT / STATION)
    report = centre.take(carrier.folder)
    assert codes(report) == ["CARRY-04"] * 4
    assert centre.stored() == {f"staging/{good.ref.id}"}
    assert not (elsewhere / ANSWER_FILE).exists()


def test_hostile_names_are_named_and_nothing_of_them_is_taken(centre: Centre, carrier: Carrier) -> None:
    good = capture(STATION)
    captures = carrier.put(good).parent
    for name in ("B1", "a b", "x" * 33, "new\nline", os.fsdecode(b"\xff")):
        shutil.copytree(carrier.at(good.ref), captures / name)
    book = job_list(STATION, [])
    lists = carrier.put(book).parent
    for name in ("01", "-1", "٣", "9" * 40):
        (lists / name).mkdir()
    report = centre.take(carrier.folder)
    assert codes(report) == ["CARRY-04"] * 9
    assert centre.stored() == {f"staging/{good.ref.id}", f"lists/{book.ref.id}/1"}


@pytest.mark.parametrize("name", ["../escape", "/etc/passwd", ".hidden", "receipt.json", ANSWER_FILE])
def test_an_offer_may_not_name_files_that_no_object_has(centre: Centre, carrier: Carrier, name: str) -> None:
    package = capture(STATION)
    folder = carrier.put(package)
    offer = codec.encode(Offer(station=STATION, object=package.ref, files=package.entries))
    evil = offer.replace(b'"left.jpg"', f'"{name}"'.encode())
    (folder / OFFER_FILE).write_bytes(carrier.seal.close(STATION, [evil]))
    report = centre.take(carrier.folder)
    assert codes(report) == ["CARRY-08" if name == "receipt.json" else "CARRY-04"]
    assert centre.stored() == set()
    centre.assert_sound()


def test_a_full_store_stops_in_words_and_goes_on_when_there_is_room(centre: Centre, carrier: Carrier) -> None:
    packages = [capture(STATION) for _ in range(3)]
    for package in packages:
        carrier.put(package)
    free_bytes = centre.layout.free_bytes()
    full = replace(centre.config, limits=WorkerLimits(reserve_bytes=free_bytes * 2))
    report = import_disk(full, carrier.folder, silent)
    assert report.stopped is not None
    assert report.stopped.code == "STORE-02"
    assert centre.stored() == set()
    assert centre.take(carrier.folder).captures == 3
    centre.assert_sound()


def test_a_disk_without_anything_of_ours_is_named(centre: Centre, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(CarryError, match="CARRY-11"):
        centre.take(tmp_path / "empty")
    with pytest.raises(CarryError, match="CARRY-01"):
        centre.take(tmp_path / "absent")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own of half a MiB, which root may make."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"this user may not mount a small disk: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_disk_that_may_not_be_written_is_refused_before_anything_is_taken(centre: Centre, small_disk: Path) -> None:
    carrier = Carrier(small_disk, centre.approve(STATION))
    carrier.put(capture(STATION))
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    report = centre.take(small_disk)
    assert report.stopped is not None
    assert report.stopped.code == "CARRY-01"
    assert centre.stored() == set()


def test_a_disk_without_room_for_the_answers_stops_in_words_and_nothing_is_taken_twice(
    centre: Centre, small_disk: Path
) -> None:
    carrier = Carrier(small_disk, centre.approve(STATION))
    package = capture(STATION)
    carrier.put(package)
    filler = small_disk / "holiday.jpg"
    with pytest.raises(OSError, match="No space"):
        filler.write_bytes(b"\0" * 2**20)
    report = centre.take(small_disk)
    assert report.stopped is not None
    assert report.stopped.code == "CARRY-02"
    filler.unlink()
    report = centre.take(small_disk)
    assert (report.captures, report.known, report.stopped) == (0, 1, None)
    assert isinstance(carrier.answers(package)[0], Receipt)


def test_two_imports_at_once_are_refused(centre: Centre, carrier: Carrier) -> None:
    carrier.put(capture(STATION))
    with Folder.open(carrier.folder) as top, top.child(disk.ROOT) as root:
        root.lock()
        with pytest.raises(CarryError, match="CARRY-09"):
            centre.take(carrier.folder)
    with closing(Staging(centre.layout, WORKER)), pytest.raises(StoreError, match="STORE-04"):
        centre.take(carrier.folder)


def test_an_import_interrupted_at_any_step_is_made_whole_by_the_next(tmp_path: Path) -> None:
    made = Centre(tmp_path / "made")
    seal = made.approve(STATION)
    packages = [capture(STATION, frame=b"f", page=b"p"), capture(STATION, sequence=2, frame=b"f", page=b"p")]
    packages.append(job_list(STATION, [one.ref.id for one in packages]))

    def prepare(folder: Path) -> None:
        shutil.copytree(made.folder, folder / "centre")
        for package in packages:
            Carrier(folder / "disk", seal).put(package)

    def run(folder: Path, _steps: Steps) -> None:
        Centre(folder / "centre").take(folder / "disk")

    for folder, what in every_step(run, tmp_path / "runs", prepare):
        centre, carrier = Centre(folder / "centre"), Carrier(folder / "disk", seal)
        before = [read_receipt(one) for one in centre.layout.objects()]
        report = centre.take(carrier.folder)
        assert (report.faults, report.stopped, report.complete) == ([], None, 1), what
        assert report.captures + report.lists + report.known == 3, what
        centre.assert_sound()
        answered = [carrier.answers(package)[0] for package in packages]
        assert all(receipt in answered for receipt in before), what


def test_the_same_capture_by_line_and_by_disk_at_once_has_one_receipt(centre: Centre, carrier: Carrier) -> None:
    packages = [capture(STATION, sequence=number) for number in range(12)]
    for package in packages:
        carrier.put(package)
    receipts, start = {}, threading.Barrier(2)

    def by_line() -> None:
        with closing(Staging(centre.layout, "w1")) as staging, Catalogue(centre.config.database_url) as catalogue:
            archive = Archive(staging, catalogue, "w1")
            start.wait()
            for package in sorted(packages, key=lambda one: one.ref.id):
                incoming = staging.open(new_id(), package.entries, {})
                for name, content in package.files.items():
                    incoming.write(name, 0, content)
                assert all(incoming.prove(entry) for entry in package.entries)
                at = "2026-01-01T00:00:00.000000Z"
                receipts[package.ref] = archive.keep(incoming, package.ref, STATION, package.entries, at)

    line = threading.Thread(target=by_line)
    line.start()
    start.wait()
    report = centre.take(carrier.folder)
    line.join(timeout=30)
    assert report.captures + report.known == len(packages)
    assert [carrier.answers(package) for package in packages] == [(receipts[one.ref],) for one in packages]
    centre.assert_sound()


def test_the_office_needs_its_key(centre: Centre, carrier: Carrier) -> None:
    carrier.put(capture(STATION))
    centre.config.broker.credentials(ca.OFFICE).key.write_bytes(b"")
    with pytest.raises(Exception, match="CERT-05"):
        centre.take(carrier.folder)


def test_progress_reaches_its_end(centre: Centre, carrier: Carrier) -> None:
    carrier.put(capture(STATION))
    seen: list[tuple[int, int]] = []
    import_disk(centre.config, carrier.folder, lambda done, total: seen.append((done, total)))
    assert seen == [(0, 1), (1, 1)]


def test_only_the_station_s_own_place_is_looked_at(centre: Centre, carrier: Carrier) -> None:
    carrier.put(capture(STATION))
    (carrier.folder / "photos").mkdir()
    (carrier.folder / disk.ROOT / "README TXT").write_text("not a station")
    assert place(carrier.folder, "x").parent.is_dir()
    assert centre.take(carrier.folder).captures == 1
