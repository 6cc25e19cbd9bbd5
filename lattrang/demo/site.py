"""A whole site in one folder: centre, broker, workers, station and publisher as processes of their own.

The demo and the system tests run the same site. Every part can be ended without warning and started again.
"""

import contextlib
import http.client
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from appliance.config import BrokerSection, ImagingSection, SpoolSection, StationConfig, StationSection, WebSection
from appliance.config import render as render_station
from central.authority import provision
from central.authority.broker import Broker
from central.config import CentralConfig, PairingConfig, WorkerLimits
from firmware.registry import CameraConfig, HardwareConfig
from lattrang.demo.client import StationClient
from lattrang.demo.processes import Process
from lattrang.demo.waiting import wait_until
from web_ui.common.keyfile import load_or_create
from wire.errors import CodedError

LOOPBACK: Final = "127.0.0.1"
START_TIMEOUT_S: Final = 60.0
FIRST_PORT: Final = 8600


class DemoError(CodedError):
    """The demo cannot go on."""


@dataclass(frozen=True, slots=True)
class SitePlan:
    """What a site is made of.

    Attributes:
        folder: everything the site writes is in here.
        camera: what stands in for the camera.
        station: name of the station.
        workers: how many workers receive.
        port: of the station's screen; the centre's and its port for pairing are the next ones; 0 takes free ones.
        queue_limit: captures that may wait for processing.
        limits: how much a worker takes on at once.
        reserve_mib: room that the station's captures never use.
    """

    folder: Path
    camera: CameraConfig
    station: str = "tram-01"
    workers: int = 2
    port: int = 0
    queue_limit: int = 4
    limits: WorkerLimits = field(default_factory=WorkerLimits)
    reserve_mib: int = 512


class Site:
    """Use as a context manager: entering prepares everything and starts it, leaving stops it in reverse order."""

    def __init__(self, plan: SitePlan) -> None:
        self.plan = plan
        self.log_folder = plan.folder / "log"
        self.station_config = plan.folder / "station.toml"
        self.central_config = plan.folder / "central.toml"
        self.spool = plan.folder / "station" / "spool"
        self.station_port, self.central_port, self.pairing_port = _ports(plan.port)
        self._worker_names = [f"w{number}" for number in range(1, plan.workers + 1)]
        self.centre: provision.Centre | None = None
        self.office = self._process("central-run", "central", "run", "--config", str(self.central_config))
        self.workers = [
            self._process(
                f"central-work-{name}", "central", "work", "--name", name, "--config", str(self.central_config)
            )
            for name in self._worker_names
        ]
        self.publisher = self._process("publisher", "station", "publish", "--config", str(self.station_config))
        self.station = self._process("station", "station", "run", "--config", str(self.station_config))

    @property
    def broker(self) -> Broker:
        """The broker, once the site is prepared."""
        return self._centre.broker

    @property
    def central(self) -> CentralConfig:
        """The centre's configuration, once the site is prepared."""
        return self._centre.config

    @property
    def processes(self) -> tuple[Process, ...]:
        """Everything but the broker, in the order in which it is started."""
        return (self.office, *self.workers, self.publisher, self.station)

    @property
    def staff_address(self) -> str:
        """Where staff are signed in at once."""
        return f"http://{LOOPBACK}:{self.station_port}/enter?token={_read(self._station_token)}"

    @property
    def manager_address(self) -> str:
        """Where the manager is signed in at once."""
        return f"http://{LOOPBACK}:{self.central_port}/enter?token={_read(self.central.web.token_file)}"

    def client(self) -> StationClient:
        """Return a hand at the station's screen."""
        return StationClient(self.station_port, _read(self._station_token))

    def prepare(self) -> None:
        """Make or keep authority, certificates, rules and configurations; the broker runs afterwards."""
        self._make_folders()
        self.centre = provision.provision(
            self.plan.folder,
            web_port=self.central_port,
            workers=self._worker_names,
            limits=self.plan.limits,
            pairing=PairingConfig(LOOPBACK, LOOPBACK, self.pairing_port),
        )
        credentials = provision.new_station(self.central, self.plan.station, self.plan.folder / "station" / "pki")
        load_or_create(self._station_token)
        config = StationConfig(
            station=StationSection(self.plan.station, label="Trạm trình diễn"),
            spool=SpoolSection(self.spool, self.plan.reserve_mib),
            web=WebSection(self._station_token, LOOPBACK, self.station_port),
            hardware=HardwareConfig(cameras=(self.plan.camera,)),
            imaging=ImagingSection(queue_limit=self.plan.queue_limit),
            broker=BrokerSection(
                self.central.broker.host, credentials.ca, credentials.cert, credentials.key, self.central.broker.port
            ),
        )
        self.station_config.write_text(render_station(config), "utf-8")

    def start(self) -> None:
        """Start every process and return once both screens answer.

        Raises:
            DemoError: DEMO-02, one of them did not come up; its last words are in the message.
        """
        for process in self.processes:
            process.start()
        self.wait_for_screen(self.office, self.central_port)
        self.wait_for_screen(self.station, self.station_port)

    def wait_for_screen(self, process: Process, port: int) -> None:
        """Return once the screen of `process` answers; raises `DemoError` where it ends or stays silent."""

        def answers() -> bool:
            if process.exit_code is not None:
                raise self._did_not_start(process)
            return _answers(port)

        try:
            wait_until(answers, START_TIMEOUT_S, process.name)
        except TimeoutError as error:
            raise self._did_not_start(process) from error

    def stop(self) -> None:
        """Stop everything, those that send before those that receive."""
        for process in reversed(self.processes):
            process.stop()
        if self.centre is not None:
            self.centre.broker.stop()

    def __enter__(self) -> Self:
        try:
            self.prepare()
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def _centre(self) -> provision.Centre:
        if self.centre is None:
            raise RuntimeError("The site is not prepared.")
        return self.centre

    def _process(self, name: str, *arguments: str) -> Process:
        return Process(name, arguments, self.log_folder)

    def _make_folders(self) -> None:
        try:
            for folder in (self.plan.folder, self.log_folder, self.spool):
                folder.mkdir(parents=True, exist_ok=True)
            # Keys and tokens are in here: nobody else on this machine has business with them.
            self.plan.folder.chmod(0o700)
        except OSError as error:
            raise DemoError(
                "DEMO-01",
                f"The folder {self.plan.folder} cannot be used ({error.strerror}).",
                "Give another with --data.",
            ) from error

    @property
    def _station_token(self) -> Path:
        return self.plan.folder / "station" / "web.token"

    def _did_not_start(self, process: Process) -> DemoError:
        return DemoError(
            "DEMO-02",
            f"{process.name} did not start. Its last words:\n{process.last_words()}\n",
            f"See {process.log_file}.",
        )


def _read(token_file: Path) -> str:
    return token_file.read_text("ascii").strip()


def _answers(port: int) -> bool:
    line = http.client.HTTPConnection(LOOPBACK, port, timeout=5)
    try:
        line.request("GET", "/enter")
        line.getresponse().read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        line.close()
    return True


def _ports(first: int) -> tuple[int, int, int]:
    """Return three ports that are free at this moment; `first` 0 means any.

    Raises:
        DemoError: DEMO-03, a wanted one is taken.
    """
    with contextlib.ExitStack() as held:
        return tuple(_held_ports(first, held))  # type: ignore[return-value]


def _held_ports(first: int, held: contextlib.ExitStack) -> Iterator[int]:
    for number in range(3):
        probe = held.enter_context(socket.socket())
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, first + number if first else 0))
        except OSError as error:
            raise DemoError("DEMO-03", f"Port {first + number} is in use.", "Give another with --port P.") from error
        yield int(probe.getsockname()[1])
