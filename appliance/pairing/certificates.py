"""What a station must know of certificates: whether they fit together, and until when."""

import ssl
from datetime import UTC, datetime
from pathlib import Path


def context(ca: Path, cert: Path, key: Path) -> ssl.SSLContext:
    """Return how a station speaks TLS; raises `ssl.SSLError` where the files do not fit, `OSError` where unreadable."""
    made = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=str(ca))
    made.load_cert_chain(str(cert), str(key))
    return made


def not_after(pem: str) -> datetime:
    """Return when a certificate ends.

    The standard library opens certificates but tells nothing of them, and a Pi needs no cryptographic package for one
    date: validity is the fourth sequence of the body.

    Raises:
        ValueError: not a certificate.
    """
    body = _content(_content(ssl.PEM_cert_to_DER_cert(pem[pem.index("-----BEGIN") :])))
    sequences: list[bytes] = []
    while body and len(sequences) < 3:
        tag, content, body = _split(body)
        if tag == 0x30:
            sequences.append(content)
    if len(sequences) < 3:
        raise ValueError("not a certificate")
    _, _, rest = _split(sequences[2])
    tag, end, _ = _split(rest)
    # UTCTime has two digits of the year, GeneralizedTime four.
    text = end.decode("ascii")
    return datetime.strptime(text, "%y%m%d%H%M%SZ" if tag == 0x17 else "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)


def _content(der: bytes) -> bytes:
    return _split(der)[1]


def _split(der: bytes) -> tuple[int, bytes, bytes]:
    """Return tag, content and what follows the first DER element."""
    if len(der) < 2:
        raise ValueError("not a certificate")
    length, start = der[1], 2
    if length & 0x80:
        start += length & 0x7F
        length = int.from_bytes(der[2:start], "big")
    return der[0], der[start : start + length], der[start + length :]
