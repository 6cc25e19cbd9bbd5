"""Setting up: what feet say is counted, parts show themselves, what was done is remembered, and no secret leaves."""

import dataclasses
import io
import json
import logging
import secrets
import threading
import time
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from appliance.api import NewJob, StationApi
from appliance.config import (
    BrokerSection,
    ImagingSection,
    SpoolSection,
    StationConfig,
    StationSection,
    WebSection,
    render,
)
from appliance.errors import SetUpError
from appliance.health import is_power_low
from appliance.setup.api import Progress
from appliance.setup.bench import Bench
from appliance.setup.desk import SetUpDesk
from appliance.setup.errands import ASKED
from appliance.setup.gauge import Reading
from appliance.setup.networks import has_way_out
from appliance.setup.support import LogTail, without_secrets
from appliance.station import run_station
from firmware.gestures import GestureTimes
from firmware.interfaces import Hardware, Signal
from firmware.pedal_driven import DrivenPedal
from firmware.recorded import RecordedLamp, RecordedLight, RecordedSounder, SimulatedCradle
from firmware.registry import CameraConfig, HardwareConfig

MS = 1_000_000


class Lamp(RecordedLamp):
    """Remembers every change."""

    def __init__(self) -> None:
        super().__init__()
        self.changes: list[float] = []

    def set(self, brightness: float) -> None:
        super().set(brightness)
        self.changes.append(brightness)


@pytest.fixture
def parts() -> Hardware:
    pedal = DrivenPedal(GestureTimes(5 * MS, 40 * MS, 90 * MS))
    return Hardware((), pedal, Lamp(), RecordedLight(), RecordedSounder(), SimulatedCradle())


def config(folder: Path) -> StationConfig:
    return StationConfig(
        StationSection("tram-01"),
        SpoolSection(folder / "spool", reserve_mib=0),
        WebSection(folder / "web.token", port=0),
        HardwareConfig((CameraConfig(width_px=507, height_px=380),)),
        ImagingSection(rotation_cw=(0,)),
        broker=BrokerSection("thuvien.local", folder / "ca.crt", folder / "station.crt", folder / "station.key"),
    )


def desk_of(station: StationApi, folder: Path, bench: Bench | None = None, tail: LogTail | None = None) -> SetUpDesk:
    settings = config(folder)
    file = folder / "station.toml"
    file.write_text(render(settings), "utf-8")
    return SetUpDesk(station, bench or Bench(), settings, file, tail or LogTail())


def test_press_hold_and_long_hold_are_counted_and_the_session_hears_them_too(parts: Hardware) -> None:
    bench, heard = Bench(), []
    pedal = bench.lay(parts).pedal
    pedal.listen(lambda event: heard.append(event.gesture))
    assert isinstance(parts.pedal, DrivenPedal)
    parts.pedal.close_contact()
    feet = bench.feet()
    while not feet.is_complete:
        before, feet = feet.number, bench.wait_for_foot(feet.number, 5.0)
        assert feet.number != before, "nothing more was felt"
    parts.pedal.open_contact()
    assert (feet.presses, feet.holds, feet.long_holds) == (1, 1, 1)
    assert len(heard) >= 3
    bench.count_anew()
    assert bench.feet().number != feet.number
    assert not bench.feet().presses
    pedal.close()


def test_the_lamp_goes_off_and_is_on_again_and_the_others_give_a_signal(parts: Hardware) -> None:
    bench = Bench()
    with pytest.raises(SetUpError, match="SES-08"):
        bench.try_part("lamp")
    bench.lay(parts)
    for part in ("lamp", "sounder", "light"):
        bench.try_part(part)  # type: ignore[arg-type]
    assert parts.lamp.changes == [0.0, 1.0]  # type: ignore[attr-defined]
    assert parts.sounder.signals == (Signal.DONE,)  # type: ignore[attr-defined]
    assert parts.light.signals == (Signal.LOCATE,)  # type: ignore[attr-defined]
    bench.clear()
    with pytest.raises(SetUpError):
        bench.try_part("sounder")


def test_what_was_done_is_remembered_over_a_restart_and_garbage_is_nothing(tmp_path: Path) -> None:
    def use(api: StationApi, stop: threading.Event) -> None:
        desk = desk_of(api, tmp_path)
        assert desk.progress() == Progress()
        desk.mark_done("language")
        desk.mark_part("lamp", works=False)
        desk.put_off()
        again = desk_of(api, tmp_path).progress()
        assert (list(again.done), again.parts, again.is_put_off) == (["language"], {"lamp": False}, True)
        with pytest.raises(KeyError):
            desk.mark_done("../x")
        (tmp_path / "set-up.json").write_text('{"done": 3}')
        assert desk.progress() == Progress()
        stop.set()

    run_station(config(tmp_path), use, threading.Event())


def test_a_station_that_is_not_the_installed_one_does_not_speak_for_it(tmp_path: Path) -> None:
    def use(api: StationApi, stop: threading.Event) -> None:
        desk = desk_of(api, tmp_path)
        assert not desk.pairing().is_possible
        (tmp_path / "asked").mkdir()
        desk.pair_at("10.0.0.5")
        assert (tmp_path / "asked" / "pair.json").exists()
        assert not (ASKED / "pair.json").exists()
        desk.close()
        stop.set()

    run_station(config(tmp_path), use, threading.Event())


def test_parts_are_not_tried_while_a_book_is_captured(tmp_path: Path) -> None:
    bench = Bench()

    def use(api: StationApi, stop: threading.Event) -> None:
        desk = desk_of(api, tmp_path, bench)
        desk.try_part("sounder")
        api.open_job(NewJob(title="Kiều"))
        with pytest.raises(SetUpError, match="SES-02"):
            desk.try_part("lamp")
        stop.set()

    run_station(config(tmp_path), use, threading.Event(), bench=bench)


def test_what_was_measured_is_kept_over_a_restart_and_not_while_a_book_is_captured(tmp_path: Path) -> None:
    bench = Bench()

    def use(api: StationApi, stop: threading.Event) -> None:
        desk = desk_of(api, tmp_path, bench)
        assert {row.part: row.value for row in desk.health()}["calibration"] is None
        with pytest.raises(SetUpError, match="SET-06"):
            desk.certify()
        assert desk.reading() is None
        assert desk.measure() == desk.reading() == Reading("lay-paper"), "the drawn camera sees a book"
        desk.certify()
        kept = desk_of(api, tmp_path, bench).progress().certificate
        assert kept is not None
        assert not kept.is_good
        assert (kept.rows, kept.frame_width_px, kept.days_old(datetime.now(UTC))) == (Reading("lay-paper").rows, 507, 0)
        assert kept.days_old(datetime.now(UTC) + timedelta(days=30, hours=1)) == 30
        assert {row.part: row.value for row in desk.health()}["calibration"] == 0
        watching = desk_of(api, tmp_path, bench)
        assert watching.watch() is None, "nothing has lain there for a second yet"
        deadline = time.monotonic() + 30.0
        while watching.watch() is None:
            assert time.monotonic() < deadline, "what lies still was never measured"
        assert watching.watch() == Reading("lay-paper")
        api.open_job(NewJob(title="Kiều"))
        with pytest.raises(SetUpError, match="SES-02"):
            desk.measure()
        assert desk_of(api, tmp_path, bench).watch() is None, "no fault of the page that follows"
        stop.set()

    run_station(config(tmp_path), use, threading.Event(), bench=bench)


def test_the_third_picture_of_the_test_book_turns_red_no_other_does_and_all_are_marked(tmp_path: Path) -> None:
    bench, verdicts = Bench(), []
    wide = HardwareConfig((CameraConfig(width_px=1400, height_px=1050),))

    def press(api: StationApi) -> None:
        before = api.snapshot().safe_captures
        api.press()
        api.release()
        now = api.snapshot()
        for _ in range(200):
            if now.safe_captures > before and not now.queue_length and now.last and now.last.verdict.value != "pending":
                verdicts.append(now.last.verdict.value)
                return
            now = api.wait_for_change(now.number, 0.1)
        raise AssertionError("no verdict came")

    def use(api: StationApi, stop: threading.Event) -> None:
        desk = desk_of(api, tmp_path, bench)
        desk.open_trial("Sách thử")
        press(api)
        api.hand_over()
        api.open_job(NewJob(title="Kiều"))
        for _ in range(3):
            press(api)
        api.hand_over()
        desk.open_trial("Sách thử")
        for _ in range(3):
            press(api)
        api.hand_over()
        stop.set()

    run_station(dataclasses.replace(config(tmp_path), hardware=wide), use, threading.Event(), bench=bench)
    assert "bad" not in verdicts[:-1], "a wish for one book spoils no other"
    assert verdicts[-1] == "bad"
    lists = [json.loads(file.read_bytes()) for file in (tmp_path / "spool" / "jobs").glob("*/list-*.json")]
    assert {(one["item"]["title"], one.get("training", False)) for one in lists} == {
        ("Sách thử", True),
        ("Kiều", False),
    }
    captures = [json.loads(file.read_bytes()) for file in (tmp_path / "spool" / "captures").glob("*/capture.json")]
    assert (
        sorted((one["item"]["title"], one["training"]) for one in captures)
        == [("Kiều", False)] * 3 + [("Sách thử", True)] * 4
    )


def test_the_support_file_holds_no_secret_no_title_and_no_name(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    hidden = {name: secrets.token_urlsafe(24) for name in ("web.token", "web.secret", "station.key")}
    for name, secret in hidden.items():
        (tmp_path / name).write_text(secret)
    tail = LogTail()
    logging.getLogger().addHandler(tail)
    found: list[bytes] = []

    def use(api: StationApi, stop: threading.Event) -> None:
        api.add_person("Trần Thị Bưởi", "4711")
        api.open_job(NewJob(title="Nhật ký riêng tư", barcode="QNG-003187", author="Nguyễn Văn Ẩn"))
        api.press()
        api.release()
        now = api.snapshot()
        for _ in range(100):
            now = api.wait_for_change(now.number, 0.2)
            if now.safe_captures and not now.queue_length:
                break
        with (tmp_path / "spool" / "log" / "events.jsonl").open("a", encoding="utf-8") as events:
            events.write('{"event": "something.new", "title": "Nhật ký riêng tư"}\n')
        desk = desk_of(api, tmp_path, tail=tail)
        found.append(desk.support_file())
        assert {row.part for row in desk.health()} >= {"camera", "room", "disk", "captures", "pairing", "clock"}
        stop.set()

    try:
        run_station(config(tmp_path), use, threading.Event())
    finally:
        logging.getLogger().removeHandler(tail)
    archive = zipfile.ZipFile(io.BytesIO(found[0]))
    texts = {name: archive.read(name).decode() for name in archive.namelist()}
    assert set(texts) == {
        "health.json", "machine.json", "station.json", "set-up.json", "configuration.json", "publisher.json",
        "events.jsonl", "log.txt",
    }  # fmt: skip
    assert "capture.safe" in texts["events.jsonl"]
    assert "something.new" in texts["events.jsonl"]
    assert "station running" in texts["log.txt"]
    assert json.loads(texts["configuration.json"])["broker"]["host"] == "thuvien.local"
    everything = "".join(texts.values())
    for secret in (
        *hidden.values(),
        "Nhật ký riêng tư",
        "QNG-003187",
        "Nguyễn Văn Ẩn",
        "Trần Thị Bưởi",
        "4711",
        "PRIVATE KEY",
    ):
        assert secret not in everything


def test_whatever_is_called_like_a_secret_is_left_out_of_a_configuration() -> None:
    asked = {"web": {"token": "abc", "pin_code": "1234", "token_file": "/var/x"}, "hardware": {"pedal_pin": 17}}
    left = {"token": "(left out)", "pin_code": "(left out)", "token_file": "/var/x"}
    assert without_secrets(asked) == {"web": left, "hardware": {"pedal_pin": 17}}


def test_low_voltage_is_told_by_the_pis_own_monitor(tmp_path: Path) -> None:
    assert is_power_low(tmp_path) is None
    monitor = tmp_path / "hwmon1"
    monitor.mkdir()
    (monitor / "name").write_text("rpi_volt\n")
    for value, is_low in (("0\n", False), ("1\n", True)):
        (monitor / "in0_lcrit_alarm").write_text(value)
        assert is_power_low(tmp_path) is is_low


def test_a_way_out_is_a_default_route_that_is_not_the_machine_itself(tmp_path: Path) -> None:
    routes, routes6 = tmp_path / "route", tmp_path / "ipv6_route"
    assert not has_way_out(routes, routes6)
    header = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
    routes.write_text(f"{header}eth0\t0000000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n")
    assert not has_way_out(routes, routes6)
    routes.write_text(f"{header}eth0\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n")
    assert has_way_out(routes, routes6)
    routes.write_text(header)
    zero = "0" * 32
    routes6.write_text(f"{zero} 00 {zero} 00 {zero} ffffffff 00000001 00000000 00200200       lo\n")
    assert not has_way_out(routes, routes6)
    routes6.write_text(f"{zero} 00 {zero} 00 fe80{zero[4:]} 00000400 00000001 00000000 00000003     eth0\n")
    assert has_way_out(routes, routes6)
