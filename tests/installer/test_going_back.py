"""An update that is taken back takes back what it did to the data: the program from before can read it again."""

from collections.abc import Iterator

import pytest

from tests.installer.machine import ROOT, Machine, machine

AS = "runuser --user {} --group {} -- bash -c 'umask {}; cd /opt/lattrang/current && {}'"
NEWER_CENTRE = """
from central.catalogue import Catalogue, database, schema
def step(connection): connection.exec_driver_sql("ALTER TABLE quarantine ADD COLUMN newer TEXT")
schema.MIGRATIONS = database.MIGRATIONS = (*schema.MIGRATIONS, step)
with Catalogue("sqlite:////srv/lattrang/store/catalogue.db") as catalogue, catalogue.write() as connection:
    connection.exec_driver_sql("INSERT INTO quarantine VALUES (?, 1, ?, ?)", ("after", "", ""))
"""
NEWER_STATION = """
import sqlite3
from pathlib import Path
from appliance.spool import schema
from appliance.spool.files import Disk
schema.MIGRATIONS = (*schema.MIGRATIONS, "ALTER TABLE jobs RENAME TO works;")
schema.Index(Path("/srv/lattrang/spool/station.db"), Disk()).close()
"""
OLD_STATION = """
from pathlib import Path
from appliance.spool.schema import Index
from appliance.spool.files import Disk
index = Index(Path("/srv/lattrang/spool/station.db"), Disk())
index.check()
if {new}: index.write(lambda connection: connection.execute("INSERT INTO jobs VALUES (?, 7)", ("job-1",)))
print(index.rows("SELECT changes FROM jobs"))
"""


@pytest.fixture(scope="module")
def installed() -> Iterator[Machine]:
    with machine() as made:
        made.lend_packages()
        for role in ("central --host kho.example", "station --simulated --name kho-1"):
            said = made.run(f"{ROOT}/install.sh {role}", online=False)
            assert said.returncode == 0, said.stderr
        yield made


def test_index_and_catalogue_are_what_they_were_before_a_newer_program_changed_them(installed: Machine) -> None:
    def python(user: str, script: str) -> str:
        group, umask = ("lattrang", "0007") if "station" in user else (user, "0077")
        installed.run(f"cat >/tmp/script.py <<'X'\n{script}\nX\nchmod 644 /tmp/script.py")
        command = "PYTHONPATH=. /run/lent/python3 /tmp/script.py"
        said = installed.run(AS.format(user, group, umask, command))
        assert said.returncode == 0, said.stderr
        return said.stdout

    items = AS.format("lattrang-central", "lattrang-central", "0077", "lattrang central items")
    assert installed.run(items).returncode == 0
    python("lattrang-station", OLD_STATION.format(new=True))
    python("lattrang-central", NEWER_CENTRE)
    python("lattrang-station", NEWER_STATION)
    assert "CAT-02" in installed.run(items).stderr

    said = installed.run("bash /opt/lattrang/current/install.sh activate back", online=False)
    assert said.returncode == 0, said.stderr
    assert said.stdout.count("is as it was before the update.") == 2, said.stdout + said.stderr
    assert installed.run(items).returncode == 0
    assert python("lattrang-station", OLD_STATION.format(new=False)) == "[(7,)]\n"
    again = installed.run("lattrang central setup --back")
    assert again.stdout == "The catalogue needed no going back.\n", "once is enough"
    kept = installed.run("stat -c '%U %a' /srv/lattrang/store/catalogue.db /srv/lattrang/spool/station.db").stdout
    assert kept.splitlines() == ["lattrang-central 600", "lattrang-station 660"]
