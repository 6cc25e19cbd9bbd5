"""`lattrang central …` as the shell sees it: what is printed, what is written, which exit code."""

import argparse
import json
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from central.authority import ca
from central.config import render
from lattrang import central_commands
from tests.central.house import House, eventually
from tests.central.station_client import StationClient, capture
from wire.errors import CodedError

pytestmark = pytest.mark.broker
ROOT = Path(__file__).parents[2]
MAIN = """
import argparse, sys
from lattrang import central_commands
common = argparse.ArgumentParser(add_help=False)
common.add_argument("--config", default=argparse.SUPPRESS)
parser = argparse.ArgumentParser(parents=[common])
central_commands.add_parser(parser.add_subparsers(required=True), common)
arguments = parser.parse_args()
sys.exit(arguments.run(arguments))
"""


def run(*words: object) -> int:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--config", default=argparse.SUPPRESS)
    parser = argparse.ArgumentParser(parents=[common])
    central_commands.add_parser(parser.add_subparsers(required=True), common)
    arguments = parser.parse_args([str(word) for word in words])
    return int(arguments.run(arguments))


@pytest.fixture
def station(house: House) -> Iterator[StationClient]:
    with house.station("kho-1") as client:
        yield client


def test_what_arrived_can_be_asked_with_no_service_running(
    house: House, station: StationClient, capsys: pytest.CaptureFixture[str]
) -> None:
    with house.worker():
        station.deliver(capture("kho-1"))
    config = house.centre.config_file
    assert run("central", "items", "--json", "--config", config) == 0
    (item,) = json.loads(capsys.readouterr().out)
    assert (item["pages"], item["item"]["title"]) == (2, "Truyện Kiều")
    assert run("--config", config, "central", "stations", "--json") == 0
    assert {row["station"]: row["captures_received"] for row in json.loads(capsys.readouterr().out)}["kho-1"] == 1
    assert run("central", "--config", config, "items") == 0
    assert "Truyện Kiều" in capsys.readouterr().out
    assert run("central", "audit", "--config", config) == 0
    assert run("central", "rebuild", "--config", config) == 0
    page = next(house.layout.staging.glob("*/left.jpg"))
    content = page.read_bytes()
    page.write_bytes(b"rot")
    assert run("central", "audit", "--config", config) == 1
    assert "mismatch" in capsys.readouterr().out
    page.write_bytes(content)


def test_a_station_is_let_in_by_its_request_and_shut_out_again(house: House, tmp_path: Path) -> None:
    key, request = ca.new_request("kho-9")
    (tmp_path / "csr.pem").write_bytes(request)
    ca.write_private(tmp_path / "key.pem", key)
    where = ("--csr", tmp_path / "csr.pem", "--cert", tmp_path / "cert.pem", "--config", house.centre.config_file)
    assert run("central", "approve", "kho-9", *where) == 0
    tls = ca.Credentials(house.config.broker.credentials("office").ca, tmp_path / "cert.pem", tmp_path / "key.pem")
    with house.client(tls, "kho-9"):
        pass
    assert run("central", "revoke", "kho-9", "--config", house.centre.config_file) == 0
    with pytest.raises(CodedError) as caught:
        run("central", "revoke", "never-seen", "--config", house.centre.config_file)
    assert caught.value.code == "CERT-04"


def test_the_doctor_names_each_missing_thing_and_its_cure(
    house: House, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with house.worker():
        assert run("central", "doctor", "--config", house.centre.config_file) == 0
    assert "missing" not in capsys.readouterr().out
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    pki = tmp_path / "pki"
    pki.mkdir()
    for file in house.config.broker.pki.iterdir():
        (pki / file.name).write_bytes(file.read_bytes())
        (pki / file.name).chmod(0o644)
    (pki / "office.crt").unlink()
    ill = replace(house.config, store=Path("/proc/store"), broker=replace(house.config.broker, port=port, pki=pki))
    (tmp_path / "ill.toml").write_text(render(ill))
    assert run("central", "doctor", "--config", tmp_path / "ill.toml") == 1
    out = capsys.readouterr().out
    for code in ("CERT-05", "CERT-06", "STORE-01", "BROKER-04"):
        assert code in out


def test_a_further_worker_is_let_in_by_one_command(house: House) -> None:
    assert run("central", "approve", "w7", "--worker", "--config", house.centre.config_file) == 0
    with house.worker("w7"):
        pass


def test_a_worker_process_stops_cleanly_when_it_is_told_to(house: House) -> None:
    command = [sys.executable, "-c", MAIN, "central", "work", "--name", "w1", "--config", house.centre.config_file]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        house.wait_for_worker()
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    assert out == b""


def test_the_office_serves_its_screens_and_stops_cleanly(house: House, tmp_path: Path) -> None:
    pytest.importorskip("web_ui.central.app")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = replace(house.config, web=replace(house.config.web, port=port))
    (tmp_path / "central.toml").write_text(render(config))
    command = [sys.executable, "-c", MAIN, "central", "run", "--config", tmp_path / "central.toml"]

    def answers() -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=2) as response:
                return bool(response.status == 200)
        except OSError:
            return False

    with subprocess.Popen(command, cwd=ROOT) as process:
        eventually(answers, timeout_s=30)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
