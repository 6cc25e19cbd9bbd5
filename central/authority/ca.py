"""The centre's own certificate authority: who may reach the broker, and under which name.

One EC P-256 authority per centre. The common name of a certificate is the name the broker knows its owner by
(``station.kho-1.0f3a…``, ``worker.w1``, ``office``, ``admin``). Certificates are back-dated: a Pi without a battery
clock starts in the past and must still be able to connect in order to learn the time.
"""

import os
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from central.authority import revocation
from central.errors import AuthorityError
from wire.digest import sha256_of
from wire.ids import is_name
from wire.pairing import SERVER_NAME

VALID_FROM: Final = datetime(2020, 1, 1, tzinfo=UTC)
AUTHORITY_LIFE: Final = timedelta(days=20 * 365)
CERTIFICATE_LIFE: Final = timedelta(days=5 * 365)
SERVER_NAMES: Final = ("localhost", "127.0.0.1")
SERVER: Final = "server"
OFFICE: Final = "office"
ADMIN: Final = "admin"
PAIRING: Final = "pairing"
_KEY_MARK_DIGITS: Final = 10
_CA_CERTIFICATE: Final = "ca.crt"
_CA_KEY: Final = "ca.key"


@dataclass(frozen=True, slots=True)
class Credentials:
    """Three PEM files by which one side of a TLS connection proves itself and knows the other."""

    ca: Path
    cert: Path
    key: Path


def station_name(station: str) -> str:
    """Return what the broker calls a station's role; raises `AuthorityError` for a name that is none.

    The common names of its certificates begin with it: a mark of the key follows, so that the certificate of a machine
    that was shut out opens nothing when another machine is paired under the same name.
    """
    return f"station.{_checked(station)}"


def station_of(common_name: str) -> str | None:
    """Return the station that a certificate's common name belongs to; None where it is nobody's."""
    kind, _, rest = common_name.partition(".")
    station, _, mark = rest.partition(".")
    return station if kind == "station" and is_name(station) and is_name(mark) else None


def machine_name(station: str, key_digest: str) -> str:
    """Return the common name of a station's certificate for the key of that digest."""
    return f"{station_name(station)}.{key_digest[:_KEY_MARK_DIGITS]}"


def worker_name(worker: str) -> str:
    """Return the common name of a worker's certificate; raises `AuthorityError` for a name that is none."""
    return f"worker.{_checked(worker)}"


def credentials_in(folder: Path, common_name: str) -> Credentials:
    """Return where the credentials of `common_name` are kept in an authority's folder; they need not exist yet."""
    return Credentials(
        ca=folder / _CA_CERTIFICATE, cert=folder / f"{common_name}.crt", key=folder / f"{common_name}.key"
    )


def new_request(station: str) -> tuple[bytes, bytes]:
    """Return a fresh private key and its signing request for a station, both PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    request = x509.CertificateSigningRequestBuilder().subject_name(_subject(station_name(station)))
    return _key_pem(key), request.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


class Authority:
    """Issues certificates; its key lives in one folder, readable by its owner alone."""

    def __init__(self, folder: Path, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
        self.folder = folder
        self._certificate = certificate
        self._key = key

    @classmethod
    def open(cls, folder: Path, *, now: datetime | None = None) -> "Authority":
        """Return the authority kept in `folder`, created at the first call.

        Raises:
            AuthorityError: its files are there but cannot be read, or only one of them is.
        """
        certificate_file, key_file = folder / _CA_CERTIFICATE, folder / _CA_KEY
        if certificate_file.exists() or key_file.exists():
            authority = cls.load(folder)
        else:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            key = ec.generate_private_key(ec.SECP256R1())
            certificate = _sign_authority(key, now or datetime.now(UTC))
            write_private(key_file, _key_pem(key))
            _write_public(certificate_file, certificate.public_bytes(serialization.Encoding.PEM))
            authority = cls(folder, certificate, key)
        if not (folder / revocation.REVOKED_FILE).exists():
            authority.revoke(lambda _: False)
        return authority

    @classmethod
    def load(cls, folder: Path) -> "Authority":
        """Return the authority kept in `folder`; raises `AuthorityError` where there is none that can be used."""
        try:
            certificate = x509.load_pem_x509_certificate((folder / _CA_CERTIFICATE).read_bytes())
            key = serialization.load_pem_private_key((folder / _CA_KEY).read_bytes(), password=None)
        except (OSError, ValueError) as error:
            raise AuthorityError(
                "CERT-01",
                f"The certificate authority in {folder} cannot be used ({error}).",
                "Restore the folder from its backup; a new authority would mean pairing every station again.",
            ) from error
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise AuthorityError(
                "CERT-01", f"The key in {folder} is not an EC key.", "Restore the folder from its backup."
            )
        return cls(folder, certificate, key)

    @property
    def certificate_file(self) -> Path:
        """The authority's own certificate, PEM: what every client and the broker trust."""
        return self.folder / _CA_CERTIFICATE

    def issue_server(self, names: Sequence[str] = SERVER_NAMES, *, now: datetime | None = None) -> Credentials:
        """Return the broker's credentials for `names` (host names or addresses), made again when the names changed."""
        credentials = credentials_in(self.folder, SERVER)
        if _are_there(credentials) and names_of(credentials.cert) == {_san(name) for name in names}:
            return credentials
        return self.reissue(SERVER, names, now=now)

    def issue_pairing(self, *, now: datetime | None = None) -> Credentials:
        """Return the pairing listener's own credentials; what exists already is returned as it is."""
        credentials = credentials_in(self.folder, PAIRING)
        return credentials if _are_there(credentials) else self.reissue(PAIRING, (SERVER_NAME,), now=now)

    def issue_client(self, common_name: str, *, now: datetime | None = None) -> Credentials:
        """Return credentials for one of the centre's own processes (`OFFICE`, `ADMIN`, a `worker_name`).

        What exists already is returned as it is.
        """
        credentials = credentials_in(self.folder, common_name)
        return credentials if _are_there(credentials) else self.reissue(common_name, now=now)

    def reissue(self, common_name: str, names: Sequence[str] = (), *, now: datetime | None = None) -> Credentials:
        """Return credentials with a new certificate: of a server for `names`, of a client where there are none.

        A key that is there is kept, so that there is no moment in which key and certificate do not fit.

        Raises:
            AuthorityError: CERT-05, the key that is there cannot be read.
        """
        credentials = credentials_in(self.folder, common_name)
        key = _own_key(credentials.key)
        extension = x509.SubjectAlternativeName([_san(name) for name in names]) if names else None
        usage = ExtendedKeyUsageOID.SERVER_AUTH if names else ExtendedKeyUsageOID.CLIENT_AUTH
        certificate = self._sign(common_name, key.public_key(), usage, now, extension)
        if not credentials.key.exists():
            write_private(credentials.key, _key_pem(key))
        _write_public(credentials.cert, certificate.public_bytes(serialization.Encoding.PEM))
        return credentials

    def sign_station(
        self, station: str, request_pem: bytes, *, renewed: str | None = None, now: datetime | None = None
    ) -> bytes:
        """Return a station's certificate, PEM, for the key in its signing request.

        The name in the certificate is decided here: a request never chooses its own.

        Args:
            station: whose it is.
            request_pem: the request.
            renewed: the common name of the certificate that this one follows; without it the key gives a new one.
            now: when it is.

        Raises:
            AuthorityError: the request is unreadable, not signed by its own key, of a weak key or for another name.
        """
        public_key = requested_key(station, request_pem)
        name = renewed or machine_name(station, key_digest(public_key))
        certificate = self._sign(name, public_key, ExtendedKeyUsageOID.CLIENT_AUTH, now, None)
        revocation.note_issued(self.folder, name, certificate.serial_number)
        return certificate.public_bytes(serialization.Encoding.PEM)

    def revoke(self, is_meant: Callable[[str], bool], *, now: datetime | None = None) -> None:
        """Shut out, for good, every station's certificate whose common name `is_meant`. Raises `AuthorityError`."""
        now = now or datetime.now(UTC)
        revocation.revoke(self.folder, revocation.Signer(self._certificate, self._key), is_meant, now)

    def has_revoked(self, serial: int) -> bool:
        """Tell whether the certificate of that serial is shut out. Raises `AuthorityError`."""
        return serial in revocation.revoked(self.folder)

    def _sign(
        self,
        common_name: str,
        public_key: ec.EllipticCurvePublicKey,
        usage: x509.ObjectIdentifier,
        now: datetime | None,
        names: x509.SubjectAlternativeName | None,
    ) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder()
            .subject_name(_subject(common_name))
            .issuer_name(self._certificate.subject)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(VALID_FROM)
            .not_valid_after((now or datetime.now(UTC)) + CERTIFICATE_LIFE)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )
        if names is not None:
            builder = builder.add_extension(names, critical=False)
        return builder.sign(self._key, hashes.SHA256())


def requested_key(station: str, request_pem: bytes) -> ec.EllipticCurvePublicKey:
    """Return the key for which `station` asks a certificate; raises `AuthorityError` as `Authority.sign_station`."""
    name = station_name(station)
    try:
        request = x509.load_pem_x509_csr(request_pem)
        public_key = request.public_key()
        is_own = request.is_signature_valid
        names = [attribute.value for attribute in request.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    except (ValueError, TypeError, x509.InvalidVersion, UnsupportedAlgorithm) as error:
        raise _refused(f"it is not a signing request ({error})") from error
    if not is_own:
        raise _refused("it is not signed by its own key")
    if not isinstance(public_key, ec.EllipticCurvePublicKey) or public_key.curve.key_size < 256:
        raise _refused("its key is not an EC key of 256 bits or more")
    if names not in ([], [name]):
        raise _refused(f"it asks for another name than {name}")
    return public_key


def key_digest(public_key: ec.EllipticCurvePublicKey) -> str:
    """Return the SHA-256 of a public key, in hexadecimal digits."""
    info = serialization.PublicFormat.SubjectPublicKeyInfo
    return sha256_of(public_key.public_bytes(serialization.Encoding.DER, info))


def common_name(certificate_pem: bytes) -> str:
    """Return whose a certificate is; raises `ValueError` where it is none."""
    return name_in(x509.load_pem_x509_certificate(certificate_pem))


def name_in(certificate: x509.Certificate) -> str:
    """Return the common name in a certificate, an empty one where there is not exactly one."""
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return names[0].value if len(names) == 1 and isinstance(names[0].value, str) else ""


def write_private(path: Path, content: bytes) -> None:
    """Write a secret so that nobody but its owner can ever read it, not even for a moment."""
    temporary = path.with_name(f"{path.name}.tmp")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.rename(path)


def load_or_make_secret(path: Path, length: int = 32) -> bytes:
    """Return the random bytes kept in `path`, made at the first call."""
    if not path.exists():
        write_private(path, secrets.token_bytes(length))
    return path.read_bytes()


def _write_public(path: Path, content: bytes) -> None:
    temporary = path.with_name(f"{path.name}.tmp")
    temporary.write_bytes(content)
    temporary.chmod(0o644)
    temporary.rename(path)


def _sign_authority(key: ec.EllipticCurvePrivateKey, now: datetime) -> x509.Certificate:
    name = _subject("Lattrang")
    usage = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(VALID_FROM)
        .not_valid_after(now + AUTHORITY_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _subject(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _san(name: str) -> x509.DNSName | x509.IPAddress:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def names_of(certificate_file: Path) -> set[x509.GeneralName]:
    """Return the names and addresses that a server's certificate is for."""
    certificate = x509.load_pem_x509_certificate(certificate_file.read_bytes())
    return set(certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)


def is_for(certificate_file: Path, host: str) -> bool:
    """Tell whether a server's certificate is for the name or address `host`. Raises `OSError`."""
    return _san(host) in names_of(certificate_file)


def _are_there(credentials: Credentials) -> bool:
    return credentials.cert.exists() and credentials.key.exists()


def _own_key(file: Path) -> ec.EllipticCurvePrivateKey:
    """Return the key in `file`, a new one where there is none."""
    if not file.exists():
        return ec.generate_private_key(ec.SECP256R1())
    try:
        key = serialization.load_pem_private_key(file.read_bytes(), password=None)
    except (OSError, ValueError) as error:
        raise _unusable_key(file, str(error)) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise _unusable_key(file, "not an EC key")
    return key


def _unusable_key(file: Path, why: str) -> AuthorityError:
    return AuthorityError("CERT-05", f"{file} cannot be used ({why}).", "Restore it, or remove it for a new one.")


def _checked(name: str) -> str:
    if not is_name(name):
        raise AuthorityError("CERT-02", f"“{name}” cannot be a name.", "Use a-z, 0-9 and dashes, at most 32.")
    return name


def _refused(why: str) -> AuthorityError:
    return AuthorityError("CERT-03", f"The signing request was refused: {why}.", "Make a new request on the station.")
