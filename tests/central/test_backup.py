"""Backups: made while the centre works, proved before anything is changed, and a working centre comes of them."""

import shutil
import sqlite3
import stat
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from central import backup
from central.authority import ca, provision
from central.errors import BackupError, BrokerError
from central.restoring import restore
from lattrang.cli import main
from tests.central.authority.test_access import may_offer
from tests.central.house import House, eventually
from tests.central.station_client import capture
from tests.central.test_door import knock
from wire import codec, topics
from wire.messages import StationStatus

pytestmark = pytest.mark.broker
NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


@pytest.fixture
def own_house(tmp_path: Path) -> Iterator[House]:
    """A centre of its own, which may be broken."""
    try:
        house = House(tmp_path / "centre")
    except BrokerError as error:
        pytest.skip(f"no Mosquitto here: {error}")
    yield house
    house.broker.stop()


def lose_the_machine(house: House) -> None:
    house.broker.stop()
    for lost in (house.config.broker.pki, house.folder / "broker"):
        shutil.rmtree(lost)
    for file in (house.centre.config_file, house.config.web.token_file):
        file.unlink()
    for file in house.config.store.glob("catalogue.db*"):
        file.unlink()
    (house.folder / "broker").mkdir()


def test_a_working_centre_comes_of_a_backup(own_house: House, tmp_path: Path) -> None:
    house = own_house
    with house.station("stayer") as stayer, house.worker():
        before = stayer.deliver(capture("stayer", sequence=1))
        provision.new_station(house.config, "leaver", house.folder / "station-leaver")
        provision.revoke_station(house.config, "leaver")
        assert main(["central", "backup", str(tmp_path / "saved.tar"), "--config", str(house.centre.config_file)]) == 0
        since = stayer.deliver(capture("stayer", sequence=2))
    lose_the_machine(house)
    assert main(["central", "restore", str(tmp_path / "saved.tar"), "--config", str(house.centre.config_file)]) == 0

    # The same paths as before, as after `install.sh central` on a new machine with the old store.
    house.broker.start()
    assert not may_offer(house, house.station("leaver").tls, "leaver"), "who was shut out stays out"
    with house.worker(), house.client(stayer.tls, "stayer") as client:
        again = client.deliver(capture("stayer", sequence=3))
        client.publish(topics.status("stayer"), codec.encode(StationStatus(station="stayer", online=True)))
        eventually(lambda: main(["central", "audit", "--config", str(house.centre.config_file)]) == 0)
    with house.catalogue() as catalogue, catalogue.read() as connection:
        known = {row[0] for row in connection.exec_driver_sql("SELECT capture_id FROM captures")}
    assert known == {one.object.id for one in (before, since, again)}, (
        "what came after the backup was found in the store"
    )
    provision.new_station(house.config, "newcomer", house.folder / "station-newcomer")
    secrets = [*house.config.broker.pki.glob("*.key"), house.config.web.token_file, *house.folder.glob("broker/*.json")]
    assert {stat.S_IMODE(file.stat().st_mode) for file in secrets} == {0o600}


def test_a_backup_can_be_read_by_its_owner_alone_and_holds_no_page(house: House, tmp_path: Path) -> None:
    file = backup.make(house.config, house.centre.config_file, tmp_path / "saved.tar", NOW)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with tarfile.open(file) as tar:
        names = tar.getnames()
    assert {"central.toml", "catalogue.sqlite", "pki/ca.key", "pki/revoked.crl", "secrets/web.token"} <= set(names)
    assert not [name for name in names if name.endswith(".jpg")]
    assert [path.name for path in tmp_path.iterdir()] == ["saved.tar"]


def test_a_backup_made_while_the_catalogue_is_written_is_one_moment_of_it(own_house: House, tmp_path: Path) -> None:
    own_house.layout.create()
    stop, written = threading.Event(), []

    def write() -> None:
        with own_house.catalogue() as catalogue:
            while not stop.is_set():
                # Two rows that belong together: a moment has both or none.
                with catalogue.write() as connection:
                    for half in "ab":
                        connection.exec_driver_sql(
                            "INSERT INTO quarantine (reason, count, last_at) VALUES (?, 1, '')",
                            (f"{len(written)}{half}",),
                        )
                written.append(1)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        for number in range(5):
            seen = len(written)
            eventually(lambda seen=seen: len(written) > seen + 3)
            file = backup.make(own_house.config, own_house.centre.config_file, tmp_path / f"{number}.tar", NOW)
            with tarfile.open(file) as tar:
                tar.extract("catalogue.sqlite", tmp_path, filter="data")
            with sqlite3.connect(tmp_path / "catalogue.sqlite") as copy:
                (rows,) = copy.execute("SELECT COUNT(*) FROM quarantine").fetchone()
            assert rows % 2 == 0
            assert rows >= 2 * seen
    finally:
        stop.set()
        thread.join(10)


@pytest.mark.parametrize("damage", ["half", "one bit", "a part too many", "another file"])
def test_what_is_not_a_whole_backup_changes_nothing(house: House, tmp_path: Path, damage: str) -> None:
    file = backup.make(house.config, house.centre.config_file, tmp_path / "saved.tar", NOW)
    content = bytearray(file.read_bytes())
    match damage:
        case "half":
            del content[len(content) // 2 :]
        case "one bit":
            content[content.index(b"BEGIN PRIVATE KEY") + 60] ^= 1
        case "another file":
            content = bytearray(b"a letter")
    file.write_bytes(content)
    if damage == "a part too many":
        with tarfile.open(file, "a") as tar:
            tar.addfile(tarfile.TarInfo("../outside"))
    target = tmp_path / "new"
    target.mkdir()
    with pytest.raises(BackupError, match="BACKUP-02"):
        restore(file, target / "central.toml", now=NOW)
    assert list(target.iterdir()) == []
    assert not (tmp_path / "outside").exists()


def test_a_centre_that_runs_is_not_restored_over(house: House, tmp_path: Path) -> None:
    file = backup.make(house.config, house.centre.config_file, tmp_path / "saved.tar", NOW)
    before = {path: path.read_bytes() for path in house.config.broker.pki.iterdir()}
    with pytest.raises(BackupError, match="BACKUP-04"):
        restore(file, house.centre.config_file, now=NOW)
    assert {path: path.read_bytes() for path in house.config.broker.pki.iterdir()} == before


def test_what_lay_there_is_moved_aside_and_the_configuration_that_is_there_holds(
    own_house: House, tmp_path: Path
) -> None:
    house = own_house
    file = backup.make(house.config, house.centre.config_file, tmp_path / "saved.tar", NOW)
    authority = (house.config.broker.pki / "ca.crt").read_bytes()
    house.broker.stop()
    shutil.rmtree(house.config.broker.pki)
    # As a fresh installation leaves it: another authority under the same paths.
    ca.Authority.open(house.config.broker.pki)
    house.centre.config_file.write_text(house.centre.config_file.read_text() + "# ours\n")
    restored = restore(file, house.centre.config_file, now=NOW)
    assert (house.config.broker.pki / "ca.crt").read_bytes() == authority
    aside = house.config.broker.pki.with_name("pki.before-20260304T050607Z")
    assert aside in restored.aside
    assert (aside / "ca.key").exists()
    assert house.centre.config_file.read_text().endswith("# ours\n")


def test_whoever_was_shut_out_since_stays_out_where_a_backup_is_put_back_over_its_own_centre(
    own_house: House, tmp_path: Path
) -> None:
    leaver = own_house.station("leaver").tls
    file = backup.make(own_house.config, own_house.centre.config_file, tmp_path / "saved.tar", NOW)
    provision.revoke_station(own_house.config, "leaver")
    own_house.broker.stop()
    restore(file, own_house.centre.config_file, now=NOW)
    own_house.broker.start()
    assert knock(own_house, leaver) == "SSLV3_ALERT_CERTIFICATE_REVOKED"
    stayer = own_house.station("stayer").tls
    provision.revoke_station(own_house.config, "stayer")
    eventually(lambda: knock(own_house, stayer) == "SSLV3_ALERT_CERTIFICATE_REVOKED")


def test_a_damaged_catalogue_is_no_backup_and_pushes_none_out(own_house: House, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    backup.make(own_house.config, own_house.centre.config_file, folder, NOW)
    database = backup.database_file(own_house.config)
    with sqlite3.connect(database) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = bytearray(database.read_bytes())
    content[4096:8192] = b"\xff" * 4096
    database.write_bytes(content)
    with pytest.raises(BackupError, match="BACKUP-03"):
        backup.make(own_house.config, own_house.centre.config_file, folder, NOW + timedelta(days=400))
    assert [path.name for path in folder.iterdir()] == ["lattrang-20260304T050607Z.tar"]


def test_a_full_disk_leaves_the_backup_from_before(house: House, tmp_path: Path) -> None:
    file = backup.make(house.config, house.centre.config_file, tmp_path / "saved.tar", NOW)
    before = file.read_bytes()
    script = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000));"
        "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "from lattrang.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    arguments = ["central", "backup", str(file), "--config", str(house.centre.config_file)]
    said = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=False)
    assert (said.returncode, "BACKUP-0" in said.stderr) == (5, True), said.stderr
    assert file.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["saved.tar"]


def test_of_daily_backups_days_weeks_and_months_are_kept_and_only_our_own_files_go(
    house: House, tmp_path: Path
) -> None:
    made: set[datetime] = set()
    for day in range(800):
        made.add(NOW + timedelta(days=day))
        made -= backup.surplus(made)
        assert NOW + timedelta(days=day) in made
    last = NOW + timedelta(days=799)
    ages = sorted((last - at).days for at in made)
    assert ages[:7] == [0, 1, 2, 3, 4, 5, 6]
    assert len([age for age in ages if age <= 35]) >= 10
    assert 300 <= ages[-1] <= 366
    assert len(ages) <= 24
    for name in ("lattrang-20200101T000000Z.tar", "photographs.tar", "lattrang-notes.tar"):
        (tmp_path / name).touch()
    for day in range(9):
        backup.make(house.config, house.centre.config_file, tmp_path, NOW + timedelta(days=day))
    left = {path.name for path in tmp_path.iterdir()}
    assert {"photographs.tar", "lattrang-notes.tar", "lattrang-20200101T000000Z.tar"} <= left
    assert "lattrang-20260304T050607Z.tar" not in left
