"""Advice for somebody to whom the same thing keeps happening: one sentence, and then not again for an hour. Pure."""

from collections import Counter
from dataclasses import dataclass
from typing import Final

OFTEN: Final = 3
AMONG: Final = 12
"""Captures that are looked back at: so many are two minutes' work."""
SILENCE_NS: Final = 3_600_000_000_000
ADVISED: Final = {
    "blur": "blur",
    "motion": "blur",
    "glare": "glare",
    "finger": "finger",
    "cut_edge": "cut_edge",
    "exposure_dark": "exposure_dark",
}
"""What a person can do something about beforehand, and under which name advice is given on it."""


@dataclass(frozen=True, slots=True)
class Advice:
    """What is remembered between two captures.

    Attributes:
        faults: of the latest captures, the oldest first.
        told_at_ns: when advice was last given, monotonic.
    """

    faults: tuple[frozenset[str], ...] = ()
    told_at_ns: int | None = None

    def after(self, codes: frozenset[str], now_ns: int) -> tuple["Advice", str | None]:
        """Return what is remembered after a capture, and what to advise on now.

        Args:
            codes: of the findings that made somebody look.
            now_ns: monotonic time.
        """
        faults = (*self.faults, frozenset(ADVISED[code] for code in codes if code in ADVISED))[-AMONG:]
        counted = Counter(fault for capture in faults for fault in sorted(capture))
        often = next((fault for fault in sorted(faults[-1]) if counted[fault] >= OFTEN), None)
        is_silent = self.told_at_ns is not None and now_ns - self.told_at_ns < SILENCE_NS
        if often is None or is_silent:
            return Advice(faults, self.told_at_ns), None
        return Advice((), now_ns), often
