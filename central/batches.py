"""Lists of books to digitise: read from a spreadsheet's CSV, sent to every approved station, and what came of them."""

import csv
import io
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
from sqlalchemy import Connection, insert, select, update

from central import clock
from central.catalogue import Catalogue, fleet_records, queries, schema
from central.config import CentralConfig
from central.errors import BatchError
from central.receiving.staging import StoreLayout
from wire import codec
from wire.digest import sha256_of
from wire.documents import BatchDocument, BatchItem, Digitised, ItemRef
from wire.errors import ProtocolError
from wire.ids import new_id
from wire.limits import MAX_COMMAND_BYTES
from wire.messages import ObjectRef, OfferBatch

log = logging.getLogger(__name__)

_TEXTS: Final = ("record_id", "barcode", "part", "call_number", "title", "author", "year", "holding_library")
_NUMBERS: Final = ("height_cm", "pages_expected")
COLUMNS: Final = (*_TEXTS, *_NUMBERS, "profile", "rights")
"""Names of the columns that are understood; `title` or `barcode` must be given, others are refused by name."""


def send_batch(config: CentralConfig, file: Path, name: str) -> tuple[BatchDocument, int]:
    """Read `file`, record the batch and put it into the outbox of every approved station.

    Returns:
        The batch and the number of stations it goes to.

    Raises:
        BatchError: BATCH-01 the file cannot be read, BATCH-02 it has faults (all lines named), BATCH-03 too long.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BatchError("BATCH-01", f"{file} cannot be read ({error}).", "Save it as CSV in UTF-8.") from error
    batch = read_batch(text, batch_id=new_id(), name=name)
    StoreLayout(config.store).create()
    with Catalogue(config.database_url) as catalogue, catalogue.write() as connection:
        now = clock.now()
        batch = with_news(batch, queries.digitised(connection))
        connection.execute(
            insert(schema.batches).values(
                batch_id=batch.batch_id,
                revision=batch.revision,
                name=name,
                document=codec.encode(batch).decode(),
                created_at=now,
            )
        )
        return batch, _send(connection, batch, now)


def tell_what_was_digitised(catalogue: Catalogue) -> int:
    """Send every batch again whose books were digitised since: a copy of it may lie before any station tomorrow.

    A station takes the newer revision in place of the older; what was not fetched of the older is not sent any more.

    Returns:
        How many batches had news.
    """
    told = 0
    with catalogue.write() as connection:
        done = queries.digitised(connection)
        for row in connection.execute(select(schema.batches.c.document)).all():
            old = codec.decode_batch(row.document.encode())
            new = with_news(old, done)
            if new.items == old.items:
                continue
            new = msgspec.structs.replace(new, revision=old.revision + 1)
            if len(codec.encode(_command(new, ""))) > MAX_COMMAND_BYTES:
                log.warning("batch=%s is too long to say what was digitised of it", new.batch_id)
                continue
            changed = {"revision": new.revision, "document": codec.encode(new).decode()}
            connection.execute(
                update(schema.batches).where(schema.batches.c.batch_id == new.batch_id).values(**changed)
            )
            _send(connection, new, clock.now(), instead_of=old)
            told += 1
    return told


def with_news(batch: BatchDocument, done: Sequence[tuple[ItemRef, Digitised]]) -> BatchDocument:
    """Return a batch with what was digitised of its books, the last of several times. Pure.

    A book is known by its copy's barcode (and its part, where the batch names one) or by the item's own id.
    """
    by_id = {what.item_id: what for _, what in done}
    by_copy = {ref.barcode: what for ref, what in done}
    by_part = {(ref.barcode, ref.part): what for ref, what in done}

    def news(item: ItemRef) -> Digitised | None:
        of_copy = by_part.get((item.barcode, item.part)) if item.part else by_copy.get(item.barcode)
        return (of_copy if item.barcode else None) or by_id.get(item.item_id)

    items = (msgspec.structs.replace(one, digitised=news(one.item) or one.digitised) for one in batch.items)
    return msgspec.structs.replace(batch, items=tuple(items))


def read_batch(text: str, *, batch_id: str, name: str) -> BatchDocument:
    """Return the batch in a CSV text (``;`` or ``,``, first line names the columns).

    Raises:
        BatchError: BATCH-02 naming every line with a fault, BATCH-03.
    """
    head = text.partition("\n")[0]
    reader = csv.DictReader(io.StringIO(text), delimiter=";" if head.count(";") > head.count(",") else ",")
    columns = [(column or "").strip().lower() for column in reader.fieldnames or ()]
    reader.fieldnames = columns
    faults = [f"column “{column}” is unknown" for column in columns if column not in COLUMNS]
    items: list[BatchItem] = []
    if not faults:
        for row in reader:
            try:
                items.append(_item(row, batch_id))
            except ValueError as error:
                faults.append(f"line {reader.line_num}: {error}")
    if not items and not faults:
        faults.append("there is no book in it")
    if faults:
        raise BatchError(
            "BATCH-02",
            f"The list has {len(faults)} fault(s): {'; '.join(faults[:20])}.",
            f"Columns may be {', '.join(COLUMNS)}.",
        )
    batch = BatchDocument(batch_id=batch_id, name=name, revision=1, items=tuple(items))
    return _fitting(batch)


def _item(row: dict[str, str | None], batch_id: str) -> BatchItem:
    if None in row:
        raise ValueError("more values than columns")
    given = {column: value.strip() for column, value in row.items() if value is not None and value.strip()}
    if not given.keys() & {"title", "barcode"}:
        raise ValueError("neither title nor barcode")
    texts = {column: given[column] for column in _TEXTS if column in given}
    try:
        height_cm = float(given["height_cm"].replace(",", ".")) if "height_cm" in given else None
        pages_expected = int(given["pages_expected"]) if "pages_expected" in given else None
    except ValueError as error:
        raise ValueError("height_cm and pages_expected must be numbers") from error
    return BatchItem(
        item=ItemRef(item_id=new_id(), batch_id=batch_id, provisional="record_id" not in texts, **texts),
        height_cm=height_cm,
        pages_expected=pages_expected,
        profile=given.get("profile"),
        rights=given.get("rights"),
    )


def _send(connection: Connection, batch: BatchDocument, now: str, instead_of: BatchDocument | None = None) -> int:
    stations = fleet_records.approved_stations(connection)
    for station in stations:
        if instead_of is not None:
            fleet_records.take_back_command(connection, _command(instead_of, station).command_id)
        fleet_records.add_command(connection, station, _command(batch, station), now, None)
    return len(stations)


def _command(batch: BatchDocument, station: str) -> OfferBatch:
    document = codec.encode(batch)
    ref = ObjectRef("batch", batch.batch_id, batch.revision)
    # Known by what it says and to whom: the next revision finds it and takes its place in the outbox.
    command_id = sha256_of(f"{batch.batch_id} {batch.revision} {station}".encode())[:32]
    return OfferBatch(command_id=command_id, object=ref, document=document.decode(), sha256=sha256_of(document))


def _fitting(batch: BatchDocument) -> BatchDocument:
    try:
        codec.decode_batch(codec.encode(batch))
    except ProtocolError as error:
        raise BatchError("BATCH-02", f"The list has a fault: {error.message}", "Shorten that value.") from error
    # Each of its books will be digitised one day, and said to be: there must be room for that, too.
    longest = Digitised(item_id="0" * 32, station="0" * 32, at=clock.now(), part="0" * 20, to_conservation=True)
    full = msgspec.structs.replace(
        batch, items=tuple(msgspec.structs.replace(one, digitised=longest) for one in batch.items)
    )
    if len(codec.encode(_command(full, ""))) > MAX_COMMAND_BYTES:
        raise BatchError("BATCH-03", f"{len(batch.items)} books are too many for one batch.", "Divide the file.")
    return batch
