"""What systemd hears of our services, on a real datagram socket: ready, alive, about to end; silence in need."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace

import pytest

from appliance.config import BrokerSection, ImagingSection, SpoolSection, StationConfig, StationSection, WebSection
from appliance.config import render as render_station
from appliance.imaging.pipeline import process
from appliance.model import CaptureSetup
from appliance.publisher.runner import Publisher
from appliance.session.front import StationFront
from appliance.session.runner import Session
from appliance.spool.outbox import Outbox
from appliance.spool.retention import RetentionPolicy
from appliance.spool.store import Spool
from appliance.threads import ServiceThread
from appliance.worker import Worker
from central.authority import ca
from central.config import BrokerConfig, CentralConfig, WebConfig, WorkerLimits, default_database
from central.config import render as render_central
from firmware.interfaces import Hardware
from firmware.pedal_driven import DrivenPedal
from firmware.recorded import RecordedLamp, RecordedLight, RecordedSounder, SimulatedCradle
from firmware.registry import CameraConfig, HardwareConfig
from firmware.simulated import SimulatedCamera
from lattrang.service import Heart, Line
from tests.central.in_process import InProcess
from tests.listening import Systemd

WATCHDOG_S = 0.4
NOWHERE = 9  # the port "discard": nobody answers there


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[Systemd]:
    listener = Systemd(tmp_path)
    yield listener
    listener.close()


class Loop:
    """Something on which a loop can be held up, as by a camera that hangs or a disk that does not answer."""

    def __init__(self) -> None:
        self.free = threading.Event()
        self.free.set()
        self.is_held = threading.Event()

    def pass_by(self, *_: object, **__: object) -> bool:
        if not self.free.is_set():
            self.is_held.set()
        return self.free.wait(60)

    def hold(self) -> None:
        """From now on nobody passes."""
        self.free.clear()

    def wait_for_somebody(self) -> None:
        assert self.is_held.wait(20)


def beats(said: list[str]) -> int:
    return said.count("WATCHDOG=1")


def falls_silent(systemd: Systemd) -> bool:
    """Tell whether the beat stops. What was on its way when the loop was stopped may still come."""
    systemd.listen(0.6)
    return beats(systemd.listen(0.8)) == 0


def goes_on_beating(systemd: Systemd) -> bool:
    return beats(systemd.listen(5.0, until=lambda said: beats(said) >= 2)) == 2


def says_how_it_is(systemd: Systemd, words: str) -> bool:
    def is_said(said: list[str]) -> bool:
        return any(line.startswith(f"STATUS={words}") for line in said)

    return is_said(systemd.heard) or is_said(systemd.listen(10, until=is_said))


# The heart


def test_a_service_is_ready_when_every_loop_has_come_round_and_says_so_once(systemd: Systemd) -> None:
    heart = Heart(Line(systemd.address), ("one", "two"))
    one, two = heart.loop("one"), heart.loop("two")
    one("")
    one("")
    assert systemd.listen(0.05) == []
    two("")
    one("")
    two("")
    assert systemd.listen(0.05) == ["READY=1"]


def test_one_loop_that_is_stuck_silences_all(systemd: Systemd) -> None:
    now = SimpleNamespace(s=100.0)
    heart = Heart(Line(systemd.address, watchdog_s=60.0), ("one", "two"), lambda: now.s)
    one, two = heart.loop("one"), heart.loop("two")
    one("")
    two("")
    now.s += 15
    one("")
    assert systemd.listen(0.05) == ["READY=1", "WATCHDOG=1"]
    two("")
    assert systemd.listen(0.05) == ["WATCHDOG=1"]
    for _ in range(100):
        now.s += 15
        one("")
    assert systemd.listen(0.05) == []


def test_a_loop_of_many_turns_does_not_flood_systemd_and_changed_words_go_at_once(systemd: Systemd) -> None:
    heart = Heart(Line(systemd.address, watchdog_s=60.0), ("one",), lambda: 7.0)
    for _ in range(1000):
        heart.loop("one")("ready")
    heart.loop("one")("paused")
    assert systemd.listen(0.05) == ["READY=1", "WATCHDOG=1", "STATUS=ready", "STATUS=paused"]


def test_a_name_that_is_no_loop_is_a_mistake_of_ours() -> None:
    with pytest.raises(KeyError):
        Heart(Line(None), ("one",)).loop("two")


def test_nobody_who_listens_or_a_full_socket_holds_nothing_up(tmp_path: Path, systemd: Systemd) -> None:
    Line(None).say("READY=1")
    Line(str(tmp_path / "gone")).say("READY=1")
    line = Line(systemd.address)
    for _ in range(5_000):
        line.say("WATCHDOG=1")


def test_the_line_is_taken_from_the_environment_and_from_our_children() -> None:
    environment = {"NOTIFY_SOCKET": "@name", "WATCHDOG_USEC": "90000000", "WATCHDOG_PID": str(os.getpid()), "A": "b"}
    assert Line.from_environment(environment).watchdog_s == 90
    assert environment == {"A": "b"}
    assert Line.from_environment({"WATCHDOG_USEC": "90000000", "WATCHDOG_PID": "1"}).watchdog_s is None


# A loop that is stuck


@pytest.mark.parametrize("stuck", ["session", "capture", "worker"])
def test_a_station_with_a_stuck_thread_stops_beating(stuck: str, systemd: Systemd, tmp_path: Path) -> None:
    loops = {name: Loop() for name in ("session", "capture", "worker")}

    class Camera(SimulatedCamera):
        def recover(self) -> None:
            loops["capture"].pass_by()

    def pipeline(*frame, **more):
        loops["worker"].pass_by()
        return process(*frame, **more)

    setup = CaptureSetup("tram-01", rotations_cw=(0,))
    camera, pedal = Camera(7, 507, 380), DrivenPedal()
    hardware = Hardware((camera,), pedal, RecordedLamp(), RecordedLight(), RecordedSounder(), SimulatedCradle())
    heart = Heart(Line(systemd.address, WATCHDOG_S), tuple(loops))
    with Spool.open(tmp_path / "spool", "tram-01", RetentionPolicy(reserve_bytes=0, ballast_bytes=0)) as spool:
        worker = Worker(spool, setup, pipeline=pipeline)
        session = Session(hardware, spool, worker, setup)
        front = StationFront(session, spool, (camera,), pedal)
        deaths: list[object] = []
        working = ServiceThread("worker", lambda: worker.run(heart.loop("worker")), lambda *what: deaths.append(what))
        session.start(lambda *what: deaths.append(what), heart.loop)
        working.start()
        systemd.wait_for("READY=1", "WATCHDOG=1", "STATUS=closed")
        assert goes_on_beating(systemd)
        loops[stuck].hold()
        hold_up(stuck, session, front, loops["session"], camera)
        loops[stuck].wait_for_somebody()
        try:
            assert falls_silent(systemd)
        finally:
            loops[stuck].free.set()
        systemd.wait_for("WATCHDOG=1")
        session.stop()
        worker.stop()
        working.join()
        pedal.close()
    assert deaths == []


def hold_up(stuck: str, session: Session, front: StationFront, loop: Loop, camera: SimulatedCamera) -> None:
    """Bring the thread to the place where it is held up."""
    if stuck == "session":
        threading.Thread(target=session.ask, args=(loop.pass_by,), daemon=True).start()
    elif stuck == "capture":
        session._taker.recover(f"camera:{camera.info.port}")
    else:
        from appliance.api import NewJob

        front.open_job(NewJob(title="Kiều"))
        front.press()
        front.release()


def test_a_publisher_with_a_stuck_loop_stops_beating(systemd: Systemd, tmp_path: Path) -> None:
    loop, stop = Loop(), threading.Event()
    heart = Heart(Line(systemd.address, WATCHDOG_S), ("delivery",))
    with Spool.open(tmp_path / "spool", "tram-01", RetentionPolicy(reserve_bytes=0, ballast_bytes=0)):
        pass
    files = certificates(tmp_path)
    broker = BrokerSection("127.0.0.1", files.ca, files.cert, files.key, NOWHERE)
    config = station_config(tmp_path, broker).publisher()
    from appliance.publisher import mqtt

    line = mqtt.Line(config.broker, (), mqtt.LastWill("lattrang/1/stations/tram-01/status", b""))
    with Outbox.open(config.spool) as outbox:
        publisher = Publisher(config, outbox, line, hours_are_open=loop.pass_by)
        thread = threading.Thread(target=publisher.run, args=(stop, heart.loop("delivery")))
        assert is_silenced(systemd, loop, thread, stop)


def test_a_worker_with_a_stuck_loop_stops_beating(systemd: Systemd, tmp_path: Path) -> None:
    loop, stop = Loop(), threading.Event()
    heart = Heart(Line(systemd.address, WATCHDOG_S), ("receiver",))
    with InProcess(tmp_path / "store") as one:
        ordinary = one.wire.events.get
        one.wire.events.get = lambda **how: loop.pass_by() and ordinary(**how)  # type: ignore[method-assign]
        thread = threading.Thread(target=one.receiver.run, args=(stop, heart.loop("receiver")))
        assert is_silenced(systemd, loop, thread, stop)


def is_silenced(systemd: Systemd, loop: "Loop", thread: threading.Thread, stop: threading.Event) -> bool:
    """Run a service's loop, hold it up, and tell whether the beat ends with it."""
    thread.start()
    try:
        systemd.wait_for("READY=1")
        assert goes_on_beating(systemd)
        loop.hold()
        loop.wait_for_somebody()
        return falls_silent(systemd)
    finally:
        loop.free.set()
        stop.set()
        thread.join()


# Whole services


SERVICES = {
    ("station", "run"): "closed",
    ("station", "publish"): "offline NET-01",
    ("central", "run"): "not connected",
    ("central", "work"): "disconnected",
}


def test_every_service_says_when_it_is_ready_that_it_lives_and_that_it_ends(tmp_path: Path) -> None:
    prepare(tmp_path)
    with ExitStack() as running:
        pairs = [(command, *start(command, tmp_path, running)) for command in SERVICES]
        for command, systemd, service in pairs:
            systemd.wait_for("READY=1", "WATCHDOG=1")
            assert goes_on_beating(systemd)
            assert says_how_it_is(systemd, SERVICES[command]), systemd.heard
            service.send_signal(signal.SIGTERM)
            systemd.wait_for("STOPPING=1")
        assert [service.wait(20) for _, _, service in pairs] == [0, 0, 0, 0]


def start(command: tuple[str, str], folder: Path, running: ExitStack) -> tuple[Systemd, subprocess.Popen[bytes]]:
    own = folder / "-".join(command)
    own.mkdir()
    systemd = Systemd(own)
    running.callback(systemd.close)
    service = subprocess.Popen(
        [sys.executable, "-m", "lattrang", *command, "--config", str(folder / f"{command[0]}.toml")],
        env=os.environ | systemd.environment(watchdog_s=WATCHDOG_S),
    )
    running.callback(service.wait)
    running.callback(service.kill)
    return systemd, service


def certificates(folder: Path) -> ca.Credentials:
    authority = ca.Authority.open(folder / "pki")
    for name in (ca.OFFICE, ca.ADMIN, ca.worker_name("w1")):
        authority.issue_client(name)
    return authority.issue_client("station.tram-01")


def station_config(folder: Path, broker: BrokerSection) -> StationConfig:
    return StationConfig(
        StationSection("tram-01"),
        SpoolSection(folder / "spool", reserve_mib=0),
        WebSection(folder / "station.token", port=0),
        HardwareConfig((CameraConfig(width_px=507, height_px=380),)),
        ImagingSection(rotation_cw=(0,)),
        broker=broker,
    )


def prepare(folder: Path) -> None:
    """Make what each service needs to start; no broker answers."""
    files = certificates(folder)
    with Spool.open(folder / "spool", "tram-01"):
        pass
    config = station_config(folder, BrokerSection("127.0.0.1", files.ca, files.cert, files.key, NOWHERE))
    (folder / "station.toml").write_text(render_station(config), "utf-8")
    (folder / "web.token").write_text("sixteen letters at least", "ascii")
    centre = CentralConfig(
        store=folder / "store",
        database_url=default_database(folder / "store"),
        broker=BrokerConfig("127.0.0.1", NOWHERE, folder / "pki"),
        web=WebConfig("127.0.0.1", 0, folder / "web.token"),
        limits=WorkerLimits(),
    )
    (folder / "central.toml").write_text(render_central(centre), "utf-8")
