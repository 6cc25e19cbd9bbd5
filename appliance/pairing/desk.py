"""Pairing from the station's own screen: looks for the code through the camera, hands the rest to the unit that may.

The screen's service holds no key and cannot write the configuration: it only says what was photographed or typed.
"""

import re
import threading
from pathlib import Path
from typing import Final

from appliance import config as station_config
from appliance.errors import ConfigError, PairingError, SetUpError
from appliance.pairing.photo import Eye, watch
from appliance.setup.api import PairingStep, PairingView
from appliance.setup.errands import Errand, PairAnswer, PairProgress, PairRequest
from firmware.errors import HardwareError

PATIENCE_S: Final = 20.0
"""The unit starts within a second or two; who has not come by then will not."""
_ADDRESS: Final = re.compile(
    r"[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:[0-9]{1,5})?|[0-9A-Fa-f:]{2,45}"
)
_UNDER_WAY: Final = frozenset({"looking", "asked", "asking", "comparing", "approving"})


class PairingDesk:
    """One station's pairing, as its screen sees it.

    Args:
        config_file: ``station.toml``; read anew at every look, since a pairing changes it.
        errand: where the unit is asked and tells.
        eye: the station's camera.
    """

    def __init__(self, config_file: Path, errand: Errand, eye: Eye) -> None:
        self._config_file = config_file
        self._errand = errand
        self._eye = eye
        self._guard = threading.Lock()
        self._search: threading.Thread | None = None
        self._stop = threading.Event()
        self._failed = ""

    def view(self) -> PairingView:
        """Return how far the pairing is."""
        station, centre = self._who()
        progress = self._errand.progress(PairProgress)
        step, code = self._step(progress)
        return PairingView(
            step,
            station,
            centre,
            asking=progress.centre if progress else "",
            shown=progress.shown if progress and step in ("comparing", "approving") else "",
            code=code,
            is_possible=self._errand.is_possible(),
        )

    def look_for_code(self) -> None:
        """Look for the code until it is seen or a minute has passed; raises `SetUpError` while one pairs."""
        with self._guard:
            self._require_idle()
            self._failed = ""
            self._stop = threading.Event()
            self._search = threading.Thread(target=self._find, args=(self._stop,), name="pairing-eye", daemon=True)
            self._search.start()

    def pair_at(self, address: str) -> None:
        """Ask the centre at `address`; raises `SetUpError` SET-02 where that is none."""
        if not _ADDRESS.fullmatch(address):
            raise SetUpError("SET-02", "That is no address of a centre.", "Type a name like thuvien.local or 10.0.0.5.")
        with self._guard:
            self._require_idle()
            self._ask(PairRequest(address=address))

    def compare(self, code: str) -> None:
        """Give the code that the centre shows; an empty one refuses."""
        if self.view().step != "comparing":
            raise SetUpError("SET-03", "There is nothing to compare now.", "Begin to pair anew.")
        self._errand.answer(PairAnswer(code=code[:16]))

    def give_up(self) -> None:
        """End the search, or refuse to compare; does nothing where neither is under way."""
        self._stop.set()
        if self.view().step == "comparing":
            self._errand.answer(PairAnswer(code=""))

    def close(self) -> None:
        """End the search. May be called twice."""
        self._stop.set()
        if self._search is not None:
            self._search.join(timeout=10)

    def _who(self) -> tuple[str, str]:
        try:
            config = station_config.load(self._config_file)
        except ConfigError:
            return "", ""
        return config.station.id, config.broker.host if config.broker else ""

    def _step(self, progress: PairProgress | None) -> tuple[PairingStep, str]:
        if self._search is not None and self._search.is_alive():
            return "looking", ""
        if self._failed:
            return "failed", self._failed
        waits_s = self._errand.waits_s()
        if waits_s is not None:
            return ("asked", "") if waits_s < PATIENCE_S else ("failed", "ERR-02")
        if progress is None:
            return "idle", ""
        if progress.step not in ("paired", "failed") and not self._errand.is_under_way():
            return "failed", "ERR-03"
        return progress.step, progress.code

    def _require_idle(self) -> None:
        if self.view().step in _UNDER_WAY:
            raise SetUpError("SET-04", "A pairing is under way.", "Wait until it has ended, or give it up.")
        if not self._errand.is_possible():
            raise SetUpError(
                "ERR-02", "Nobody on this machine waits for such errands.", "Run: sudo ./install.sh station"
            )

    def _find(self, stop: threading.Event) -> None:
        try:
            invitation = watch(self._eye, stop)
            if not stop.is_set():
                self._ask(PairRequest(invitation=invitation.text()))
        except (PairingError, HardwareError) as error:
            self._failed = "" if stop.is_set() else error.code

    def _ask(self, request: PairRequest) -> None:
        self._failed = ""
        try:
            self._errand.ask(request)
        except OSError:
            self._failed = "ERR-02"
