"""In which order the pages of an item are read. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

_LEFT_FIRST = {"left": 0, "single": 1, "right": 2}


@dataclass(frozen=True, slots=True)
class Place:
    """Where one capture stands: its job's age, its place in the newest list (None: not listed yet), its own count."""

    capture_id: str
    job_stored_at: str
    job_id: str
    position: int | None
    station: str
    sequence: int
    right_to_left: bool


def in_order(places: Iterable[Place]) -> tuple[Place, ...]:
    """Return captures in reading order.

    Jobs follow one another by age; within a job the newest list decides, and what it does not name yet comes after
    it in the station's own sequence: it was photographed since.
    """
    return tuple(sorted(places, key=_key))


def sides_in_order(sides: Iterable[str], *, right_to_left: bool) -> tuple[str, ...]:
    """Return the sides of one spread in reading order: right before left in a book that runs right to left."""
    return tuple(sorted(sides, key=_LEFT_FIRST.__getitem__, reverse=right_to_left))


def _key(place: Place) -> tuple[str, str, bool, int, str, int]:
    is_new = place.position is None
    return place.job_stored_at, place.job_id, is_new, place.position or 0, place.station, place.sequence
