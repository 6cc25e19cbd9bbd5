"""What the unit `lattrang-usb` does: mounts a plugged-in disk, hands over by it, reads it back, unmounts it."""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lattrang import errand_commands
from wire.errors import CodedError, ExitCode

if TYPE_CHECKING:
    from appliance.config import StationConfig
    from appliance.setup.errands import Errand, UsbProgress
    from appliance.spool.carry import ExportReport

_TELL_EVERY_S: Final = 0.5
_PLUGGED: Final = Path("/dev/lattrang-usb")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Let `lattrang station export` also do what a screen asked for."""
    errand_commands.add_option(parser, run_usb)
    parser.add_argument("--plugged", type=Path, default=_PLUGGED, metavar="DIR", help=argparse.SUPPRESS)


def run_usb(file: Path, arguments: argparse.Namespace) -> int:
    """Hand over by the disk that a screen asked for."""
    from appliance.config import load
    from appliance.setup.errands import Errand, UsbProgress, UsbRequest
    from appliance.setup.mounting import device_of

    errand = Errand.named("usb", *arguments.errand)
    with errand.begun():
        progress = UsbProgress(step="opening")
        try:
            errand.tell(progress)
            disk = errand.take(UsbRequest).disk
            progress = UsbProgress(step="opening", disk=disk)
            errand.tell(progress)
            device = device_of(arguments.plugged, disk)
            progress = _hand_over(load(file), device, errand, progress)
        except CodedError as error:
            errand.tell(_now(progress, "failed", code=error.code))
            raise
        errand.tell(progress)
    return ExitCode.OK if progress.step == "done" else ExitCode.FAILED


def _hand_over(config: "StationConfig", device: Path, errand: "Errand", progress: "UsbProgress") -> "UsbProgress":
    from appliance.setup.mounting import mounted
    from appliance.spool.carry import export
    from appliance.spool.carry_proof import prove
    from appliance.spool.outbox import Outbox
    from lattrang.carry_commands import station_seal

    seal, place, station = station_seal(config), errand.told.parent / "disk", config.station.id
    with Outbox.open(config.spool.folder) as outbox:
        with mounted(device, place):
            report = export(outbox, station, seal, place, _telling(errand, progress, "copying"))
        progress = _counted(progress, report, outbox.counts().unprocessed)
    if report.stopped is not None and report.stopped.code != "CARRY-02":
        return _now(progress, "failed", code=report.stopped.code)
    # Mounted anew: now the disk itself is read, not what the machine remembers of it.
    with mounted(device, place, read_only=True):
        altered = prove(place, station, seal, _telling(errand, progress, "proving"))
    codes = tuple(dict.fromkeys(fault.code for fault in (*report.faults, *altered)))
    if altered:
        return _now(progress, "failed", codes=codes, code=altered[0].code)
    if report.stopped is not None:
        return _now(progress, "failed", codes=codes, code=report.stopped.code)
    return _now(progress, "done", codes=codes)


def _telling(errand: "Errand", progress: "UsbProgress", step: str) -> Callable[[int, int], None]:
    told_s = [-_TELL_EVERY_S]

    def tell(done_bytes: int, total_bytes: int) -> None:
        now_s = time.monotonic()
        if now_s - told_s[0] >= _TELL_EVERY_S or done_bytes >= total_bytes:
            told_s[0] = now_s
            errand.tell(_now(progress, step, done_bytes=done_bytes, total_bytes=total_bytes))

    return tell


def _counted(progress: "UsbProgress", report: "ExportReport", unprocessed: int) -> "UsbProgress":
    return _now(
        progress,
        "proving",
        captures=report.captures,
        receipts=report.receipts,
        complete=report.complete,
        already=report.already,
        left=report.left,
        unprocessed=unprocessed,
        done_bytes=report.copied_bytes,
        total_bytes=report.copied_bytes,
    )


def _now(progress: "UsbProgress", step: str, **changes: object) -> "UsbProgress":
    import msgspec

    return msgspec.structs.replace(progress, step=step, **changes)
