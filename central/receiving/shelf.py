"""What came of grants that were interrupted, kept so that a slow line need not begin anew. Pure: time is an input."""

from dataclasses import dataclass
from typing import Final

from central.receiving.grants import Grant
from wire.messages import ObjectRef

MAX_PER_STATION: Final = 4
"""A station has two objects under way; what it left before those is rarely asked for, and it may not fill the shelf."""


@dataclass(frozen=True, slots=True)
class _Kept:
    grant: Grant
    until_s: float


class Shelf:
    """Interrupted grants of one worker, the oldest first. It never says no: what is too much is handed back to go."""

    def __init__(self, *, keep_s: float, max_kept: int) -> None:
        self._keep_s = keep_s
        self._max_kept = max_kept
        self._kept: dict[tuple[str, ObjectRef], _Kept] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def put(self, grant: Grant, now_s: float) -> tuple[Grant, ...]:
        """Keep what came of `grant`; returns the grants that have to go instead, perhaps this one."""
        if not grant.has_begun:
            return (grant,)
        gone = [self.take(grant.station, grant.object)]
        self._kept[grant.station, grant.object] = _Kept(grant, now_s + self._keep_s)
        own = [one.grant for one in self._kept.values() if one.grant.station == grant.station]
        if len(own) > MAX_PER_STATION:
            gone.append(self.take(own[0].station, own[0].object))
        if len(self._kept) > self._max_kept:
            gone.append(self.take_oldest())
        return tuple(one for one in gone if one is not None)

    def find(self, station: str, ref: ObjectRef) -> Grant | None:
        """Return what is kept of this station's object."""
        kept = self._kept.get((station, ref))
        return kept.grant if kept else None

    def take(self, station: str, ref: ObjectRef) -> Grant | None:
        """Return what is kept of this station's object, and keep it no longer."""
        kept = self._kept.pop((station, ref), None)
        return kept.grant if kept else None

    def take_oldest(self) -> Grant | None:
        """Return what has been kept longest, and keep it no longer: somebody needs the room."""
        oldest = next(iter(self._kept), None)
        return self._kept.pop(oldest).grant if oldest else None

    def due(self, now_s: float) -> tuple[Grant, ...]:
        """Return what nobody has come back for in time; it is kept no longer."""
        late = [kept.grant for kept in self._kept.values() if kept.until_s <= now_s]
        for grant in late:
            self.take(grant.station, grant.object)
        return tuple(late)
