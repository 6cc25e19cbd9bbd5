"""What can be reached over the network, and whether docs/security.md says so."""

import re

import pytest

from benchmarks.rig import ROOT, Machine
from benchmarks.rig_office import ADDRESS, Office
from benchmarks.rig_site import STATION_ADDRESS

pytestmark = [pytest.mark.pi, pytest.mark.slow, pytest.mark.timeout(3600)]

SCAN = "nmap -n -Pn -sT -p- --min-rate 2000 -oG - {}"
LISTENING = "ss -Hltun"
THE_RIGS_OWN = "22/tcp"


def documented(role: str) -> set[str]:
    """Return the ports that the table in docs/security.md names for a role and that others can reach."""
    rows = re.findall(r"^\| (\w+) \| `(\d+/\w+)` \| ([^|]+) \|", (ROOT / "docs/security.md").read_text("utf-8"), re.M)
    return {port for owner, port, reach in rows if owner == role and reach.strip() == "the network"}


def open_ports(scan: str) -> set[str]:
    assert "Nmap done" in scan
    return {f"{port}/tcp" for port in re.findall(r"(\d+)/open/tcp", scan)}


def listening(told: str) -> set[str]:
    """Return the ports that are not the machine's own business, from what `ss` lists."""
    fields = [line.split() for line in told.splitlines()]
    return {
        f"{each[4].rpartition(':')[2]}/{each[0]}" for each in fields if not re.match(r"127\.|\[::1\]|\[fe80", each[4])
    }


def test_a_station_can_be_reached_at_documented_ports_only(place: tuple[Machine, Office]) -> None:
    machine, office = place
    found = open_ports(office.shell(SCAN.format(STATION_ADDRESS), timeout_s=900))
    assert found == documented("station") | {THE_RIGS_OWN}
    assert listening(machine.shell(LISTENING)) == found


def test_a_centre_can_be_reached_at_documented_ports_only(place: tuple[Machine, Office]) -> None:
    machine, office = place
    found = open_ports(machine.shell(SCAN.format(ADDRESS), timeout_s=900)) - {THE_RIGS_OWN}
    inside = listening(office.shell(LISTENING)) - {THE_RIGS_OWN}
    assert inside <= documented("centre")  # a container may not set clocks, so there is no time server in it
    assert found == {port for port in documented("centre") if port.endswith("/tcp")}
