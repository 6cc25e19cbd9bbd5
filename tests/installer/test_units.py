"""The units: systemd understands them, they are shut tight, and they name what the installer and the program have."""

import re
import shutil
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

import pytest

from lattrang.cli import build_parser

FOLDER = Path(__file__).parents[2] / "systemd"
SERVICES = sorted(FOLDER.glob("*.service"))
UNITS = sorted([*SERVICES, *FOLDER.glob("*.timer"), *FOLDER.glob("*.path")])
LONGEST_EXPOSURE = 2.0
OF_A_BROWSER = 2.2  # chroot is for its own sandbox, which is worth more
DEVICES = {
    "lattrang-station.service": {"char-video4linux", "char-media", "char-dma_heap", "char-gpiochip", "char-alsa"},
    "lattrang-usb.service": {"block-sd"},
    "lattrang-kiosk.service": {"char-drm", "char-input", "char-tty"},
}
PROGRAM = "/opt/lattrang/current/venv/bin/lattrang"

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not here: apt install systemd"
)


class Unit(ConfigParser):
    """A unit file; a key that stands several times keeps all its values, one a line."""

    def __init__(self, path: Path) -> None:
        super().__init__(strict=False, interpolation=None, delimiters=("=",), comment_prefixes=("#",))
        self.optionxform = str  # type: ignore[assignment, method-assign]
        self.name = path.name
        self.read_string(path.read_text("utf-8"))
        self.lines = path.read_text("utf-8").splitlines()

    def all(self, key: str) -> list[str]:
        return [line.removeprefix(f"{key}=") for line in self.lines if line.startswith(f"{key}=")]


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The units in a folder of their own; what they start exists there."""
    for unit in UNITS:
        text = unit.read_text("utf-8").replace(PROGRAM, sys.executable)
        text = text.replace("/usr/sbin/mosquitto", sys.executable).replace("/usr/sbin/nginx", sys.executable)
        (tmp_path / unit.name).write_text(text, "utf-8")
    return tmp_path


@needs_systemd
def test_systemd_understands_every_line(installed: Path) -> None:
    files = [str(installed / unit.name) for unit in UNITS]
    found = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *files], capture_output=True, text=True, check=False
    )
    ours = [line for line in (found.stdout + found.stderr).splitlines() if "lattrang" in line or str(installed) in line]
    assert ours == []


@needs_systemd
@pytest.mark.parametrize("service", SERVICES, ids=lambda path: path.name)
def test_a_service_that_is_broken_into_can_reach_little(service: Path, installed: Path) -> None:
    file = installed / service.name.replace("@.", "@w1.")
    (installed / service.name).rename(file)
    table = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", str(file)], capture_output=True, text=True, check=False
    ).stdout
    exposure = re.search(r"exposure level for \S+: ([\d.]+)", table)
    assert exposure is not None, table
    allowed = OF_A_BROWSER if "kiosk" in service.name else LONGEST_EXPOSURE
    assert float(exposure.group(1)) <= allowed, table


@pytest.mark.parametrize("service", SERVICES, ids=lambda path: path.name)
def test_every_service_runs_a_command_that_exists_as_a_user_that_is_made(service: Path) -> None:
    unit = Unit(service)
    made = "".join(file.read_text("utf-8") for file in (FOLDER / "sysusers.d").iterdir())
    users = re.findall(r"^[ug] (\S+)", made, re.MULTILINE)
    if unit["Service"]["User"] == "root":
        # Root asks systemd to start something, and runs no program of ours.
        assert unit["Service"]["ExecStart"].startswith("/usr/bin/systemctl try-restart lattrang-")
        return
    assert {unit["Service"]["User"], unit["Service"]["Group"]} <= set(users)
    assert set(unit["Service"].get("SupplementaryGroups", "").split()) <= set(users)
    program, *arguments = unit["Service"]["ExecStart"].split()
    if program == PROGRAM:
        build_parser().parse_args([argument.replace("%i", "w1") for argument in arguments])


@pytest.mark.parametrize("service", SERVICES, ids=lambda path: path.name)
def test_a_service_is_watched_and_started_again(service: Path) -> None:
    section = Unit(service)["Service"]
    if section["Type"] == "oneshot":
        return
    assert section["Restart"] == "always"
    # nginx and the browser do not say when they are ready, nor that they live.
    speaks = not {"nginx", "kiosk"} & set(section["ExecStart"].replace("/", " ").split())
    assert section["Type"] == ("notify" if speaks else "exec")
    if section["ExecStart"].startswith(PROGRAM) and speaks:
        assert 60 <= int(section["WatchdogSec"]) <= 300


def test_the_two_services_of_a_station_share_the_spool_and_nothing_else() -> None:
    station, publisher = Unit(FOLDER / "lattrang-station.service"), Unit(FOLDER / "lattrang-publisher.service")
    for unit in (station, publisher):
        assert unit["Service"]["Group"] == "lattrang"
        assert unit["Service"]["UMask"] == "0007"
        asks = ["-/run/lattrang-asked"] if unit is station else []
        assert unit.all("ReadWritePaths") == ["/srv/lattrang/spool", *asks]
        assert unit["Service"]["StateDirectoryMode"] == "0700"
    assert station["Service"]["User"] != publisher["Service"]["User"]
    assert "d /srv/lattrang/spool 2770 lattrang-station lattrang -" in (
        FOLDER / "tmpfiles.d" / "lattrang-station.conf"
    ).read_text("utf-8")


def test_a_station_may_ask_whether_its_clock_is_synchronised() -> None:
    for name in ("lattrang-station.service", "lattrang-publisher.service"):
        unit = Unit(FOLDER / name)
        assert unit.all("ProtectClock") == []
        assert "adjtimex clock_adjtime" in unit.all("SystemCallFilter")


def test_devices_are_named_and_only_those_have_any_that_need_them() -> None:
    for service in SERVICES:
        unit = Unit(service)
        assert unit.all("DevicePolicy") == ["closed"]
        wanted = DEVICES.get(service.name, set())
        assert {line.split()[0] for line in unit.all("DeviceAllow")} == wanted


def test_a_worker_does_not_see_the_keys_that_let_stations_in() -> None:
    hidden = " ".join(Unit(FOLDER / "lattrang-worker@.service").all("InaccessiblePaths"))
    for key in ("ca.key", "admin.key", "office.key", "server.key", "web.token"):
        assert f"/{key}" in hidden


@pytest.mark.skipif(shutil.which("systemd-sysusers") is None, reason="systemd-sysusers is not here")
def test_systemd_makes_the_users(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    files = sorted(map(str, (FOLDER / "sysusers.d").iterdir()))
    found = subprocess.run(
        ["systemd-sysusers", "--dry-run", f"--root={tmp_path}", *files], capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stderr
    for user in ("lattrang-station", "lattrang-publisher", "lattrang-central", "lattrang-broker"):
        assert f"{user}:x:" in found.stdout or f"'{user}'" in found.stdout + found.stderr


def test_the_units_that_a_screen_asks_are_no_root_and_hold_what_they_need_and_no_more() -> None:
    rights = {"pair": {"CAP_DAC_OVERRIDE", "CAP_CHOWN"}, "usb": {"CAP_DAC_OVERRIDE", "CAP_SYS_ADMIN"}}
    for name, wanted in rights.items():
        unit, path = Unit(FOLDER / f"lattrang-{name}.service"), Unit(FOLDER / f"lattrang-{name}.path")
        assert unit["Service"]["User"] == "lattrang-publisher"
        assert set(unit["Service"]["CapabilityBoundingSet"].split()) == wanted
        assert set(unit["Service"]["AmbientCapabilities"].split()) == wanted
        asked, told = unit["Service"]["ExecStart"].split("--errand ")[1].split()
        assert path["Path"]["PathExists"] == f"{asked}/{name}.json"
        assert unit["Service"]["RuntimeDirectory"] == f"lattrang-{name}"
        assert told == "/run"
    assert Unit(FOLDER / "lattrang-usb.service")["Service"]["PrivateMounts"] == "yes"
    folders = (FOLDER / "tmpfiles.d" / "lattrang-station.conf").read_text("utf-8")
    assert "d /run/lattrang-asked 2770 lattrang-station lattrang -" in folders


@pytest.mark.parametrize(("name", "action"), [("off", "poweroff"), ("restart", "reboot")])
def test_what_switches_the_machine_off_has_no_right_to_anything_and_leaves_it_to_systemd(
    name: str, action: str
) -> None:
    unit, path = Unit(FOLDER / f"lattrang-{name}.service"), Unit(FOLDER / f"lattrang-{name}.path")
    # Only where the program ends well: a request that is none, or is late, changes nothing.
    assert unit["Unit"]["SuccessAction"] == action
    assert "FailureAction" not in unit["Unit"]
    assert unit["Service"]["CapabilityBoundingSet"] == ""
    assert "AmbientCapabilities" not in unit["Service"]
    assert f"station power {name} --errand /run/lattrang-asked /run" in unit["Service"]["ExecStart"]
    assert path["Path"]["PathExists"] == f"/run/lattrang-asked/{name}.json"


def test_a_request_that_nobody_can_take_is_tried_again_every_few_seconds_and_no_faster() -> None:
    for name in ("pair", "usb", "off", "restart"):
        unit = Unit(FOLDER / f"lattrang-{name}.service")
        # Found again for as long as it lies there: without this a missing program was started eleven times a second.
        pace = f"/bin/sh -c 'test ! -e /run/lattrang-asked/{name}.json || sleep 5'"
        assert unit["Service"]["ExecStopPost"] == f"+-{pace}"
        # Where one of these is missing there is no namespace, and then nothing runs that could wait or tell.
        needed = {place for place in unit["Service"]["ReadWritePaths"].split() if not place.startswith("-")}
        assert needed == {"/run/lattrang-asked"}


def test_the_browser_on_the_display_reaches_the_screen_and_nothing_else() -> None:
    unit = Unit(FOLDER / "lattrang-kiosk.service")
    assert (unit.all("IPAddressDeny"), unit.all("IPAddressAllow")) == (["any"], ["localhost"])
    hidden = " ".join(unit.all("InaccessiblePaths"))
    for place in ("/srv/lattrang", "/etc/lattrang", "/var/lib/lattrang-station", "/var/lib/lattrang-publisher"):
        assert f"-{place}" in hidden
    assert "video render" in unit["Service"]["SupplementaryGroups"]
    # After what takes @mount away, which holds it: the browser's own sandbox needs it.
    assert unit.all("SystemCallFilter")[-1] == "chroot"
    assert "lattrang" not in unit["Service"]["SupplementaryGroups"].split()
