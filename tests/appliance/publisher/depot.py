"""One station of a real centre: its spool, and its publisher in a thread."""

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from appliance.publisher import BrokerAddress, DeliveryPolicy, PublisherConfig
from appliance.spool import RetentionPolicy, Spool
from central import mqtt
from central.authority import ca, provision
from lattrang.publish_command import run_publisher
from tests.appliance.spool.making import Maker
from tests.central.house import House
from wire import topics
from wire.codec import decode_status, encode
from wire.ids import new_id
from wire.messages import Command, StationStatus

IMPATIENT = DeliveryPolicy(offer_timeout_s=2.0, progress_timeout_s=2.0, first_retry_s=0.2, longest_retry_s=1.0)
POLICY = RetentionPolicy(reserve_bytes=0, ballast_bytes=4096)


class Office:
    """The centre's side of one station's status and commands."""

    def __init__(self, house: House, station: str) -> None:
        wanted = [mqtt.Subscription(topics.ANY_STATUS)]
        self._client = mqtt.MqttClient(house.config.broker.address(ca.OFFICE), wanted)
        self._topic = topics.status(station)
        self._seen: list[StationStatus] = []
        self._commands = topics.commands(station)

    def statuses(self) -> list[StationStatus]:
        """Return every status heard so far."""
        with suppress(queue.Empty):
            while True:
                event = self._client.events.get_nowait()
                if isinstance(event, mqtt.Received) and event.topic == self._topic:
                    self._seen.append(decode_status(event.payload))
        return self._seen

    def command(self, command: Command) -> None:
        self._client.publish(self._commands, encode(command))

    def __enter__(self) -> Self:
        self._client.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()


class Depot:
    """Names its station anew each time, so that tests share one centre."""

    def __init__(
        self, house: House, folder: Path, *, station: str | None = None, tls: ca.Credentials | None = None
    ) -> None:
        self.house = house
        self.folder = folder
        self.station = station or f"s{new_id()[:8]}"
        self.make = Maker(self.station)
        self.spool = Spool.open(folder, self.station, POLICY)
        self.tls = tls or provision.new_station(house.config, self.station, folder.parent / "pki")
        broker = BrokerAddress(house.broker.host, house.broker.port, self.tls.ca, self.tls.cert, self.tls.key)
        self.config = PublisherConfig(self.station, folder, broker, IMPATIENT, poll_s=0.05)

    def capture(self, frame_bytes: int = 50_000, job_id: str | None = None) -> str:
        """Add one processed capture and return its id."""
        capture_id = new_id()
        self.make.add(self.spool, capture_id, job_id=job_id or f"job-{self.station}", frame_bytes=frame_bytes)
        return capture_id

    @contextmanager
    def publisher(self) -> Iterator[None]:
        """A publisher in a thread; whatever it raises comes out at the end."""
        stop, errors = threading.Event(), []

        def publish() -> None:
            try:
                run_publisher(self.config, stop)
            except BaseException as error:
                errors.append(error)

        thread = threading.Thread(target=publish, name="publisher")
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(timeout=20)
        assert not thread.is_alive()
        assert errors == []

    def received(self) -> int:
        return self.spool.counts().received

    def link(self) -> str:
        state = self.spool.read_publisher_state()
        return state.link if state else "unknown"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.spool.close()
