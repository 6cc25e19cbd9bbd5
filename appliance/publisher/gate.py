"""When the next offer may go, after offers that came to nothing. Pure: time and chance are inputs."""

from collections.abc import Callable

from appliance.publisher.policy import DeliveryPolicy

SHORTEST_PART = 0.05
"""Of a wait that is left to chance whole: none at all would be a busy loop."""


class Gate:
    """Holds every object's offers back alike: what one offer met, the next one would meet too.

    Attributes:
        is_absent: whether the broker says that nobody takes offers; then nothing goes but the question.
        opens_at_s: before then, no offer.
        probe_at_s: when to ask whether a centre is there, while there is nothing to offer or nobody to take it.
        failures: offers in a row that nobody answered.
    """

    def __init__(self, policy: DeliveryPolicy, random: Callable[[], float]) -> None:
        self._policy = policy
        self._random = random
        self.is_absent = False
        self.opens_at_s = 0.0
        self.probe_at_s = 0.0
        self.failures = 0

    def restart(self) -> None:
        """Forget everything: what failed on the old line says nothing about the new one."""
        self.is_absent = False
        self.opens_at_s = 0.0
        self.failures = 0

    def heard(self) -> None:
        """Note that somebody is there after all."""
        self.is_absent = False
        self.failures = 0

    def unanswered(self, now_s: float) -> None:
        """Note an offer that nobody answered: wait longer each time."""
        self.opens_at_s = max(self.opens_at_s, now_s + self.backoff_s(self.failures))
        self.failures += 1

    def busy(self, retry_after_s: float, now_s: float) -> float:
        """Note that the centre asks for patience; returns until when."""
        wait_s = min(retry_after_s, self._policy.longest_busy_s)
        until_s = now_s + wait_s * (1.0 + self._policy.jitter * self._random())
        self.opens_at_s = max(self.opens_at_s, until_s)
        return until_s

    def spread(self, now_s: float) -> None:
        """Begin at a moment of our own: good clocks would let a whole fleet begin at the stroke of the hour."""
        self.opens_at_s = max(self.opens_at_s, now_s + self._policy.hours_spread_s * self._random())

    def absent(self, now_s: float) -> None:
        """Note that nobody listens. Asking is cheap and done often: a centre that comes back is noticed within seconds.

        The wait is left to chance almost whole, so that a fleet does not notice as one.
        """
        if not self.is_absent:
            self.heard()
            self.is_absent = True
        wait_s = self._doubled(self.failures, self._policy.absent_retry_s)
        self.failures += 1
        self.probe_at_s = now_s + wait_s * (1.0 - (1.0 - SHORTEST_PART) * self._random())

    def backoff_s(self, failures: int) -> float:
        """Return how long to wait after so many failures, a part of it left to chance."""
        return self._doubled(failures, self._policy.longest_retry_s) * (1.0 - self._policy.jitter * self._random())

    def _doubled(self, failures: int, longest_s: float) -> float:
        return min(longest_s, self._policy.first_retry_s * 2.0 ** min(failures, 16))
