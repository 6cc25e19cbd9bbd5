"""Installing where the network or the disk fails: a sentence and a code."""

import re

import pytest

from benchmarks import rig_site
from benchmarks.rig import CommandFailed, Machine
from wire import VERSION

pytestmark = [pytest.mark.pi, pytest.mark.slow, pytest.mark.timeout(3600)]

INSTALL = "cd /opt/src && ./install.sh station --name rig-1 2>&1"
FAILED = "install.sh: {}: [^\n]+[.]"


def fails(machine: Machine, code: str, command: str = INSTALL) -> None:
    with pytest.raises(CommandFailed) as caught:
        machine.shell(command, timeout_s=rig_site.INSTALL_S)
    assert re.search(FAILED.format(code), caught.value.said), caught.value.said


def test_without_a_network_it_says_so(clean: Machine) -> None:
    clean.shell("rm -r /opt/src/wheels")  # there is no way out of the rig
    fails(clean, "INST-12")


def test_a_disk_that_fills_up_while_it_works_is_named(clean: Machine) -> None:
    fill = "fallocate -l $(($(stat -f -c '%f * %S' /) - 40000000)) /filling"  # what is kept for root as well
    when_it_has_begun = "until [ -e /opt/lattrang/releases/*/venv/bin/pip ]; do sleep 0.2; done"
    fails(clean, "INST-11", f"({when_it_has_begun}; {fill}) & {INSTALL}")


def test_power_that_goes_while_it_works_costs_nothing_but_running_it_again(clean: Machine) -> None:
    clean.shell("sync")  # the copy it works from is not what is tried here
    # In the middle of the copy, with half an environment, before the change-over, and before the services.
    for begun in (
        "/opt/lattrang/releases/*/wire",
        "/opt/lattrang/releases/*/venv/bin/pip",
        "/opt/lattrang/releases/*/complete",
        "/etc/lattrang/station.toml",
    ):
        said = clean.start(INSTALL)
        clean.shell(f"until [ -e {begun} ]; do sleep 0.05; done", timeout_s=rig_site.INSTALL_S)
        clean.cut()
        said.kill()  # nobody is at the other end any more
        said.communicate()
        clean.boot()
    clean.shell(INSTALL, timeout_s=rig_site.INSTALL_S)
    clean.shell("systemctl is-active lattrang-station.service lattrang-publisher.path")
    clean.off()
    clean.boot()
    clean.shell("until systemctl is-active -q lattrang-station.service; do sleep 1; done", timeout_s=120)
    assert clean.shell("ls /opt/lattrang/releases").split() == [VERSION]
