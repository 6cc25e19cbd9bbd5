"""What screens and the command line ask of the catalogue: items, their pages in reading order, sums."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, Select, and_, exists, func, or_, select

from central.api import ItemRow, PageRow, Totals
from central.catalogue.reading import Place, in_order, sides_in_order
from central.catalogue.records import WORST
from central.catalogue.schema import captures, items, list_entries, lists, pages, quarantine
from wire.documents import Digitised, FindingEntry, ItemRef

_NAMES = {number: name for name, number in WORST.items()}
_findings = msgspec.json.Decoder(tuple[FindingEntry, ...])
_item_ref = msgspec.json.Decoder(ItemRef)


def totals(connection: Connection) -> Totals:
    """Return counts over everything, removed and superseded captures included."""
    count, size = connection.execute(select(func.count(), func.coalesce(func.sum(captures.c.bytes), 0))).one()
    thumbnails = select(func.count()).where(pages.c.thumbnail == "waiting")
    return Totals(
        captures=count,
        pages=_number(connection, select(func.count()).select_from(pages)),
        items=_number(connection, select(func.count()).select_from(items)),
        bytes=int(size),
        quarantined=_number(connection, select(func.coalesce(func.sum(quarantine.c.count), 0))),
        thumbnails_waiting=_number(connection, thumbnails),
    )


def item_rows(connection: Connection, *, limit: int, offset: int) -> tuple[ItemRow, ...]:
    """Return items, the latest first."""
    query = select(items).order_by(items.c.last_received_at.desc(), items.c.item_id).limit(limit).offset(offset)
    return _summaries(connection, connection.execute(query).all())


def item_row(connection: Connection, item_id: str) -> ItemRow:
    """Return one item; raises `KeyError`."""
    rows = _summaries(connection, connection.execute(select(items).where(items.c.item_id == item_id)).all())
    if not rows:
        raise KeyError(item_id)
    return rows[0]


def lists_received(connection: Connection) -> tuple[int, str]:
    """Return how many lists have come, and when the last did: both stay as they are while nothing comes."""
    count, last = connection.execute(select(func.count(), func.max(lists.c.stored_at)).select_from(lists)).one()
    return int(count), last or ""


def digitised(connection: Connection) -> tuple[tuple[ItemRef, Digitised], ...]:
    """Return what was digitised: each job that has ended, with what it was of, the earliest first."""
    query = _newest_lists().add_columns(items.c.ref).join(items, items.c.item_id == lists.c.item_id)
    rows = connection.execute(query.where(lists.c.state != "open").order_by(lists.c.stored_at)).all()
    refs = (_item_ref.decode(row.ref) for row in rows)
    return tuple((ref, _digitised(row, ref)) for row, ref in zip(rows, refs, strict=True))


def page_rows(connection: Connection, item_id: str) -> tuple[PageRow, ...]:
    """Return the pages of an item in reading order; raises `KeyError`."""
    if connection.execute(select(items.c.item_id).where(items.c.item_id == item_id)).first() is None:
        raise KeyError(item_id)
    by_capture: dict[str, dict[str, Row[Any]]] = defaultdict(dict)
    query = select(pages).join(captures, captures.c.capture_id == pages.c.capture_id)
    for row in connection.execute(query.where(captures.c.item_id == item_id)):
        by_capture[row.capture_id][row.side] = row
    ordered = [
        by_capture[place.capture_id][side]
        for place in in_order(_places(connection, item_id))
        for side in sides_in_order(by_capture[place.capture_id], right_to_left=place.right_to_left)
    ]
    return tuple(_page_row(number, row) for number, row in enumerate(ordered, start=1))


def page_file_name(connection: Connection, capture_id: str, side: str) -> str:
    """Return the name of a page's file in its capture's folder; raises `KeyError`."""
    name = connection.execute(
        select(pages.c.file).where(pages.c.capture_id == capture_id, pages.c.side == side)
    ).scalar()
    if name is None:
        raise KeyError((capture_id, side))
    return str(name)


def _digitised(row: Row[Any], ref: ItemRef) -> Digitised:
    is_stopped = row.state == "to_conservation"
    return Digitised(
        item_id=row.item_id, station=row.station, at=row.stored_at, part=ref.part, to_conservation=is_stopped
    )


def _page_row(number: int, row: Row[Any]) -> PageRow:
    return PageRow(
        number=number,
        capture_id=row.capture_id,
        side=row.side,
        width_px=row.width_px,
        height_px=row.height_px,
        findings=_findings.decode(row.findings),
        has_thumbnail=row.thumbnail == "made",
    )


def _places(connection: Connection, item_id: str) -> tuple[Place, ...]:
    started = select(captures.c.job_id, func.min(captures.c.stored_at).label("at")).group_by(captures.c.job_id)
    job = started.where(captures.c.item_id == item_id).subquery()
    query = (
        select(captures, list_entries.c.position, job.c.at)
        .join(job, job.c.job_id == captures.c.job_id)
        .outerjoin(list_entries, _entry_of_capture())
        .where(captures.c.item_id == item_id, _is_kept())
    )
    rows = connection.execute(query).all()
    directions = _right_to_left(connection, {row.job_id for row in rows})
    return tuple(
        Place(
            capture_id=row.capture_id,
            job_stored_at=row.at,
            job_id=row.job_id,
            position=row.position,
            station=row.station,
            sequence=row.sequence,
            right_to_left=directions.get(row.job_id, False),
        )
        for row in rows
    )


def _entry_of_capture() -> ColumnElement[bool]:
    return and_(
        list_entries.c.capture_id == captures.c.capture_id,
        list_entries.c.job_id == captures.c.job_id,
    )


def _is_kept() -> ColumnElement[bool]:
    # No entry: not listed yet. An entry without a position: removed or superseded.
    return or_(list_entries.c.capture_id.is_(None), list_entries.c.position.is_not(None))


def _newest_lists(jobs: Select[Any] | None = None) -> Select[Any]:
    newest = select(lists.c.job_id, func.max(lists.c.revision).label("revision")).group_by(lists.c.job_id).subquery()
    query = select(lists).join(newest, and_(newest.c.job_id == lists.c.job_id, newest.c.revision == lists.c.revision))
    return query if jobs is None else query.where(lists.c.job_id.in_(jobs))


def _right_to_left(connection: Connection, jobs: Iterable[str]) -> dict[str, bool]:
    rows = connection.execute(_newest_lists().where(lists.c.job_id.in_(list(jobs))))
    return {row.job_id: row.right_to_left for row in rows}


def _summaries(connection: Connection, rows: Sequence[Row[Any]]) -> tuple[ItemRow, ...]:
    wanted = [row.item_id for row in rows]
    counts = _capture_counts(connection, wanted)
    worst = _worst(connection, wanted)
    states = _list_states(connection, wanted)
    found = []
    for row in rows:
        number, stations = counts.get(row.item_id, (0, ()))
        number_of_pages, worst_number = worst.get(row.item_id, (0, 0))
        listed, missing, handed_over = states.get(row.item_id, (0, 0, False))
        found.append(
            ItemRow(
                item=_item_ref.decode(row.ref),
                captures=number,
                pages=number_of_pages,
                listed=listed,
                missing=missing,
                handed_over=handed_over,
                worst=_NAMES[worst_number],
                stations=stations,
                last_received_at=row.last_received_at,
            )
        )
    return tuple(found)


def _capture_counts(connection: Connection, wanted: list[str]) -> dict[str, tuple[int, tuple[str, ...]]]:
    query = (
        select(captures.c.item_id, captures.c.station, func.count().label("number"))
        .outerjoin(list_entries, _entry_of_capture())
        .where(captures.c.item_id.in_(wanted), _is_kept())
        .group_by(captures.c.item_id, captures.c.station)
        .order_by(captures.c.station)
    )
    found: dict[str, tuple[int, tuple[str, ...]]] = {}
    for row in connection.execute(query):
        number, stations = found.get(row.item_id, (0, ()))
        found[row.item_id] = number + row.number, (*stations, row.station)
    return found


def _worst(connection: Connection, wanted: list[str]) -> dict[str, tuple[int, int]]:
    query = (
        select(captures.c.item_id, func.count().label("number"), func.max(pages.c.worst).label("worst"))
        .join(pages, pages.c.capture_id == captures.c.capture_id)
        .outerjoin(list_entries, _entry_of_capture())
        .where(captures.c.item_id.in_(wanted), _is_kept())
        .group_by(captures.c.item_id)
    )
    return {row.item_id: (row.number, row.worst) for row in connection.execute(query)}


def _list_states(connection: Connection, wanted: list[str]) -> dict[str, tuple[int, int, bool]]:
    """Return for each item: entries listed, those missing here, and whether every job of it was handed over."""
    found: dict[str, tuple[int, int, bool]] = {}
    for row in connection.execute(_newest_lists().where(lists.c.item_id.in_(wanted))):
        of_job = and_(list_entries.c.job_id == row.job_id, list_entries.c.position.is_not(None))
        here = exists().where(captures.c.capture_id == list_entries.c.capture_id)
        listed = _number(connection, select(func.count()).select_from(list_entries).where(of_job))
        missing = _number(connection, select(func.count()).select_from(list_entries).where(of_job, ~here))
        known_listed, known_missing, known_over = found.get(row.item_id, (0, 0, True))
        found[row.item_id] = (known_listed + listed, known_missing + missing, known_over and row.state != "open")
    return found


def _number(connection: Connection, query: Select[Any]) -> int:
    return int(connection.execute(query).scalar_one())
