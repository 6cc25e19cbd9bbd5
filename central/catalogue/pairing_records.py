"""Who is invited to be paired, and who waits for a person: rows that mean nothing any more after a day."""

from dataclasses import dataclass
from typing import Any, Final, Literal

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from central.catalogue.schema import pairing_offers as offers
from central.catalogue.schema import pairing_requests as requests

State = Literal["waiting", "approved", "refused"]
WAITING: Final[State] = "waiting"


@dataclass(frozen=True, slots=True)
class Asking:
    """A station that asks to be paired, until a person has decided."""

    request_id: str
    token_digest: str
    station: str
    request: str
    code: str
    address: str
    state: State


def add_offer(connection: Connection, token_digest: str, station: str, now: str, expires_at: str) -> None:
    """Invite a station; whatever it was invited or asked before counts no longer."""
    forget(connection, station)
    connection.execute(
        insert(offers).values(token_digest=token_digest, station=station, created_at=now, expires_at=expires_at)
    )


def offer(connection: Connection, token_digest: str) -> Row[Any] | None:
    """Return an invitation, used or not, over or not."""
    return connection.execute(select(offers).where(offers.c.token_digest == token_digest)).first()


def open_offer(connection: Connection, station: str, now: str) -> Row[Any] | None:
    """Return the invitation of a station that nobody has used and whose time is not over."""
    is_open = offers.c.used_by.is_(None), offers.c.expires_at > now
    return connection.execute(select(offers).where(offers.c.station == station, *is_open)).first()


def use_offer(connection: Connection, token_digest: str, key_digest: str) -> bool:
    """Let one key use an invitation; tells whether it was the first, or the same again."""
    unused = offers.c.token_digest == token_digest, offers.c.used_by.is_(None)
    if connection.execute(update(offers).where(*unused).values(used_by=key_digest)).rowcount:
        return True
    row = offer(connection, token_digest)
    return row is not None and row.used_by == key_digest


def add_request(connection: Connection, asking: Asking, now: str) -> None:
    """Keep what a station asks until a person decides."""
    connection.execute(
        insert(requests).values(
            request_id=asking.request_id,
            token_digest=asking.token_digest,
            station=asking.station,
            request=asking.request,
            code=asking.code,
            address=asking.address,
            created_at=now,
            state=asking.state,
        )
    )


def requests_of(connection: Connection, token_digest: str) -> int:
    """Return how many have asked under one invitation, whatever became of them."""
    query = select(func.count()).select_from(requests).where(requests.c.token_digest == token_digest)
    return int(connection.execute(query).scalar_one())


def request(connection: Connection, request_id: str) -> Asking | None:
    """Return one request."""
    row = connection.execute(select(requests).where(requests.c.request_id == request_id)).first()
    return None if row is None else _asking(row)


def waiting(connection: Connection, now: str) -> tuple[Asking, ...]:
    """Return who waits for a person, the oldest first."""
    query = (
        select(requests)
        .join(offers, offers.c.token_digest == requests.c.token_digest)
        .where(requests.c.state == WAITING, offers.c.used_by.is_(None), offers.c.expires_at > now)
        .order_by(requests.c.created_at)
    )
    return tuple(_asking(row) for row in connection.execute(query))


def decide(connection: Connection, request_id: str, state: State) -> bool:
    """Keep what a person decided; tells whether the request was still waiting."""
    still = requests.c.request_id == request_id, requests.c.state == WAITING
    return connection.execute(update(requests).where(*still).values(state=state)).rowcount == 1


def forget(connection: Connection, station: str) -> None:
    """Take back every invitation of a station, and what was asked under it."""
    connection.execute(delete(requests).where(requests.c.station == station))
    connection.execute(delete(offers).where(offers.c.station == station))


def _asking(row: Row[Any]) -> Asking:
    return Asking(row.request_id, row.token_digest, row.station, row.request, row.code, row.address, row.state)
