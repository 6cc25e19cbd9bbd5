"""Who may be paired: invitations that a person gives, requests that a person decides, renewals that nobody needs to.

Everything is kept in the catalogue, so that the command line, the screens and the listener speak of the same things,
each from its own process. A token is kept as its digest: whoever reads the catalogue cannot use it.
"""

import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from socket import create_connection
from typing import Final, Literal

from cryptography import x509

from central.authority import ca, provision
from central.catalogue import Catalogue, fleet_records, pairing_records
from central.catalogue.pairing_records import Asking
from central.clock import instant
from central.config import CentralConfig, PairingConfig
from central.errors import AuthorityError, CentralError, ConfigError
from wire.digest import sha256_of
from wire.ids import new_id
from wire.pairing import Refusal
from wire.pairing_code import TOKEN_BYTES, Invitation, digest_of

VALID_S: Final = 15 * 60.0
"""Long enough to walk to the station, short enough that a forgotten screen invites nobody."""
LONGEST_VALID_S: Final = 24 * 3600.0
MOST_REQUESTS: Final = 3
"""Under one invitation. More than a person who tries again needs, and each gives a stranger one guess in 2^40."""
_COLLECT_FOR: Final = timedelta(hours=1)
"""After its invitation is over, a station whose line broke may still fetch what was approved in time."""


class Refused(CentralError):
    """A station is told no; its own program has the words."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.value, f"A station was refused ({refusal.name.lower()}).", "See docs/faults.md.")
        self.refusal = refusal


@dataclass(frozen=True, slots=True)
class Invited:
    """An invitation that was given, and until when it counts."""

    invitation: Invitation
    expires_at: str

    @property
    def key(self) -> str:
        """By what the desk knows it; tells nothing of the token."""
        return sha256_of(self.invitation.token)


Outcome = Literal["open", "paired", "ended"]


class PairingDesk:
    """Where pairing is decided. Any number may work on one catalogue; what one promises, all keep."""

    def __init__(
        self, config: CentralConfig, catalogue: Catalogue, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        """Work on `catalogue`, which is not closed here; `now` is asked for the time."""
        self._config = config
        self._catalogue = catalogue
        self._now = now
        # The broker knows one administrator at a time: a second one would end the first one's connection.
        self._at_the_broker = threading.Lock()

    @property
    def authority_pem(self) -> str:
        """The authority's certificate: what a paired station trusts. Raises `OSError` where it cannot be read."""
        return self._config.broker.credentials(ca.PAIRING).ca.read_text("ascii")

    @property
    def listener(self) -> PairingConfig:
        """Where stations find us; raises `ConfigError` CONF-05 where nobody has said."""
        if self._config.pairing is None:
            raise ConfigError(
                "CONF-05",
                "The configuration does not say where stations are paired.",
                "Add to central.toml: [pairing] and public_host = the name or address of this machine.",
            )
        return self._config.pairing

    @property
    def broker_address(self) -> tuple[str, int]:
        """Where stations reach the broker: host and port."""
        return self.listener.public_host, self._config.broker.port

    def instant(self) -> str:
        """Return the time here, as it is told to stations."""
        return instant(self._now())

    # For people

    def invite(self, station: str, valid_s: float = VALID_S) -> Invited:
        """Expect a station of that name for `valid_s` seconds; an invitation that it had before is taken back.

        Raises:
            CentralError: it cannot be a name, the authority cannot be read, or CONF-05.
        """
        ca.station_name(station)
        where = self.listener
        try:
            authority = digest_of(self.authority_pem)
        except (OSError, ValueError) as error:
            raise AuthorityError(
                "CERT-01", f"The authority's certificate cannot be used ({error}).", "Restore it from its backup."
            ) from error
        token = secrets.token_bytes(TOKEN_BYTES)
        now = self._now()
        expires_at = instant(now + timedelta(seconds=min(valid_s, LONGEST_VALID_S)))
        with self._catalogue.write() as connection:
            pairing_records.add_offer(connection, sha256_of(token), station, instant(now), expires_at)
        return Invited(Invitation(where.public_host, where.port, authority, token, station), expires_at)

    def outcome(self, key: str) -> Outcome:
        """Return what became of the invitation `key`."""
        with self._catalogue.read() as connection:
            row = pairing_records.offer(connection, key)
            if row is None:
                return "ended"
            if row.used_by is not None:
                name = fleet_records.identity(connection, row.station) or ""
                return "paired" if name == ca.machine_name(row.station, row.used_by) else "open"
        return "open" if row.expires_at > self.instant() else "ended"

    def is_paired(self, station: str) -> bool:
        """Tell whether a machine of that name is let in."""
        with self._catalogue.read() as connection:
            return fleet_records.is_approved(connection, station)

    def is_listened_to(self) -> bool:
        """Tell whether anything takes connections where stations come; who it is, the station finds out."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.listener.host, self.listener.host)  # noqa: S104 - compared
        try:
            with create_connection((host, self.listener.port), timeout=2.0):
                return True
        except OSError:
            return False

    def waiting(self) -> tuple[Asking, ...]:
        """Return the stations that wait for a person, the oldest first."""
        with self._catalogue.read() as connection:
            return pairing_records.waiting(connection, self.instant())

    def decide(self, request_id: str, *, approve: bool) -> bool:
        """Do what a person decided after comparing the codes; False where there was nothing left to decide."""
        with self._catalogue.write() as connection:
            asking = pairing_records.request(connection, request_id)
            if asking is None:
                return False
            if not approve:
                return pairing_records.decide(connection, request_id, "refused")
            offer = pairing_records.open_offer(connection, asking.station, self.instant())
            if offer is None or offer.token_digest != asking.token_digest:
                return False
            is_decided = pairing_records.decide(connection, request_id, "approved")
            return is_decided and pairing_records.use_offer(connection, asking.token_digest, _key_of(asking))

    def withdraw(self, station: str) -> None:
        """Take back whatever a station was invited to."""
        with self._catalogue.write() as connection:
            pairing_records.forget(connection, station)

    # For stations

    def redeem(self, station: str, token: bytes, request: str) -> bytes:
        """Return the certificate for the key that comes with a token, PEM. The same key may come again.

        Raises:
            Refused: the token is unknown, used, over, or another station's.
            CentralError: the request is refused, or broker or authority cannot be used now.
        """
        key_digest = ca.key_digest(ca.requested_key(station, request.encode()))
        with self._catalogue.write() as connection:
            offer = pairing_records.offer(connection, sha256_of(token))
            if offer is None:
                raise Refused(Refusal.UNKNOWN_TOKEN)
            if offer.station != station:
                raise Refused(Refusal.OTHER_STATION)
            if offer.used_by not in (None, key_digest):
                raise Refused(Refusal.USED)
            if offer.expires_at <= self.instant():
                raise Refused(Refusal.OVER)
            if not pairing_records.use_offer(connection, offer.token_digest, key_digest):
                raise Refused(Refusal.USED)
        return self._admit(station, request)

    def expect(self, station: str) -> str:
        """Return the key of a station's open invitation; raises `Refused` where it has none."""
        with self._catalogue.read() as connection:
            offer = pairing_records.open_offer(connection, station, self.instant())
            if offer is None:
                raise Refused(Refusal.NOT_EXPECTED)
            if pairing_records.requests_of(connection, offer.token_digest) >= MOST_REQUESTS:
                raise Refused(Refusal.TOO_MANY)
            return str(offer.token_digest)

    def ask(self, key: str, station: str, request: str, code: str, address: str) -> str:
        """Let a person compare `code`; returns the number under which the answer can be fetched.

        Raises:
            Refused: the invitation `key` is over, or too many have asked under it.
            AuthorityError: the request is refused.
        """
        ca.requested_key(station, request.encode())
        asking = Asking(new_id(), key, station, request, code, address, "waiting")
        with self._catalogue.write() as connection:
            offer = pairing_records.open_offer(connection, station, self.instant())
            if offer is None or offer.token_digest != key:
                raise Refused(Refusal.NOT_EXPECTED)
            if pairing_records.requests_of(connection, key) >= MOST_REQUESTS:
                raise Refused(Refusal.TOO_MANY)
            pairing_records.add_request(connection, asking, self.instant())
        return asking.request_id

    def collect(self, request_id: str) -> bytes | None:
        """Return the certificate that a person approved, PEM; None while nobody has decided.

        Raises:
            Refused: a person said no, another machine was approved, or the time is over.
            CentralError: broker or authority cannot be used now.
        """
        with self._catalogue.read() as connection:
            asking = pairing_records.request(connection, request_id)
            offer = None if asking is None else pairing_records.offer(connection, asking.token_digest)
        if asking is None or offer is None or asking.state == "refused":
            raise Refused(Refusal.NOT_APPROVED)
        if asking.state == "waiting":
            if offer.used_by is not None:
                raise Refused(Refusal.NOT_APPROVED)
            if offer.expires_at <= self.instant():
                raise Refused(Refusal.OVER)
            return None
        if offer.used_by != _key_of(asking):
            raise Refused(Refusal.NOT_APPROVED)
        if offer.expires_at <= instant(self._now() - _COLLECT_FOR):
            raise Refused(Refusal.OVER)
        return self._admit(asking.station, asking.request)

    def renew(self, certificate: bytes | None, request: str) -> bytes:
        """Return a certificate for a new key, PEM, of the same name as the one that the station has shown.

        Args:
            certificate: what TLS has proved to be the station's, DER; None where it showed none.
            request: for the new key.

        Raises:
            Refused: the old one is over, or its machine was shut out or never let in.
            CentralError: the request is refused, or the authority cannot be used now.
        """
        if certificate is None:
            raise Refused(Refusal.SHUT_OUT)
        old = x509.load_der_x509_certificate(certificate)
        name = ca.name_in(old)
        station = ca.station_of(name)
        if station is None:
            raise Refused(Refusal.SHUT_OUT)
        with self._catalogue.read() as connection:
            is_in = fleet_records.is_approved(connection, station)
            if not is_in or fleet_records.identity(connection, station) != name:
                raise Refused(Refusal.SHUT_OUT)
        if old.not_valid_after_utc <= self._now():
            raise Refused(Refusal.CERTIFICATE_OVER)
        if self._authority().has_revoked(old.serial_number):
            # The catalogue may be older than the authority's list: it may come from a backup.
            raise Refused(Refusal.SHUT_OUT)
        return self._authority().sign_station(station, request.encode(), renewed=name, now=self._now())

    def _admit(self, station: str, request: str) -> bytes:
        # Fetched again after a broken line: opening the broker again would end the connection that the station has.
        name = ca.machine_name(station, ca.key_digest(ca.requested_key(station, request.encode())))
        with self._catalogue.read() as connection:
            is_in = fleet_records.is_approved(connection, station)
            if is_in and fleet_records.identity(connection, station) == name:
                return self._authority().sign_station(station, request.encode(), now=self._now())
        with self._at_the_broker:
            return provision.admit(self._config, self._catalogue, station, request.encode())

    def _authority(self) -> ca.Authority:
        return ca.Authority.load(self._config.broker.pki)


def _key_of(asking: Asking) -> str:
    return ca.key_digest(ca.requested_key(asking.station, asking.request.encode()))
