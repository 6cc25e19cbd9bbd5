"""Reads a carried disk back: what was written is only believed when it was seen there."""

import hashlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from wire import codec, disk
from wire.disk import OFFER_FILE, CarryError, Folder, NotOurs
from wire.errors import ExitCode, ProtocolError
from wire.limits import MAX_SEALED_BYTES
from wire.messages import ObjectRef, Offer
from wire.seal import Seal, SealBroken

_KINDS: Final = ("job_list", "capture")


class Altered(CarryError):
    """What is on the disk is not what was written."""

    exit_code = ExitCode.STORAGE

    def __init__(self, ref: ObjectRef) -> None:
        super().__init__(
            "CARRY-05",
            f"Read back, {ref.id} is not what was copied.",
            "Take another disk and export again; this one is not to be trusted.",
        )


def prove(target: Path, station: str, seal: Seal, progress: Callable[[int, int], None]) -> list[CarryError]:
    """Hold every file of this station on the disk at `target` against its offer; return one fault an object.

    Unfinished objects have no offer and are none yet. Nothing is changed.

    Raises:
        CarryError: CARRY-03, the disk failed.
    """
    faults: list[CarryError] = []
    with Folder.open(target) as top, top.child(disk.ROOT) as root, root.child(station) as folder:
        offers = [one for kind in _KINDS for ref in disk.objects(folder, kind)[0] if (one := _offer(folder, ref, seal))]
        total_bytes = sum(entry.size for offer in offers for entry in offer.files)
        done_bytes = 0
        progress(0, total_bytes)
        for offer in offers:
            if not _is_whole(folder, offer):
                faults.append(Altered(offer.object))
            done_bytes += sum(entry.size for entry in offer.files)
            progress(done_bytes, total_bytes)
    return faults


def _offer(folder: Folder, ref: ObjectRef, seal: Seal) -> Offer | None:
    # One that is not ours was reported on the way out, and is left alone.
    with suppress(FileNotFoundError, NotOurs, SealBroken, ProtocolError), disk.opened_object(folder, ref) as inner:
        content = inner.read(OFFER_FILE, MAX_SEALED_BYTES)
        return codec.decode_offer(seal.open(content, station=folder.path.name, signer=seal.owner)[0])
    return None


def _is_whole(folder: Folder, offer: Offer) -> bool:
    with suppress(FileNotFoundError, NotOurs), disk.opened_object(folder, offer.object) as inner:
        for entry in offer.files:
            digest = hashlib.sha256()
            for block in inner.blocks(entry.name):
                digest.update(block)
            if digest.hexdigest() != entry.sha256:
                return False
        return True
    return False
