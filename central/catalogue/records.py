"""What the receiver and the fleet write into the catalogue. Every function works inside the caller's transaction."""

from collections.abc import Iterable
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Table, and_, delete, func, insert, select, update

from central.catalogue import schema
from central.receiving.ingest import CaptureFacts, Facts, ListFacts
from wire import codec
from wire.documents import ItemRef, JobListDocument
from wire.errors import Malformed, ProtocolError
from wire.messages import ObjectRef, Receipt

WORST: Final = {"ok": 0, "info": 1, "warn": 2, "bad": 3}
"""Severities in order; the catalogue keeps the number so that a database can take the maximum."""


def find_receipt(connection: Connection, ref: ObjectRef) -> Receipt | None:
    """Return the receipt that was given for an object, or None."""
    table: Table
    if ref.kind == "capture":
        table, key = schema.captures, schema.captures.c.capture_id == ref.id
    elif ref.kind == "job_list":
        table, key = schema.lists, and_(schema.lists.c.job_id == ref.id, schema.lists.c.revision == ref.revision)
    else:
        return None
    content = connection.execute(select(table.c.receipt).where(key)).scalar()
    if content is None:
        return None
    reply = codec.decode_reply(bytes(content))
    if not isinstance(reply, Receipt):
        raise ProtocolError(Malformed.NOT_A_MESSAGE, "A receipt in the catalogue is something else.")
    return reply


def known_objects(connection: Connection) -> set[tuple[str, int]]:
    """Return id and revision (0 for captures) of everything that is recorded."""
    known = {(row.capture_id, 0) for row in connection.execute(select(schema.captures.c.capture_id))}
    lists = connection.execute(select(schema.lists.c.job_id, schema.lists.c.revision))
    return known | {(row.job_id, row.revision) for row in lists}


def add(connection: Connection, facts: Facts, receipt: Receipt) -> None:
    """Record a stored object; one that is recorded already stays as it is."""
    if find_receipt(connection, receipt.object) is not None:
        return
    if isinstance(facts, CaptureFacts):
        _add_capture(connection, facts, receipt)
    else:
        _add_list(connection, facts, receipt)


def missing_captures(connection: Connection, document: JobListDocument) -> tuple[str, ...]:
    """Return the captures in the list's order that are not at the centre.

    Only what the list still contains counts: a removed or superseded capture may be one that can never arrive
    (damaged on the station), and must not keep the job open for ever.
    """
    wanted = [entry.capture_id for entry in document.entries]
    present: set[str] = set()
    for start in range(0, len(wanted), 500):
        some = wanted[start : start + 500]
        query = select(schema.captures.c.capture_id).where(schema.captures.c.capture_id.in_(some))
        present.update(connection.execute(query).scalars())
    return tuple(one for one in wanted if one not in present)


def count_quarantined(connection: Connection, reasons: Iterable[tuple[str, int]], now: str) -> None:
    """Add to the counts of refused messages."""
    table = schema.quarantine
    for reason, number in reasons:
        change = update(table).where(table.c.reason == reason).values(count=table.c.count + number, last_at=now)
        if connection.execute(change).rowcount == 0:
            connection.execute(insert(table).values(reason=reason, count=number, last_at=now))


def _add_capture(connection: Connection, facts: CaptureFacts, receipt: Receipt) -> None:
    capture = facts.capture
    connection.execute(
        insert(schema.captures).values(
            capture_id=capture.capture_id,
            station=capture.station,
            sequence=capture.sequence,
            job_id=capture.job_id,
            item_id=capture.item.item_id,
            pressed_at=capture.pressed_at,
            stored_at=receipt.stored_at,
            bytes=sum(entry.size for entry in receipt.files),
            receipt=codec.encode(receipt),
        )
    )
    for page in facts.pages.pages:
        findings = (*page.findings, *facts.pages.findings)
        connection.execute(
            insert(schema.pages).values(
                capture_id=capture.capture_id,
                side=page.side,
                file=page.file,
                width_px=page.width_px,
                height_px=page.height_px,
                worst=max((WORST[finding.severity] for finding in findings), default=WORST["ok"]),
                findings=msgspec.json.encode(findings).decode(),
                thumbnail="waiting",
                attempts=0,
            )
        )
    _touch_item(connection, capture.item, receipt.stored_at, is_newest=not _has_list(connection, capture.item.item_id))


def _add_list(connection: Connection, facts: ListFacts, receipt: Receipt) -> None:
    document = facts.document
    lists = schema.lists
    newest = connection.execute(select(func.max(lists.c.revision)).where(lists.c.job_id == document.job_id)).scalar()
    connection.execute(
        insert(lists).values(
            job_id=document.job_id,
            revision=document.revision,
            item_id=document.item.item_id,
            station=document.station,
            state=document.state,
            right_to_left=document.reading_direction == "right-to-left",
            stored_at=receipt.stored_at,
            receipt=codec.encode(receipt),
        )
    )
    is_newest = newest is None or document.revision > newest
    if is_newest:
        _replace_entries(connection, document)
    _touch_item(connection, document.item, receipt.stored_at, is_newest=is_newest)


def _replace_entries(connection: Connection, document: JobListDocument) -> None:
    table = schema.list_entries
    connection.execute(delete(table).where(table.c.job_id == document.job_id))
    out = {one: None for entry in document.entries for one in entry.supersedes} | dict.fromkeys(document.removed)
    positions: dict[str, int | None] = {**out}
    positions.update({entry.capture_id: number for number, entry in enumerate(document.entries)})
    rows = [{"job_id": document.job_id, "capture_id": one, "position": at} for one, at in positions.items()]
    if rows:
        connection.execute(insert(table), rows)


def _has_list(connection: Connection, item_id: str) -> bool:
    return (
        connection.execute(select(schema.lists.c.job_id).where(schema.lists.c.item_id == item_id)).first() is not None
    )


def _touch_item(connection: Connection, item: ItemRef, at: str, *, is_newest: bool) -> None:
    # What a list says of its item is newer than what the captures said when they were made.
    table = schema.items
    known = connection.execute(select(table.c.last_received_at).where(table.c.item_id == item.item_id)).scalar()
    values: dict[str, Any] = {"last_received_at": max(at, known or "")}
    if known is None or is_newest:
        values["ref"] = msgspec.json.encode(item).decode()
    if known is None:
        connection.execute(insert(table).values(item_id=item.item_id, **values))
    else:
        connection.execute(update(table).where(table.c.item_id == item.item_id).values(**values))
