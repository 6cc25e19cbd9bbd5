"""install.sh on a machine of its own, where what goes wrong really does: no line, no room, no right, half a copy."""

import re
import sys
from collections.abc import Iterator

import pytest

from tests.installer.machine import ROOT, Machine, machine

WORDS = "install.sh: {}: [A-Za-z0-9/][^\n]+[.]"


@pytest.fixture(scope="module")
def shared() -> Iterator[Machine]:
    with machine() as made:
        yield made


@pytest.fixture
def own() -> Iterator[Machine]:
    with machine() as made:
        yield made


def test_without_a_network_packages_do_not_come_and_a_code_says_why(shared: Machine) -> None:
    # A mirror by its name: without a line nobody can say where that is.
    said = shared.call(
        "rm -rf /var/lib/apt/lists/* /etc/apt/sources.list.d;"
        "echo 'Acquire::Retries \"0\";' >/etc/apt/apt.conf.d/99once;"
        "echo 'deb http://mirror.invalid/debian stable main' >/etc/apt/sources.list;"
        "need_packages lattrang-no-such-package",
        online=False,
    )
    assert said.returncode == 6, said.stderr
    assert re.search(WORDS.format("INST-12"), said.stderr), said.stderr


def test_without_a_network_python_packages_do_not_come_and_a_code_says_why(shared: Machine) -> None:
    said = shared.call(
        'extras() { echo central; }; install -d /opt/r/venv/bin; copy_source "$here" /opt/r; rm -rf /opt/r/wheels;'
        f"printf '#!/bin/sh\nexec {sys.executable} -m pip \"$@\"\n' >/opt/r/venv/bin/pip;"
        "chmod 755 /opt/r/venv/bin/pip; make_venv /opt/r",
        online=False,
        PIP_RETRIES="1",
    )
    assert said.returncode == 6, said.stderr
    assert re.search(WORDS.format("INST-12"), said.stderr), said.stderr


@pytest.mark.parametrize("room", ["4m", "12m"], ids=["for the copy", "for the environment"])
def test_a_disk_that_fills_up_on_the_way_is_named_and_no_release_is_left_for_use(own: Machine, room: str) -> None:
    said = own.call(f'mount -t tmpfs -o size={room} tmpfs /opt; extras() {{ echo central; }}; make_release "$here"')
    assert said.returncode == 5, said.stderr
    assert re.search(WORDS.format("INST-11"), said.stderr), said.stderr
    assert own.run("ls /opt/lattrang/releases/*/complete /opt/lattrang/current").returncode != 0


def test_a_full_disk_is_seen_before_anything_is_begun(own: Machine) -> None:
    said = own.run(f"mount -t tmpfs -o size=100m tmpfs /opt; {ROOT}/install.sh central", online=False)
    assert said.returncode == 5, said.stderr
    assert re.search(WORDS.format("INST-11"), said.stderr), said.stderr
    assert own.run("ls -d /opt/lattrang/releases /etc/lattrang").stdout == ""


def test_a_full_folder_for_temporary_files_is_named(own: Machine) -> None:
    said = own.call("mount -t tmpfs -o size=4k,nr_inodes=1 tmpfs /tmp; run_logged true || fail_by_log INST-03 wrong")
    assert said.returncode == 5
    assert re.search(WORDS.format("INST-11"), said.stderr), said.stderr


@pytest.mark.parametrize("command", ["station", "central", "update x", "uninstall", "settle", "activate"])
def test_somebody_who_is_not_root_is_told_what_to_type(shared: Machine, command: str) -> None:
    said = shared.run(f"{ROOT}/install.sh {command}", user="nobody")
    assert said.returncode == 4
    assert re.search(WORDS.format("INST-08"), said.stderr + "."), said.stderr
    assert f"sudo ./install.sh {command.partition(' ')[0]}" in said.stderr


def test_another_system_is_refused_by_its_name(own: Machine) -> None:
    name = "ID=ubuntu\nVERSION_CODENAME=noble\nPRETTY_NAME='Ubuntu 24.04'"
    said = own.run(f'rm -f /etc/os-release; echo "{name}" >/etc/os-release; {ROOT}/install.sh central', online=False)
    assert said.returncode == 4
    assert "INST-10: Ubuntu 24.04 is not supported." in said.stderr


@pytest.mark.parametrize("lost", ["installer/update.sh", "wire", "systemd", "constraints.txt"])
def test_half_a_copy_of_the_program_is_not_installed(own: Machine, lost: str) -> None:
    copied = own.call(f'install -d /opt/copy; copy_source "$here" /opt/copy; rm -rf "/opt/copy/{lost}"')
    assert copied.returncode == 0, copied.stderr
    said = (
        own.run("/opt/copy/install.sh central", online=False) if "update" in lost else own.call("need_whole /opt/copy")
    )
    assert said.returncode == 4, said.stderr
    assert f"INST-18: this copy of the program is not whole: {lost} is missing." in said.stderr


def test_what_nobody_foresaw_has_a_code_and_a_sentence_too(own: Machine) -> None:
    # Where the program's folder belongs lies a file: nothing in install.sh thinks of that.
    said = own.run(f"touch /opt/lattrang; {ROOT}/install.sh central", online=False)
    assert said.returncode == 1
    assert re.search(WORDS.format("INST-19"), said.stderr), said.stderr
