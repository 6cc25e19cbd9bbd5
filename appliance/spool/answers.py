"""What the centre's answers and commands change in the index. Each runs inside a transaction of the outbox."""

import sqlite3
from typing import Final

from msgspec import structs

from wire.codec import encode
from wire.messages import Command, Complete, Missing, ObjectRef, OfferBatch, Receipt, Rejected, Resend

_RECEIVED_CAPTURE: Final = (
    "UPDATE captures SET state = 'received', rejected_code = NULL, damaged_file = NULL"
    " WHERE capture_id = ? AND state IN ('processed', 'rejected', 'damaged')"
)
_RECEIVED_LIST: Final = (
    "UPDATE lists SET state = 'received', rejected_code = NULL WHERE job_id = ? AND revision = ? AND state = 'waiting'"
)
_REJECTED_CAPTURE: Final = (
    "UPDATE captures SET state = 'rejected', rejected_code = ? WHERE capture_id = ? AND state = 'processed'"
)
_REJECTED_LIST: Final = "UPDATE lists SET rejected_code = ? WHERE job_id = ? AND revision = ? AND state = 'waiting'"
_DAMAGED_CAPTURE: Final = (
    "UPDATE captures SET state = 'damaged', damaged_file = ? WHERE capture_id = ? AND state = 'processed'"
)
_DAMAGED_LIST: Final = "UPDATE lists SET rejected_code = 'damaged' WHERE job_id = ? AND revision = ?"
_COMPLETE_LIST: Final = (
    "UPDATE lists SET state = 'complete', missing = 0 WHERE job_id = ? AND revision = ? AND state != 'complete'"
)
_MISSING_LIST: Final = (
    "UPDATE lists SET missing = ?1 WHERE job_id = ?2 AND revision = ?3 AND state != 'complete' AND missing != ?1"
)
_KEEP_RECEIPT: Final = (
    "INSERT INTO receipts VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET document = excluded.document"
    " WHERE document != excluded.document"
)
"""The same receipt once more changes nothing, so that a repetition costs no flush of the disk."""
_WAIT_AGAIN: Final = (
    "UPDATE captures SET state = 'processed', rejected_code = NULL, damaged_file = NULL WHERE capture_id = ?1"
    " AND has_pages = 1 AND (state = 'received' OR (?2 AND state IN ('rejected', 'damaged')))"
)


def record_receipt(db: sqlite3.Connection, receipt: Receipt) -> bool:
    """Keep a receipt whose digests are ours; tells whether it was news."""
    ref = receipt.object
    document = encode(receipt).decode()
    db.execute(_KEEP_RECEIPT, (ref.kind, ref.id, ref.revision, document))
    if ref.kind == "capture":
        return db.execute(_RECEIVED_CAPTURE, (ref.id,)).rowcount > 0
    return db.execute(_RECEIVED_LIST, (ref.id, ref.revision)).rowcount > 0


def record_rejection(db: sqlite3.Connection, rejected: Rejected) -> bool:
    """Keep the code of a refusal; tells whether it was news."""
    ref = rejected.object
    if ref.kind == "capture":
        return db.execute(_REJECTED_CAPTURE, (rejected.code, ref.id)).rowcount > 0
    return db.execute(_REJECTED_LIST, (rejected.code, ref.id, ref.revision)).rowcount > 0


def record_damaged(db: sqlite3.Connection, ref: ObjectRef, file: str) -> bool:
    """Take an object that is not whole out of what waits; tells whether it was news."""
    if ref.kind == "capture":
        return db.execute(_DAMAGED_CAPTURE, (file, ref.id)).rowcount > 0
    return db.execute(_DAMAGED_LIST, (ref.id, ref.revision)).rowcount > 0


def record_list_answer(db: sqlite3.Connection, answer: Complete | Missing) -> bool:
    """Keep what the centre says of a list; tells whether that was news."""
    where = (answer.object.id, answer.object.revision)
    if isinstance(answer, Complete):
        return db.execute(_COMPLETE_LIST, where).rowcount > 0
    # A centre that lost what it once confirmed (a restored backup) gets it again, as long as it is still here.
    db.executemany(_WAIT_AGAIN, [(capture_id, False) for capture_id in answer.captures])
    return db.execute(_MISSING_LIST, (answer.total, *where)).rowcount > 0


def accept(db: sqlite3.Connection, command: Command) -> None:
    """Keep a command, in the order of its last coming; a resend is carried out here and once only."""
    known = db.execute("SELECT answered FROM commands WHERE command_id = ?", (command.command_id,)).fetchone()
    if known is None and isinstance(command, Resend):
        db.executemany(_WAIT_AGAIN, [(capture_id, True) for capture_id in command.captures])
    if isinstance(command, OfferBatch):
        command = structs.replace(command, document="")  # it lies among the batches
    answered = known[0] if known else int(isinstance(command, Resend | OfferBatch))
    db.execute(
        "INSERT OR REPLACE INTO commands (command_id, document, answered) VALUES (?, ?, ?)",
        (command.command_id, encode(command).decode(), answered),
    )
