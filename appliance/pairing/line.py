"""The line to the centre's pairing listener: to whoever answers, or to nobody but the holder of one authority's key."""

import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from socket import create_connection
from typing import Final, TypeVar

from appliance.errors import PairingError
from wire import pairing
from wire.errors import ProtocolError

TIMEOUT_S: Final = 25.0
"""Longer than the centre's own patience, so that its words arrive."""
CONNECT_S: Final = 10.0
NO_CHECK_TIME: Final = 0x200000
"""OpenSSL's X509_V_FLAG_NO_CHECK_TIME, which Python gives no name."""
R = TypeVar("R", pairing.Centre, pairing.Committed, pairing.Revealed, pairing.Paired)

_WORDS: Final = {
    "PAIR-06": ("The station's certificate has ended.", "Pair the station again."),
    "PAIR-10": (
        "The code was used already.",
        "If it was not this station, somebody else has photographed it: have that station revoked. Ask for a new code.",
    ),
    "PAIR-11": ("The time of this pairing is over.", "Ask for a new code at the centre."),
    "PAIR-12": ("The centre does not know this code; perhaps a newer one was made.", "Photograph the newest code."),
    "PAIR-13": ("The code invites another station.", "Ask for a code for this one, or set the station's name right."),
    "PAIR-15": ("The person at the centre did not approve this station.", "Ask why; then begin anew at the centre."),
    "PAIR-16": (
        "The centre does not expect a station of this name.",
        "At the centre, begin to pair a station of exactly this name: lattrang central pair NAME.",
    ),
    "PAIR-17": ("Too many attempts.", "Wait ten minutes, then begin anew at the centre."),
    "PAIR-19": (
        "This station was shut out, or another machine has its name now.",
        "Pair it again, if it shall return.",
    ),
    "PAIR-20": ("The centre cannot finish this now.", "Have its broker and its log looked at, then try again."),
    "CERT-03": ("The centre refused the station's request.", "Update both sides; send the log if it repeats."),
}


@dataclass(frozen=True, slots=True)
class Address:
    """Where the pairing listener is."""

    host: str
    port: int = pairing.DEFAULT_PORT

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Trust:
    """Whom to believe: the holder of a certificate that this authority has issued for pairing.

    Attributes:
        authority_pem: the authority.
        cert: our own certificate, where we show one.
        key: and its key.
    """

    authority_pem: str
    cert: Path | None = None
    key: Path | None = None


class Line:
    """One conversation."""

    def __init__(self, tls: ssl.SSLSocket, until_s: float) -> None:
        self._tls = tls
        self._until_s = until_s

    def ask(self, request: pairing.Request, kind: type[R]) -> R:
        """Return the answer; raises `PairingError` for a refusal, `NotYet` where we are to ask again."""
        pairing.send(self._tls, request, self._until_s)
        answer = pairing.decode_reply(pairing.receive(self._tls, self._until_s))
        if isinstance(answer, kind):
            return answer
        if isinstance(answer, pairing.Waiting):
            raise NotYet(answer.retry_s)
        if isinstance(answer, pairing.Declined):
            raise declined(answer.code)
        raise _strange(f"it answered {type(answer).__name__}")

    def valid_until(self) -> tuple[datetime, datetime]:
        """Return from when and until when the listener's certificate counts; only where it was verified."""
        facts = self._tls.getpeercert() or {}
        begin, end = str(facts.get("notBefore", "")), str(facts.get("notAfter", ""))
        return _instant(begin), _instant(end)


class NotYet(Exception):
    """The centre asks for patience."""

    def __init__(self, retry_s: float) -> None:
        super().__init__(retry_s)
        self.retry_s = retry_s


@contextmanager
def opened(address: Address, trust: Trust | None, timeout_s: float = TIMEOUT_S) -> Iterator[Line]:
    """Give a line to `address`, closed at the end. Without `trust` whoever answers is taken; believe nothing then.

    Raises:
        PairingError: PAIR-07 nobody answers there, or not in our words; PAIR-09 somebody else answers.
    """
    until_s = time.monotonic() + timeout_s
    try:
        context, name = _context(trust)
        with create_connection((address.host, address.port), timeout=min(CONNECT_S, timeout_s)) as plain:
            plain.settimeout(timeout_s)
            with context.wrap_socket(plain, server_hostname=name) as tls:
                yield Line(tls, until_s)
    except ssl.SSLCertVerificationError as error:
        raise somebody_else(f"its certificate does not hold: {error.verify_message}") from error
    except (OSError, ProtocolError) as error:
        # A refusal that comes while we still believe to shake hands is reported by the first read.
        if isinstance(error, ssl.SSLError) and "ALERT" in str(error.reason or ""):
            raise somebody_else(f"it does not accept our certificate ({error.reason})") from error
        raise PairingError(
            "PAIR-07",
            f"Nobody answers for pairing at {address} ({error}).",
            "Check the network and the address; at the centre, `lattrang central run` must be running.",
        ) from error


def time_there(address: Address, trust: Trust, timeout_s: float = TIMEOUT_S) -> datetime:
    """Return the time as the holder of that authority's key tells it; raises `PairingError` as `opened`."""
    with opened(address, trust, timeout_s) as line:
        return datetime.fromisoformat(line.ask(pairing.Introduce(), pairing.Centre).now)


def declined(code: str) -> PairingError:
    """Return the error that says in words why the centre refused."""
    message, cure = _WORDS.get(code, (f"The centre refused ({code}).", "Update both sides."))
    return PairingError(code, message, cure)


def somebody_else(why: str) -> PairingError:
    """Return the error that says that not our centre answers."""
    return PairingError(
        "PAIR-09",
        f"Whoever answers is not the centre that this station was shown: {why}.",
        "Nothing was told or changed. Check the address; if it is right, somebody may stand in between: tell the IT "
        "person.",
    )


def _strange(why: str) -> PairingError:
    return PairingError("PAIR-07", f"Whoever answers does not pair stations: {why}.", "Check the address and the port.")


def _context(trust: Trust | None) -> tuple[ssl.SSLContext, str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    if trust is None:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context, pairing.SERVER_NAME
    context.load_verify_locations(cadata=trust.authority_pem)
    # The station's own clock may be years off. Dates are held against the right time afterwards, by us.
    context.verify_flags = ssl.VerifyFlags(context.verify_flags | NO_CHECK_TIME)
    if trust.cert is not None and trust.key is not None:
        context.load_cert_chain(str(trust.cert), str(trust.key))
    return context, pairing.SERVER_NAME


def _instant(words: str) -> datetime:
    try:
        return datetime.fromtimestamp(ssl.cert_time_to_seconds(words), UTC)
    except ValueError as error:
        raise somebody_else("its certificate has no dates") from error
