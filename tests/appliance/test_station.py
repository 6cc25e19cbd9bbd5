"""The station service as a whole, and its commands."""

import json
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from appliance.api import NewJob, SessionState
from appliance.clocks import Clocks, is_synchronised
from appliance.config import ImagingSection, SpoolSection, StationConfig, StationSection, WebSection, render
from appliance.errors import NotNow, SpoolError, StationError
from appliance.health import hot_c, temperature_c
from appliance.late_camera import LateCamera
from appliance.spool.store import Spool
from appliance.station import retention, run_station
from firmware.errors import CameraMissing, DriverUnavailable
from firmware.interfaces import Lock
from firmware.registry import CameraConfig, HardwareConfig
from firmware.simulated import SimulatedCamera

ROOT = Path(__file__).parents[2]


def config(folder: Path) -> StationConfig:
    return StationConfig(
        StationSection("tram-01"),
        SpoolSection(folder / "spool", reserve_mib=0),
        WebSection(folder / "token", port=0),
        HardwareConfig((CameraConfig(width_px=507, height_px=380),)),
        ImagingSection(rotation_cw=(0,)),
    )


def test_a_station_captures_from_its_screen_and_goes_on_after_a_stop(tmp_path) -> None:
    seen = []

    def use(api, stop) -> None:
        now = api.snapshot()
        seen.append(now.job.entries if now.job else 0)
        if now.job is None:
            api.open_job(NewJob(title="Kiều"))
        api.press()
        api.release()
        for _ in range(100):
            now = api.wait_for_change(now.number, 0.2)
            if now.safe_captures == len(seen) and now.queue_length == 0:
                break
        assert api.preview()[0].startswith(b"\xff\xd8")
        stop.set()

    run_station(config(tmp_path), use, threading.Event())
    run_station(config(tmp_path), use, threading.Event())
    assert seen == [0, 1]
    state = json.loads((tmp_path / "spool" / "run" / "station.json").read_bytes())
    assert state["state"]["state"] in {state.value for state in SessionState}


def test_a_part_that_dies_takes_the_service_down_loudly(tmp_path) -> None:
    def die(api, stop) -> None:
        raise ZeroDivisionError

    with pytest.raises(StationError, match=r"STATION-01.*web"):
        run_station(config(tmp_path), die, threading.Event())
    with Spool.open(tmp_path / "spool", "tram-01"):
        pass  # and lets go of everything


def test_an_error_with_a_code_keeps_its_code(tmp_path) -> None:
    def refuse(api, stop) -> None:
        raise NotNow("SES-08", "The station is stopping.", "Wait.")

    with pytest.raises(NotNow, match="SES-08"):
        run_station(config(tmp_path), refuse, threading.Event())


def test_a_camera_that_is_not_there_yet_is_a_fault_that_passes(tmp_path) -> None:
    cable = threading.Event()

    def open_camera() -> SimulatedCamera:
        if not cable.is_set():
            raise CameraMissing("CAM-01", "No camera answers.", "Check the cable.")
        return SimulatedCamera(1, 320, 240, port="cam-0")

    late = LateCamera("camera-0", open_camera)
    assert late.info.port == "camera-0"
    late.lock(Lock(exposure_us=5))
    for use in (late.preview, late.recover, lambda: late.capture(pressed_at_ns=0)):
        with pytest.raises(CameraMissing):
            use()
    cable.set()
    late.recover()
    late.recover()
    assert late.capture(pressed_at_ns=0).camera == late.info.port == "cam-0"
    late.close()


def test_a_driver_that_this_machine_lacks_ends_the_start(tmp_path) -> None:
    def open_camera() -> SimulatedCamera:
        raise DriverUnavailable("HW-01", "No picamera2.", "Install it.")

    with pytest.raises(DriverUnavailable):
        LateCamera("camera-0", open_camera)


def test_two_stations_cannot_share_a_spool(tmp_path) -> None:
    with Spool.open(tmp_path / "spool", "tram-01"), pytest.raises(SpoolError, match="DISK-03"):
        run_station(config(tmp_path), lambda *_: None, threading.Event())


class SpoolThatFailsOnce:
    """A disk that has a bad moment while captures are released."""

    def __init__(self) -> None:
        self.calls = 0
        self.twice = threading.Event()

    def release_due(self) -> tuple[str, ...]:
        self.calls += 1
        if self.calls == 1:
            raise SpoolError("DISK-02", "no", "wait")
        self.twice.set()
        return ("a",)


def test_a_release_that_fails_is_tried_again(tmp_path) -> None:
    spool, stop = SpoolThatFailsOnce(), threading.Event()
    cleaning = threading.Thread(target=retention, args=(spool, stop, 0.01))
    cleaning.start()
    assert spool.twice.wait(10)
    stop.set()
    cleaning.join(10)
    assert not cleaning.is_alive()


def test_the_date_of_a_moment_is_counted_back_from_now() -> None:
    clocks = Clocks()
    assert clocks.instant_of(clocks.monotonic_ns() - 3_600_000_000_000) < clocks.instant()
    assert isinstance(is_synchronised(), bool)


def test_a_machine_without_a_thermometer_tells_no_temperature(tmp_path) -> None:
    assert temperature_c(tmp_path / "temp") is None
    (tmp_path / "temp").write_text("48312\n", encoding="ascii")
    assert temperature_c(tmp_path / "temp") == 48.312


def test_only_a_machine_so_hot_that_it_slows_down_is_said_to_be_hot(tmp_path) -> None:
    thermometer = tmp_path / "temp"
    assert hot_c(thermometer) is None
    for reading, told in (("79900\n", None), ("80000\n", 80), ("84400\n", 84)):
        thermometer.write_text(reading, encoding="ascii")
        assert hot_c(thermometer) == told


RUN = """
import argparse, sys
from lattrang import station_commands
from wire.errors import CodedError
common = argparse.ArgumentParser(add_help=False)
common.add_argument("--config", default=argparse.SUPPRESS)
parser = argparse.ArgumentParser(parents=[common])
station_commands.add_parser(parser.add_subparsers(), common)
arguments = parser.parse_args()
try:
    sys.exit(int(arguments.run(arguments)))
except CodedError as error:
    print(error, file=sys.stderr)
    sys.exit(int(error.exit_code))
"""


def command(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", RUN, *arguments], cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "station.toml"
    path.write_text(render(config(Path())), encoding="utf-8")
    return path


def test_the_service_serves_its_screen_stops_on_sigterm_and_leaves_a_spool_that_tells_its_state(file) -> None:
    running = command("station", "run", "--config", str(file))
    with running:
        for line in running.stderr:
            if "web listening" in line:
                break
        running.send_signal(signal.SIGTERM)
        _, errors = running.communicate(timeout=30)
    assert running.returncode == 0, errors
    assert "Traceback" not in errors
    told = command("--config", str(file), "station", "status")
    out, _ = told.communicate(timeout=30)
    status = json.loads(out)
    assert (status["station"], status["captures"]["safe"], status["link"]) == ("tram-01", 0, "unknown")
    recovered = command("station", "recover", str(file.parent / "spool"))
    out, _ = recovered.communicate(timeout=30)
    assert recovered.returncode == 0
    assert "0 taken into the index" in out


def test_the_doctor_fails_where_something_is_missing_and_publishing_needs_a_broker(file) -> None:
    examined = command("station", "doctor", "--config", str(file))
    out, _ = examined.communicate(timeout=60)
    assert examined.returncode == 1
    assert "CONF-03" in out
    publishing = command("station", "publish", "--config", str(file))
    _, errors = publishing.communicate(timeout=30)
    assert publishing.returncode == 3
    assert "CONF-03" in errors


def test_what_is_no_spool_cannot_be_recovered(tmp_path) -> None:
    recovered = command("station", "recover", str(tmp_path / "nowhere"))
    _, errors = recovered.communicate(timeout=30)
    assert recovered.returncode == 5
    assert "DISK-08" in errors
