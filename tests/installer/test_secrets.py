"""Every secret of an installed machine belongs to one service, and nobody else can read it: tried as each of them."""

from collections.abc import Iterator

import pytest

from tests.installer.machine import ROOT, Machine, machine

SERVICES = ("lattrang-central", "lattrang-broker", "lattrang-web", "lattrang-station", "lattrang-publisher")
OWNERS = {
    "/var/lib/lattrang-central/pki/ca.key": "lattrang-central",
    "/var/lib/lattrang-central/pki/admin.key": "lattrang-central",
    "/var/lib/lattrang-central/pki/server.key": "lattrang-central",
    "/var/lib/lattrang-central/pki/worker.w1.key": "lattrang-central",
    "/var/lib/lattrang-central/web.token": "lattrang-central",
    "/var/lib/lattrang-central/web.secret": "lattrang-central",
    "/var/backups/lattrang/one.tar": "lattrang-central",
    "/srv/lattrang/store/catalogue.db": "lattrang-central",
    "/var/lib/lattrang-broker/dynamic-security.json": "lattrang-broker",
    "/var/lib/lattrang-publisher/station.key": "lattrang-publisher",
    "/var/lib/lattrang-station/web.token": "lattrang-station",
}
WHERE = "/etc/lattrang /var/lib/lattrang-* /srv/lattrang /var/backups/lattrang /run/lattrang* /tmp/lattrang*"
AS_THE_SERVICES_DO = """
set -e
as() {{ runuser --user "$1" --group "$2" -- bash -c "umask $3; cd /opt/lattrang/current && $4"; }}
python=/run/lent/python3
as lattrang-central lattrang-central 0077 "lattrang central backup /var/backups/lattrang/one.tar >/dev/null"
as lattrang-central lattrang-central 0077 "$python -c 'from pathlib import Path; from central.authority import ca;
ca.load_or_make_secret(Path(\\"/var/lib/lattrang-central/web.secret\\"))'"
install -d -m 700 -o lattrang-station -g lattrang /var/lib/lattrang-station
as lattrang-station lattrang 0007 "$python -c 'from pathlib import Path; from web_ui.common import keyfile;
keyfile.load_or_create(Path(\\"/var/lib/lattrang-station/web.token\\"))'"
# Pairing is typed by root.
cd /opt/lattrang/current && "$python" -c '
from pathlib import Path; from appliance.pairing.files import Certificates
folder = Path("/var/lib/lattrang-publisher")
files = Certificates(folder / "ca.crt", folder / "station.crt", folder / "station.key")
files.pending_key(); files.install("authority", "certificate")'
"""


@pytest.fixture(scope="module")
def installed() -> Iterator[Machine]:
    """A machine that is centre and station at once, in which every service has made what it makes."""
    with machine() as made:
        made.lend_packages()
        for role in ("central --host kho.example", "station --simulated --name kho-1"):
            said = made.run(f"{ROOT}/install.sh {role}", online=False)
            assert said.returncode == 0, said.stderr
        said = made.run(AS_THE_SERVICES_DO.format(), online=False)
        assert said.returncode == 0, said.stderr
        yield made


def readable(installed: Machine, user: str) -> set[str]:
    # The two services of a station have the group of the spool as their own.
    group = "lattrang" if user in ("lattrang-station", "lattrang-publisher") else user
    seen = f"runuser --user {user} --group {group} -- find {WHERE} -type f -readable 2>/dev/null"
    return set(installed.run(seen).stdout.split())


def test_each_secret_is_readable_by_its_own_service_alone(installed: Machine) -> None:
    seen = {user: readable(installed, user) for user in SERVICES}
    seen["nobody"] = set(installed.run(f"find {WHERE} -type f -readable 2>/dev/null", user="nobody").stdout.split())
    assert "/etc/lattrang/nginx.conf" in seen["nobody"], "they do look"
    who = {secret: {user for user, files in seen.items() if secret in files} for secret in OWNERS}
    assert who == {secret: {owner} for secret, owner in OWNERS.items()}


def test_whatever_holds_a_private_key_or_opens_a_door_has_no_right_for_others(installed: Machine) -> None:
    by_name = " -o ".join(f"-name '*.{end}'" for end in ("token", "secret", "tar", "db"))
    held = installed.run(f"grep -rlIs -e 'PRIVATE KEY' {WHERE}; find {WHERE} -type f '(' {by_name} ')'").stdout.split()
    assert set(OWNERS) - {"/var/lib/lattrang-broker/dynamic-security.json"} <= set(held)
    modes = installed.run(f"stat -c '%a %U %n' {' '.join(held)}").stdout.splitlines()
    assert {line.split()[0] for line in modes} == {"600"}, modes
    assert {line.split()[1] for line in modes} <= set(SERVICES), modes


def test_a_configuration_that_may_hold_a_password_is_read_by_its_own_services_alone(installed: Machine) -> None:
    assert "/etc/lattrang/central.toml" in readable(installed, "lattrang-central")
    assert "/etc/lattrang/station.toml" in readable(installed, "lattrang-publisher")
    for user in ("lattrang-web", "lattrang-broker"):
        assert not {"/etc/lattrang/central.toml", "/etc/lattrang/station.toml"} & readable(installed, user)


def test_no_service_can_change_what_it_runs_or_is_told(installed: Machine) -> None:
    for user in (*SERVICES, "nobody"):
        found = "find /opt/lattrang /etc/lattrang /etc/systemd/system/lattrang-* ! -type l -writable 2>/dev/null"
        assert installed.run(found, user=user).stdout.split() == [], user
