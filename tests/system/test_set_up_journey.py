"""A new station from its first start to its first verdicts, on its own screen: the real station, drawn hardware."""

import io
import threading
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from appliance.api import StationApi
from appliance.config import ImagingSection, SpoolSection, StationConfig, StationSection, WebSection, render
from appliance.setup.bench import Bench
from appliance.setup.desk import SetUpDesk
from appliance.setup.support import LogTail
from appliance.station import run_station
from firmware.registry import CameraConfig, HardwareConfig
from tests.web_ui.running import SECRET_KEY, TOKEN
from web_ui.station.app import create_app

SPREADS = 4


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


def test_from_the_first_start_to_a_test_book(tmp_path: Path) -> None:
    hardware = HardwareConfig((CameraConfig(width_px=507, height_px=380),), hold_ms=150, hold_long_ms=400)
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
    person.do("/setup/calibration/done")
    person.do("/setup/book/open", title="Sách thử")
    for number in range(1, SPREADS + 1):
        person.capture()
        page = person.see("/setup/book?fragment=1")
        assert f"Lần chụp {number}: <strong>" in page
    person.do("/setup/book/end")
    assert "Trạm tram-01 sẵn sàng" in person.do("/setup/book/done")
    assert "chưa ghép, ảnh chờ ở trạm" in person.see("/setup/done")
    assert "bước" not in person.see("/"), "a station that has worked begins with its work"
    health = person.see("/health")
    assert "4 lần chụp an toàn" in health
    assert "CONF-03" in health
    assert zipfile.ZipFile(io.BytesIO(person.load("/health/support.zip"))).testzip() is None
