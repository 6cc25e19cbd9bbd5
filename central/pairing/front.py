"""Pairing as screens see it. A code is shown only by the process that gave it: the catalogue holds no token."""

import threading

from central.api import AskingRow, InvitationRow
from central.pairing.desk import Invited, PairingDesk


class PairingFront:
    """Implements `central.api.PairingApi`; may be called from any thread."""

    def __init__(self, desk: PairingDesk) -> None:
        """Decide at `desk`."""
        self._desk = desk
        self._lock = threading.Lock()
        self._given: dict[str, Invited] = {}

    def invite(self, station: str) -> None:
        """Invite a station; an older invitation of it counts no longer. Raises `CentralError`."""
        invited = self._desk.invite(station)
        with self._lock:
            self._given[station] = invited

    def invitation(self, station: str) -> InvitationRow:
        """Return the invitation of a station that was given here; raises `KeyError`."""
        with self._lock:
            invited = self._given[station]
        outcome = self._desk.outcome(invited.key)
        invitation = invited.invitation
        return InvitationRow(
            station=station,
            outcome=outcome,
            text=invitation.text() if outcome == "open" else "",
            host=invitation.host,
            port=invitation.port,
            expires_at=invited.expires_at,
            asking=tuple(
                AskingRow(one.request_id, one.station, one.code, one.address)
                for one in self._desk.waiting()
                if one.station == station
            ),
        )

    def is_paired(self, station: str) -> bool:
        """Tell whether a machine of that name is let in."""
        return self._desk.is_paired(station)

    def decide(self, request_id: str, *, approve: bool) -> bool:
        """Do what a person decided after comparing; False where there was nothing left to decide."""
        return self._desk.decide(request_id, approve=approve)

    def withdraw(self, station: str) -> None:
        """Take an invitation back."""
        with self._lock:
            self._given.pop(station, None)
        self._desk.withdraw(station)
