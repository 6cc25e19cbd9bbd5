"""Renews the station's certificate before it ends: by itself, with the one that it has, for a new key."""

import logging
import random
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from appliance.clocks import is_synchronised
from appliance.errors import PairingError
from appliance.pairing.certificates import not_after
from appliance.pairing.files import Certificates
from appliance.pairing.line import Address, Trust, time_there

log = logging.getLogger(__name__)

BEFORE: Final = timedelta(days=60)
"""Weeks without a line, or a centre that is being repaired, cost nothing."""
FIRST_S: Final = 60.0
EVERY_S: Final = 12 * 3600.0


class Renewal:
    """Looks at the certificate twice a day."""

    def __init__(
        self,
        station: str,
        certificates: Certificates,
        address: Address,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
        synchronised: Callable[[], bool] = is_synchronised,
    ) -> None:
        """Prepare; `address` is the centre's pairing listener, `wall` and `synchronised` are the station's clock."""
        self._station = station
        self._certificates = certificates
        self._address = address
        self._wall = wall
        self._synchronised = synchronised

    def run(self, stop: threading.Event, first_s: float = FIRST_S, every_s: float = EVERY_S) -> None:
        """Look from time to time until `stop` is set."""
        wait_s = first_s
        # A fleet that was switched on at one moment must not ask at one moment.
        while not stop.wait(wait_s * (0.5 + random.random())):  # noqa: S311 - nothing secret depends on it
            wait_s = every_s
            try:
                if self.renew_where_due():
                    log.info("certificate renewed station=%s", self._station)
            except (PairingError, OSError, ValueError) as error:
                # Nothing is lost yet: it is tried again, and the doctor tells when it becomes urgent.
                log.warning("certificate not renewed station=%s: %s", self._station, error)

    def renew_where_due(self) -> bool:
        """Renew the certificate where it ends within `BEFORE`; tells whether it was.

        Raises:
            PairingError: the centre does not answer or refuses.
            OSError: the files cannot be read.
            ValueError: what is there is no certificate.
        """
        files = self._certificates
        if not_after(files.cert.read_text("ascii")) - self._now() > BEFORE:
            return False
        # Here, so that a publisher that renews nothing today does not carry the library in its memory.
        from appliance.pairing.conversation import Pairing, RightTime

        pairing = Pairing(self._station, files, RightTime(self._wall, self._synchronised))
        try:
            pairing.keep(pairing.renewed(self._address, files.ca.read_text("ascii")))
        except PairingError as error:
            if error.code != "PAIR-07":
                files.abandon()
            raise
        return True

    def _now(self) -> datetime:
        if self._synchronised():
            return self._wall()
        return time_there(self._address, Trust(self._certificates.ca.read_text("ascii")))
