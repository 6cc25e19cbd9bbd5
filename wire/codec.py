"""Messages and documents to bytes and back. Whatever does not fit is a `ProtocolError`, never a surprise."""

import re
from typing import Final, Literal, TypeVar

import msgspec

from wire import limits
from wire.documents import BatchDocument, CaptureDocument, Document, JobListDocument, PagesDocument, SealedDocument
from wire.errors import Malformed, ProtocolError
from wire.messages import PROTOCOL_VERSION, Command, Message, Offer, Reply, StationStatus

T = TypeVar("T")


class _Envelope(msgspec.Struct):
    v: int


_QUOTED: Final = re.compile(r"'.*'", re.DOTALL)
_encoder: Final = msgspec.json.Encoder()
_envelope: Final = msgspec.json.Decoder(_Envelope)
_offer: Final = msgspec.json.Decoder(Offer)
_reply: Final[msgspec.json.Decoder[Reply]] = msgspec.json.Decoder(Reply)
_status: Final = msgspec.json.Decoder(StationStatus)
_command: Final[msgspec.json.Decoder[Command]] = msgspec.json.Decoder(Command)
_capture: Final = msgspec.json.Decoder(CaptureDocument)
_pages: Final = msgspec.json.Decoder(PagesDocument)
_job_list: Final = msgspec.json.Decoder(JobListDocument)
_batch: Final = msgspec.json.Decoder(BatchDocument)
_sealed: Final = msgspec.json.Decoder(SealedDocument)

DocumentKind = Literal["capture", "pages", "job_list", "batch"]


def encode(message: Message | Document) -> bytes:
    """Return the bytes of a message or document; the same value always gives the same bytes."""
    return _encoder.encode(message)


def encode_pretty(document: Document) -> bytes:
    """Return a document's bytes indented, for files that a person may open."""
    return msgspec.json.format(_encoder.encode(document), indent=1) + b"\n"


def decode_offer(payload: bytes) -> Offer:
    """Return the offer in `payload`.

    Raises:
        ProtocolError: too large, not JSON, another version, or a value out of range.
    """
    offer = _decode(_offer, payload, limits.MAX_OFFER_BYTES)
    if len({entry.name for entry in offer.files}) != len(offer.files):
        raise ProtocolError(Malformed.OUT_OF_RANGE, "An offer names a file twice.")
    if not offer.inline.keys() <= {entry.name for entry in offer.files}:
        raise ProtocolError(Malformed.OUT_OF_RANGE, "An offer carries a document that it does not list.")
    return offer


def decode_reply(payload: bytes) -> Reply:
    """Return the worker's reply in `payload`; raises `ProtocolError` like `decode_offer`."""
    return _decode(_reply, payload, limits.MAX_REPLY_BYTES)


def decode_status(payload: bytes) -> StationStatus:
    """Return the station's status in `payload`; raises `ProtocolError` like `decode_offer`."""
    return _decode(_status, payload, limits.MAX_STATUS_BYTES)


def decode_command(payload: bytes) -> Command:
    """Return the centre's command in `payload`; raises `ProtocolError` like `decode_offer`."""
    return _decode(_command, payload, limits.MAX_COMMAND_BYTES)


def decode_capture(content: bytes) -> CaptureDocument:
    """Return the facts in a ``capture.json``; raises `ProtocolError` when they cannot be trusted."""
    return _decode(_capture, content, limits.MAX_FILE_BYTES)


def decode_pages(content: bytes) -> PagesDocument:
    """Return what a ``pages.json`` says; raises `ProtocolError` when it cannot be trusted."""
    return _decode(_pages, content, limits.MAX_FILE_BYTES)


def decode_job_list(content: bytes) -> JobListDocument:
    """Return the revision in a ``list.json``; raises `ProtocolError` when it cannot be trusted."""
    return _decode(_job_list, content, limits.MAX_FILE_BYTES)


def decode_batch(content: bytes) -> BatchDocument:
    """Return the batch in a ``batch.json``; raises `ProtocolError` when it cannot be trusted."""
    return _decode(_batch, content, limits.MAX_FILE_BYTES)


def decode_sealed(content: bytes) -> SealedDocument:
    """Return what an ``_offer.json`` or ``_answer.json`` holds; raises `ProtocolError` when it cannot be read."""
    return _decode(_sealed, content, limits.MAX_SEALED_BYTES)


def _decode(decoder: msgspec.json.Decoder[T], payload: bytes, limit_bytes: int) -> T:
    if len(payload) > limit_bytes:
        raise ProtocolError(Malformed.TOO_LARGE, f"A message of {len(payload)} bytes is over {limit_bytes}.")
    try:
        version = _envelope.decode(payload).v
        if version == PROTOCOL_VERSION:
            return decoder.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        # The decoder's words name the field; where they quote the value it is left out: it may be anybody's.
        words = _QUOTED.sub("'…'", str(error))
        raise ProtocolError(Malformed.NOT_A_MESSAGE, f"A message cannot be read ({words}).") from None
    raise ProtocolError(Malformed.OTHER_VERSION, f"A message of protocol version {version} is not understood.")
