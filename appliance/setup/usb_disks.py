"""Which disks were plugged in that captures could be carried on, and the hand-over by one of them, as a screen sees it.

What counts as such a disk is decided by root, in the rules for udev: they give it a name under ``/dev/lattrang-usb``.
The station's own disks never have one.
"""

import re
from pathlib import Path
from typing import Final

from appliance.errors import SetUpError
from appliance.setup.api import CarryStep, CarryView, DiskView
from appliance.setup.errands import Errand, UsbProgress, UsbRequest

PLUGGED: Final = Path("/dev/lattrang-usb")
_SYSTEM: Final = Path("/sys/class/block")
_UDEV: Final = Path("/run/udev/data")
_NAME: Final = re.compile(r"[a-z]{2,8}[0-9]{0,4}")
_SECTOR_BYTES: Final = 512
"""The kernel counts in these, whatever the disk's own are."""
_ESCAPE: Final = re.compile(rb"\\x([0-9a-fA-F]{2})")
_MAX_LABEL: Final = 40
PATIENCE_S: Final = 20.0
UNDER_WAY: Final = frozenset({"asked", "opening", "copying", "proving"})


class UsbDesk:
    """Plugged-in disks and what became of the last hand-over.

    Args:
        errand: where the unit is asked and tells.
        plugged: the folder in which each disk has its name.
        system: the kernel's folder of block devices.
        udev: where udev keeps what it knows of them.
    """

    def __init__(self, errand: Errand, plugged: Path = PLUGGED, system: Path = _SYSTEM, udev: Path = _UDEV) -> None:
        self._errand = errand
        self._plugged = plugged
        self._system = system
        self._udev = udev

    def disks(self) -> tuple[DiskView, ...]:
        """Return the disks that are plugged in, by name."""
        try:
            names = sorted(entry.name for entry in self._plugged.iterdir() if _NAME.fullmatch(entry.name))
        except OSError:
            return ()
        return tuple(self._disk(name) for name in names)

    def carry(self, disk: str) -> None:
        """Hand over by `disk`.

        Raises:
            SetUpError: CARRY-12 it is not there, SET-05 another is under way, ERR-02 nobody does such errands here.
        """
        if disk not in {one.name for one in self.disks()}:
            raise SetUpError("CARRY-12", "That disk is not there any more.", "Plug it in again.")
        if self.view().step in UNDER_WAY:
            raise SetUpError("SET-05", "A hand-over by disk is under way.", "Wait until it has ended.")
        try:
            if not self._errand.is_possible():
                raise FileNotFoundError(self._errand.asked)
            self._errand.ask(UsbRequest(disk=disk))
        except OSError as error:
            raise SetUpError(
                "ERR-02", "Nobody on this machine waits for such errands.", "Run: sudo ./install.sh station"
            ) from error

    def view(self) -> CarryView:
        """Return how far the hand-over is."""
        progress = self._errand.progress(UsbProgress)
        step, code = self._step(progress)
        if progress is None or step in ("idle", "asked"):
            return CarryView(step, code=code)
        return CarryView(
            step,
            progress.disk,
            progress.done_bytes,
            progress.total_bytes,
            progress.captures,
            progress.receipts,
            progress.complete,
            progress.already,
            progress.left,
            progress.unprocessed,
            progress.codes,
            code,
        )

    def _step(self, progress: UsbProgress | None) -> tuple[CarryStep, str]:
        waits_s = self._errand.waits_s()
        if waits_s is not None:
            return ("asked", "") if waits_s < PATIENCE_S else ("failed", "ERR-02")
        if progress is None:
            return "idle", ""
        if progress.step not in ("done", "failed") and not self._errand.is_under_way():
            # The program was ended: its mount ended with it, so the disk may be pulled out all the same.
            return "failed", "ERR-03"
        if progress.step in ("done", "failed") and progress.disk and not (self._plugged / progress.disk).exists():
            return "idle", ""
        return progress.step, progress.code

    def _disk(self, name: str) -> DiskView:
        facts = self._facts(name)
        label = unescaped(facts.get("ID_FS_LABEL_ENC", "")).strip()[:_MAX_LABEL]
        return DiskView(name, label, self._size(name), facts.get("ID_FS_TYPE", ""))

    def _size(self, name: str) -> int:
        try:
            return int((self._system / name / "size").read_text("ascii")) * _SECTOR_BYTES
        except (OSError, ValueError):
            return 0

    def _facts(self, name: str) -> dict[str, str]:
        try:
            number = (self._system / name / "dev").read_text("ascii").strip()
            lines = (self._udev / f"b{number}").read_text("utf-8", "replace").splitlines()
        except OSError:
            return {}
        pairs = (line.removeprefix("E:").partition("=") for line in lines if line.startswith("E:"))
        return {key: value for key, _, value in pairs}


def unescaped(label: str) -> str:
    r"""Return a label as people wrote it: udev writes what is not plain as ``\\xHH``, byte by byte."""
    content = _ESCAPE.sub(lambda found: bytes([int(found[1], 16)]), label.encode("utf-8", "replace"))
    return "".join(letter for letter in content.decode("utf-8", "replace") if letter.isprintable())
