"""Arithmetic of byte ranges: which parts of a file are held. Ranges are sorted, disjoint and never touch."""

from wire.messages import Span

Spans = tuple[Span, ...]


def overlaps(held: Spans, span: Span) -> bool:
    """Tell whether any byte of `span` is held already."""
    return any(one.start < span.end and span.start < one.end for one in held)


def contains(held: Spans, span: Span) -> bool:
    """Tell whether every byte of `span` is held already."""
    return any(one.start <= span.start and span.end <= one.end for one in held)


def add(held: Spans, span: Span) -> Spans:
    """Return `held` with `span`, which must not overlap it."""
    merged: list[Span] = []
    for one in sorted((*held, span)):
        if merged and merged[-1].end == one.start:
            merged[-1] = Span(merged[-1].start, one.end)
        else:
            merged.append(one)
    return tuple(merged)


def holes(held: Spans) -> Spans:
    """Return the gaps below the highest byte held: what was lost on the way, not what is still to come."""
    edges = (Span(0, 0), *held)
    return tuple(
        Span(before.end, after.start) for before, after in zip(edges, held, strict=False) if before.end < after.start
    )


def whole(size: int) -> Spans:
    """Return the spans of a file of `size` bytes that is held entirely."""
    return (Span(0, size),) if size else ()
