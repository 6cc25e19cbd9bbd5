"""One conversation with somebody who may be a station: what is said, never how it travels. Also who says too much."""

import logging
import secrets
from collections import OrderedDict, deque
from typing import Final, assert_never

from central.errors import AuthorityError, CentralError
from central.pairing.desk import PairingDesk, Refused
from wire import pairing
from wire.pairing import Refusal
from wire.pairing_code import NONCE_BYTES, code, commitment, digest_of

log = logging.getLogger(__name__)

RETRY_S: Final = 2.0
BUSY_RETRY_S: Final = 5.0
FAILURES_KEPT_S: Final = 600.0
MOST_FAILURES: Final = 10
"""Of one address in that time: a person who errs needs fewer; a token has 128 bits all the same."""
MOST_ADDRESSES: Final = 1000


class FailureLimit:
    """Counts what came to nothing, by address; bounded, however many addresses there are."""

    def __init__(self, most: int = MOST_FAILURES, within_s: float = FAILURES_KEPT_S) -> None:
        """Allow `most` failures of one address in `within_s`."""
        self._most = most
        self._within_s = within_s
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()

    def note(self, address: str, now_s: float) -> None:
        """Count one failure at the monotonic moment `now_s`."""
        times = self._failures.setdefault(address, deque(maxlen=self._most))
        times.append(now_s)
        self._failures.move_to_end(address)
        while len(self._failures) > MOST_ADDRESSES:
            self._failures.popitem(last=False)

    def is_too_many(self, address: str, now_s: float) -> bool:
        """Tell whether `address` has to wait."""
        times = self._failures.get(address)
        return times is not None and len(times) == self._most and now_s - times[0] < self._within_s


class Talk:
    """One connection's conversation. Whoever is on the other side may say anything, in any order."""

    def __init__(self, desk: PairingDesk, address: str, certificate: bytes | None) -> None:
        """Begin.

        Args:
            desk: where it is decided.
            address: of the other side, for people to see.
            certificate: what the other side has proved by TLS to be its own, DER; None where it showed none.
        """
        self._desk = desk
        self._address = address
        self._certificate = certificate
        self._begun: tuple[str, str, bytes] | None = None
        self.failed = False
        """Whether anything was refused that an honest station in working order would not have said."""

    def answer(self, asked: pairing.Request) -> pairing.Reply:
        """Return what to say to `asked`; never raises for anything that the other side can bring about."""
        try:
            return self._answer(asked)
        except Refused as error:
            self.failed = True
            log.warning("pairing refused address=%s code=%s", self._address, error.code)
            return self._declined(error.refusal)
        except AuthorityError as error:
            self.failed = True
            log.warning("pairing request refused address=%s %s", self._address, error)
            return pairing.Declined(code=error.code, now=self._desk.instant())
        except CentralError as error:
            # Ours to mend: the station may come again with the same key, and finds what it was promised.
            log.warning("pairing must wait: %s", error)
            return pairing.Waiting(retry_s=BUSY_RETRY_S, now=self._desk.instant())
        except OSError as error:
            log.warning("pairing must wait: %s", error)
            return self._declined(Refusal.NOT_NOW)

    def too_many(self) -> pairing.Reply:
        """Return what to say to somebody who must wait."""
        return self._declined(Refusal.TOO_MANY)

    def _answer(self, asked: pairing.Request) -> pairing.Reply:
        now = self._desk.instant()
        match asked:
            case pairing.Introduce():
                return pairing.Centre(authority=self._desk.authority_pem, now=now)
            case pairing.Begin(station=station):
                return self._begin(station)
            case pairing.Reveal(request=request, nonce=nonce):
                return self._reveal(request, bytes.fromhex(nonce))
            case pairing.Collect(request_id=request_id):
                certificate = self._desk.collect(request_id)
                return pairing.Waiting(retry_s=RETRY_S, now=now) if certificate is None else self._paired(certificate)
            case pairing.Redeem(station=station, token=token, request=request):
                return self._paired(self._desk.redeem(station, bytes.fromhex(token), request))
            case pairing.Renew(request=request):
                return self._paired(self._desk.renew(self._certificate, request))
            case _:
                assert_never(asked)

    def _begin(self, station: str) -> pairing.Reply:
        key = self._desk.expect(station)
        authority, nonce = self._desk.authority_pem, secrets.token_bytes(NONCE_BYTES)
        self._begun = (station, key, nonce)
        bound = commitment(digest_of(authority), nonce)
        return pairing.Committed(authority=authority, commitment=bound, now=self._desk.instant())

    def _reveal(self, request: str, station_nonce: bytes) -> pairing.Reply:
        # A nonce is good for one answer: whoever could ask twice could choose between two codes.
        begun, self._begun = self._begun, None
        if begun is None:
            raise Refused(Refusal.NOT_EXPECTED)
        station, key, nonce = begun
        shown = code(digest_of(self._desk.authority_pem), station, request, nonce, station_nonce)
        request_id = self._desk.ask(key, station, request, shown, self._address)
        log.info("pairing asked station=%s address=%s", station, self._address)
        return pairing.Revealed(nonce=nonce.hex(), request_id=request_id, now=self._desk.instant())

    def _paired(self, certificate: bytes) -> pairing.Reply:
        host, port = self._desk.broker_address
        log.info("pairing certificate given address=%s", self._address)
        return pairing.Paired(
            certificate=certificate.decode("ascii"), broker_host=host, broker_port=port, now=self._desk.instant()
        )

    def _declined(self, refusal: Refusal) -> pairing.Declined:
        return pairing.Declined(code=refusal.value, now=self._desk.instant())
