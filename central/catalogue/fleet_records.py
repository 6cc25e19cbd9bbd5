"""Stations and what is asked of them: rows that live in the catalogue alone (`rebuild` cannot restore them)."""

from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, delete, func, insert, or_, select, update

from central.api import StationRow
from central.catalogue.schema import captures, commands, identities, stations
from wire import codec
from wire.messages import Command, StationStatus


def approve(connection: Connection, station: str, now: str, common_name: str | None = None) -> None:
    """Note that a station was let in, and the certificate by which it is known from now on."""
    _put_station(connection, station, {"approved_at": now, "revoked_at": None})
    connection.execute(delete(identities).where(identities.c.station == station))
    if common_name is not None:
        connection.execute(insert(identities).values(station=station, common_name=common_name))


def identity(connection: Connection, station: str) -> str | None:
    """Return the common name of a station's certificate; None where it has none that counts."""
    return connection.execute(select(identities.c.common_name).where(identities.c.station == station)).scalar()


def revoke(connection: Connection, station: str, now: str) -> None:
    """Note that a station was shut out; raises `KeyError` for one that is unknown."""
    if _station(connection, station) is None:
        raise KeyError(station)
    _put_station(connection, station, {"revoked_at": now, "status": None})
    connection.execute(delete(identities).where(identities.c.station == station))


def is_known(connection: Connection, station: str) -> bool:
    """Tell whether a station was ever let in or heard of."""
    return _station(connection, station) is not None


def is_approved(connection: Connection, station: str) -> bool:
    """Tell whether a station was let in and not shut out since."""
    row = _station(connection, station)
    return row is not None and row.approved_at is not None and row.revoked_at is None


def approved_stations(connection: Connection) -> tuple[str, ...]:
    """Return the stations that were let in and not shut out since."""
    query = select(stations.c.station).where(stations.c.approved_at.is_not(None), stations.c.revoked_at.is_(None))
    return tuple(connection.execute(query.order_by(stations.c.station)).scalars())


def note_status(connection: Connection, statuses: Mapping[str, StationStatus], now: str) -> None:
    """Keep the newest status of stations, and which commands they have carried out."""
    for station, status in statuses.items():
        _put_station(connection, station, {"last_seen_at": now, "status": codec.encode(status).decode()})
        for command_id in status.answered:
            done = commands.c.command_id == command_id, commands.c.station == station
            connection.execute(update(commands).where(*done, commands.c.answered_at.is_(None)).values(answered_at=now))


def add_command(connection: Connection, station: str, command: Command, now: str, expires_at: str | None) -> None:
    """Put a command into the outbox; it is repeated until it is answered or its time is over."""
    connection.execute(
        insert(commands).values(
            command_id=command.command_id,
            station=station,
            payload=codec.encode(command),
            created_at=now,
            expires_at=expires_at,
        )
    )


def take_back_command(connection: Connection, command_id: str) -> None:
    """Take a command out of the outbox, whether it was answered or not."""
    connection.execute(delete(commands).where(commands.c.command_id == command_id))


def open_commands(connection: Connection, now: str) -> tuple[tuple[str, str, bytes], ...]:
    """Return station, command id and bytes of every command that still waits for its answer, oldest first."""
    still_valid = or_(commands.c.expires_at.is_(None), commands.c.expires_at > now)
    query = (
        select(commands.c.station, commands.c.command_id, commands.c.payload)
        .join(stations, stations.c.station == commands.c.station)
        .where(commands.c.answered_at.is_(None), still_valid, stations.c.revoked_at.is_(None))
        .order_by(commands.c.created_at)
    )
    return tuple((row.station, row.command_id, bytes(row.payload)) for row in connection.execute(query))


def station_rows(connection: Connection, heard_since: str) -> tuple[StationRow, ...]:
    """Return every station that was not shut out, those needing help first.

    Online is who said so since `heard_since`: nothing on the wire outlives a word that was missed.
    """
    query = select(captures.c.station, func.count().label("number"), func.max(captures.c.stored_at).label("at"))
    received = {row.station: (row.number, row.at) for row in connection.execute(query.group_by(captures.c.station))}
    known = {row.station: row for row in connection.execute(select(stations))}
    rows = [
        _station_row(name, known.get(name), heard_since, *received.get(name, (0, None)))
        for name in known.keys() | received.keys()
        if name not in known or known[name].revoked_at is None
    ]
    return tuple(sorted(rows, key=_need_of_help))


def _need_of_help(row: StationRow) -> tuple[bool, bool, bool, int, str]:
    troubled = bool(row.rejected or row.damaged)
    return row.fault is None, not troubled, row.online, -row.waiting, row.station


def _station_row(
    name: str, row: Row[Any] | None, heard_since: str, received: int, last_received_at: str | None
) -> StationRow:
    status = StationStatus(station=name, online=False)
    if row is not None and row.status is not None:
        # Not by the codec: written out in full, a status may be longer than the one that was let in.
        status = msgspec.json.decode(row.status, type=StationStatus)
    return StationRow(
        station=name,
        online=status.online and row is not None and (row.last_seen_at or "") >= heard_since,
        last_seen_at=row.last_seen_at if row is not None else None,
        software=status.software,
        state=status.state,
        fault=status.fault,
        waiting=status.waiting,
        rejected=status.rejected,
        damaged=status.damaged,
        disk_free_bytes=status.disk_free_bytes,
        disk_total_bytes=status.disk_total_bytes,
        job_title=status.job_title,
        captures_received=received,
        last_received_at=last_received_at,
        last_verdicts=status.last_verdicts,
    )


def _station(connection: Connection, station: str) -> Row[Any] | None:
    return connection.execute(select(stations).where(stations.c.station == station)).first()


def _put_station(connection: Connection, station: str, values: dict[str, Any]) -> None:
    change = update(stations).where(stations.c.station == station).values(**values)
    if connection.execute(change).rowcount == 0:
        connection.execute(insert(stations).values(station=station, **values))
