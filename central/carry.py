"""Hand-over by disk, the centre's half: what a disk offers goes the way of the line, the answers go onto the disk.

Proof, storing and receipts are those of a worker (`central.receiving`, `central.archive`); chunks, grants and timers
are not needed. Everything may be interrupted and repeated: what is here gets its receipt again.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from central import clock
from central.archive import Archive
from central.authority import ca
from central.catalogue import Catalogue, fleet_records
from central.config import CentralConfig
from central.errors import AuthorityError, CentralError, StoreFull
from central.receiving import ingest
from central.receiving.ingest import Refusal
from central.receiving.staging import Incoming, Staging, StoreLayout, same_files
from wire import codec, disk
from wire.disk import ANSWER_FILE, OFFER_FILE, CarryError, Folder, NotOurs, Unreadable
from wire.errors import CodedError, ExitCode, ProtocolError
from wire.ids import new_id
from wire.limits import MAX_SEALED_BYTES
from wire.messages import Again, FileEntry, Missing, ObjectRef, Offer, Receipt, Rejected, Reply, Span
from wire.seal import Seal, SealBroken

log = logging.getLogger(__name__)

WORKER: Final = "disk"
"""The name under which an import works in the store; two imports at once are refused by it."""
Progress = Callable[[int, int], None]
"""Called with the objects looked at and the objects on the disk."""


class Altered(CarryError):
    """A file of an object is not what was offered: it was changed or lost on its way."""

    exit_code = ExitCode.REFUSED

    def __init__(self, ref: ObjectRef, entry: FileEntry) -> None:
        super().__init__(
            "CARRY-05",
            f"{entry.name} of {ref.id} is not what the station copied; the object was not taken.",
            "Bring the disk back to the station: it copies the object again. If this repeats, use another disk.",
        )
        self.entry = entry


class Refused(CarryError):
    """An object is whole and is not taken as it is."""

    exit_code = ExitCode.REFUSED

    def __init__(self, ref: ObjectRef, refusal: Refusal) -> None:
        super().__init__(
            "CARRY-08",
            f"{ref.id} was refused: {refusal.code} ({refusal.detail}).",
            "It stays on the station until a manager decides.",
        )


class ShutOut(CarryError):
    """A station that may not hand anything over."""

    exit_code = ExitCode.REFUSED

    def __init__(self, station: str) -> None:
        super().__init__(
            "CARRY-10",
            f"The station {station} was never approved, or was shut out; nothing of it was taken.",
            "Approve it first: lattrang central approve",
        )


@dataclass(slots=True)
class ImportReport:
    """What an import did.

    Attributes:
        captures: stored now.
        lists: stored now.
        known: objects that were here before; their receipts were written again.
        complete: lists of which everything is here.
        missing: captures that handed-over lists on this disk still lack.
        unfinished: objects whose copying was interrupted; the station copies them again.
        faults: what was passed over, each with a code; the rest went on.
        stopped: why the import ended early; what was stored is stored, and its receipts are on the disk.
    """

    captures: int = 0
    lists: int = 0
    known: int = 0
    complete: int = 0
    missing: int = 0
    unfinished: int = 0
    faults: list[CodedError] = field(default_factory=list)
    stopped: CodedError | None = None


def import_disk(config: CentralConfig, source: Path, progress: Progress) -> ImportReport:
    """Store what the disk at `source` offers and write the answers onto it; all of it is durable when this returns.

    Raises:
        CarryError: CARRY-01 the disk cannot be used, CARRY-09 another command works on it, CARRY-11 it holds nothing.
        CentralError: store, catalogue or the office's key cannot be used, or another import is running.
    """
    seal = _office_seal(config)
    with (
        _root(source) as root,
        closing(Staging(StoreLayout(config.store), WORKER)) as staging,
        Catalogue(config.database_url) as catalogue,
    ):
        importer = _Importer(config, root, seal, staging, catalogue)
        try:
            importer.run(progress)
        except (CarryError, CentralError) as error:
            importer.report.stopped = error
        return importer.report


@contextmanager
def _root(source: Path) -> Iterator[Folder]:
    with Folder.open(source) as top:
        try:
            root = top.child(disk.ROOT)
        except FileNotFoundError as error:
            raise CarryError(
                "CARRY-11",
                f"There is nothing of Lattrang in {source}.",
                "Name the folder that was given to: lattrang station export",
            ) from error
        with root:
            root.lock()
            yield root


def _office_seal(config: CentralConfig) -> Seal:
    files = config.broker.credentials(ca.OFFICE)
    try:
        return Seal(files.ca.read_bytes(), files.cert.read_bytes(), files.key.read_bytes())
    except (OSError, ValueError) as error:
        raise AuthorityError(
            "CERT-05", f"The certificate of the office cannot be used ({error}).", "Run: lattrang central doctor"
        ) from error


class _Importer:
    """One disk, read once."""

    def __init__(self, config: CentralConfig, root: Folder, seal: Seal, staging: Staging, catalogue: Catalogue) -> None:
        self._limits = config.limits
        self._root = root
        self._seal = seal
        self._staging = staging
        self._catalogue = catalogue
        self._archive = Archive(staging, catalogue, WORKER)
        self.report = ImportReport()

    def run(self, progress: Progress) -> None:
        """Take everything: captures of all stations first, so that lists find them."""
        found = tuple(self._found())
        for number, (station, ref) in enumerate(found):
            progress(number, len(found))
            with self._root.child(station) as folder:
                try:
                    self._take(folder, station, ref)
                except (NotOurs, SealBroken) as fault:
                    self.report.faults.append(fault)
        progress(len(found), len(found))

    def _found(self) -> Iterator[tuple[str, ObjectRef]]:
        stations = [station for station in disk.stations(self._root) if self._may_speak(station)]
        for kind in ("capture", "job_list"):
            for station in stations:
                with self._root.child(station) as folder:
                    refs, strange = disk.objects(folder, kind)
                self.report.faults += strange
                yield from ((station, ref) for ref in refs)

    def _may_speak(self, station: str) -> bool:
        try:
            with self._root.child(station) as folder:
                folder.require_writable()
        except NotOurs as fault:
            self.report.faults.append(fault)
            return False
        with self._catalogue.read() as connection:
            is_approved = fleet_records.is_approved(connection, station)
        if not is_approved:
            self.report.faults.append(ShutOut(station))
        return is_approved

    def _take(self, station_folder: Folder, station: str, ref: ObjectRef) -> None:
        with disk.opened_object(station_folder, ref) as folder:
            try:
                content = folder.read(OFFER_FILE, MAX_SEALED_BYTES)
            except FileNotFoundError:
                self.report.unfinished += 1
                return
            replies = self._answer(folder, self._offer(content, station, ref))
            folder.replace(ANSWER_FILE, self._seal.close(station, [codec.encode(reply) for reply in replies]))

    def _offer(self, content: bytes, station: str, ref: ObjectRef) -> Offer:
        messages = self._seal.open(content, station=station, signer=self._signer(station))
        try:
            offer = codec.decode_offer(messages[0])
        except ProtocolError as error:
            raise NotOurs(f"The offer of {ref.id}", "this version of the program cannot read it") from error
        if offer.station != station or offer.object != ref:
            raise SealBroken(f"it offers another object than {ref.id}, where it lies")
        return offer

    def _signer(self, station: str) -> str:
        with self._catalogue.read() as connection:
            return fleet_records.identity(connection, station) or ca.station_name(station)

    def _answer(self, folder: Folder, offer: Offer) -> tuple[Reply, ...]:
        try:
            receipt = self._receipt(folder, offer)
        except Refusal as refusal:
            self.report.faults.append(Refused(offer.object, refusal))
            return (Rejected(object=offer.object, code=refusal.code, detail=refusal.detail[:400]),)
        except Altered as fault:
            self.report.faults.append(fault)
            whole = (Span(0, fault.entry.size),)
            return (Again(object=offer.object, grant_id=new_id(), file=fault.entry.name, spans=whole),)
        if offer.object.kind == "capture":
            return (receipt,)
        answer = self._archive.list_answer(offer.object)
        if answer is None:
            return (receipt,)
        if isinstance(answer, Missing):
            self.report.missing += answer.total
        else:
            self.report.complete += 1
        return (receipt, answer)

    def _receipt(self, folder: Folder, offer: Offer) -> Receipt:
        ingest.check_offer(offer)
        receipt = self._archive.receipt(offer.object)
        if receipt is not None:
            if not same_files(receipt.files, offer.files):
                raise Refusal("digest_conflict", "the centre has other files under this id")
            self.report.known += 1
            return receipt
        self._require_room(offer)
        incoming = self._staging.open(new_id(), offer.files, {})
        try:
            for entry in offer.files:
                _fetch(folder, incoming, offer.object, entry)
            receipt = self._archive.keep(incoming, offer.object, offer.station, offer.files, clock.now())
        finally:
            # Harmless where it was kept: its folder has another name by then.
            incoming.discard()
        self._count(receipt)
        return receipt

    def _require_room(self, offer: Offer) -> None:
        wanted_bytes = sum(entry.size for entry in offer.files)
        if self._staging.layout.free_bytes() - wanted_bytes < self._limits.reserve_bytes:
            raise StoreFull(
                "STORE-02",
                f"The disk of the store has no room for {offer.object.id}.",
                "Free or add disk space, then import again; what was taken is taken.",
            )

    def _count(self, receipt: Receipt) -> None:
        log.debug("stored from disk kind=%s id=%s", receipt.object.kind, receipt.object.id)
        if receipt.object.kind == "capture":
            self.report.captures += 1
        else:
            self.report.lists += 1


def _fetch(folder: Folder, incoming: Incoming, ref: ObjectRef, entry: FileEntry) -> None:
    """Copy one file into the store and prove it; raises `Altered` where it is not what was offered."""
    try:
        if folder.size(entry.name) != entry.size:
            raise Altered(ref, entry)
        offset = 0
        for block in folder.blocks(entry.name):
            incoming.write(entry.name, offset, block)
            offset += len(block)
    except (FileNotFoundError, Unreadable) as error:
        raise Altered(ref, entry) from error
    if offset != entry.size or not incoming.prove(entry):
        raise Altered(ref, entry)
