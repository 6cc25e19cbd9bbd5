"""Store and catalogue as one: is an object here, keep it, what is missing. The folder decides, the row follows."""

import logging
from pathlib import Path

from central import files
from central.catalogue import Catalogue, records
from central.errors import StoreError
from central.receiving import ingest
from central.receiving.ingest import Facts, Refusal
from central.receiving.staging import Incoming, Staging, StoreLayout, read_receipt, same_files
from wire import codec
from wire.documents import LIST_FILE
from wire.errors import ProtocolError
from wire.limits import MAX_MISSING_LISTED
from wire.messages import Complete, FileEntry, Missing, ObjectRef, Receipt

log = logging.getLogger(__name__)


class Archive:
    """What a worker needs of the store and the catalogue."""

    def __init__(self, staging: Staging, catalogue: Catalogue, worker: str) -> None:
        self._staging = staging
        self._catalogue = catalogue
        self._worker = worker

    def receipt(self, ref: ObjectRef) -> Receipt | None:
        """Return the receipt of an object that is here, or None.

        A folder whose row was never written (power cut, database away) is adopted on the way.

        Raises:
            CatalogueError: the catalogue cannot be asked.
            StoreError: STORE-05, the folder is there but cannot be understood.
        """
        with self._catalogue.read() as connection:
            found = records.find_receipt(connection, ref)
        if found is not None or ref.kind == "batch":
            return found
        folder = self._staging.layout.object_folder(ref)
        return adopt(folder, self._catalogue) if folder.exists() else None

    def keep(self, incoming: Incoming, ref: ObjectRef, station: str, files: tuple[FileEntry, ...], at: str) -> Receipt:
        """Make proved files durable and known; return the receipt that holds, perhaps another worker's.

        Raises:
            Refusal: the documents are not what they should be, or another object has this id.
            StoreError: nothing was kept.
            CatalogueError: kept, but not known yet: the next offer finds it.
        """
        facts = ingest.read_facts(ref, station, files, incoming.read)
        receipt = self._staging.keep(incoming, Receipt(object=ref, files=files, worker=self._worker, stored_at=at))
        if not same_files(receipt.files, files):
            raise Refusal("digest_conflict", "another object has this id")
        with self._catalogue.write() as connection:
            records.add(connection, facts, receipt)
        return receipt

    def list_answer(self, ref: ObjectRef) -> Complete | Missing | None:
        """Return what a stored list still lacks; None for a list that is still open, which lacks things by nature.

        Raises:
            StoreError: STORE-05, the list cannot be read any more.
            CatalogueError: the catalogue cannot be asked.
        """
        folder = self._staging.layout.object_folder(ref)
        try:
            document = codec.decode_job_list((folder / LIST_FILE).read_bytes())
        except (OSError, ProtocolError) as error:
            raise _unreadable(folder, str(error)) from error
        if document.state == "open":
            return None
        with self._catalogue.read() as connection:
            missing = records.missing_captures(connection, document)
        if not missing:
            return Complete(object=ref, captures=len(document.entries))
        return Missing(object=ref, captures=missing[:MAX_MISSING_LISTED], total=len(missing))


def adopt(folder: Path, catalogue: Catalogue) -> Receipt:
    """Record a stored object from its folder alone and return its receipt.

    Raises:
        StoreError: STORE-05, it has no readable receipt or its documents contradict it; or the disk fails.
    """
    receipt, facts = read_stored(folder)
    # Whoever gave it its name may have died before that was on the disk.
    with files.storing(folder.name):
        files.sync_folder(folder.parent)
        files.sync_folder(folder.parent.parent)
    with catalogue.write() as connection:
        records.add(connection, facts, receipt)
    return receipt


def read_stored(folder: Path) -> tuple[Receipt, Facts]:
    """Return what a stored object's folder says; sizes are checked, digests are the audit's work.

    Raises:
        StoreError: STORE-05.
    """
    receipt = read_receipt(folder)
    if receipt is None:
        raise _unreadable(folder, "it has no readable receipt")
    for entry in receipt.files:
        path = folder / entry.name
        if not path.is_file() or path.stat().st_size != entry.size:
            raise _unreadable(folder, f"{entry.name} is missing or of another size")
    try:
        facts = ingest.read_facts(receipt.object, None, receipt.files, lambda name: (folder / name).read_bytes())
    except Refusal as refusal:
        raise _unreadable(folder, refusal.detail) from refusal
    except OSError as error:
        raise _unreadable(folder, str(error)) from error
    return receipt, facts


def adopt_unknown(layout: StoreLayout, catalogue: Catalogue) -> int:
    """Record every stored object that the catalogue does not know; returns how many. Used at start-up."""
    adopted = 0
    with catalogue.read() as connection:
        known = records.known_objects(connection)
    for folder in layout.objects():
        if folder_key(layout, folder) in known:
            continue
        try:
            adopt(folder, catalogue)
        except StoreError:
            log.exception("not adopted folder=%s", folder)
            continue
        adopted += 1
        log.warning("adopted folder=%s", folder.name)
    return adopted


def folder_key(layout: StoreLayout, folder: Path) -> tuple[str, int]:
    """Return the id and revision that a stored folder's place stands for (revision 0 for captures)."""
    if folder.parent == layout.staging:
        return folder.name, 0
    return folder.parent.name, int(folder.name) if folder.name.isdigit() else -1


def _unreadable(folder: Path, why: str) -> StoreError:
    return StoreError("STORE-05", f"{folder} cannot be understood: {why}.", "Run: lattrang central audit")
