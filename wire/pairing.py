"""Pairing: the words by which a station that knows nobody gets its certificate, and how it renews it.

Spoken over TLS on a port of its own: each side sends one frame (a length, then JSON) in turn, the station first. The
structures are the specification; whatever does not fit them is refused unread. What makes them trustworthy is in
`wire.pairing_code`: the digest on a photographed code, or the digits that two people compare.
"""

import re
import socket
import struct
import time
from enum import Enum
from typing import Annotated, Final, TypeVar

import msgspec
from msgspec import Meta

from wire.errors import Malformed, ProtocolError
from wire.ids import END, Name, OpaqueId
from wire.limits import KIB
from wire.messages import Instant, Message, Seconds

SERVER_NAME: Final = "pairing.lattrang"
"""The name in the listener's certificate. No other key of the centre, not even the broker's, can stand in for it."""
DEFAULT_PORT: Final = 8884
MAX_FRAME_BYTES: Final = 16 * KIB
_LENGTH: Final = struct.Struct(">I")

Pem = Annotated[str, Meta(min_length=64, max_length=6 * KIB, pattern=r"^-----BEGIN [A-Z ]+-----\n[\x20-\x7e\n]+$")]
Secret = Annotated[str, Meta(pattern=rf"^[0-9a-f]{{32}}{END}", description="128 bits in hexadecimal digits")]
Commitment = Annotated[str, Meta(pattern=rf"^[0-9a-f]{{64}}{END}")]
FaultCode = Annotated[str, Meta(pattern=rf"^[A-Z]{{2,8}}-[0-9]{{2}}{END}")]
Host = Annotated[str, Meta(pattern=rf"^[A-Za-z0-9._:-]{{1,253}}{END}")]
Port = Annotated[int, Meta(ge=1, le=65_535)]


class Refusal(Enum):
    """Why a station is told no. The value is the code that its screen explains."""

    CERTIFICATE_OVER = "PAIR-06"
    USED = "PAIR-10"
    OVER = "PAIR-11"
    UNKNOWN_TOKEN = "PAIR-12"  # noqa: S105 - a code, no token
    OTHER_STATION = "PAIR-13"
    NOT_APPROVED = "PAIR-15"
    NOT_EXPECTED = "PAIR-16"
    TOO_MANY = "PAIR-17"
    SHUT_OUT = "PAIR-19"
    NOT_NOW = "PAIR-20"


class Introduce(Message, frozen=True, kw_only=True, tag="introduce"):
    """Whose centre is this? Nothing secret is said, and nothing that comes back is believed yet."""


class Begin(Message, frozen=True, kw_only=True, tag="begin"):
    """A station without a photographed code asks to be paired; answered by `Committed`."""

    station: Name


class Reveal(Message, frozen=True, kw_only=True, tag="reveal"):
    """The station's key (in a signing request) and nonce, after the centre has bound itself to its own nonce."""

    request: Pem
    nonce: Secret


class Collect(Message, frozen=True, kw_only=True, tag="collect"):
    """Has a person approved? Asked over a connection that the compared code has made trustworthy."""

    request_id: OpaqueId


class Redeem(Message, frozen=True, kw_only=True, tag="redeem"):
    """The one-time token from a photographed code, for this key."""

    station: Name
    token: Secret
    request: Pem


class Renew(Message, frozen=True, kw_only=True, tag="renew"):
    """A certificate for a new key, asked for with the old one."""

    request: Pem


class Answer(Message, frozen=True, kw_only=True):
    """Anything the centre says, with its time: a station may have no clock to hold certificates against."""

    now: Instant


class Centre(Answer, frozen=True, kw_only=True, tag="centre"):
    """The authority's certificate."""

    authority: Pem


class Committed(Answer, frozen=True, kw_only=True, tag="committed"):
    """The authority, and a digest of the nonce that the centre will reveal."""

    authority: Pem
    commitment: Commitment


class Revealed(Answer, frozen=True, kw_only=True, tag="revealed"):
    """The nonce that was committed to, and under which number the request waits for a person."""

    nonce: Secret
    request_id: OpaqueId


class Waiting(Answer, frozen=True, kw_only=True, tag="waiting"):
    """Not yet: ask again in so long."""

    retry_s: Seconds


class Paired(Answer, frozen=True, kw_only=True, tag="paired"):
    """The station's certificate, and where the broker is."""

    certificate: Pem
    broker_host: Host
    broker_port: Port


class Declined(Answer, frozen=True, kw_only=True, tag="declined"):
    """No, and why (``docs/faults.md``)."""

    code: FaultCode


Request = Introduce | Begin | Reveal | Collect | Redeem | Renew
Reply = Centre | Committed | Revealed | Waiting | Paired | Declined
T = TypeVar("T")

_encoder: Final = msgspec.json.Encoder()
_request: Final[msgspec.json.Decoder[Request]] = msgspec.json.Decoder(Request)
_reply: Final[msgspec.json.Decoder[Reply]] = msgspec.json.Decoder(Reply)
_QUOTED: Final = re.compile(r"'.*'", re.DOTALL)


class LineEnded(OSError):
    """The other side hung up, or its time was over."""


def encode(message: Request | Reply) -> bytes:
    """Return the bytes of a message; the same value always gives the same bytes."""
    return _encoder.encode(message)


def decode_request(payload: bytes) -> Request:
    """Return what a station asks; raises `ProtocolError` for whatever does not fit."""
    return _decode(_request, payload)


def decode_reply(payload: bytes) -> Reply:
    """Return what the centre says; raises `ProtocolError` for whatever does not fit."""
    return _decode(_reply, payload)


def send(line: socket.socket, message: Request | Reply, until_s: float) -> None:
    """Send one frame; raises `OSError` where the line fails before the monotonic moment `until_s`."""
    payload = encode(message)
    line.settimeout(_left_s(until_s))
    line.sendall(_LENGTH.pack(len(payload)) + payload)


def receive(line: socket.socket, until_s: float) -> bytes:
    """Return the content of one frame.

    However slowly the other side speaks, it has until the monotonic moment `until_s` for all of it.

    Raises:
        OSError: the line failed, ended, or took too long.
        ProtocolError: the frame is larger than any message.
    """
    (length,) = _LENGTH.unpack(_exactly(line, _LENGTH.size, until_s))
    if length > MAX_FRAME_BYTES:
        raise ProtocolError(Malformed.TOO_LARGE, f"A message of {length} bytes is over {MAX_FRAME_BYTES}.")
    return _exactly(line, length, until_s)


def _exactly(line: socket.socket, count: int, until_s: float) -> bytes:
    content = b""
    while len(content) < count:
        line.settimeout(_left_s(until_s))
        part = line.recv(count - len(content))
        if not part:
            raise LineEnded("the other side hung up")
        content += part
    return content


def _left_s(until_s: float) -> float:
    left_s = until_s - time.monotonic()
    if left_s <= 0:
        raise LineEnded("the other side took too long")
    return left_s


def _decode(decoder: msgspec.json.Decoder[T], payload: bytes) -> T:
    if len(payload) > MAX_FRAME_BYTES:
        raise ProtocolError(Malformed.TOO_LARGE, f"A message of {len(payload)} bytes is over {MAX_FRAME_BYTES}.")
    try:
        return decoder.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        # Where the decoder quotes a value it is left out: it may be anybody's, and it may be a secret.
        words = _QUOTED.sub("'…'", str(error))
        raise ProtocolError(Malformed.NOT_A_MESSAGE, f"A message cannot be read ({words}).") from None
