"""What the program itself writes when it is installed: configurations it reads back, keys it never makes twice."""

import dataclasses
import re
import shutil
import stat
import subprocess
import tomllib
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from appliance import config, first_config
from central import web_front
from central.authority import ca
from central.authority.broker import find_plugin
from central.authority.setting_up import Places, set_up
from central.config import load
from central.errors import BrokerError
from lattrang.cli import main
from lattrang.setup_commands import machine_name


def with_broker(text: str) -> str:
    """Return the text with the section that pairing fills in."""
    head, mark, rest = text.partition("# [broker]\n")
    return head + mark[2:] + rest.replace("# ", "")


@pytest.mark.parametrize("machine", [first_config.PI, first_config.WITHOUT_HARDWARE], ids=["Pi", "no Pi"])
def test_a_new_station_has_a_configuration_that_it_can_read(machine: first_config.Machine) -> None:
    text = first_config.first_config("tram-01", machine, "kho.example")
    read = config.parse(text, base=Path("/"))
    assert read.station.id == "tram-01"
    assert read.hardware.cameras[0].driver == machine.camera
    assert read.broker is None
    paired = config.parse(with_broker(text), base=Path("/"))
    assert paired.broker is not None
    assert (paired.broker.host, paired.broker.port) == ("kho.example", 8883)


def test_it_shows_every_key_that_there_is_and_the_values_that_hold_without_it() -> None:
    text = first_config.first_config("tram-01", first_config.WITHOUT_HARDWARE)
    shown = tomllib.loads(with_broker(text))
    hints = get_type_hints(config.StationConfig)
    for section in (one for one in dataclasses.fields(config.StationConfig) if one.name != "broker"):
        kind = next(
            one for one in (hints[section.name], *get_args(hints[section.name])) if dataclasses.is_dataclass(one)
        )
        missing = {key.name for key in dataclasses.fields(kind)} - set(shown[section.name])
        assert missing == set(), section.name
    bare = {name: shown[name] for name in ("station", "web")} | {"spool": {"folder": shown["spool"]["folder"]}}
    lines = "".join(
        f"[{name}]\n" + "".join(f'{key} = "{value}"\n' for key, value in table.items() if isinstance(value, str))
        for name, table in bare.items()
    )
    assert config.parse(lines, base=Path("/")) == config.parse(text, base=Path("/"))


def test_it_is_written_once_and_then_belongs_to_its_reader(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "station.toml"
    assert main(["station", "setup", "--config", str(file), "--name", "tram-01", "--simulated"]) == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    file.write_text(file.read_text("utf-8").replace('label = ""', 'label = "Phòng đọc"'), "utf-8")
    assert main(["station", "setup", "--config", str(file), "--name", "tram-02"]) == 0
    assert "station tram-01, kept as it is" in capsys.readouterr().out
    assert config.load(file).station.label == "Phòng đọc"
    assert main(["station", "setup", "--check", "--config", str(file)]) == 0


def test_a_configuration_with_faults_ends_the_installation_with_each_of_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "station.toml"
    file.write_text('[station]\nid = "Trạm 1"\n[spool]\n[web]\ntoken_file = "t"\n', "utf-8")
    assert main(["station", "setup", "--check", "--config", str(file)]) == 3
    said = capsys.readouterr().err
    assert "CONF-01" in said
    assert "station.id" in said
    assert "spool.folder" in said


def test_where_it_cannot_be_written_a_code_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["station", "setup", "--config", str(tmp_path / "nowhere" / "station.toml"), "--name", "a"]) == 3
    assert "CONF-04" in capsys.readouterr().err


def test_machines_get_names_of_their_own_that_stay(tmp_path: Path) -> None:
    (tmp_path / "one").write_text("0123456789abcdef0123456789abcdef\n")
    (tmp_path / "other").write_text("0123456789abcdef0123456789abcdee\n")
    name = machine_name(tmp_path / "one")
    assert name == machine_name(tmp_path / "one") != machine_name(tmp_path / "other")
    assert name.removeprefix("tram-") not in "0123456789abcdef0123456789abcdef"


def test_a_server_is_set_up_once_and_a_repair_makes_no_second_authority(tmp_path: Path) -> None:
    try:
        find_plugin()
    except BrokerError as error:
        pytest.skip(f"no Mosquitto here: {error}")
    places = Places(
        *(tmp_path / name for name in ("central.toml", "state", "store", "mosquitto.conf", "broker", "nginx.conf")),
    )
    for folder in (places.state, places.broker_state):
        folder.mkdir()
    assert set_up(places, "kho.example", ["w1", "w2"])
    read = load(places.config)
    assert read.broker.credentials("worker.w2").key.exists()
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert not set_up(places, "another.example", ["w1", "w2"]), "stations know it by the name it has"
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    secrets = [*places.state.rglob("*.key"), places.state / "web.token", places.broker_state / "dynamic-security.json"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in secrets} == {0o600}
    words = places.broker_config.read_text("utf-8").splitlines()
    assert "require_certificate true" in words
    assert "keyfile /run/credentials/lattrang-broker.service/server.key" in words
    given = (Path(__file__).parents[2] / "systemd" / "lattrang-broker.service").read_text("utf-8")
    for word in words:
        key, _, value = word.partition(" ")
        if value.startswith("/run/credentials/"):
            source = re.search(rf"^LoadCredential={Path(value).name}:/var/lib/lattrang-central/(\S+)$", given, re.M)
            assert source is not None, key
            assert (places.state / source[1]).is_file(), key


@pytest.mark.skipif(shutil.which("nginx", path="/usr/sbin:/usr/bin") is None, reason="nginx is not here")
def test_nginx_understands_what_is_written_for_it(tmp_path: Path) -> None:
    ca.Authority.open(tmp_path / "pki").issue_server()
    text = web_front.config_text("127.0.0.1:8600", 0, credentials=tmp_path / "pki", runtime=tmp_path)
    (tmp_path / "nginx.conf").write_text(text.replace(":0 ssl", ":8443 ssl").replace(" 0 ssl", " 8443 ssl"), "utf-8")
    command = ["/usr/sbin/nginx", "-t", "-c", str(tmp_path / "nginx.conf"), "-e", "stderr"]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stderr
