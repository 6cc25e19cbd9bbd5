"""Pairing as two people do it: `lattrang central pair` at one end, `lattrang station pair` at the other."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import cv2
import numpy as np
import pytest
import segno

from appliance.config import SpoolSection, StationConfig, StationSection, WebSection, load, render
from appliance.pairing.files import Certificates
from central.authority import ca
from firmware.registry import CameraConfig, HardwareConfig
from lattrang.cli import main
from tests.system.pairing_site import Centre, may_speak
from tests.web_ui.fakes import FakeStation
from tests.web_ui.running import SECRET_KEY, TOKEN, served
from web_ui.station.app import create_app

pytestmark = pytest.mark.broker
CODE = re.compile(r"[0-9A-Z]{4}-[0-9A-Z]{4}")


@pytest.fixture(scope="module")
def centre(open_centre: Centre) -> Iterator[Centre]:
    with open_centre.listening():
        yield open_centre


class Person:
    """Runs a command in a terminal of its own, reads what it says, types."""

    def __init__(self, *arguments: object) -> None:
        command = [sys.executable, "-m", "lattrang", *map(str, arguments)]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.STDOUT, text=True)

    def read_until(self, words: str) -> str:
        """Everything up to `words`, which are said without a line's end where an answer is asked for."""
        heard = ""
        assert self.process.stdout is not None
        while words not in heard:
            letter = self.process.stdout.read(1)
            assert letter, f"it ended, having said: {heard}"
            heard += letter
        return heard

    def type(self, text: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{text}\n")
        self.process.stdin.flush()

    def end(self) -> tuple[int, str]:
        rest, _ = self.process.communicate(timeout=30)
        return self.process.returncode, rest

    def __enter__(self) -> "Person":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


def operator(*arguments: object) -> int:
    """Somebody at the station who types nothing."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        return main(["station", "pair", *map(str, arguments)])
    finally:
        signal.signal(signal.SIGTERM, before)


def new_station(folder: Path, name: str, camera: CameraConfig | None = None) -> Path:
    folder.mkdir(exist_ok=True)
    cameras = (camera or CameraConfig(),)
    config = StationConfig(
        StationSection(name),
        SpoolSection(folder / "spool"),
        WebSection(folder / "token", port=8500),
        HardwareConfig(cameras),
    )
    file = folder / "station.toml"
    file.write_text(f'{render(config)}\n# Pairing fills it in.\n# [broker]\n# host = "centre.example"\n\n# The end.\n')
    return file


def photograph(code: Path, photo: Path) -> None:
    """A telephone that shows the code, seen from aside by a noisy camera."""
    picture = cv2.imread(str(code), cv2.IMREAD_GRAYSCALE)
    assert picture is not None
    size = 700
    square = cv2.resize(picture, (size, size), interpolation=cv2.INTER_NEAREST)
    corners = np.array([[0, 0], [size, 0], [size, size], [0, size]], np.float32)
    seen = np.array([[520, 300], [1060, 360], [1010, 900], [470, 820]], np.float32)
    scene = cv2.warpPerspective(
        square, cv2.getPerspectiveTransform(corners, seen), (1600, 1200), borderValue=90, flags=cv2.INTER_AREA
    )
    noisy = cv2.GaussianBlur(scene, (5, 5), 0) * 0.7 + np.random.default_rng(1).normal(25, 8, scene.shape)
    cv2.imwrite(str(photo), noisy.clip(0, 255).astype(np.uint8))


def certificates(file: Path) -> Certificates:
    broker = load(file).broker
    assert broker is not None
    return Certificates(broker.ca, broker.cert, broker.key)


class LendingStation(FakeStation):
    """A running station before whose camera lies what is in a file."""

    def __init__(self, folder: Path, picture: Path) -> None:
        super().__init__(folder)
        self.picture = picture

    def preview(self) -> tuple[bytes, int]:
        return self.picture.read_bytes(), 1


def test_a_running_station_lends_its_camera(centre: Centre, tmp_path: Path) -> None:
    file = new_station(tmp_path / "station", "tram-lend")
    with Person("central", "pair", "tram-lend", "--config", centre.config_file, "--picture", tmp_path / "c.png") as one:
        one.read_until("takes it back.")
        photograph(tmp_path / "c.png", tmp_path / "seen.jpg")
        app = create_app(LendingStation(tmp_path, tmp_path / "seen.jpg"), token=TOKEN, secret_key=SECRET_KEY)
        with served(app) as address:
            (tmp_path / "station" / "token").write_text(TOKEN)
            port = urlsplit(address).port
            file.write_text(file.read_text().replace("port = 8500", f"port = {port}"))
            assert operator("--config", file) == 0
        assert one.end()[0] == 0
    assert may_speak(centre, certificates(file))


@pytest.mark.parametrize("by", ["photo", "camera"])
def test_a_code_that_is_shown_and_photographed(centre: Centre, tmp_path: Path, by: str) -> None:
    name, shots = f"tram-{by}", tmp_path / "shots"
    shots.mkdir()
    file = new_station(tmp_path / "station", name, CameraConfig("replay", folder=shots, loop=True))
    shown = ("--config", centre.config_file, "--picture", tmp_path / "code.png")
    with Person("central", "pair", name, *shown) as manager:
        said = manager.read_until("takes it back.")
        assert f"lattrang station pair --address 127.0.0.1:{centre.address.port}" in said
        photograph(tmp_path / "code.png", shots / "1.jpg")
        way = ("--photo", shots / "1.jpg") if by == "photo" else ()
        assert operator("--config", file, *way) == 0
        code, said = manager.end()
        assert (code, said.strip()) == (0, f"{name} is paired.")
    assert may_speak(centre, certificates(file))
    assert "# Pairing fills it in." in file.read_text()
    assert "centre.example" not in file.read_text()
    assert file.read_text().rstrip().endswith("# The end.")


def test_a_code_that_two_people_compare(centre: Centre, tmp_path: Path) -> None:
    file = new_station(tmp_path / "station", "tram-hai")
    with Person("central", "pair", "tram-hai", "--config", centre.config_file) as manager:
        manager.read_until("takes it back.")
        with Person("station", "pair", "--config", file, "--address", centre.address) as typing:
            at_station = CODE.search(typing.read_until("(Enter refuses): "))
            at_centre = CODE.search(manager.read_until("(Enter refuses): "))
            assert at_station is not None
            assert at_centre is not None
            typing.type(at_centre[0].lower())
            manager.type(at_station[0].replace("-", " "))
            code, said = typing.end()
            assert code == 0, said
        code, said = manager.end()
        assert code == 0, said
    assert may_speak(centre, certificates(file))


def test_a_person_who_types_another_code_ends_it(centre: Centre, tmp_path: Path) -> None:
    file = new_station(tmp_path / "station", "tram-ba")
    before = file.read_bytes()
    with Person("central", "pair", "tram-ba", "--config", centre.config_file) as manager:
        manager.read_until("takes it back.")
        with Person("station", "pair", "--config", file, "--address", centre.address) as typing:
            typing.read_until("(Enter refuses): ")
            for wrong in ("0000-0000", "1111-1111", "2222-2222"):
                typing.type(wrong)
            code, said = typing.end()
        assert code == 7
        assert "PAIR-14" in said
        manager.read_until("(Enter refuses): ")
        manager.type("")
        manager.read_until("Refused.")
    assert file.read_bytes() == before
    assert not (tmp_path / "station" / "pki" / "station.crt").exists()
    assert not centre.desk.is_paired("tram-ba")


def test_a_station_does_not_leave_its_centre_by_mistake(
    centre: Centre, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = new_station(tmp_path / "station", "tram-bay")
    (tmp_path / "station" / "pki").mkdir()
    theirs = ca.Authority.open(tmp_path / "other centre").certificate_file.read_bytes()
    (tmp_path / "station" / "pki" / "ca.crt").write_bytes(theirs)
    invitation = centre.desk.invite("tram-bay").invitation
    segno.make_qr(invitation.text()).save(str(tmp_path / "code.png"), scale=6)
    way = ("--config", file, "--photo", tmp_path / "code.png")
    assert operator(*way) == 7
    assert "PAIR-23" in capsys.readouterr().err
    assert operator("--config", file, "--address", centre.address) == 7
    assert "PAIR-23" in capsys.readouterr().err
    assert (tmp_path / "station" / "pki" / "ca.crt").read_bytes() == theirs
    assert operator(*way, "--move") == 0
    assert may_speak(centre, certificates(file))


def test_a_photograph_without_a_code_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = new_station(tmp_path / "station", "tram-bon")
    cv2.imwrite(str(tmp_path / "page.png"), np.full((600, 800), 200, np.uint8))
    assert operator("--config", file, "--photo", tmp_path / "page.png") == 7
    assert "PAIR-08" in capsys.readouterr().err


def test_nobody_there_is_said_so_and_the_code_may_still_be_good(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = new_station(tmp_path / "station", "tram-nam")
    assert operator("--config", file, "--address", "127.0.0.1:9") == 7
    assert "PAIR-07" in capsys.readouterr().err
