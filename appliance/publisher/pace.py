"""How fast to send: chunks that fit the line, and a limit that leaves room for others on it. Pure; time is an input."""

from collections import deque
from dataclasses import dataclass
from typing import Final

from appliance.publisher.policy import DeliveryPolicy
from wire.limits import KIB, MAX_CHUNK_BYTES

FIRST_CHUNK_BYTES: Final = 64 * KIB
"""On a line of which nothing is known yet: half a minute's worth at 16 kbit/s, and no time at all on a fast one."""
SAMPLES: Final = 8
OVERHEAD_BYTES: Final = 256
"""Of a message, for its topic, its properties and what TLS and TCP add: a generous guess."""


@dataclass(frozen=True, slots=True)
class _Sent:
    """A chunk on the line. `delivered_bytes` is what the line had taken altogether when it was sent."""

    length: int
    at_s: float
    delivered_bytes: int
    is_last: bool


class LinePace:
    """Learns from the broker's acknowledgements how fast the line is, and says how large chunks may be.

    A chunk that is too large for its line holds everything behind it up, keepalives included, until one side gives the
    connection up. So all that may be under way together must pass in a quarter of the keepalive.
    """

    def __init__(self, *, patience_s: float, lanes: int, smallest_bytes: int) -> None:
        """Begin with a line of which nothing is known.

        Args:
            patience_s: in which everything under way must pass.
            lanes: objects that share the line.
            smallest_bytes: what chunks never shrink below.
        """
        self._patience_s = patience_s
        self._lanes = lanes
        self._smallest_bytes = smallest_bytes
        self._first_bytes = FIRST_CHUNK_BYTES
        self._rates: deque[float] = deque(maxlen=SAMPLES)
        self._sent: dict[int, _Sent] = {}
        self._delivered_bytes = 0
        self._was_answered = False

    @property
    def bytes_per_s(self) -> float | None:
        """The line's speed as far as it is known: the best of the last few chunks."""
        return max(self._rates, default=None)

    def chunk_bytes(self, window: int) -> int:
        """Return how large a chunk may be where `window` of them may be under way for each object."""
        rate = self.bytes_per_s
        allowed = self._first_bytes if rate is None else int(rate * self._patience_s / (window * self._lanes))
        return max(self._smallest_bytes, min(MAX_CHUNK_BYTES, allowed // KIB * KIB))

    def sent(self, token: int, length: int, now_s: float, *, is_last: bool) -> None:
        """Note a chunk; `is_last` where nothing waits behind it, so that it cannot show how fast the line could be."""
        self._sent[token] = _Sent(length, now_s, self._delivered_bytes, is_last)

    def answered(self, token: int, now_s: float) -> None:
        """Note that the broker has a chunk."""
        sent = self._sent.pop(token, None)
        if sent is None:
            return
        self._was_answered = True
        self._delivered_bytes += sent.length
        rate = (self._delivered_bytes - sent.delivered_bytes) / max(1e-6, now_s - sent.at_s)
        if not sent.is_last or rate > (self.bytes_per_s or 0.0):
            self._rates.append(rate)

    def broken(self, now_s: float) -> None:
        """Note the end of a connection: what it left unanswered is evidence of how slow the line is at most."""
        oldest = next(iter(self._sent.values()), None)
        if oldest is not None and not self._was_answered:
            # Not one chunk got through: half of it may.
            self._rates.clear()
            self._first_bytes = max(self._smallest_bytes, oldest.length // 2)
        elif oldest is not None and (waited_s := now_s - oldest.at_s) >= self._patience_s:
            passed_bytes = self._delivered_bytes - oldest.delivered_bytes + oldest.length
            best = min(self.bytes_per_s or passed_bytes / waited_s, passed_bytes / waited_s)
            self._rates.clear()
            self._rates.append(best)
        self._sent.clear()
        self._was_answered = False


class Bucket:
    """A limit on what is sent: `bytes_per_s` on the average, and a second's worth at once. None means no limit.

    What may not wait (an offer) is taken without asking and paid for by what comes after it.
    """

    def __init__(self, bytes_per_s: float | None, *, smallest_bytes: int) -> None:
        self._bytes_per_s = bytes_per_s
        self._burst_bytes = max(bytes_per_s or 0.0, 2.0 * (smallest_bytes + OVERHEAD_BYTES))
        self._level_bytes = self._burst_bytes
        self._at_s: float | None = None

    @property
    def chunk_bytes(self) -> int:
        """The largest chunk that leaves gaps for others: half a second's worth."""
        if self._bytes_per_s is None:
            return MAX_CHUNK_BYTES
        return max(KIB, (int(self._burst_bytes / 2) - OVERHEAD_BYTES) // KIB * KIB)

    def take(self, length: int, now_s: float) -> None:
        """Spend what a message of `length` costs, into debt if need be."""
        self._fill(now_s)
        self._level_bytes -= length + OVERHEAD_BYTES

    def ready_at_s(self, length: int, now_s: float) -> float:
        """Return when a message of `length` may go, at the earliest."""
        if self._bytes_per_s is None:
            return now_s
        self._fill(now_s)
        # A hair's breadth of tolerance: otherwise rounding could make a wait that never ends.
        lacking = min(length + OVERHEAD_BYTES, self._burst_bytes) - self._level_bytes
        return now_s + lacking / self._bytes_per_s if lacking > 1e-3 else now_s

    def _fill(self, now_s: float) -> None:
        past_s = 0.0 if self._at_s is None else now_s - self._at_s
        self._at_s = now_s
        self._level_bytes = min(self._burst_bytes, self._level_bytes + past_s * (self._bytes_per_s or 0.0))


class Flow:
    """What the line can take and what we may use of it, as one."""

    def __init__(self, policy: DeliveryPolicy) -> None:
        """Begin with a line of which nothing is known and nothing spent."""
        smallest_bytes = policy.smallest_chunk_bytes
        self._pace = LinePace(
            patience_s=policy.line_patience_s, lanes=policy.max_in_flight, smallest_bytes=smallest_bytes
        )
        self._bucket = Bucket(policy.limit_bytes_per_s, smallest_bytes=smallest_bytes)

    def chunk_bytes(self, window: int) -> int:
        """Return how large a chunk may be."""
        return min(self._pace.chunk_bytes(window), self._bucket.chunk_bytes)

    def ready_at_s(self, length: int, now_s: float) -> float:
        """Return when a chunk of `length` may go, at the earliest."""
        return self._bucket.ready_at_s(length, now_s)

    def offered(self, length: int, now_s: float) -> None:
        """Note an offer that carries documents of `length`."""
        self._bucket.take(length, now_s)

    def sent(self, token: int, length: int, now_s: float, *, is_last: bool) -> None:
        """Note a chunk; `is_last` where nothing waits behind it."""
        self._bucket.take(length, now_s)
        self._pace.sent(token, length, now_s, is_last=is_last)

    def answered(self, token: int, now_s: float) -> None:
        """Note the broker's answer to whatever was sent as `token`."""
        self._pace.answered(token, now_s)

    def broken(self, now_s: float) -> None:
        """Note the end of a connection."""
        self._pace.broken(now_s)
