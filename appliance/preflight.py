"""What is told of a book while it still lies there, and before its first picture: part of the station's API."""

from dataclasses import dataclass
from typing import Literal, Protocol

from appliance.places import GapView


@dataclass(frozen=True, slots=True)
class Tick:
    """One thing that is looked at before a book is captured; `why` names a finding where there are several cures."""

    state: Literal["ok", "failed", "unknown"]
    why: str = ""


@dataclass(frozen=True, slots=True)
class Preflight:
    """What stands ready before the first picture, and the resolution that the book will come to."""

    camera: Tick
    light: Tick
    focus: Tick
    disk: Tick
    clock: Tick
    book: Tick
    ppi: int | None
    """An estimate from the book's height; None where that is not known, or no book is seen."""
    ppi_wanted: int
    height_cm: float | None

    @property
    def is_ready(self) -> bool:
        """Whether a picture would be good: what is missing then (a date, some resolution) does not spoil it."""
        return all(tick.state == "ok" for tick in (self.camera, self.light, self.focus, self.disk, self.book))


class LooksAhead(Protocol):
    """What a screen may ask before something is missing."""

    def preflight(self) -> Preflight:
        """Look at what a picture needs, now; raises `NotNow` where no job is open."""
        ...

    def recent_gaps(self) -> tuple[GapView, ...]:
        """Return what is missing near the end of the open job's list, as far as nobody has said why."""
        ...
