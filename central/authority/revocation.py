"""Which certificates were given to stations, and which of them count no more: two files beside the authority's key.

The broker reads the second (a CRL) and refuses in the handshake whoever is on it. The list never grows too old: it
counts as long as the authority, and what changes it is written at once. Its date is a number, not a time: of two lists
TLS believes the one of the later date, and clocks are set back.
"""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from central.errors import AuthorityError
from central.files import sync_folder
from wire.lock import alone_in

ISSUED_FILE: Final = "issued"
REVOKED_FILE: Final = "revoked.crl"
_FIRST_DATE: Final = datetime(2020, 1, 1, tzinfo=UTC)
_LINE: Final = re.compile(r"([0-9a-f]{1,40}) (\S+)")

IsMeant = Callable[[str], bool]
"""Tells by the common name of a certificate whether it is meant."""


@dataclass(frozen=True, slots=True)
class Signer:
    """In whose name a list is signed."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def note_issued(folder: Path, common_name: str, serial: int) -> None:
    """Write down, durably, that `common_name` is about to be given the certificate `serial`.

    Raises:
        AuthorityError: CERT-09.
    """
    with _alone(folder):
        descriptor = os.open(folder / ISSUED_FILE, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        with os.fdopen(descriptor, "ab") as stream:
            # The line feed comes first: half a line that a power cut left spoils itself and not the next one.
            stream.write(f"\n{serial:x} {common_name}".encode("ascii"))
            stream.flush()
            os.fsync(stream.fileno())
        sync_folder(folder)


def revoke(folder: Path, signer: Signer, is_meant: IsMeant, now: datetime) -> None:
    """Put every certificate that was ever issued to a name that `is_meant` on the list, durably and for good.

    A list is made where there is none; it stays as it is where nothing new comes onto it.

    Raises:
        AuthorityError: CERT-09.
    """
    with _alone(folder):
        number, before = _revoked(folder)
        serials = before | _issued(folder, is_meant)
        if not number or serials != before:
            _keep(folder, _signed(signer, number + 1, serials, now))


def revoked(folder: Path) -> frozenset[int]:
    """Return the serials of all certificates that are shut out; raises `AuthorityError` CERT-09."""
    with _alone(folder):
        return _revoked(folder)[1]


def keep_newer(folder: Path, other: Path) -> None:
    """Copy both files from `other`, where the same authority has shut out more than in `folder`: neither ever shrinks.

    Raises:
        AuthorityError: CERT-09.
    """
    with _alone(folder):
        if _revoked(other)[0] > _revoked(folder)[0]:
            for name in (ISSUED_FILE, REVOKED_FILE):
                if (other / name).exists():
                    (folder / name).write_bytes((other / name).read_bytes())


def _issued(folder: Path, is_meant: IsMeant) -> frozenset[int]:
    file = folder / ISSUED_FILE
    lines = file.read_text("ascii", "replace").splitlines() if file.exists() else []
    found = (_LINE.fullmatch(line) for line in lines)
    return frozenset(int(line[1], 16) for line in found if line is not None and is_meant(line[2]))


def _revoked(folder: Path) -> tuple[int, frozenset[int]]:
    """Return the number of the list and the serials on it; 0 where there is none yet."""
    file = folder / REVOKED_FILE
    if not file.exists():
        return 0, frozenset()
    listed = x509.load_pem_x509_crl(file.read_bytes())
    number = listed.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    return number, frozenset(entry.serial_number for entry in listed)


def _signed(signer: Signer, number: int, serials: frozenset[int], now: datetime) -> bytes:
    mark = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.key.public_key())
    listed = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(signer.certificate.subject)
        .last_update(_FIRST_DATE + timedelta(seconds=number))
        .next_update(signer.certificate.not_valid_after_utc)
        .add_extension(x509.CRLNumber(number), critical=False)
        .add_extension(mark, critical=False)
    )
    for serial in sorted(serials):
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now)
        listed = listed.add_revoked_certificate(entry.build())
    return listed.sign(signer.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _keep(folder: Path, signed: bytes) -> None:
    temporary = folder / f"{REVOKED_FILE}.new"
    with temporary.open("wb") as stream:
        stream.write(signed)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.chmod(0o644)
    temporary.rename(folder / REVOKED_FILE)
    sync_folder(folder)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    try:
        with alone_in(folder):
            yield
    except (OSError, ValueError, x509.ExtensionNotFound) as error:
        raise AuthorityError(
            "CERT-09",
            f"The list of certificates in {folder} cannot be read or written ({error}).",
            "Run this as the centre's own user. A list that is broken comes back from the backup.",
        ) from error
