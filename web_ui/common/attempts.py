"""How often an address may be wrong about the token before it has to wait."""

from collections import OrderedDict
from dataclasses import dataclass, field

MAX_ADDRESSES = 1024
"""Addresses remembered at most, so that a flood of them cannot fill the memory."""


@dataclass(slots=True)
class Attempts:
    """Failures per address. Not safe across threads: the caller holds a lock.

    Attributes:
        limit: failures within the window after which an address is refused.
        window_s: how long a failure is remembered, in seconds.
    """

    limit: int = 8
    window_s: float = 60.0
    _failed_at_s: OrderedDict[str, list[float]] = field(default_factory=OrderedDict)

    def wait_s(self, address: str, now_s: float) -> float:
        """Return how long `address` must wait before it may try again; 0 when it need not."""
        recent = self._recent(address, now_s)
        return max(0.0, recent[-self.limit] + self.window_s - now_s) if len(recent) >= self.limit else 0.0

    def failed(self, address: str, now_s: float) -> None:
        """Remember that `address` was wrong at `now_s`."""
        self._failed_at_s[address] = [*self._recent(address, now_s), now_s][-self.limit :]
        self._failed_at_s.move_to_end(address)
        while len(self._failed_at_s) > MAX_ADDRESSES:
            self._failed_at_s.popitem(last=False)

    def _recent(self, address: str, now_s: float) -> list[float]:
        return [at_s for at_s in self._failed_at_s.get(address, ()) if now_s - at_s < self.window_s]
