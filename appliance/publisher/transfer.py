"""One object on its way: what is still to be sent, what is under way, and what the worker is known to hold."""

import math
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from appliance.spool.rows import Pending
from wire.messages import Grant, Held, Span


class Phase(Enum):
    """How far a transfer is. OFFERED, GRANTED and ANSWERING are in flight."""

    WAITING = "waiting"
    OFFERED = "offered"
    GRANTED = "granted"
    ANSWERING = "answering"
    """A list has its receipt; whether it is complete is still to be said."""
    SETTLED = "settled"
    """Answered; it leaves as soon as the spool no longer names it."""


class Chunk(NamedTuple):
    """A piece of a file."""

    file: str
    offset: int
    length: int


@dataclass(slots=True)
class Transfer:
    """One object that waits or is on its way.

    Attributes:
        not_before_s: while WAITING, when it may be offered.
        deadline_s: while in flight, when silence means failure.
        attempts: failures since the last success, for the backoff.
        todo: chunks to send, in order.
        unheld: chunks sent that the worker has not yet said to hold; the window is about these.
        unacknowledged: tokens of publications that the broker has not answered.
        agains: how often this grant was asked for spans once more.
        offered_outstanding: for a list, how much was outstanding when it was offered last.
    """

    pending: Pending
    phase: Phase = Phase.WAITING
    not_before_s: float = 0.0
    deadline_s: float = math.inf
    attempts: int = 0
    grant: Grant | None = None
    todo: deque[Chunk] = field(default_factory=deque)
    unheld: set[Chunk] = field(default_factory=set)
    unacknowledged: set[int] = field(default_factory=set)
    agains: int = 0
    offered_outstanding: int | None = None

    @property
    def in_flight(self) -> bool:
        """Whether it takes one of the few places on the line."""
        return self.phase in {Phase.OFFERED, Phase.GRANTED, Phase.ANSWERING}

    def wait(self, not_before_s: float) -> None:
        """Give up the present try and wait for the next."""
        self.phase = Phase.WAITING
        self.not_before_s = not_before_s
        self._drop_grant()

    def settle(self) -> None:
        """It has its answer."""
        self.phase = Phase.SETTLED
        self._drop_grant()

    def begin(self, grant: Grant, chunk_bytes: int) -> None:
        """Start sending under `grant` what the worker does not hold."""
        self._drop_grant()
        self.phase = Phase.GRANTED
        self.grant = grant
        self.todo.extend(plan(self.pending, grant.have, chunk_bytes))

    def next_chunk(self) -> Chunk | None:
        """Return the next chunk that the window allows, counting it as sent; None where there is none."""
        if self.grant is None or not self.todo or len(self.unheld) >= self.grant.window:
            return None
        chunk = self.todo.popleft()
        self.unheld.add(chunk)
        return chunk

    def hold(self, held: Iterable[Held]) -> bool:
        """Note what the worker holds; tells whether any of it was news."""
        spans = {entry.file: entry.spans for entry in held}
        news = {chunk for chunk in self.unheld if _is_held(chunk, spans)}
        self.unheld -= news
        return bool(news)

    def send_again(self, file: str, spans: Iterable[Span], chunk_bytes: int) -> None:
        """Put spans of a file back at the head of what is to be sent."""
        sizes = {entry.name: entry.size for entry in self.pending.files}
        wanted = [
            chunk
            for span in spans
            for chunk in _cut(file, span.start, min(span.end, sizes.get(file, 0)), chunk_bytes)
            if chunk not in self.todo
        ]
        self.unheld -= {sent for sent in self.unheld if any(_overlaps(sent, chunk) for chunk in wanted)}
        self.todo.extendleft(reversed(wanted))

    def _drop_grant(self) -> None:
        self.grant = None
        self.deadline_s = math.inf
        self.todo.clear()
        self.unheld.clear()
        self.unacknowledged.clear()
        self.agains = 0


def plan(pending: Pending, have: Iterable[Held], chunk_bytes: int) -> Iterator[Chunk]:
    """Yield the chunks of every file that is neither inline nor held, in order."""
    held = {entry.file: sorted(entry.spans) for entry in have}
    for entry in pending.files:
        if entry.name in pending.inline:
            continue
        start = 0
        for span in held.get(entry.name, []):
            yield from _cut(entry.name, start, min(span.start, entry.size), chunk_bytes)
            start = max(start, span.end)
        yield from _cut(entry.name, start, entry.size, chunk_bytes)


def _cut(file: str, start: int, end: int, chunk_bytes: int) -> Iterator[Chunk]:
    for offset in range(start, end, chunk_bytes):
        yield Chunk(file, offset, min(chunk_bytes, end - offset))


def _is_held(chunk: Chunk, spans: dict[str, tuple[Span, ...]]) -> bool:
    end = chunk.offset + chunk.length
    return any(span.start <= chunk.offset and end <= span.end for span in spans.get(chunk.file, ()))


def _overlaps(one: Chunk, other: Chunk) -> bool:
    return (
        one.file == other.file and one.offset < other.offset + other.length and other.offset < one.offset + one.length
    )
