"""What a worker has promised to take and what it holds of it. Pure: no file, no network; time is an argument."""

from dataclasses import dataclass, field, replace
from typing import Final

from central.receiving import spans
from central.receiving.spans import Spans
from wire.errors import Malformed, ProtocolError
from wire.messages import FileEntry, Held, ObjectRef, Offer, Span
from wire.topics import ChunkAddress

MAX_SPANS: Final = 4096
"""Of one grant: a station that sends crumbs is refused before a reply could outgrow its limit."""


MAX_PER_STATION: Final = 4
"""Of one worker's grants, or half of them where that is less; two are enough, so many a station has under way."""

REPORT_EVERY_S: Final = 0.02
"""Where less than half a window came, progress is told this often at most: on a fast line words cost time too."""


@dataclass(frozen=True, slots=True)
class Grant:
    """One object on its way, as far as it has come."""

    grant_id: str
    station: str
    object: ObjectRef
    files: tuple[FileEntry, ...]
    held: dict[str, Spans]
    active_at_s: float
    nudged: bool = False
    unreported: int = 0
    reported_at_s: float = 0.0
    has_begun: bool = False
    """Whether anything came that was not in the offer itself."""
    retried: frozenset[str] = field(default_factory=frozenset)
    """Files whose digest was wrong once; a second time the object is rejected."""

    @property
    def is_complete(self) -> bool:
        """Whether every byte of every file is held."""
        return all(self.holds(entry) for entry in self.files)

    @property
    def total_bytes(self) -> int:
        """Size of all its files together."""
        return sum(entry.size for entry in self.files)

    def holds(self, entry: FileEntry) -> bool:
        """Tell whether every byte of one file is held."""
        return self.held[entry.name] == spans.whole(entry.size)

    def progress(self) -> tuple[Held, ...]:
        """Return what is held, for a progress reply."""
        return tuple(Held(name, held) for name, held in self.held.items() if held)


@dataclass(frozen=True, slots=True)
class Chunk:
    """Where bytes that just came belong. `is_new` is False for a repetition, which is not written again."""

    grant: Grant
    entry: FileEntry
    span: Span
    is_new: bool


@dataclass(frozen=True, slots=True)
class Quiet:
    """Nothing came for half the lease: say again what is held, and name the holes."""

    grant: Grant
    holes: tuple[tuple[str, Spans], ...]


@dataclass(frozen=True, slots=True)
class Expired:
    """The lease is over. What came is worth keeping: the station will offer anew, perhaps after hours."""

    grant: Grant


class Ledger:
    """Every open grant of one worker."""

    def __init__(self, *, chunk_bytes: int, max_grants: int, lease_s: float) -> None:
        self._chunk_bytes = chunk_bytes
        self._max_grants = max_grants
        self._lease_s = lease_s
        self._grants: dict[str, Grant] = {}

    def __len__(self) -> int:
        return len(self._grants)

    def free_for(self, station: str) -> int:
        """Return how many places are free; none where this station has its share of them already."""
        own = sum(one.station == station for one in self.all())
        share = max(2, min(MAX_PER_STATION, self._max_grants // 2))
        return 0 if own >= share else max(0, self._max_grants - len(self._grants))

    @property
    def open_bytes(self) -> int:
        """What all open grants may still bring, at most."""
        return sum(grant.total_bytes for grant in self._grants.values())

    def all(self) -> tuple[Grant, ...]:
        """Return every open grant."""
        return tuple(self._grants.values())

    def find(self, station: str, ref: ObjectRef) -> Grant | None:
        """Return the grant that this station has for this object already."""
        return next((one for one in self.all() if one.station == station and one.object == ref), None)

    def open(self, grant_id: str, offer: Offer, now_s: float) -> Grant:
        """Open a grant; what came inline is held from the start."""
        held = {entry.name: spans.whole(entry.size) if entry.name in offer.inline else () for entry in offer.files}
        return self._put(Grant(grant_id, offer.station, offer.object, offer.files, held, now_s))

    def resume(self, grant: Grant, now_s: float) -> Grant:
        """Open an interrupted grant once more under its old id, with all that it held."""
        return self._put(replace(grant, active_at_s=now_s, nudged=False, unreported=0))

    def take(self, address: ChunkAddress, size: int, now_s: float) -> Chunk:
        """Note that `size` bytes came for `address` and say where they belong.

        Raises:
            ProtocolError: no such grant or file, larger than granted, beyond the file, or half over bytes held.
        """
        grant = self._grants.get(address.grant_id)
        if grant is None or grant.station != address.station:
            raise ProtocolError(Malformed.WRONG_TOPIC, "A chunk came for a grant that is not open.")
        entry = next((one for one in grant.files if one.name == address.file), None)
        if entry is None:
            raise ProtocolError(Malformed.WRONG_TOPIC, "A chunk came for a file that the grant does not have.")
        if size > self._chunk_bytes:
            raise ProtocolError(Malformed.TOO_LARGE, "A chunk is larger than granted.")
        if size == 0 or address.offset + size > entry.size:
            raise ProtocolError(Malformed.OUT_OF_RANGE, "A chunk is empty or reaches beyond its file.")
        return self._note(grant, entry, Span(address.offset, address.offset + size), now_s)

    def to_report(self, window: int, now_s: float, *, is_drained: bool) -> list[Grant]:
        """Return the grants whose stations should be told what is held.

        At half a window at the latest, so that the other half is under way meanwhile; where nothing else waits, sooner,
        but not for every chunk. What stays untold never holds a station up: it still has half of its window.

        Args:
            window: chunks that a station may have under way untold.
            now_s: the time.
            is_drained: whether no message waits.
        """
        half = max(1, window // 2)
        return [
            grant
            for grant in self.all()
            if grant.unreported >= half
            or (grant.unreported and is_drained and now_s - grant.reported_at_s >= REPORT_EVERY_S)
        ]

    def reported(self, grant: Grant, now_s: float) -> None:
        """Note that the station was told what is held."""
        self._put(replace(self._grants[grant.grant_id], unreported=0, reported_at_s=now_s))

    def again(self, grant: Grant, entry: FileEntry, now_s: float) -> Grant:
        """Forget what is held of a file whose digest was wrong, so that it is sent once more."""
        held = {**self._grants[grant.grant_id].held, entry.name: ()}
        return self._put(replace(grant, held=held, retried=grant.retried | {entry.name}, active_at_s=now_s))

    def close(self, grant: Grant) -> None:
        """Forget a grant."""
        self._grants.pop(grant.grant_id, None)

    def due(self, now_s: float) -> tuple[Quiet | Expired, ...]:
        """Return what the passing of time demands, each once; expired grants are closed."""
        found: list[Quiet | Expired] = []
        for grant in self.all():
            idle_s = now_s - grant.active_at_s
            if idle_s >= self._lease_s:
                self.close(grant)
                found.append(Expired(grant))
            elif idle_s >= self._lease_s / 2 and not grant.nudged:
                self._put(replace(grant, nudged=True))
                found.append(Quiet(grant, _holes(grant)))
        return tuple(found)

    def next_due_s(self) -> float | None:
        """Return when `due` will next have something, or None while nothing is open."""
        return min(
            (one.active_at_s + (self._lease_s if one.nudged else self._lease_s / 2) for one in self.all()),
            default=None,
        )

    def renew(self, grant: Grant, now_s: float) -> None:
        """Start the lease afresh: the station was heard of."""
        self._put(replace(self._grants[grant.grant_id], active_at_s=now_s, nudged=False))

    def _note(self, grant: Grant, entry: FileEntry, span: Span, now_s: float) -> Chunk:
        held = grant.held[entry.name]
        is_new = not spans.contains(held, span)
        if is_new:
            if spans.overlaps(held, span):
                raise ProtocolError(Malformed.OUT_OF_RANGE, "A chunk lies half over bytes that are held.")
            if sum(map(len, grant.held.values())) >= MAX_SPANS:
                raise ProtocolError(Malformed.OUT_OF_RANGE, "A grant is in too many pieces.")
            held = spans.add(held, span)
        changed = replace(
            grant,
            held={**grant.held, entry.name: held},
            active_at_s=now_s,
            nudged=False,
            unreported=grant.unreported + 1,
            has_begun=True,
        )
        return Chunk(self._put(changed), entry, span, is_new)

    def _put(self, grant: Grant) -> Grant:
        self._grants[grant.grant_id] = grant
        return grant


def _holes(grant: Grant) -> tuple[tuple[str, Spans], ...]:
    found = ((entry.name, spans.holes(grant.held[entry.name])) for entry in grant.files)
    return tuple((name, gaps) for name, gaps in found if gaps)
