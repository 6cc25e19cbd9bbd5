"""Lists of books to digitise: read from a spreadsheet's CSV, sent to every approved station."""

import csv
import io
from pathlib import Path
from typing import Final

from sqlalchemy import insert

from central import clock
from central.catalogue import Catalogue, fleet_records, schema
from central.config import CentralConfig
from central.errors import BatchError
from central.receiving.staging import StoreLayout
from wire import codec
from wire.digest import sha256_of
from wire.documents import BatchDocument, BatchItem, ItemRef
from wire.errors import ProtocolError
from wire.ids import new_id
from wire.limits import MAX_COMMAND_BYTES
from wire.messages import ObjectRef, OfferBatch

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
        connection.execute(
            insert(schema.batches).values(
                batch_id=batch.batch_id,
                revision=batch.revision,
                name=name,
                document=codec.encode(batch).decode(),
                created_at=now,
            )
        )
        stations = fleet_records.approved_stations(connection)
        for station in stations:
            fleet_records.add_command(connection, station, _command(batch), now, None)
    return batch, len(stations)


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


def _command(batch: BatchDocument) -> OfferBatch:
    document = codec.encode(batch)
    ref = ObjectRef("batch", batch.batch_id, batch.revision)
    return OfferBatch(command_id=new_id(), object=ref, document=document.decode(), sha256=sha256_of(document))


def _fitting(batch: BatchDocument) -> BatchDocument:
    try:
        codec.decode_batch(codec.encode(batch))
    except ProtocolError as error:
        raise BatchError("BATCH-02", f"The list has a fault: {error.message}", "Shorten that value.") from error
    if len(codec.encode(_command(batch))) > MAX_COMMAND_BYTES:
        raise BatchError("BATCH-03", f"{len(batch.items)} books are too many for one batch.", "Divide the file.")
    return batch
