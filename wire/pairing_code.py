"""What makes pairing trustworthy, without a clock and without sockets: the photographed code and the compared one.

**Photographed.** The code on the manager's screen holds the centre's address, the digest of its authority and a token
that works once. The station believes only an authority of that digest, and says the token only to that centre.

**Compared.** Where nothing can be photographed, both sides work out a short code from everything they have told each
other, and two people compare it. Forty bits would be few against somebody who may try: so the centre binds itself to
its nonce *before* it hears the station's, and reveals it after. A man in the middle must choose before he knows what
his choice gives; he has one guess in 2^40 for each time that two people compare.
"""

import base64
import binascii
import hashlib
import hmac
import ssl
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from wire.ids import is_name

CODE_LETTERS: Final = 8
"""Of five bits each: 40 bits."""
NONCE_BYTES: Final = 16
TOKEN_BYTES: Final = 16
_LETTERS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's: no I, L, O, U, so that what is read aloud is written down right."""
_MISREAD: Final = str.maketrans("ILO", "110", "- \t\r\n")
_COMMITMENT: Final = b"lattrang pairing 1 commitment"
_CODE: Final = b"lattrang pairing 1 code"
_KIND: Final = "LATTRANG:1"
_MAX_INVITATION: Final = 512


class NotAnInvitation(ValueError):
    """A text is no pairing code of ours."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """What a photographed code says.

    Attributes:
        host: of the centre's pairing listener.
        port: of it.
        authority: SHA-256 of the authority's certificate (DER), 32 bytes.
        token: 16 secret bytes that work once, for one station, for a short time.
        station: whom it invites.
    """

    host: str
    port: int
    authority: bytes
    token: bytes = field(repr=False)
    station: str

    def text(self) -> str:
        """Return what the code holds: capital letters and digits alone, which makes it a third smaller."""
        parts = (_KIND, f"{self.host}:{self.port}", _base32(self.authority), _base32(self.token), self.station)
        return "/".join(parts).upper()


def read_invitation(text: str) -> Invitation:
    """Return what a photographed code says; raises `NotAnInvitation` where anything about it is not as it must be."""
    parts = text.split("/") if len(text) <= _MAX_INVITATION and text.isascii() else []
    if len(parts) != 5 or parts[0] != _KIND:
        raise NotAnInvitation("it is not a pairing code")
    host, _, port = parts[1].lower().rpartition(":")
    authority, token, station = _from_base32(parts[2]), _from_base32(parts[3]), parts[4].lower()
    if not host or not port.isdigit() or not 1 <= int(port[:6]) <= 65_535:
        raise NotAnInvitation("its address cannot be read")
    if len(authority) != hashlib.sha256().digest_size or len(token) != TOKEN_BYTES or not is_name(station):
        raise NotAnInvitation("it is damaged")
    return Invitation(host, int(port), authority, token, station)


def digest_of(certificate_pem: str) -> bytes:
    """Return the SHA-256 of a certificate; raises `ValueError` where the text is anything but exactly one.

    Behind a certificate that everybody knows a second one could stand: decoded leniently the text would have the
    digest of the first, and whoever loads it would trust both.
    """
    der = ssl.PEM_cert_to_DER_cert(certificate_pem)
    if ssl.DER_cert_to_PEM_cert(der) != certificate_pem:
        raise ValueError("it is not exactly one certificate")
    return hashlib.sha256(der).digest()


def commitment(authority: bytes, nonce: bytes) -> str:
    """Return what binds the centre to `nonce` (and to the digest of its authority) without telling it."""
    return _digest(_COMMITMENT, (authority, nonce)).hex()


def keeps(commitment_hex: str, authority: bytes, nonce: bytes) -> bool:
    """Tell whether `nonce` is the one that was committed to."""
    return hmac.compare_digest(commitment_hex, commitment(authority, nonce))


def code(authority: bytes, station: str, request_pem: str, centre_nonce: bytes, station_nonce: bytes) -> str:
    """Return the code that both screens show, as ``XXXX-XXXX``.

    It covers all that must not be altered: the digest of the authority, the station's name and key (in its signing
    request), both nonces.
    """
    parts = (authority, station.encode(), request_pem.encode(), centre_nonce, station_nonce)
    number = int.from_bytes(_digest(_CODE, parts)[:5], "big")
    letters = [_LETTERS[number >> 5 * place & 31] for place in reversed(range(CODE_LETTERS))]
    return f"{''.join(letters[:4])}-{''.join(letters[4:])}"


def is_same_code(typed: str, shown: str) -> bool:
    """Tell whether a person has typed the code `shown`, however they wrote it."""
    return hmac.compare_digest(_plain(typed).encode(), _plain(shown).encode())


def _plain(text: str) -> str:
    return text.upper().translate(_MISREAD)


def _digest(purpose: bytes, parts: Iterable[bytes]) -> bytes:
    # Lengths before contents: no two different lists of parts have the same bytes.
    return hashlib.sha256(b"".join(b"%d:%s" % (len(part), part) for part in (purpose, *parts))).digest()


def _base32(content: bytes) -> str:
    return base64.b32encode(content).decode("ascii").rstrip("=")


def _from_base32(text: str) -> bytes:
    try:
        return base64.b32decode(text + "=" * (-len(text) % 8))
    except binascii.Error as error:
        raise NotAnInvitation("it is damaged") from error
