"""`lattrang station export` and `lattrang central import`: hand-over by disk, in words that say what happened."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from wire.errors import CodedError, ExitCode

if TYPE_CHECKING:
    from appliance.config import StationConfig
    from central.config import CentralConfig
    from wire.seal import Seal

_SAFE: Final = "Everything counted here is on the disk. Unmount it before you pull it out."
_BAR_WIDTH: Final = 30


def run_export(config: "StationConfig", target: Path) -> int:
    """Take answers home from the disk at `target`, copy what waits onto it, and return the exit code.

    Raises:
        CodedError: the station is not paired, or the disk or the spool cannot be used.
    """
    from appliance.spool.carry import export
    from appliance.spool.outbox import Outbox

    seal = station_seal(config)
    if target.is_dir() and target.stat().st_dev == config.spool.folder.stat().st_dev:
        print(f"lattrang: {target} lies on the station's own disk; is the other one mounted?", file=sys.stderr)
    with Outbox.open(config.spool.folder) as outbox:
        report = export(outbox, config.station.id, seal, target, _show_bytes)
        unprocessed = outbox.counts().unprocessed
    _say(report.receipts, "receipts taken home")
    _say(report.complete, "lists complete at the centre")
    _say(report.captures, f"captures copied (with {report.lists} lists: {report.copied_bytes / 2**20:.1f} MiB)")
    _say(report.already, "captures and lists on the disk already, waiting for the centre")
    _say(report.left, "do not fit; they wait for the next trip")
    _say(unprocessed, "still being worked on; they wait for the next trip")
    return _end(report.faults, report.stopped)


def run_import(config: "CentralConfig", source: Path) -> int:
    """Store what the disk at `source` offers, write the answers onto it, and return the exit code.

    Raises:
        CodedError: the disk, the store or the catalogue cannot be used.
    """
    from central.carry import import_disk

    report = import_disk(config, source, _show_objects)
    _say(report.captures, f"captures stored (with {report.lists} lists)")
    _say(report.known, "were here before; their receipts are on the disk again")
    _say(report.complete, "lists complete")
    _say(report.missing, "captures of handed-over lists still missing")
    _say(report.unfinished, "were not copied to their end; the station copies them again")
    return _end(report.faults, report.stopped)


def station_seal(config: "StationConfig") -> "Seal":
    """Return what the station signs with; raises `StationError` PAIR-03."""
    from appliance.errors import StationError
    from wire.seal import Seal

    files = config.publisher().broker
    try:
        return Seal(files.ca.read_bytes(), files.cert.read_bytes(), files.key.read_bytes())
    except (OSError, ValueError) as error:
        raise StationError(
            "PAIR-03", f"The station's certificates cannot be used ({error}).", "Pair the station again."
        ) from error


def _say(number: int, words: str) -> None:
    print(f"{number:8} {words}")


def _end(faults: list[CodedError], stopped: CodedError | None) -> int:
    for fault in faults:
        print(f"lattrang: {fault}", file=sys.stderr)
    if stopped is not None:
        print(f"lattrang: {stopped}", file=sys.stderr)
        return stopped.exit_code
    print(_SAFE)
    return ExitCode.FAILED if faults else ExitCode.OK


def _show_bytes(done: int, total: int) -> None:
    _show(done, total, f"{done >> 20} of {total >> 20} MiB")


def _show_objects(done: int, total: int) -> None:
    _show(done, total, f"{done} of {total}")


def _show(done: int, total: int, words: str) -> None:
    """Draw a bar that stays on its line, for a person and not for a log."""
    if not total or not sys.stderr.isatty():
        return
    bar = "#" * (_BAR_WIDTH * done // total)
    print(f"\r[{bar:{_BAR_WIDTH}}] {words} ", end="\n" if done >= total else "", file=sys.stderr, flush=True)
