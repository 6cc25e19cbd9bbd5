"""One object on its way: what is still to be sent, what is under way, and what the worker is known to hold."""

import math
from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from appliance.spool.rows import Pending
from wire.messages import FileEntry, Grant, Held, Span


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
    """A piece of a file: one that was sent, or one still to be cut to the size that the line can take."""

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
        todo: what is to be sent, in order, in pieces of any size.
        unheld: chunks sent that the worker has not yet said to hold; the window is about these.
        unacknowledged: tokens of publications that the broker has not answered.
        agains: how often this grant was asked for spans once more.
        doubted: files the worker wants again: their digests are proved before any more of them is sent.
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
    doubted: set[str] = field(default_factory=set)
    offered_outstanding: int | None = None

    @property
    def in_flight(self) -> bool:
        """Whether it takes one of the few places on the line."""
        return self.phase in (Phase.OFFERED, Phase.GRANTED, Phase.ANSWERING)

    def look_again(self, pending: Pending, now_s: float) -> None:
        """Take over how the spool sees the object now, unless it is on its way."""
        if not self.in_flight:
            self.pending = pending
        if self.phase is Phase.WAITING and pending.outstanding == 0 and self.offered_outstanding:
            # The last of a list's captures has its receipt: the centre can now say "complete".
            self.offered_outstanding = 0
            self.not_before_s = now_s

    def is_under(self, grant_id: str) -> bool:
        """Tell whether this grant is the one under which it is sent."""
        return self.grant is not None and self.grant.grant_id == grant_id

    @property
    def granted(self) -> Grant:
        """The grant under which it is sent; only while GRANTED."""
        if self.grant is None:
            raise RuntimeError("There is no grant.")
        return self.grant

    def wait(self, not_before_s: float) -> None:
        """Give up the present try and wait for the next."""
        self.phase = Phase.WAITING
        self.not_before_s = not_before_s
        self._drop_grant()

    def settle(self) -> None:
        """It has its answer."""
        self.phase = Phase.SETTLED
        self._drop_grant()

    def begin(self, grant: Grant) -> None:
        """Start sending under `grant` what the worker does not hold."""
        self._drop_grant()
        self.phase = Phase.GRANTED
        self.grant = grant
        self.todo.extend(plan(self.pending, grant.have))

    @property
    def may_send(self) -> bool:
        """Whether there is something to send and the window allows it."""
        return self.grant is not None and bool(self.todo) and len(self.unheld) < self.grant.window

    def next_length(self, chunk_bytes: int) -> int:
        """Return how long the next chunk would be."""
        return min(chunk_bytes, self.todo[0].length)

    def next_chunk(self, chunk_bytes: int) -> Chunk:
        """Cut off the next chunk, counting it as sent; only where `may_send` holds."""
        file, offset, length = self.todo.popleft()
        chunk = Chunk(file, offset, min(chunk_bytes, length))
        if chunk.length < length:
            self.todo.appendleft(Chunk(file, offset + chunk.length, length - chunk.length))
        self.unheld.add(chunk)
        return chunk

    def hold(self, held: Iterable[Held]) -> bool:
        """Note what the worker holds; tells whether any of it was news."""
        spans = {entry.file: entry.spans for entry in held}
        news = {chunk for chunk in self.unheld if _is_held(chunk, spans)}
        self.unheld -= news
        return bool(news)

    def send_again(self, file: str, spans: Iterable[Span]) -> None:
        """Put spans of a file back at the head of what is to be sent."""
        size = next((entry.size for entry in self.pending.files if entry.name == file), 0)
        wanted = _merged(spans, size)
        if wanted:
            self.doubted.add(file)
        self.unheld = {sent for sent in self.unheld if sent.file != file or [*_without(sent, wanted)] == [sent]}
        self.todo = deque(
            rest
            for waiting in self.todo
            for rest in (_without(waiting, wanted) if waiting.file == file else (waiting,))
        )
        self.todo.extendleft(Chunk(file, span.start, span.end - span.start) for span in reversed(wanted))

    def _drop_grant(self) -> None:
        self.grant = None
        self.deadline_s = math.inf
        self.todo.clear()
        self.unheld.clear()
        self.unacknowledged.clear()
        self.doubted.clear()
        self.agains = 0


def same_files(ours: Iterable[FileEntry], theirs: Iterable[FileEntry]) -> bool:
    """Tell whether two objects consist of the same files, in whatever order they are named."""
    return {entry.name: entry for entry in ours} == {entry.name: entry for entry in theirs}


def plan(pending: Pending, have: Iterable[Held]) -> Iterator[Chunk]:
    """Yield the parts of every file that is neither inline nor held, in order."""
    held = {entry.file: entry.spans for entry in have}
    for entry in pending.files:
        if entry.name not in pending.inline and entry.size:
            there = _merged(held.get(entry.name, ()), entry.size)
            yield from _without(Chunk(entry.name, 0, entry.size), there)


def _without(chunk: Chunk, spans: Sequence[Span]) -> Iterator[Chunk]:
    """Yield what is left of `chunk` where `spans` of its file, sorted and disjoint, are taken out of it.

    A hostile worker may name ten thousand: only those that `chunk` reaches are looked at.
    """
    start, end = chunk.offset, chunk.offset + chunk.length
    first = bisect_right(spans, start, key=_end)
    for number in range(first, len(spans)):
        span = spans[number]
        if span.start >= end:
            break
        if span.start > start:
            yield Chunk(chunk.file, start, span.start - start)
        start = span.end
    if start < end:
        yield Chunk(chunk.file, start, end - start)


def _end(span: Span) -> int:
    return span.end


def _is_held(chunk: Chunk, spans: dict[str, tuple[Span, ...]]) -> bool:
    end = chunk.offset + chunk.length
    return any(span.start <= chunk.offset and end <= span.end for span in spans.get(chunk.file, ()))


def _merged(spans: Iterable[Span], size: int) -> list[Span]:
    merged: list[Span] = []
    for span in sorted(Span(one.start, min(one.end, size)) for one in spans if one.start < min(one.end, size)):
        if merged and span.start <= merged[-1].end:
            merged[-1] = Span(merged[-1].start, max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return merged
