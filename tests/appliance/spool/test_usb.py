"""Hand-over by a plugged-in disk, as the unit does it: a real file system on a loop device, seen by nobody else."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.config import BrokerSection, SpoolSection, StationConfig, StationSection, WebSection, render
from appliance.errors import SetUpError
from appliance.setup.errands import Errand, UsbProgress
from appliance.setup.usb_disks import UsbDesk, unescaped
from central.authority import ca
from central.catalogue import Catalogue, fleet_records
from tests.system.carrying import AT, STATION, Centre, Station
from tests.system.unit_rights import as_the_unit, give

ROOT = Path(__file__).parents[3]
MIB = 1 << 20
MAKERS = {"ext4": ("mkfs.ext4", "-q", "-F"), "vfat": ("mkfs.vfat",), "exfat": ("mkfs.exfat",)}


def run(*command: object, check: bool = True) -> str:
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False, timeout=60)
    if check and done.returncode != 0:
        raise AssertionError(f"{command}: {done.stdout}{done.stderr}")
    return done.stdout.strip()


class Stick:
    """A disk that is a file."""

    def __init__(self, folder: Path, kind: str, mib: int) -> None:
        self.file, self.kind = folder / f"{kind}.img", kind
        with self.file.open("wb") as image:
            image.truncate(mib * MIB)
        run(*MAKERS[kind], self.file)
        try:
            self.device = Path(run("losetup", "--find", "--show", self.file))
        except AssertionError as error:
            pytest.skip(f"no loop device here: {error}")
        self.place = folder / "by-hand"
        self.place.mkdir()

    def by_hand(self, script: str) -> str:
        """Run a line of shell on the mounted disk, unseen by everybody else."""
        mount = f"mount -t {self.kind} {self.device} {self.place}"
        # Unmounted by name: at the end of a namespace the kernel does it a little later.
        return run("unshare", "-m", "sh", "-ec", f"{mount}; (cd {self.place}; {script}); umount {self.place}")

    def pull(self) -> None:
        run("blockdev", "--setrw", self.device, check=False)
        run("losetup", "--detach", self.device, check=False)


class Machine:
    """A station with captures, its desk, and the unit that is started when the desk has asked."""

    def __init__(self, folder: Path, station: Station, centre: Centre) -> None:
        self.folder = folder
        for made in ("plugged", "asked", "told/lattrang-usb"):
            (folder / made).mkdir(parents=True)
        self.config = folder / "station.toml"
        broker = BrokerSection("127.0.0.1", *keys_of(centre, folder))
        sections = StationSection(STATION), SpoolSection(station.folder), WebSection(folder / "web.token")
        self.config.write_text(render(StationConfig(*sections, broker=broker)), "utf-8")
        self.spool = station.folder
        self.errand = Errand.named("usb", folder / "asked", folder / "told")
        self.desk = UsbDesk(self.errand, folder / "plugged")

    def plug(self, stick: Stick) -> str:
        (self.folder / "plugged" / stick.device.name).symlink_to(stick.device)
        return stick.device.name

    def carry(self, name: str) -> UsbProgress:
        self.desk.carry(name)
        self.run_unit()
        progress = self.errand.progress(UsbProgress)
        assert progress is not None
        return progress

    def run_unit(self) -> str:
        give(self.spool)
        give(self.folder)
        command = [sys.executable, "-m", "lattrang", "station", "export", "--config", self.config]
        command += ["--plugged", self.folder / "plugged", "--errand", self.folder / "asked", self.folder / "told"]
        done = subprocess.run(
            ["unshare", "-m", *as_the_unit("lattrang-usb.service"), *map(str, command)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        return done.stderr


def keys_of(centre: Centre, folder: Path) -> tuple[Path, Path, Path]:
    """Let the station in, and keep what it is known by in files."""
    key, request = ca.new_request(STATION)
    certificate = centre.authority.sign_station(STATION, request)
    with Catalogue(centre.config.database_url) as catalogue, catalogue.write() as connection:
        fleet_records.approve(connection, STATION, AT, ca.common_name(certificate))
    files = folder / "ca.crt", folder / "station.crt", folder / "station.key"
    for file, content in zip(files, (centre.office.ca.read_bytes(), certificate, key), strict=True):
        file.write_bytes(content)
    return files


@pytest.fixture
def machine(tmp_path: Path, station: Station, centre: Centre) -> Machine:
    return Machine(tmp_path / "machine", station, centre)


@pytest.fixture(params=["ext4", "vfat", "exfat"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def stick(tmp_path: Path, kind: str) -> Iterator[Stick]:
    yield from plugged_in(tmp_path, kind, 24)


def plugged_in(folder: Path, kind: str, mib: int) -> Iterator[Stick]:
    if os.geteuid() != 0:
        pytest.skip("only root may mount")
    if shutil.which(MAKERS[kind][0]) is None:
        pytest.skip(f"{MAKERS[kind][0]} is not installed")
    stick = Stick(folder, kind, mib)
    try:
        try:
            stick.by_hand("true")
        except AssertionError as error:
            pytest.skip(f"this kernel does not mount {kind}: {error}")
        yield stick
    finally:
        stick.pull()


def test_a_second_time_continues_and_takes_home_what_the_centre_answered(
    machine: Machine, station: Station, centre: Centre, stick: Stick
) -> None:
    station.capture("a1")
    name = machine.plug(stick)
    first = machine.carry(name)
    assert (first.step, first.captures, first.left, first.codes) == ("done", 1, 0, ())
    assert machine.desk.view().step == "done"
    station.capture("a2")
    again = machine.carry(name)
    assert (again.step, again.captures, again.already) == ("done", 1, 1)
    carried = machine.folder / "carried"
    carried.mkdir()
    stick.by_hand(f"cp -r . {carried}")
    assert centre.take(carried).captures == 2
    stick.by_hand(f"cp -rf {carried}/. .")
    home = machine.carry(name)
    assert (home.step, home.receipts, home.captures) == ("done", 2, 0)
    assert set(station.states().values()) == {"received"}


def test_other_peoples_files_stay_as_they_are(machine: Machine, station: Station, stick: Stick) -> None:
    # The station's folder is there already, made by an administrator: the unit may use it all the same.
    stick.by_hand(f"mkdir -p luan-van lattrang/{STATION} && echo thesis > luan-van/a.txt && echo note > note.txt")
    station.capture("a1")
    assert machine.carry(machine.plug(stick)).step == "done"
    assert stick.by_hand("cat luan-van/a.txt note.txt").split() == ["thesis", "note"]
    there = set(stick.by_hand("ls -A").split()) - {"lost+found"}
    assert there == {"luan-van", "note.txt", "lattrang"}


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Stick]:
    yield from plugged_in(tmp_path, "ext4", 2)


def test_a_full_disk_says_so_and_what_is_on_it_is_whole(
    machine: Machine, station: Station, centre: Centre, small: Stick
) -> None:
    station.capture("a1", "a2", "a3")
    free_kib = int(small.by_hand("df --output=avail -k . | tail -1"))
    small.by_hand(f"dd if=/dev/zero of=junk bs=1K count={free_kib - 160} status=none")
    progress = machine.carry(machine.plug(small))
    assert (progress.step, progress.code) == ("failed", "CARRY-02")
    assert (progress.captures > 0, progress.captures + progress.left) == (True, 3)
    carried = machine.folder / "carried"
    carried.mkdir()
    small.by_hand(f"cp -r lattrang {carried}")
    assert centre.take(carried).captures == progress.captures


def test_a_disk_that_may_not_be_written_is_refused(
    machine: Machine, station: Station, tmp_path: Path, small: Stick
) -> None:
    run("blockdev", "--setro", small.device)
    station.capture("a1")
    progress = machine.carry(machine.plug(small))
    assert (progress.step, progress.code) == ("failed", "CARRY-01")


def test_a_disk_of_another_kind_is_refused_and_not_touched(machine: Machine, station: Station, small: Stick) -> None:
    run("dd", "if=/dev/zero", f"of={small.device}", "bs=1M", "count=2", "conv=fsync", "status=none")
    station.capture("a1")
    before = small.file.read_bytes()
    assert machine.carry(machine.plug(small)).code == "CARRY-13"
    run("sync", small.file)
    assert small.file.read_bytes() == before


def test_a_disk_that_lies_about_what_it_wrote_is_found_out(machine: Machine, station: Station, small: Stick) -> None:
    station.capture("a1")
    name = machine.plug(small)
    machine.carry(name)
    small.by_hand(
        "f=$(ls lattrang/*/captures/a1/*.jpg | head -1); printf x | dd of=$f bs=1 seek=9 conv=notrunc status=none"
    )
    progress = machine.carry(name)
    assert (progress.step, progress.code, progress.codes) == ("failed", "CARRY-05", ("CARRY-05",))


def test_a_disk_that_is_mounted_already_or_gone_is_not_taken(machine: Machine, station: Station, small: Stick) -> None:
    station.capture("a1")
    name = machine.plug(small)
    run("mount", "-t", "ext4", small.device, small.place)
    try:
        assert machine.carry(name).code == "CARRY-12"
    finally:
        run("umount", small.place)
    (machine.folder / "plugged" / name).unlink()
    with pytest.raises(SetUpError, match="CARRY-12"):
        machine.desk.carry(name)
    assert machine.desk.view().step == "idle", "what was said of a disk goes with it"


def test_only_a_block_device_can_be_asked_for(machine: Machine, tmp_path: Path) -> None:
    (machine.folder / "plugged" / "sdz").symlink_to(tmp_path)
    assert machine.carry("sdz").code == "CARRY-12"


def test_a_name_is_shown_as_its_owner_wrote_it(tmp_path: Path) -> None:
    assert unescaped(r"S\xc3\xa1ch\x20cũ\x0a") == "Sách cũ"
    for made in ("plugged", "system/sdb1", "udev"):
        (tmp_path / made).mkdir(parents=True)
    (tmp_path / "plugged" / "sdb1").touch()
    (tmp_path / "plugged" / "..evil").touch()
    (tmp_path / "system/sdb1/size").write_text("62333952\n")
    (tmp_path / "system/sdb1/dev").write_text("8:17\n")
    (tmp_path / "udev/b8:17").write_text("E:ID_FS_LABEL_ENC=KHO\\x20S\\xc3\\x81CH\nE:ID_FS_TYPE=exfat\n")
    desk = UsbDesk(
        Errand.named("usb", tmp_path, tmp_path), tmp_path / "plugged", tmp_path / "system", tmp_path / "udev"
    )
    (disk,) = desk.disks()
    assert (disk.name, disk.label, disk.size_bytes, disk.kind) == ("sdb1", "KHO SÁCH", 31_914_983_424, "exfat")
