"""When pictures may go over a line that the reading room needs by day. Pure: the local time is an input."""

import re
from dataclasses import dataclass
from datetime import time
from typing import Final

_RANGE: Final = re.compile(r"([0-9]{2}):([0-9]{2})-([0-9]{2}):([0-9]{2})")
_MINUTES_A_DAY: Final = 24 * 60


@dataclass(frozen=True, slots=True)
class Range:
    """From one minute of the day (included) to another (excluded), perhaps across midnight."""

    start_min: int
    end_min: int

    def holds(self, minute: int) -> bool:
        """Tell whether a minute of the day lies in it."""
        if self.start_min <= self.end_min:
            return self.start_min <= minute < self.end_min
        return minute >= self.start_min or minute < self.end_min


@dataclass(frozen=True, slots=True)
class UplinkHours:
    """The hours in which pictures may go; no ranges mean always."""

    ranges: tuple[Range, ...] = ()

    def allows(self, local: time, *, is_synchronised: bool | None) -> bool:
        """Tell whether pictures may go at this local time.

        Hours mean something only to a clock that is right: a station that does not know the time would hold its
        pictures back at random, perhaps for ever. So they hold only while the clock is synchronised.
        """
        if not self.ranges or not is_synchronised:
            return True
        minute = local.hour * 60 + local.minute
        return any(one.holds(minute) for one in self.ranges)


def parse(texts: tuple[str, ...]) -> UplinkHours:
    """Return the hours that texts such as ``18:00-07:00`` stand for.

    Raises:
        ValueError: one of them is no such range; the text says which.
    """
    return UplinkHours(tuple(_parse_one(text) for text in texts))


def _parse_one(text: str) -> Range:
    found = _RANGE.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no range such as 18:00-07:00")
    start_h, start_min, end_h, end_min = map(int, found.groups())
    start, end = start_h * 60 + start_min, end_h * 60 + end_min
    if start_min > 59 or end_min > 59 or start >= _MINUTES_A_DAY or end > _MINUTES_A_DAY or start == end:
        raise ValueError(f"{text!r} is no range of a day")
    return Range(start, end)
