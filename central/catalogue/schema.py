"""The catalogue's tables and the ordered steps that make them. Works on SQLite and PostgreSQL alike.

`list_entries` holds the newest revision of each job only; what a capture or a list consists of byte by byte stays in
its folder. Times are UTC, ISO 8601.
"""

from collections.abc import Callable
from datetime import UTC, datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    insert,
    select,
)

from central.errors import CatalogueError

metadata = MetaData()

schema_versions = Table(
    "schema_versions",
    metadata,
    Column("version", Integer, primary_key=True),
    Column("applied_at", String(32), nullable=False),
)
captures = Table(
    "captures",
    metadata,
    Column("capture_id", String(32), primary_key=True),
    Column("station", String(32), nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("job_id", String(32), nullable=False),
    Column("item_id", String(32), nullable=False),
    Column("pressed_at", String(32), nullable=False),
    Column("stored_at", String(32), nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("receipt", LargeBinary, nullable=False),
    Index("captures_by_item", "item_id"),
    Index("captures_by_job", "job_id", "station", "sequence"),
    Index("captures_by_station", "station", "stored_at"),
)
pages = Table(
    "pages",
    metadata,
    Column("capture_id", String(32), primary_key=True),
    Column("side", String(8), primary_key=True),
    Column("file", String(64), nullable=False),
    Column("width_px", Integer, nullable=False),
    Column("height_px", Integer, nullable=False),
    Column("worst", Integer, nullable=False),
    Column("findings", Text, nullable=False),
    Column("thumbnail", String(8), nullable=False),
    Column("attempts", Integer, nullable=False),
    Index("pages_by_thumbnail", "thumbnail"),
)
items = Table(
    "items",
    metadata,
    Column("item_id", String(32), primary_key=True),
    Column("ref", Text, nullable=False),
    Column("last_received_at", String(32), nullable=False),
)
lists = Table(
    "lists",
    metadata,
    Column("job_id", String(32), primary_key=True),
    Column("revision", BigInteger, primary_key=True),
    Column("item_id", String(32), nullable=False),
    Column("station", String(32), nullable=False),
    Column("state", String(20), nullable=False),
    Column("right_to_left", Boolean, nullable=False),
    Column("stored_at", String(32), nullable=False),
    Column("receipt", LargeBinary, nullable=False),
    Index("lists_by_item", "item_id"),
)
list_entries = Table(
    "list_entries",
    metadata,
    Column("job_id", String(32), primary_key=True),
    Column("capture_id", String(32), primary_key=True),
    Column("position", Integer, nullable=True),  # NULL: removed or superseded
    Index("list_entries_by_capture", "capture_id"),
)
stations = Table(
    "stations",
    metadata,
    Column("station", String(32), primary_key=True),
    Column("approved_at", String(32)),
    Column("revoked_at", String(32)),
    Column("last_seen_at", String(32)),
    Column("status", Text),
)
commands = Table(
    "commands",
    metadata,
    Column("command_id", String(32), primary_key=True),
    Column("station", String(32), nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("created_at", String(32), nullable=False),
    Column("expires_at", String(32)),
    Column("answered_at", String(32)),
    Index("commands_by_station", "station", "answered_at"),
)
quarantine = Table(
    "quarantine",
    metadata,
    Column("reason", String(32), primary_key=True),
    Column("count", BigInteger, nullable=False),
    Column("last_at", String(32), nullable=False),
)
batches = Table(
    "batches",
    metadata,
    Column("batch_id", String(32), primary_key=True),
    Column("revision", BigInteger, primary_key=True),
    Column("name", String(400), nullable=False),
    Column("document", Text, nullable=False),
    Column("created_at", String(32), nullable=False),
)
audits = Table(
    "audits",
    metadata,
    Column("audit_id", String(32), primary_key=True),
    Column("finished_at", String(32), nullable=False),
    Column("objects", BigInteger, nullable=False),
    Column("files", BigInteger, nullable=False),
    Column("faults", Text, nullable=False),
)
identities = Table(
    "identities",
    metadata,
    Column("station", String(32), primary_key=True),
    Column("common_name", String(64), nullable=False),  # of the one certificate that opens the broker
)
pairing_offers = Table(
    "pairing_offers",
    metadata,
    Column("token_digest", String(64), primary_key=True),
    Column("station", String(32), nullable=False),
    Column("created_at", String(32), nullable=False),
    Column("expires_at", String(32), nullable=False),
    Column("used_by", String(64)),  # digest of the key that it let in
    Index("pairing_offers_by_station", "station"),
)
pairing_requests = Table(
    "pairing_requests",
    metadata,
    Column("request_id", String(32), primary_key=True),
    Column("token_digest", String(64), nullable=False),
    Column("station", String(32), nullable=False),
    Column("request", Text, nullable=False),
    Column("code", String(9), nullable=False),
    Column("address", String(64), nullable=False),
    Column("created_at", String(32), nullable=False),
    Column("state", String(8), nullable=False),  # waiting, approved or refused
    Index("pairing_requests_by_offer", "token_digest"),
)


def _first(connection: Connection) -> None:
    metadata.create_all(connection)


def _pairing(connection: Connection) -> None:
    for table in (identities, pairing_offers, pairing_requests):
        table.create(connection, checkfirst=True)


MIGRATIONS: tuple[Callable[[Connection], None], ...] = (_first, _pairing)
"""Step n makes version n + 1 out of version n. A step that was released is never changed: the next one mends it."""


def migrate(connection: Connection, keep: Callable[[int], None] = lambda _: None) -> None:
    """Bring the database to this program's version, all steps and their record in the caller's transaction.

    `keep` is called with the version that there was before it is changed.

    Raises:
        CatalogueError: CAT-02, the database is newer than the program.
    """
    schema_versions.create(connection, checkfirst=True)
    done = set(connection.execute(select(schema_versions.c.version)).scalars())
    if done and max(done) > len(MIGRATIONS):
        raise CatalogueError(
            "CAT-02",
            "The catalogue was made by a newer version of the program.",
            "Install that version or a newer.",
        )
    if done and max(done) < len(MIGRATIONS):
        keep(max(done))
    for version, step in enumerate(MIGRATIONS, start=1):
        if version not in done:
            step(connection)
            now = datetime.now(UTC).isoformat()
            connection.execute(insert(schema_versions).values(version=version, applied_at=now))
