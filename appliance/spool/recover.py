"""Making a spool's index again from its folders, on this station or from the copied disk of a dead one."""

from contextlib import suppress
from pathlib import Path

from appliance.spool import faults, opening
from appliance.spool.files import Paths
from appliance.spool.rows import SweepReport
from appliance.spool.store import Spool
from wire.codec import decode_capture
from wire.documents import CAPTURE_FILE
from wire.errors import ProtocolError


def recover(folder: Path, station: str | None = None) -> SweepReport:
    """Bring the index in `folder` in line with the captures there, making it again where it is lost or broken.

    Nothing is deleted: a broken index and whatever does not explain itself lie in ``aside/`` afterwards.

    Args:
        folder: a spool, or the copy of one.
        station: whose it is, where neither the spool nor its captures say so.

    Raises:
        SpoolError: DISK-08 where this is no spool, otherwise like `Spool.open`.
    """
    paths = Paths(folder)
    owner = opening.owner_of(paths) or station or _station_of(paths)
    if not paths.captures.is_dir() or owner is None:
        raise faults.no_spool(folder)
    with Spool.open(folder, station or owner) as spool:
        return spool.sweep


def _station_of(paths: Paths) -> str | None:
    for file in sorted(paths.captures.glob(f"*/{CAPTURE_FILE}")):
        with suppress(OSError, ProtocolError):
            return decode_capture(file.read_bytes()).station
    return None
