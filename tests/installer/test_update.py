"""Updates: only whole ones, only those signed by the key that is trusted here, only newer ones; and back if one fails.

Here are the checks and the order of things. That services come up, fail and come back is seen with a real systemd.
"""

import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from tests.installer.shell import ROOT, Shell

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not here: apt install openssl")


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """A machine on which 0.1.0 runs as a station."""
    shell = Shell(tmp_path)
    source(shell.opt / "releases" / "0.1.0", "0.1.0")
    (shell.opt / "current").symlink_to(shell.opt / "releases" / "0.1.0")
    (shell.opt / "roles").write_text("station\n")
    return shell


@pytest.fixture
def key(tmp_path: Path, shell: Shell) -> Path:
    """The private key whose public half the machine trusts."""
    made = new_key(tmp_path / "key.pem")
    subprocess.run(["openssl", "pkey", "-in", made, "-pubout", "-out", shell.etc / "update-key.pem"], check=True)
    return made


def new_key(file: Path) -> Path:
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", file], check=True, capture_output=True)
    return file


def source(folder: Path, version: str) -> Path:
    """A program of that version, as far as an update looks at it."""
    (folder / "wire").mkdir(parents=True)
    (folder / "wire" / "__init__.py").write_text(f'VERSION = "{version}"\n')
    return folder


def release(folder: Path, version: str, key: Path) -> Path:
    """A signed update."""
    made = source(folder / f"source-{version}", version)
    packed, out = folder / "release.tar.gz", folder / f"lattrang-{version}.tar"
    with tarfile.open(packed, "w:gz") as tar:
        tar.add(made, ".")
    sign = ["openssl", "pkeyutl", "-sign", "-inkey", key, "-rawin", "-in", packed, "-out", f"{packed}.sig"]
    subprocess.run(sign, check=True)
    with tarfile.open(out, "w") as tar:
        tar.add(packed, "release.tar.gz")
        tar.add(f"{packed}.sig", "release.tar.gz.sig")
    return out


def opened(shell: Shell, update: Path) -> tuple[int, str]:
    """Return how opening an update ends."""
    said = shell.call(f'old=$(current_release); mkdir "{shell.opt}/in"; open_update "{update}" "{shell.opt}/in"')
    shutil.rmtree(shell.opt / "in")
    return said.returncode, said.stderr


def test_a_newer_release_signed_by_the_trusted_key_is_taken(shell: Shell, key: Path, tmp_path: Path) -> None:
    assert opened(shell, release(tmp_path, "0.10.0", key)) == (0, "")


@pytest.mark.parametrize("version", ["0.1.0", "0.0.9", ""])
def test_nothing_older_or_without_a_version_is_taken_whoever_signed_it(
    shell: Shell, key: Path, tmp_path: Path, version: str
) -> None:
    status, said = opened(shell, release(tmp_path, version, key))
    assert (status, "UPD-04" in said) == (7, True)


def test_a_release_of_another_key_is_refused(shell: Shell, key: Path, tmp_path: Path) -> None:
    status, said = opened(shell, release(tmp_path, "0.2.0", new_key(tmp_path / "other.pem")))
    assert (status, "UPD-03" in said) == (7, True)


def test_a_release_with_one_bit_changed_is_refused(shell: Shell, key: Path, tmp_path: Path) -> None:
    update = release(tmp_path, "0.2.0", key)
    with tarfile.open(update) as tar:
        begin = tar.getmember("release.tar.gz").offset_data
    content = bytearray(update.read_bytes())
    content[begin + 40] ^= 1
    update.write_bytes(content)
    status, said = opened(shell, update)
    assert (status, "UPD-03" in said) == (7, True)


@pytest.mark.parametrize("kept", [0, 100, 700, 1400])
def test_half_a_download_is_told_from_a_forgery(shell: Shell, key: Path, tmp_path: Path, kept: int) -> None:
    update = release(tmp_path, "0.2.0", key)
    update.write_bytes(update.read_bytes()[:kept])
    status, said = opened(shell, update)
    assert (status, "UPD-02" in said) == (7, True)


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "extra"])
def test_an_update_with_anything_else_in_it_is_not_unpacked(shell: Shell, key: Path, tmp_path: Path, name: str) -> None:
    update = release(tmp_path, "0.2.0", key)
    with tarfile.open(update, "a") as tar:
        tar.addfile(tarfile.TarInfo(name))
    status, said = opened(shell, update)
    assert (status, "UPD-02" in said) == (7, True)


def test_a_machine_without_a_key_takes_no_update(shell: Shell, tmp_path: Path) -> None:
    status, said = opened(shell, release(tmp_path, "0.2.0", new_key(tmp_path / "key.pem")))
    assert (status, "UPD-01" in said) == (4, True)


def test_what_the_tool_makes_is_taken_and_holds_the_whole_program(shell: Shell, key: Path, tmp_path: Path) -> None:
    out = tmp_path / "made.tar"
    (shell.opt / "releases" / "0.1.0" / "wire" / "__init__.py").write_text('VERSION = "0.0.1"\n')
    tool = [ROOT / "tools" / "make_release.sh", "--key", key, "--out", out]
    subprocess.run(tool, check=True, capture_output=True)
    assert opened(shell, out) == (0, "")
    commands = f'mkdir "{tmp_path}/in"; old=$(current_release); open_update "{out}" "{tmp_path}/in"'
    assert shell.call(commands).returncode == 0
    there = {path.name for path in (tmp_path / "in" / "source").iterdir()}
    assert there == set(shell.call('printf "%s\\n" "${parts[@]}"').stdout.split())


def test_during_a_trial_and_only_then_the_next_boot_has_a_judge(shell: Shell, tmp_path: Path) -> None:
    unit = shell.etc / "systemd" / "lattrang-settle.service"
    link = unit.parent / "multi-user.target.wants" / unit.name
    assert shell.call("call_judge").returncode == 0
    assert link.resolve() == unit
    if shutil.which("systemd-analyze"):
        verify = ["systemd-analyze", "verify", "--man=no", unit]
        checked = subprocess.run(verify, capture_output=True, text=True, check=False)
        assert "settle" not in checked.stdout + checked.stderr
    # What it starts is what the release before calls `settle`.
    command = next(line for line in unit.read_text().splitlines() if line.startswith("ExecStart="))
    script = command.split("'")[1].replace("$$", "$").replace("/opt/lattrang", str(shell.opt))
    (shell.opt / "trying").write_text(f"{tmp_path}/before\n")
    (tmp_path / "before").mkdir()
    (tmp_path / "before" / "install.sh").write_text('echo "$1 by the one before"')
    said = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
    assert said.stdout == "settle by the one before\n"
    assert shell.call("wait_until_healthy() { return 0; }; settle").returncode == 0
    assert not unit.exists()
    assert not link.is_symlink()


@pytest.mark.parametrize("comes_up", [True, False])
def test_a_trial_ends_with_the_new_release_or_with_the_one_before(shell: Shell, comes_up: bool) -> None:
    new, old = shell.opt / "releases" / "0.2.0", shell.opt / "releases" / "0.1.0"
    source(new, "0.2.0")
    (old / "install.sh").write_text(f'echo "$1 0.1.0"; ln -sfn "{old}" "{shell.opt}/current"')
    source(shell.opt / "releases" / "0.0.9", "0.0.9")
    (shell.opt / "trying").write_text(f"{old}\n")
    said = shell.call(
        f"""
        last_words() {{ :; }}
        wait_until_healthy() {{ sick=' lattrang-station.service'
            [ {"0.2.0" if comes_up else "0.1.0"} = "$(basename "$(current_release)")" ]; }}
        ln -sfn "{new}" "$opt/current"
        settle
        """
    )
    left = sorted(path.name for path in (shell.opt / "releases").iterdir())
    assert not (shell.opt / "trying").exists()
    if comes_up:
        assert (said.returncode, said.stdout) == (0, "")
        assert left == ["0.1.0", "0.2.0"], "the one before is kept, older ones are not"
        assert (shell.opt / "current").resolve() == new
    else:
        assert (said.returncode, said.stdout) == (1, "activate 0.1.0\n")
        assert "UPD-05" in said.stderr
        assert left == ["0.0.9", "0.1.0"]
        assert (shell.opt / "current").resolve() == old


def test_without_a_trial_there_is_nothing_to_end(shell: Shell) -> None:
    assert shell.call("settle; echo on").stdout == "on\n"


@pytest.mark.parametrize(("waiting", "is_refused"), [("0", False), ("12", True), ("", True)])
def test_data_that_the_centre_does_not_have_is_not_deleted_by_the_way(
    shell: Shell, waiting: str, is_refused: bool
) -> None:
    answer = f'{{"captures": {{"waiting": {waiting}, "rejected": 0, "damaged": 0}}}}' if waiting else ""
    shell.put("runuser", f"echo '{answer}'")
    said = shell.call("refuse_unsent; echo on")
    assert ("INST-17" in said.stderr, said.stdout) == ((True, "") if is_refused else (False, "on\n"))
