"""A station's life on the Pi's own software: installed from nothing, paired, switched off and on, updated, let down."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from benchmarks import rig, rig_site
from benchmarks.rig import ROOT, CommandFailed, Machine
from benchmarks.rig_office import Office
from benchmarks.rig_site import pages_at, screen

pytestmark = [pytest.mark.pi, pytest.mark.slow, pytest.mark.timeout(3600)]


def reboot(machine: Machine) -> None:
    machine.off()
    machine.boot()


def release_of(machine: Machine) -> str:
    return Path(machine.shell("readlink -f /opt/lattrang/current").strip()).name


def update(machine: Machine, keys: tuple[Path, bytes], work: Path, version: str, *, broken: bool = False) -> str:
    """Make a release with this version, carry it over, install it; return what was said."""
    source = work / f"source-{version}"
    ignored = shutil.ignore_patterns(".venv", ".git", "node_modules", "__pycache__", "measurements", "tests")
    shutil.copytree(ROOT, source, ignore=ignored)
    started = source / "wire" / "__init__.py"
    started.write_text(re.sub(r'VERSION = ".*"', f'VERSION = "{version}"', started.read_text("utf-8")), "utf-8")
    if broken:
        service = source / "appliance" / "station.py"
        service.write_text(
            service.read_text("utf-8").replace("    deaths: list", '    raise OSError("broken")\n    deaths: list', 1)
        )
    packed = work / f"{version}.tar"
    make = ["bash", str(source / "tools/make_release.sh"), "--key", str(keys[0]), "--out", str(packed)]
    subprocess.run([*make, "--wheels", str(rig.folder() / "wheels")], check=True, capture_output=True)
    machine.put(packed.read_bytes(), f"/root/{version}.tar")
    return machine.shell(f"/opt/lattrang/current/install.sh update /root/{version}.tar 2>&1", timeout_s=1200)


def test_after_one_install_and_one_reboot_a_press_reaches_the_centre(place: tuple[Machine, Office]) -> None:
    machine, office = place
    reboot(machine)
    screen(machine, "2")
    rig_site.wait_until_sent(machine)
    assert pages_at(office) >= 2


def test_installing_again_changes_nothing_and_the_next_press_arrives_too(place: tuple[Machine, Office]) -> None:
    machine, office = place
    before, pages = machine.shell("sha256sum /etc/lattrang/station.toml"), pages_at(office)
    rig_site.install(machine)
    assert machine.shell("sha256sum /etc/lattrang/station.toml") == before
    screen(machine, "2")
    rig_site.wait_until_sent(machine)
    assert pages_at(office) > pages


def test_an_update_is_taken_into_use_and_the_next_press_arrives(
    place: tuple[Machine, Office], keys: tuple[Path, bytes], tmp_path: Path
) -> None:
    machine, office = place
    pages = pages_at(office)
    update(machine, keys, tmp_path, "0.9.1")
    assert release_of(machine) == "0.9.1"
    screen(machine, "2")
    rig_site.wait_until_sent(machine)
    assert pages_at(office) > pages


def test_an_update_that_does_not_come_up_is_taken_back_and_nothing_is_lost(
    place: tuple[Machine, Office], keys: tuple[Path, bytes], tmp_path: Path
) -> None:
    machine, office = place
    before, pages = release_of(machine), pages_at(office)
    screen(machine, "2")
    with pytest.raises(CommandFailed, match="UPD-05"):
        update(machine, keys, tmp_path, "0.9.2", broken=True)
    assert release_of(machine) == before
    screen(machine, "2")
    rig_site.deliver(machine)
    assert pages_at(office) >= pages + 2
    assert office.shell("lattrang central audit")
