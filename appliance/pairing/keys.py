"""A station's key and what is made of it: the key never leaves this machine; what goes out is a signing request."""

from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from appliance.errors import PairingError


def new_key() -> bytes:
    """Return a fresh private key, PEM."""
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def signing_request(key_pem: str) -> str:
    """Return a signing request (PEM) for a key. It names nobody: the centre decides on the name."""
    key = serialization.load_pem_private_key(key_pem.encode("ascii"), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError("only EC keys are made here")
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode("ascii")


def check(certificate_pem: str, authority_pem: str, key_pem: str, station: str, at: datetime) -> None:
    """Raise `PairingError` PAIR-18 where a certificate is not for this key and station, of this authority, at `at`."""
    try:
        certificate = x509.load_pem_x509_certificate(certificate_pem.encode("ascii"))
        authority = x509.load_pem_x509_certificate(authority_pem.encode("ascii"))
        key = serialization.load_pem_private_key(key_pem.encode("ascii"), password=None)
        certificate.verify_directly_issued_by(authority)
        names = [str(one.value) for one in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound) as error:
        raise _not_believed(f"it is not a certificate of this centre ({error})") from error
    if certificate.public_key() != key.public_key():
        raise _not_believed("it is for another key")
    if len(names) != 1 or names[0].split(".")[:2] != ["station", station]:
        raise _not_believed("it is for another station")
    if list(usage) != [ExtendedKeyUsageOID.CLIENT_AUTH]:
        raise _not_believed("it is for another purpose")
    for one in (certificate, authority):
        if not one.not_valid_before_utc <= at < one.not_valid_after_utc:
            raise _not_believed(f"it is not valid on {at:%Y-%m-%d}")


def _not_believed(why: str) -> PairingError:
    return PairingError(
        "PAIR-18",
        f"What came as this station's certificate was not believed: {why}.",
        "Nothing was changed. Pair again; if it repeats, somebody may stand in between: tell the IT person.",
    )
