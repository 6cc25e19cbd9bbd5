"""Hand-over by disk, the station's half: take home what the centre answered, then copy what still waits.

The spool stays the truth: an object leaves the carried disk only when the spool has recorded its receipt, and what the
spool does not know is left where it lies, for it may be the last copy. Everything may be interrupted and repeated.
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from appliance.spool.faults import FileDamaged
from appliance.spool.outbox import Outbox
from appliance.spool.rows import Pending
from wire import codec, disk
from wire.disk import ANSWER_FILE, BLOCK_BYTES, OFFER_FILE, CarryError, Folder, NotOurs
from wire.errors import CodedError, ExitCode, ProtocolError
from wire.limits import MAX_SEALED_BYTES
from wire.messages import Again, Complete, FileEntry, Missing, ObjectRef, Offer, Receipt, Rejected, Reply
from wire.seal import OFFICE, Seal, SealBroken

Progress = Callable[[int, int], None]
"""Called with the bytes copied and the bytes to copy."""
_KINDS: Final = ("job_list", "capture")
"""Lists first: what they say is missing must not outlive the receipts on the same disk."""


class NotBelieved(CarryError):
    """An answer of the centre that does not fit what the spool has."""

    exit_code = ExitCode.REFUSED

    def __init__(self, ref: ObjectRef) -> None:
        super().__init__(
            "CARRY-07",
            f"The receipt for {ref.id} is not for what this station has; nothing was deleted.",
            "Is the disk of another spool under this station's name? Take it to the centre again, and ask there.",
        )


class Refused(CarryError):
    """The centre will not take an object as it is."""

    exit_code = ExitCode.REFUSED

    def __init__(self, ref: ObjectRef, code: str, detail: str) -> None:
        super().__init__(
            "CARRY-08",
            f"The centre refused {ref.id}: {code} ({detail}).",
            "It stays on the station until a manager decides.",
        )


@dataclass(slots=True)
class ExportReport:
    """What an export did. Captures and lists are counted together as objects, except where it says otherwise.

    Attributes:
        receipts: taken home from this disk.
        complete: lists of which the centre said that it has everything.
        captures: copied now.
        lists: copied now.
        copied_bytes: of both.
        already: whole on the disk from an earlier time, without an answer yet.
        left: for which the disk has no room.
        faults: what was passed over, each with a code; the rest went on.
        stopped: why the export ended early; what is on the disk is valid all the same.
    """

    receipts: int = 0
    complete: int = 0
    captures: int = 0
    lists: int = 0
    copied_bytes: int = 0
    already: int = 0
    left: int = 0
    faults: list[CodedError] = field(default_factory=list)
    stopped: CodedError | None = None


def export(outbox: Outbox, station: str, seal: Seal, target: Path, progress: Progress) -> ExportReport:
    """Take home the answers on the disk at `target`, then copy what waits, the oldest first.

    When this returns, everything it counts is durable on that disk or in the spool.

    Raises:
        CarryError: CARRY-01 the disk cannot be used, CARRY-09 another command works on it.
        SpoolError: the spool cannot be read or written.
    """
    with ExitStack() as stack, Folder.open(target) as top, top.make(disk.ROOT) as root:
        root.lock()
        folder = stack.enter_context(root.make(station))
        folder.require_writable()
        carrier = _Carrier(outbox, station, seal, folder)
        try:
            carrier.take_home()
            carrier.carry_out(progress)
        except CarryError as error:
            carrier.report.stopped = error
        return carrier.report


class _Carrier:
    """One station's folder on one disk."""

    def __init__(self, outbox: Outbox, station: str, seal: Seal, folder: Folder) -> None:
        self._outbox = outbox
        self._station = station
        self._seal = seal
        self._folder = folder
        self.report = ExportReport()

    # The way back

    def take_home(self) -> None:
        """Record every answer on the disk and take off it what the centre holds."""
        for kind in _KINDS:
            refs, strange = disk.objects(self._folder, kind)
            self.report.faults += strange
            for ref in refs:
                try:
                    self._settle(ref)
                except (NotOurs, SealBroken, NotBelieved) as fault:
                    self.report.faults.append(fault)

    def _settle(self, ref: ObjectRef) -> None:
        replies = self._replies(ref)
        for reply in replies:
            self._record(ref, reply)
        is_over = any(isinstance(reply, Again | Rejected) for reply in replies) and bool(self._outbox.files(ref))
        if is_over or self._outbox.is_received(ref):
            disk.remove_object(self._folder, ref)

    def _replies(self, ref: ObjectRef) -> tuple[Reply, ...]:
        """Return what the centre answered; nothing where it has not."""
        try:
            with disk.opened_object(self._folder, ref) as folder:
                content = folder.read(ANSWER_FILE, MAX_SEALED_BYTES)
        except FileNotFoundError:
            return ()
        messages = self._seal.open(content, station=self._station, signer=OFFICE)
        try:
            replies = tuple(map(codec.decode_reply, messages))
        except ProtocolError as error:
            raise NotOurs(f"The answer for {ref.id}", "this version of the program cannot read it") from error
        if any(reply.object != ref for reply in replies):
            raise SealBroken(f"it answers another object than {ref.id}, where it lies")
        return replies

    def _record(self, ref: ObjectRef, reply: Reply) -> None:
        match reply:
            case Receipt():
                if not self._outbox.record_receipt(reply):
                    if self._outbox.is_received(ref):
                        return
                    raise NotBelieved(ref)
                self.report.receipts += 1
            case Complete():
                self._outbox.record_list_answer(reply)
                self.report.complete += 1
            case Missing():
                if self._is_open(ref):
                    self._outbox.record_list_answer(reply)
            case Rejected(code=code, detail=detail):
                self._outbox.record_rejection(reply)
                self.report.faults.append(Refused(ref, code, detail))
            case _:
                # `Again` is answered by copying anew; nothing else is said on a disk.
                pass

    def _is_open(self, ref: ObjectRef) -> bool:
        """Tell whether this revision of a list still counts: the line may have been faster than the disk."""
        return any(
            (job.job_id, job.list_revision) == (ref.id, ref.revision) and job.list_state != "complete"
            for job in self._outbox.jobs()
        )

    # The way out

    def carry_out(self, progress: Progress) -> None:
        """Copy what waits and is not on the disk yet."""
        waiting = [one for one in self._waiting() if self._is_to_be_copied(one)]
        free_bytes, block_bytes = self._folder.room()
        fit = disk.fitting([one.files for one in waiting], free_bytes, block_bytes)
        total_bytes = sum(one.size_bytes for one in waiting[:fit])
        progress(0, total_bytes)
        for number, pending in enumerate(waiting[:fit]):
            try:
                self._copy(pending)
            except FileDamaged as fault:
                self.report.faults.append(fault)
                self._outbox.record_damaged(pending.ref, fault.file)
                disk.remove_object(self._folder, pending.ref)
                continue
            except CarryError:
                self.report.left = len(waiting) - number
                with suppress(CarryError):
                    disk.remove_object(self._folder, pending.ref)
                raise
            self._count(pending)
            progress(self.report.copied_bytes, total_bytes)
        self.report.left = len(waiting) - fit
        if self.report.left:
            raise disk.full()

    def _waiting(self) -> tuple[Pending, ...]:
        # A list that does not end its job gets a receipt and no other answer: with that it has been handed over.
        settled = {
            job.job_id for job in self._outbox.jobs() if job.list_state == "received" and not job.list_hands_over
        }
        everything = self._outbox.pending(self._outbox.counts().total)
        return tuple(one for one in everything if one.ref.kind == "capture" or one.ref.id not in settled)

    def _is_to_be_copied(self, pending: Pending) -> bool:
        if self._is_there(pending):
            self.report.already += 1
            return False
        try:
            disk.remove_object(self._folder, pending.ref)
        except NotOurs:
            # Something that is no folder has its name; it was reported on the way in.
            return False
        return True

    def _is_there(self, pending: Pending) -> bool:
        """Tell whether the object lies whole on the disk."""
        with (
            suppress(FileNotFoundError, NotOurs, SealBroken, ProtocolError),
            disk.opened_object(self._folder, pending.ref) as folder,
        ):
            content = folder.read(OFFER_FILE, MAX_SEALED_BYTES)
            messages = self._seal.open(content, station=self._station, signer=self._seal.owner)
            is_same = codec.decode_offer(messages[0]) == _offer(self._station, pending)
            return is_same and all(folder.size(entry.name) == entry.size for entry in pending.files)
        return False

    def _copy(self, pending: Pending) -> None:
        with disk.opened_object(self._folder, pending.ref, create=True) as folder:
            for entry in pending.files:
                folder.write_new(entry.name, self._proved(pending.ref, entry))
            folder.sync()
            # The offer comes last: with it the object is whole, without it there is none.
            offer = codec.encode(_offer(self._station, pending))
            folder.replace(OFFER_FILE, self._seal.close(self._station, [offer]))

    def _proved(self, ref: ObjectRef, entry: FileEntry) -> Iterator[bytes]:
        """Yield a file of the spool; raises `FileDamaged` at its end where it is not what was made safe."""
        digest = hashlib.sha256()
        for offset in range(0, entry.size, BLOCK_BYTES):
            block = self._outbox.read(ref, entry.name, offset, min(BLOCK_BYTES, entry.size - offset))
            digest.update(block)
            yield block
        if digest.hexdigest() != entry.sha256:
            raise FileDamaged(entry.name)

    def _count(self, pending: Pending) -> None:
        if pending.ref.kind == "capture":
            self.report.captures += 1
        else:
            self.report.lists += 1
        self.report.copied_bytes += pending.size_bytes


def _offer(station: str, pending: Pending) -> Offer:
    """Return the offer as the line would carry it, but for inline documents: on a disk they lie beside it."""
    return Offer(station=station, object=pending.ref, files=pending.files)
