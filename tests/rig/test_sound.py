"""A station that is confined as its unit says can be heard. On Debian's own kernel: that of the rig knows no sound."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import rig, rig_house
from benchmarks.rig import ROOT, CommandFailed, Machine
from firmware.interfaces import Signal
from firmware.sounds import SOUNDS, render

pytestmark = [pytest.mark.pi, pytest.mark.slow, pytest.mark.timeout(1800)]

UNIT = "/etc/systemd/system/lattrang-station.service"
PLAYS = """[Service]
Type=oneshot
WatchdogSec=0
Restart=no
ExecStart=
ExecStart=/usr/bin/aplay -q /opt/sound.wav
"""


@pytest.fixture(scope="module")
def machine(scripts: Path) -> Iterator[Machine]:
    """A machine with a sound card that nobody hears, and the station's unit, which plays a sound and ends."""
    if shutil.which("qemu-system-x86_64") is None:
        pytest.skip("qemu-system-x86_64 is not installed: no kernel here that knows sound")
    folder = rig.folder()
    rig.build(folder, scripts)
    rig_house.furnish(folder)
    disk = folder / "sound.img"
    disk.unlink(missing_ok=True)
    machine = Machine(scripts, folder, disk.name, kernel="tcg")
    machine.boot()
    try:
        machine.shell("modprobe snd-dummy && rm -r /etc/systemd/system/lattrang-station.service.d")
        machine.put((ROOT / "systemd/sysusers.d/lattrang-station.conf").read_bytes(), "/etc/sysusers.d/lattrang.conf")
        machine.put((ROOT / "systemd/tmpfiles.d/lattrang-station.conf").read_bytes(), "/etc/tmpfiles.d/lattrang.conf")
        machine.shell("systemd-sysusers && systemd-tmpfiles --create lattrang.conf")
        machine.put((ROOT / "systemd/lattrang-station.service").read_bytes(), UNIT)
        machine.put(render(SOUNDS[Signal.OK], 0.35), "/opt/sound.wav")
        yield machine
    finally:
        machine.off()


def play(machine: Machine, more: str = "") -> None:
    machine.put((PLAYS + more).encode(), f"{UNIT}.d/plays.conf")
    machine.shell(
        "systemctl daemon-reload && systemctl start lattrang-station || (journalctl -u lattrang-station; false)"
    )


def test_it_can_be_heard(machine: Machine) -> None:
    play(machine)


def test_it_would_not_be_if_the_unit_did_not_name_sound_cards(machine: Machine) -> None:
    with pytest.raises(CommandFailed, match="aplay"):
        play(machine, "DeviceAllow=\nDeviceAllow=char-gpiochip rw\n")
