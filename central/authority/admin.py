"""Opens and closes the broker to stations and workers while it runs."""

import json
import queue
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from central import mqtt
from central.authority import access
from central.errors import BrokerError
from wire import topics

_TIMEOUT_S: Final = 15.0

_E = TypeVar("_E", mqtt.Connected, mqtt.Received, mqtt.Acknowledged)


class Admin:
    """A short session of the broker's administrator; use it as a context manager."""

    def __init__(self, address: mqtt.BrokerAddress, *, timeout_s: float = _TIMEOUT_S) -> None:
        """Prepare a session with the admin's credentials in `address`."""
        self._client = mqtt.MqttClient(address, [mqtt.Subscription(access.RESPONSE_TOPIC)], acknowledgements=True)
        self._timeout_s = timeout_s
        self.limits = mqtt.Connected(None, None)

    def __enter__(self) -> Self:
        """Connect; raises `BrokerError` BROKER-04 when the broker does not answer."""
        self._client.start()
        try:
            self.limits = self._wait(mqtt.Connected)
        except BrokerError:
            self._client.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def approve_station(self, station: str, common_name: str) -> None:
        """Let in a station with one certificate; every other one of its name is shut out."""
        self._command(access.approve_station(station, common_name, self._clients_of(station)))

    def approve_worker(self, worker: str) -> None:
        """Let one more worker in."""
        self._command(access.approve_worker(worker))

    def revoke_station(self, station: str) -> None:
        """Shut a station out and end its live connection."""
        self._command(access.revoke_station(station, self._clients_of(station)))

    def worker_present(self) -> bool:
        """Tell whether any worker takes offers at this moment."""
        number = self._client.publish(topics.offers(access.PROBE_STATION), b"", expiry_s=5)
        while True:
            answer = self._wait(mqtt.Acknowledged)
            if answer.number == number:
                return answer.reason_code == 0

    def _clients_of(self, station: str) -> list[str]:
        # The broker is asked, not the catalogue: a catalogue that was lost must not leave anybody in.
        (answer,) = self._ask([{"command": "listClients", "verbose": False, "count": -1, "offset": 0}])
        return access.clients_of(station, answer.get("data", {}).get("clients", []))

    def _command(self, commands: Sequence[access.Command]) -> None:
        failed = [one for one in self._ask(commands) if "error" in one and not str(one["command"]).startswith("delete")]
        if failed:
            words = "; ".join(f"{one['command']}: {one['error']}" for one in failed)
            raise BrokerError("BROKER-06", f"The broker refused to change its rules ({words}).", "See its log.")

    def _ask(self, commands: Sequence[access.Command]) -> list[dict[str, Any]]:
        self._client.publish(access.CONTROL_TOPIC, json.dumps({"commands": list(commands)}).encode())
        answer = json.loads(self._wait(mqtt.Received).payload)
        responses: list[dict[str, Any]] = answer["responses"]
        return responses

    def _wait(self, kind: type[_E]) -> _E:
        deadline_s = time.monotonic() + self._timeout_s
        while (left_s := deadline_s - time.monotonic()) > 0:
            try:
                event = self._client.events.get(timeout=left_s)
            except queue.Empty:
                break
            if isinstance(event, kind):
                return event
            if isinstance(event, mqtt.Refused):
                raise event.error
        raise BrokerError(
            "BROKER-04", "The broker does not answer.", "Start it, and check host and port in central.toml."
        )
