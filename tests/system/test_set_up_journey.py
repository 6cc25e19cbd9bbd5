"""A new station from its first start to its first verdicts, on its own screen: the real station, drawn hardware."""

import io
import threading
import zipfile
from dataclasses import replace
from pathlib import Path

import cv2
import pytest
from flask.testing import FlaskClient

from appliance.api import StationApi
from appliance.config import ImagingSection, SpoolSection, StationConfig, StationSection, WebSection, render
from appliance.setup.bench import Bench
from appliance.setup.desk import SetUpDesk
from appliance.setup.support import LogTail
from appliance.station import run_station
from firmware.planes import Planes, planes_to_bgr
from firmware.registry import CameraConfig, HardwareConfig
from firmware.simulated.camera import SimulatedCamera
from tests.appliance.setup.test_gauge import photograph
from tests.web_ui.running import SECRET_KEY, TOKEN
from web_ui.station.app import create_app

SPREADS, SPOILED = 4, 3


class Person:
    """Somebody at the screen of a station that runs."""

    def __init__(self, station: StationApi, client: FlaskClient) -> None:
        self.station = station
        self._client = client

    def see(self, path: str) -> str:
        answer = self._client.get(path, headers={"Authorization": f"Bearer {TOKEN}"}, follow_redirects=True)
        assert answer.status_code == 200, answer.text
        return answer.text

    def load(self, path: str) -> bytes:
        return self._client.get(path, headers={"Authorization": f"Bearer {TOKEN}"}).data

    def do(self, path: str, **values: str) -> str:
        answer = self._client.post(
            path, data=values, headers={"Authorization": f"Bearer {TOKEN}"}, follow_redirects=True
        )
        assert answer.status_code == 200, answer.text
        return answer.text

    def stand_on_the_pedal_until(self, words: str) -> None:
        self.do("/press")
        after = 0
        for _ in range(100):
            page = self.see(f"/setup/parts/feet?after={after}")
            after = int(page.split('data-number="')[1].split('"')[0])
            if words in page:
                break
        else:
            pytest.fail(f"never felt: {words}")
        self.do("/release")

    def capture(self) -> None:
        now = self.station.snapshot()
        wanted = now.safe_captures + 1
        self.do("/press", tap="1")
        for _ in range(200):
            now = self.station.wait_for_change(now.number, 0.2)
            if (
                now.safe_captures == wanted
                and not now.queue_length
                and now.last
                and now.last.verdict.value != "pending"
            ):
                return
        pytest.fail("the capture was not judged")


def before_the_camera(folder: Path) -> Path:
    """Lay out what the camera sees in turn: a sheet of paper to measure by, then the test book's spreads."""
    folder.mkdir()
    cv2.imwrite(str(folder / "0-sheet.jpg"), photograph())
    book = SimulatedCamera(7, 1400, 1050)
    for number in range(1, SPREADS + 1):
        frame = book.capture(pressed_at_ns=0)
        spread = planes_to_bgr(Planes(frame.y, frame.u, frame.v))
        cv2.imwrite(str(folder / f"{number}-spread.jpg"), spread)
    return folder


def test_from_the_first_start_to_a_certificate_and_a_test_book_with_one_red_spread(tmp_path: Path) -> None:
    camera = CameraConfig("replay", folder=before_the_camera(tmp_path / "seen"))
    hardware = HardwareConfig((camera,), hold_ms=150, hold_long_ms=400)
    config = StationConfig(
        StationSection("tram-01"), SpoolSection(tmp_path / "spool", reserve_mib=0), WebSection(tmp_path / "token")
    )
    config = replace(config, hardware=hardware, imaging=ImagingSection(rotation_cw=(0,)))
    file = tmp_path / "station.toml"
    file.write_text(render(config), "utf-8")
    bench, walked = Bench(), []

    def walk(station: StationApi, stop: threading.Event) -> None:
        desk = SetUpDesk(station, bench, config, file, LogTail())
        app = create_app(station, token=TOKEN, secret_key=SECRET_KEY, set_up=desk)
        try:
            set_up(Person(station, app.test_client()))
            walked.append(True)
        finally:
            app.extensions["polls"].closing.set()
            desk.close()
            stop.set()

    run_station(config, walk, threading.Event(), bench=bench)
    assert walked


def set_up(person: Person) -> None:
    assert "bước 1/6" in person.see("/"), "a new station begins with its set-up"
    assert "bước 2/6" in person.do("/setup/language/done")
    assert "bước 3/6" in person.do("/setup/network/done")
    assert "lattrang station pair" in person.see("/setup/pairing"), "here nobody pairs for the screen"
    person.do("/setup/pairing/done")
    person.stand_on_the_pedal_until('Nhấn giữ một giây <span class="number">– đã nhận')
    person.stand_on_the_pedal_until('Giữ ba giây <span class="number">– đã nhận')
    for part in ("sounder", "light", "lamp"):
        person.do("/setup/parts/try", part=part)
    for part in ("camera", "lamp", "sounder", "light"):
        person.do("/setup/parts/answer", part=part, works="1")
    person.do("/setup/parts/done")
    assert "Đặt một tờ giấy trắng A4 vào giữa giá" in person.see("/setup/calibration")
    assert "Những gì đo được đều đạt" in person.do("/setup/calibration/measure")
    assert "bước 6/6" in person.do("/setup/calibration/keep")
    person.do("/setup/book/open", title="Sách thử")
    for number in range(1, SPREADS + 1):
        person.capture()
        page = person.see("/setup/book?fragment=1")
        assert f"Lần chụp {number}: <strong>" in page
        assert ("CHỤP LẠI" in page) is (number >= SPOILED), "the station blurs the third, and no other"
    assert page.count("CHỤP LẠI") == 1
    person.do("/setup/book/end")
    assert "Trạm tram-01 sẵn sàng" in person.do("/setup/book/done")
    assert "chưa ghép, ảnh chờ ở trạm" in person.see("/setup/done")
    assert "bước" not in person.see("/"), "a station that has worked begins with its work"
    certificate = person.see("/setup/certificate")
    assert "300 ppi" in certificate
    assert "chưa đo được" in certificate
    health = person.see("/health")
    assert "Đo cách đây 0 ngày" in health
    assert "4 lần chụp an toàn" in health
    assert "CONF-03" in health
    assert zipfile.ZipFile(io.BytesIO(person.load("/health/support.zip"))).testzip() is None
