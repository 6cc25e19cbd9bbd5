"""Who speaks on a carried disk: messages signed with the key that also opens the broker to their sender.

On the line TLS tells who speaks; a disk is anybody's. So a station seals its offers and the centre's office its
answers, each with its own certificate beside, and the other side asks the authority that both were paired under.
Certificates are not held against a date: a station may have no clock, and a disk may be weeks on its way.
"""

import base64
import warnings
from collections.abc import Sequence
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from wire import codec
from wire.documents import SealedDocument
from wire.errors import CodedError, ExitCode, ProtocolError

OFFICE: Final = "office"
"""The common name under which the centre answers."""
_PREFIX: Final = b"lattrang on a disk, version 1\n"
"""So that a signature given here can never pass for one given in a TLS handshake or on a certificate."""
_ALGORITHM: Final = ec.ECDSA(hashes.SHA256())


class SealBroken(CodedError):
    """What a sealed document says was not said by whom it names, or was changed since."""

    exit_code = ExitCode.REFUSED

    def __init__(self, why: str) -> None:
        super().__init__(
            "CARRY-06",
            f"A seal does not hold: {why}.",
            "It was not believed; fetch it again, and ask who had the disk.",
        )


class Seal:
    """One side's own key and certificate, and the authority that it trusts."""

    def __init__(self, authority_pem: bytes, certificate_pem: bytes, key_pem: bytes) -> None:
        """Read the three; raises `ValueError` where they are not what they should be."""
        self._authority = x509.load_pem_x509_certificate(authority_pem)
        certificate = x509.load_pem_x509_certificate(certificate_pem)
        key = serialization.load_pem_private_key(key_pem, password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
            raise ValueError("the key is not that of the certificate")
        names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        if len(names) != 1:
            raise ValueError("the certificate names nobody")
        self.owner = str(names[0].value)
        self._key = key
        self._certificate = certificate.public_bytes(serialization.Encoding.PEM).decode("ascii")

    def close(self, station: str, messages: Sequence[bytes]) -> bytes:
        """Return the sealed document that says `messages` to or from `station`."""
        signature = self._key.sign(_statement(station, messages), _ALGORITHM)
        return codec.encode(
            SealedDocument(
                station=station,
                messages=tuple(message.decode() for message in messages),
                certificate=self._certificate,
                signature=base64.b64encode(signature).decode("ascii"),
            )
        )

    def open(self, content: bytes, *, station: str, signer: str) -> tuple[bytes, ...]:
        """Return the messages in a sealed document, as they were sealed.

        Args:
            content: the document.
            station: of whom it must speak.
            signer: the common name of whoever must have sealed it.

        Raises:
            SealBroken: it cannot be read, is of another station, or was not sealed by `signer`.
        """
        try:
            sealed = codec.decode_sealed(content)
            certificate, names = _certificate(sealed.certificate)
            signature = base64.b64decode(sealed.signature, validate=True)
            messages = tuple(message.encode() for message in sealed.messages)
        except (ProtocolError, ValueError) as error:
            raise SealBroken("it cannot be read") from error
        if sealed.station != station:
            raise SealBroken("it is of another station")
        if names != [signer]:
            raise SealBroken(f"it was not made by {signer}")
        self._verify(certificate, signature, _statement(station, messages))
        return messages

    def _verify(self, certificate: x509.Certificate, signature: bytes, statement: bytes) -> None:
        try:
            certificate.verify_directly_issued_by(self._authority)
        except (ValueError, TypeError, InvalidSignature) as error:
            raise SealBroken("its maker is not one of our centre's") from error
        # Only now is the certificate one of ours: a stranger's key is never even read.
        key = certificate.public_key()
        if not isinstance(key, ec.EllipticCurvePublicKey):
            raise SealBroken("it is of a kind that is not used here")
        try:
            key.verify(signature, statement, _ALGORITHM)
        except InvalidSignature as error:
            raise SealBroken("it was changed after it was made") from error


def _certificate(pem: str) -> tuple[x509.Certificate, list[str | bytes]]:
    """Return a certificate and its common names; raises `ValueError` for one that our authority would never issue."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            certificate = x509.load_pem_x509_certificate(pem.encode())
            return certificate, [one.value for one in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    except (x509.InvalidVersion, TypeError, Warning) as error:
        raise ValueError(str(error)) from error


def _statement(station: str, messages: Sequence[bytes]) -> bytes:
    # Lengths before contents: no two different statements have the same bytes.
    parts = (station.encode(), *messages)
    return _PREFIX + b"".join(b"%d:%s" % (len(part), part) for part in parts)
