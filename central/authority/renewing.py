"""The centre's own certificates, made anew before they end: its processes, the broker, the pairing listener.

Stations renew theirs by themselves (`central.pairing.desk`). The authority is not renewed here: it lasts twenty
years, and a new one would mean pairing every station again.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509

from central.authority import ca
from central.config import CentralConfig
from central.errors import AuthorityError
from wire.pairing import SERVER_NAME

SOON: Final = timedelta(days=60)


def renew(
    config: CentralConfig, *, everything: bool = False, now: datetime | None = None
) -> tuple[tuple[str, datetime], ...]:
    """Make every certificate of the centre anew that ends within `SOON`, or all; keys stay. Safe to repeat.

    What a changed ``public_host`` or a newly configured pairing listener needs is made as well.

    Returns:
        The names of what was made, and until when each counts.

    Raises:
        AuthorityError: the authority cannot be used, or a folder cannot be written.
    """
    now = now or datetime.now(UTC)
    authority = ca.Authority.load(config.broker.pki)
    names = [ca.SERVER, ca.OFFICE, ca.ADMIN, *sorted(one.stem for one in authority.folder.glob("worker.*.crt"))]
    if config.pairing is not None:
        names.append(ca.PAIRING)
    hosts = ca.SERVER_NAMES if config.pairing is None else tuple({*ca.SERVER_NAMES, config.pairing.public_host})
    try:
        made = [name for name in names if everything or _is_due(authority, name, now)]
        for name in made:
            authority.reissue(name, {ca.SERVER: hosts, ca.PAIRING: (SERVER_NAME,)}.get(name, ()), now=now)
        if ca.SERVER not in made:
            server = ca.credentials_in(authority.folder, ca.SERVER).cert
            before = server.read_bytes()
            authority.issue_server(hosts, now=now)
            made += [ca.SERVER] if server.read_bytes() != before else []
        return tuple((name, _end(authority, name)) for name in made)
    except OSError as error:
        raise AuthorityError(
            "CERT-05", f"{error.filename} cannot be written ({error.strerror}).", "Run this as the centre's own user."
        ) from error


def _is_due(authority: ca.Authority, name: str, now: datetime) -> bool:
    files = ca.credentials_in(authority.folder, name)
    return not (files.cert.exists() and files.key.exists()) or _end(authority, name) - now < SOON


def _end(authority: ca.Authority, name: str) -> datetime:
    file = ca.credentials_in(authority.folder, name).cert
    return x509.load_pem_x509_certificate(file.read_bytes()).not_valid_after_utc
