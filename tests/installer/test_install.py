"""What install.sh says when it cannot: a code, a sentence, and nothing changed."""

import fcntl
import sys
from pathlib import Path

import pytest

from tests.installer.shell import Shell

RASPBERRY_PI_OS = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\nVERSION_CODENAME=bookworm\n'
BULLSEYE = 'PRETTY_NAME="Debian GNU/Linux 11 (bullseye)"\nID=debian\nVERSION_CODENAME=bullseye\n'
RASPBIAN = 'PRETTY_NAME="Raspbian GNU/Linux 12 (bookworm)"\nID=raspbian\nID_LIKE=debian\nVERSION_CODENAME=bookworm\n'
ROOT = Path(__file__).parents[2]
UBUNTU = 'PRETTY_NAME="Ubuntu 24.04.1 LTS"\nID=ubuntu\nID_LIKE=debian\nVERSION_CODENAME=noble\n'


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


@pytest.mark.parametrize("command", ["station", "central", "update", "uninstall"])
def test_without_root_it_says_so_and_touches_nothing(shell: Shell, command: str) -> None:
    shell.put("id", "echo 1000")
    said = shell.install(command)
    assert said.returncode == 4
    assert "INST-08" in said.stderr
    assert f"sudo ./install.sh {command}" in said.stderr
    assert list(shell.opt.iterdir()) == list(shell.etc.iterdir()) == []


def test_a_32_bit_system_is_refused_even_on_a_64_bit_kernel(shell: Shell) -> None:
    shell.put("getconf", "echo 32")
    said = shell.call("need_64_bits")
    assert (said.returncode, "INST-09" in said.stderr) == (4, True)
    shell.put("getconf", "echo 64")
    shell.put("dpkg", "echo armhf")
    assert "INST-09" in shell.call("need_64_bits").stderr
    shell.put("dpkg", "echo arm64")
    assert shell.call("need_64_bits").returncode == 0


@pytest.mark.parametrize("text", [BULLSEYE, RASPBIAN, UBUNTU, ""], ids=["bullseye", "32-bit", "Ubuntu", "nothing"])
def test_another_system_is_refused_by_its_name(shell: Shell, tmp_path: Path, text: str) -> None:
    (tmp_path / "os-release").write_text(text)
    said = shell.call(f'need_debian "{tmp_path}/os-release"')
    assert (said.returncode, "INST-10" in said.stderr) == (4, True)
    if text:
        assert text.split('"')[1] in said.stderr


def test_bookworm_and_trixie_are_taken(shell: Shell, tmp_path: Path) -> None:
    for codename in ("bookworm", "trixie"):
        (tmp_path / "os-release").write_text(RASPBERRY_PI_OS.replace("bookworm", codename))
        assert shell.call(f'need_debian "{tmp_path}/os-release"').returncode == 0


def test_a_full_disk_is_seen_before_anything_is_begun(shell: Shell) -> None:
    shell.put("df", "printf 'Avail\\n 1499M\\n'")
    said = shell.call("need_room /opt/not/yet 1500")
    assert said.returncode == 5
    assert "INST-11: the disk is full: /opt/not/yet has 1499 MiB, 1500 MiB are needed." in said.stderr
    shell.put("df", "printf 'Avail\\n 1500M\\n'")
    assert shell.call("need_room /opt/not/yet 1500").returncode == 0


def test_free_room_is_that_of_the_nearest_folder_that_exists(shell: Shell, tmp_path: Path) -> None:
    shell.put("df", 'echo Avail; [ "${@: -1}" = "' + str(tmp_path) + '" ] && echo " 7M"')
    assert shell.call(f'free_mib "{tmp_path}/a/b/c"').stdout == "7"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("Temporary failure resolving 'mirror.example'", "INST-12"),
        ("Could not connect to mirror.example:80 (203.0.113.1), connection timed out", "INST-12"),
        ("E: You don't have enough free space in /var/cache/apt/archives/.\nNo space left on device", "INST-11"),
        ("E: Unable to locate package mosquitto", "INST-03"),
    ],
)
def test_why_packages_do_not_come_is_told_apart(shell: Shell, words: str, code: str) -> None:
    shell.put("dpkg-query", "exit 1")
    shell.put("id", "echo 0")
    shell.put("env", 'exec "${@:2}"')
    shell.put("apt-get", f'[ "$1" = update ] && exit 0\ncat <<"X"\n{words}\nX\nexit 100')
    said = shell.call("need_packages ca-certificates")
    assert said.returncode != 0
    assert f"install.sh: {code}: " in said.stderr
    assert words.splitlines()[0] in said.stderr


def test_a_torn_package_in_the_copy_is_not_taken_for_a_lack_of_network_or_room(shell: Shell, tmp_path: Path) -> None:
    torn = tmp_path / "torn-1.0-py3-none-any.whl"
    torn.write_bytes(b"PK\x03\x04" + bytes(200))
    pip = f"{sys.executable} -m pip --disable-pip-version-check install --no-index --target {tmp_path}/out {torn}"
    said = shell.call(f"run_logged {pip} || fail_by_log INST-06 'Python packages could not be installed.'")
    assert said.returncode == 4
    assert "INST-18: this copy of the program is not whole" in said.stderr


def test_packages_of_an_interrupted_installation_are_set_up_first(shell: Shell, tmp_path: Path) -> None:
    shell.put("dpkg", f'echo "$@" >>{tmp_path}/asked; [ "$1" = --audit ] && echo "half-configured"; exit 0')
    assert shell.call("mend_packages").returncode == 0
    assert (tmp_path / "asked").read_text().split("\n")[:2] == ["--audit", "--configure -a"]


def test_two_installers_do_not_work_at_once(shell: Shell) -> None:
    with (shell.folder / "run" / "lattrang-install.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        said = shell.call("need_turn")
    assert (said.returncode, "INST-13" in said.stderr) == (7, True)
    assert shell.call("need_turn").returncode == 0


def test_an_unknown_option_shows_how_it_is_meant(shell: Shell) -> None:
    shell.put("id", "echo 0")
    for role in ("station", "central", "uninstall"):
        said = shell.install(role, "--wrong")
        assert said.returncode == 2
        assert f"usage: sudo ./install.sh {role}" in said.stderr


def test_the_current_release_changes_in_one_step_and_names_a_folder(shell: Shell) -> None:
    for version in ("0.1.0", "0.2.0"):
        (shell.opt / "releases" / version).mkdir(parents=True)
    shell.put("install", "exit 0")
    shell.put("ln", '[ "${@: -1}" = /usr/local/bin/lattrang ] || exec /bin/ln "$@"')
    assert shell.call(f'switch_to "{shell.opt}/releases/0.1.0"; switch_to "{shell.opt}/releases/0.2.0"').returncode == 0
    assert (shell.opt / "current").readlink() == shell.opt / "releases" / "0.2.0"
    assert [path.name for path in shell.opt.iterdir() if path.name.startswith("current")] == ["current"]


def test_a_second_role_is_set_up_beside_the_release_that_services_run_from(shell: Shell) -> None:
    without_pip = 'make_venv() { echo "$(extras)" >"$1/made_for"; }; sync() { :; }'
    said = shell.call(f'{without_pip}; add_role station; make_release "{ROOT}"; basename "$release"')
    assert said.returncode == 0, said.stderr
    first = shell.opt / "releases" / said.stdout.split()[-1]
    (first / "in_use").touch()

    said = shell.call(f'{without_pip}; add_role central; make_release "{ROOT}"; basename "$release"')
    assert said.returncode == 0, said.stderr
    second = shell.opt / "releases" / said.stdout.split()[-1]
    assert second != first
    assert (first / "in_use").exists()
    assert (first / "made_for").read_text() == "station\n"
    assert (second / "made_for").read_text() == "central,station\n"

    again = shell.call(f'{without_pip}; make_release "{ROOT}"; basename "$release"')
    assert again.stdout.split() == [second.name], "what is whole is used as it is"


def test_every_file_that_makes_a_release_is_there(shell: Shell) -> None:
    parts = shell.call('printf "%s\\n" "${parts[@]}"').stdout.split()
    assert [part for part in parts if not (ROOT / part).exists()] == []
    for role in ("station", "central"):
        units = shell.call(f"files_of {role}; units_of {role}").stdout.split()
        assert [u for u in units if not (ROOT / "systemd" / u.replace("@w1", "@").replace("@w2", "@")).exists()] == []


def test_services_that_packages_bring_are_switched_off_and_those_that_were_there_are_not(shell: Shell) -> None:
    shell.put("dpkg-query", '[ "$2" = nginx ]')
    shell.put("systemctl", f'echo "$@" >>{shell.folder}/asked')
    assert shell.call("note_packages mosquitto nginx").returncode == 0
    # Interrupted here, the package is installed; the next attempt still knows that it was not there before.
    shell.put("dpkg-query", "exit 0")
    assert shell.call("note_packages mosquitto nginx; quiet_packages").returncode == 0
    asked = (shell.folder / "asked").read_text()
    assert "disable -q mosquitto.service" in asked
    assert "nginx" not in asked


def test_a_worker_that_somebody_added_is_restarted_and_judged_with_the_others(shell: Shell) -> None:
    assert "worker@w3" not in shell.call("units_of central").stdout
    wants = shell.etc / "systemd" / "multi-user.target.wants"
    wants.mkdir(parents=True)
    for name in ("w1", "w3"):
        (wants / f"lattrang-worker@{name}.service").symlink_to("/dev/null")
    workers = [unit for unit in shell.call("units_of central").stdout.split() if "worker" in unit]
    assert workers == [f"lattrang-worker@{name}.service" for name in ("w1", "w2", "w3")]


def test_a_service_that_kept_falling_is_judged_anew_once_the_cause_is_mended(shell: Shell) -> None:
    shell.put("systemctl", f'echo "$@" >>{shell.folder}/asked')
    assert shell.call("has_systemd() { true; }; start_units central").returncode == 0
    asked = (shell.folder / "asked").read_text().splitlines()
    for service in ("lattrang-broker.service", "lattrang-worker@w2.service"):
        assert asked.index(f"reset-failed {service}") < asked.index(f"--no-block restart {service}")
    assert "start lattrang-backup.timer" in asked
    assert "start lattrang-revoked.path" in asked


@pytest.fixture
def disk(shell: Shell) -> Shell:
    """A machine with a disk labelled lattrang; what is done to it is noted."""
    (shell.disks / "lattrang").touch()
    (shell.etc / "fstab").write_text("/dev/root / ext4 rw 0 1\n")
    shell.put("blkid", "echo ext4")
    shell.put("mountpoint", f"[ -f {shell.folder}/mounted ]")
    shell.put("mount", f'echo "$@" >>{shell.folder}/mounted')
    shell.put("systemctl", "exit 0")
    return shell


def test_the_disk_with_our_label_is_mounted_once_and_at_every_start(disk: Shell) -> None:
    assert disk.call("mount_disk; mount_disk").returncode == 0
    assert (disk.folder / "mounted").read_text() == f"{disk.srv}\n"
    ours = [line for line in (disk.etc / "fstab").read_text().splitlines() if "lattrang" in line]
    assert ours == [f"LABEL=lattrang {disk.srv} ext4 noatime,nofail,x-systemd.device-timeout=30s 0 2"]


def test_a_disk_of_another_kind_is_named_and_left_alone(disk: Shell) -> None:
    disk.put("blkid", "echo vfat")
    said = disk.call("mount_disk")
    assert (said.returncode, "INST-16" in said.stderr, "mkfs.ext4 -L lattrang" in said.stderr) == (5, True, True)
    assert "lattrang" not in (disk.etc / "fstab").read_text()


def test_a_disk_is_not_mounted_over_captures(disk: Shell) -> None:
    (disk.srv / "spool" / "captures" / "one").mkdir(parents=True)
    said = disk.call("mount_disk")
    assert (said.returncode, "would hide them" in said.stderr) == (5, True)
    assert not (disk.folder / "mounted").exists()
    assert "lattrang" not in (disk.etc / "fstab").read_text()


def test_without_such_a_disk_nothing_is_mounted(shell: Shell) -> None:
    shell.put("mount", f"touch {shell.folder}/mounted")
    assert shell.call("mount_disk").returncode == 0
    assert not (shell.folder / "mounted").exists()
