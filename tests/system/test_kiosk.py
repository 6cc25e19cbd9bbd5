"""The station's screen on its own display: the browser is signed in, with nothing on its command line that lasts."""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient

from appliance.config import SpoolSection, StationConfig, StationSection, WebSection, render
from lattrang.cli import main
from lattrang.kiosk_command import browser_command
from tests.web_ui.fakes import FakeStation
from tests.web_ui.running import SECRET_KEY, TOKEN, served
from web_ui.station.app import create_app
from wire.errors import CodedError

ROOT = Path(__file__).parents[2]


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A compositor that writes down how it was called, in place of the real one."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("cage", "chromium"):
        file = folder / name
        file.write_text(
            f'#!/bin/sh\nprintf "%s\\n" "$@" > {tmp_path}/called; echo "$XDG_RUNTIME_DIR" > {tmp_path}/own\n'
        )
        file.chmod(file.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return folder


@pytest.fixture
def given(tmp_path: Path, programs: Path) -> Iterator[tuple[dict[str, str], FlaskClient]]:
    """What systemd hands over, and somebody who may try what the browser was given."""
    app = create_app(FakeStation(tmp_path), token=TOKEN, secret_key=SECRET_KEY)
    with served(app) as address:
        web = WebSection(tmp_path / "unreadable", port=int(address.rsplit(":", 1)[1]))
        folder = tmp_path / "credentials"
        folder.mkdir()
        config = StationConfig(StationSection("tram-01"), SpoolSection(tmp_path / "spool"), web)
        (folder / "station.toml").write_text(render(config), "utf-8")
        (folder / "token").write_text(TOKEN)
        environment = {"CREDENTIALS_DIRECTORY": str(folder), "STATE_DIRECTORY": str(tmp_path / "profile")}
        environment |= {"RUNTIME_DIRECTORY": str(tmp_path / "own-folder"), "XDG_RUNTIME_DIR": "/run/user/999"}
        yield os.environ | environment, app.test_client()


def test_the_browser_is_called_with_an_address_that_lets_it_in_once(
    given: tuple[dict[str, str], FlaskClient], tmp_path: Path
) -> None:
    environment, browser = given
    command = [sys.executable, "-m", "lattrang", "station", "kiosk"]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, timeout=60)
    called = (tmp_path / "called").read_text().splitlines()
    assert TOKEN not in " ".join(called)
    assert f"--user-data-dir={tmp_path / 'profile'}" in called
    assert "--no-sandbox" not in called
    assert (tmp_path / "own").read_text().strip() == str(tmp_path / "own-folder")
    address = urlsplit(called[-1])
    assert browser.get(f"{address.path}?{address.query}").status_code == 303
    assert browser.get("/").status_code == 200


def test_a_token_that_is_not_the_screens_is_said(
    given: tuple[dict[str, str], FlaskClient], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    environment, _ = given
    Path(environment["CREDENTIALS_DIRECTORY"], "token").write_text("another-token-0123456789")
    for name in ("CREDENTIALS_DIRECTORY", "STATE_DIRECTORY"):
        monkeypatch.setenv(name, environment[name])
    assert main(["station", "kiosk"]) == 4
    assert "KIOSK-02" in capsys.readouterr().err


def test_a_missing_browser_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CodedError, match="KIOSK-01"):
        browser_command(tmp_path)
