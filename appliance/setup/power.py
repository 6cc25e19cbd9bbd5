"""Switching the machine off, or off and on again: asked for by the screen here, done by units that may nothing else."""

import time
from collections.abc import Mapping
from typing import Final

from appliance.errors import SetUpError
from appliance.setup.api import PowerView, Way
from appliance.setup.errands import Errand, PowerProgress, PowerRequest
from appliance.setup.usb_disks import PATIENCE_S

WAYS: Final[tuple[Way, ...]] = ("off", "restart")
_GOING_S: Final = 180.0
"""A service is given 60 s to end; a machine that is still there after this was not switched off."""


class PowerDesk:
    """Asks for one of the errands, each named after its way."""

    def __init__(self, errands: Mapping[Way, Errand]) -> None:
        self._errands = errands

    def switch(self, way: Way, *, is_capturing: bool, is_copying: bool) -> None:
        """Ask for it.

        Raises:
            SetUpError: OFF-01 a picture is being written, OFF-02 a disk is being written, OFF-04 it was asked for
                already, ERR-02 nobody on this machine does it.
        """
        if is_capturing:
            raise SetUpError("OFF-01", "A picture is being written.", "Wait for its sound, then try again.")
        if is_copying:
            raise SetUpError("OFF-02", "A disk is being written.", "Wait until it may be pulled out, then try again.")
        if self.view().step in ("asked", "going"):
            raise SetUpError("OFF-04", "The machine is being switched off already.", "Wait.")
        errand = self._errands[way]
        try:
            if not errand.is_possible():
                raise FileNotFoundError(errand.asked)
            errand.ask(PowerRequest())
        except OSError as error:
            raise SetUpError(
                "ERR-02", "Nobody on this machine waits for such errands.", "Run: sudo ./install.sh station"
            ) from error

    def view(self) -> PowerView:
        """Return how far it is."""
        views = (self._view(way, errand) for way, errand in self._errands.items())
        return next((view for view in views if view.step != "idle"), PowerView("idle"))

    def _view(self, way: Way, errand: Errand) -> PowerView:
        waits_s = errand.waits_s()
        if waits_s is not None:
            return PowerView("asked", way) if waits_s < PATIENCE_S else PowerView("failed", way, "ERR-02")
        progress = errand.progress(PowerProgress)
        if progress is None or not _is_recent(errand):
            return PowerView("idle")
        return PowerView("failed" if progress.code else "going", way, progress.code)


def _is_recent(errand: Errand) -> bool:
    try:
        return time.time() - errand.told.stat().st_mtime < _GOING_S
    except OSError:
        return False
