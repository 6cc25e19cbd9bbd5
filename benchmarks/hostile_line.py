"""A connection to the broker that counts: what it sent, what the broker said to that, what was answered."""

import queue
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from central import mqtt
from wire import codec
from wire.limits import MAX_CHUNK_BYTES
from wire.messages import Rejected

ACK_TIMEOUT_S: Final = 30.0
MOST_OPEN: Final = 48
REFUSED: Final = 0x80


class Sender:
    """A connection of its own that counts what it sends, what the broker says to that, and what is answered."""

    def __init__(self, address: mqtt.BrokerAddress, listens_to: str | None = None) -> None:
        wanted = [mqtt.Subscription(listens_to)] if listens_to else []
        self.client = mqtt.MqttClient(address, wanted, acknowledgements=True, queue_length=4096)
        self.sent = 0
        self.refused = 0
        self.answers: Counter[str] = Counter()
        self.replies: list[Any] = []
        self._open: set[int] = set()
        self._early: set[int] = set()
        self.client.start()
        self._until(lambda event: isinstance(event, mqtt.Connected))

    def send(self, topic: str, payload: bytes) -> None:
        """Publish, cut to what the broker lets through; waits while too much is unanswered."""
        number = self.client.publish(topic, payload[:MAX_CHUNK_BYTES], expiry_s=60)
        self.sent += 1
        if number in self._early:
            self._early.discard(number)
        else:
            self._open.add(number)
        if len(self._open) >= MOST_OPEN:
            self.settle()

    def settle(self) -> None:
        """Wait until the broker has answered everything; raises `TimeoutError` where it does not."""
        end_s = time.monotonic() + ACK_TIMEOUT_S
        while self._open:
            if time.monotonic() > end_s:
                raise TimeoutError(f"the broker left {len(self._open)} messages unanswered")
            with suppress(queue.Empty):
                self._take(self.client.events.get(timeout=1.0))
        self.listen()

    def listen(self) -> None:
        """Take what has come without waiting."""
        while not self.client.events.empty():
            self._take(self.client.events.get())

    def wait_for(self, holds: Callable[[Any], bool], timeout_s: float) -> Any:
        """Return the first reply that `holds` is true of; None where none came in time."""
        end_s = time.monotonic() + timeout_s
        seen = 0
        while True:
            for reply in self.replies[seen:]:
                if holds(reply):
                    return reply
            seen = len(self.replies)
            try:
                self._take(self.client.events.get(timeout=max(0.001, end_s - time.monotonic())))
            except queue.Empty:
                return None

    def wait_until_ended(self, timeout_s: float) -> bool:
        """Tell whether the broker ends the connection in time."""
        end_s = time.monotonic() + timeout_s
        while (left_s := end_s - time.monotonic()) > 0:
            try:
                if isinstance(self.client.events.get(timeout=left_s), mqtt.Disconnected):
                    return True
            except queue.Empty:
                break
        return False

    def close(self) -> None:
        """Leave."""
        self.client.close()

    def _until(self, holds: Callable[[mqtt.Event], bool]) -> None:
        while not holds(self.client.events.get(timeout=ACK_TIMEOUT_S)):
            pass

    def _take(self, event: mqtt.Event) -> None:
        match event:
            case mqtt.Acknowledged(number, reason_code):
                if number in self._open:
                    self._open.discard(number)
                else:
                    self._early.add(number)
                self.refused += reason_code >= REFUSED
            case mqtt.Received(_, payload):
                reply = codec.decode_reply(payload)
                self.replies.append(reply)
                name = type(reply).__name__
                self.answers[f"{name} {reply.code}" if isinstance(reply, Rejected) else name] += 1
            case mqtt.Refused(error):
                raise error
            case _:
                pass
