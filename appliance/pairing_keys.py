"""A station's key and certificates: made here, kept here, changed without a moment in which they do not fit.

The key never leaves this machine; what goes out is a signing request. Three files stand side by side: the authority,
the certificate, the key. They are changed together by writing all of the new ones first, under names ending in
``.new``; the last of them is the certificate. From that moment on the change is decided, and `finish` completes it
also after a power cut.
"""

import os
import stat
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from appliance.errors import StationError
from wire.errors import ExitCode

_PRIVATE: Final = 0o600


class PairingError(StationError):
    """The station is not paired, or not any more; the code says why and what to do."""

    exit_code = ExitCode.REFUSED


@dataclass(frozen=True, slots=True)
class Certificates:
    """Where a station keeps what it is known by."""

    ca: Path
    cert: Path
    key: Path

    def pending_key(self) -> str:
        """Return the key (PEM) that a pairing under way is for, made at the first call, still there after a break.

        Raises:
            PairingError: PAIR-21, the folder cannot be written.
        """
        new = _new(self.key)
        try:
            if not new.exists():
                self.key.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                _write(new, _key_pem(ec.generate_private_key(ec.SECP256R1())))
            return new.read_text("ascii")
        except OSError as error:
            raise _unwritable(error) from error

    def abandon(self) -> None:
        """Forget the key of a pairing that was refused: the next one is for another."""
        if not _new(self.cert).exists():
            _new(self.key).unlink(missing_ok=True)

    def install(self, authority_pem: str, certificate_pem: str) -> None:
        """Put the authority, the certificate and the pending key into their places, all or none.

        Raises:
            PairingError: PAIR-21, the folder cannot be written.
        """
        try:
            _write(_new(self.ca), authority_pem.encode("ascii"))
            _write(_new(self.cert), certificate_pem.encode("ascii"))
            self.finish()
        except OSError as error:
            raise _unwritable(error) from error

    def finish(self) -> None:
        """Complete a change that a power cut has interrupted; does nothing where there is none. Raises `OSError`."""
        if not _new(self.cert).exists():
            return
        for path in (self.key, self.ca, self.cert):
            if _new(path).exists():
                _new(path).rename(path)
                _sync_folder(path.parent)


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


def is_private(path: Path) -> bool:
    """Tell whether a key can be read by its owner alone. Raises `OSError`."""
    return not stat.S_IMODE(path.stat().st_mode) & 0o077


def _new(path: Path) -> Path:
    return path.with_name(f"{path.name}.new")


def _write(path: Path, content: bytes) -> None:
    """Write a file that is whole or not there, and was never anybody else's to read."""
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE)
    with os.fdopen(descriptor, "wb") as stream:
        if os.geteuid() == 0:
            # Paired by an administrator, used by a service: to whom the folder belongs, its files belong.
            folder = path.parent.stat()
            os.fchown(descriptor, folder.st_uid, folder.st_gid)
        stream.write(content)
        stream.flush()
        os.fsync(descriptor)
    temporary.rename(path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _not_believed(why: str) -> PairingError:
    return PairingError(
        "PAIR-18",
        f"What came as this station's certificate was not believed: {why}.",
        "Nothing was changed. Pair again; if it repeats, somebody may stand in between: tell the IT person.",
    )


def _unwritable(error: OSError) -> PairingError:
    return PairingError(
        "PAIR-21",
        f"The station's certificates cannot be kept ({error}).",
        "Run the command as the administrator, or give another folder with --pki.",
    )
