"""How a station becomes its centre's: by a photographed code, or by one that two people compare; and how it renews.

Two lines, always. On the first nobody is believed: it serves to learn which authority the other side claims. Whether
that is our centre's is told by the digest on the photographed code, or by the compared one. Only then a second line
is opened, to nobody but the holder of that authority's key, and only there anything is said that matters.
"""

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from appliance.clocks import is_synchronised
from appliance.errors import PairingError
from appliance.pairing.files import Certificates
from appliance.pairing.keys import check, signing_request
from appliance.pairing.line import Address, NotYet, Trust, declined, opened, somebody_else
from wire import pairing
from wire.pairing_code import NONCE_BYTES, Invitation, code, digest_of, keeps

PATIENCE_S: Final = 120.0
"""How long a centre that does not answer, or cannot finish, is asked again."""
_RETRY_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class RightTime:
    """The time that certificates are held against: our own where it is known to be right, else the centre's.

    A Pi has no battery clock and asks for the time only once it has a network. That is no reason not to be paired.
    """

    wall: Callable[[], datetime] = lambda: datetime.now(UTC)
    is_synchronised: Callable[[], bool] = is_synchronised

    def at(self, offered: str) -> datetime:
        """Return the time, the centre having said that it is `offered`."""
        return self.wall() if self.is_synchronised() else datetime.fromisoformat(offered)


@dataclass(frozen=True, slots=True)
class Paired:
    """What a pairing has given, checked: nothing is kept yet."""

    authority_pem: str
    certificate_pem: str
    broker_host: str
    broker_port: int


@dataclass(frozen=True, slots=True)
class Compared:
    """What was exchanged, and the code that stands for all of it: both screens must show the same."""

    code: str
    authority_pem: str
    request_id: str


@dataclass(frozen=True, slots=True)
class Pairing:
    """One station's attempt.

    Attributes:
        station: its name.
        certificates: where its key is, and what it gets will be.
        time: what dates are held against.
        stop: set it to give up.
    """

    station: str
    certificates: Certificates
    time: RightTime = field(default_factory=RightTime)
    stop: threading.Event = field(default_factory=threading.Event)

    def by_invitation(self, invitation: Invitation) -> Paired:
        """Return what a photographed code gives.

        Raises:
            PairingError: the code is not for this station, not of the centre that answers, used, over or unknown.
        """
        if invitation.station != self.station:
            raise declined("PAIR-13")
        address = Address(invitation.host, invitation.port)
        with opened(address, None) as line:
            authority = line.ask(pairing.Introduce(), pairing.Centre).authority
        if _digest(authority) != invitation.authority:
            raise somebody_else("its authority is not the one on the code")
        key = self.certificates.pending_key()
        redeem = pairing.Redeem(
            station=self.station, token=invitation.token.hex(), request=_request_of(self.certificates, key)
        )
        return self._fetched(address, authority, key, redeem, waits_for_a_person=False)

    def by_code(self, address: Address) -> Compared:
        """Return the code to compare with the centre's screen; nothing that was said is believed before.

        Raises:
            PairingError: the centre does not expect this station, or breaks its word.
        """
        key = self.certificates.pending_key()
        request, nonce = _request_of(self.certificates, key), secrets.token_bytes(NONCE_BYTES)
        with opened(address, None) as line:
            bound = line.ask(pairing.Begin(station=self.station), pairing.Committed)
            told = line.ask(pairing.Reveal(request=request, nonce=nonce.hex()), pairing.Revealed)
        authority, centre_nonce = _digest(bound.authority), bytes.fromhex(told.nonce)
        if not keeps(bound.commitment, authority, centre_nonce):
            raise somebody_else("it did not keep to the number that it had bound itself to")
        shown = code(authority, self.station, request, centre_nonce, nonce)
        return Compared(shown, bound.authority, told.request_id)

    def collected(self, address: Address, compared: Compared) -> Paired:
        """Return what the centre gives once a person there has approved. Call only after the codes were compared here.

        Raises:
            PairingError: not approved, not in time, or somebody else answers now.
        """
        collect = pairing.Collect(request_id=compared.request_id)
        key = self.certificates.pending_key()
        return self._fetched(address, compared.authority_pem, key, collect, waits_for_a_person=True)

    def renewed(self, address: Address, authority_pem: str) -> Paired:
        """Return a certificate for a new key, asked for with the one that we have.

        Raises:
            PairingError: the old one is over or was shut out, or somebody else answers.
        """
        key = self.certificates.pending_key()
        renew = pairing.Renew(request=_request_of(self.certificates, key))
        trust = Trust(authority_pem, self.certificates.cert, self.certificates.key)
        return self._asked(address, trust, key, renew)

    def keep(self, paired: Paired) -> None:
        """Put what was got into its place, all or none."""
        self.certificates.install(paired.authority_pem, paired.certificate_pem)

    def _fetched(
        self, address: Address, authority: str, key: str, request: pairing.Request, *, waits_for_a_person: bool
    ) -> Paired:
        """Ask until there is an answer; one that keeps us waiting has `PATIENCE_S`, a person as long as the centre."""
        patient_until_s = time.monotonic() + PATIENCE_S
        while True:
            try:
                return self._asked(address, Trust(authority), key, request)
            except NotYet as patience:
                wait_s = min(patience.retry_s, 10.0)
                if waits_for_a_person:
                    patient_until_s = time.monotonic() + PATIENCE_S
                elif time.monotonic() > patient_until_s:
                    raise declined("PAIR-20") from None
            except PairingError as error:
                if error.code != "PAIR-07" or time.monotonic() > patient_until_s:
                    raise
                wait_s = _RETRY_S
            if self.stop.wait(wait_s):
                raise PairingError("PAIR-11", "The pairing was given up.", "Begin anew at the centre.")

    def _asked(self, address: Address, trust: Trust, key: str, request: pairing.Request) -> Paired:
        with opened(address, trust) as line:
            answer = line.ask(request, pairing.Paired)
            at = self.time.at(answer.now)
            begins, ends = line.valid_until()
        if not begins <= at < ends:
            raise somebody_else(f"its certificate is not valid on {at:%Y-%m-%d}")
        _digest(answer.certificate)
        check(answer.certificate, trust.authority_pem, key, self.station, at)
        return Paired(trust.authority_pem, answer.certificate, answer.broker_host, answer.broker_port)


def _request_of(certificates: Certificates, key_pem: str) -> str:
    try:
        return signing_request(key_pem)
    except (ValueError, TypeError) as error:
        certificates.abandon()
        raise PairingError(
            "PAIR-21", f"The key that was made for this pairing cannot be read ({error}).", "Begin anew."
        ) from error


def _digest(authority_pem: str) -> bytes:
    try:
        return digest_of(authority_pem)
    except ValueError as error:
        raise somebody_else("it has no authority") from error
