"""What travels over MQTT as JSON: offers, replies, status and commands.

The structures are the specification: the codec refuses whatever does not fit them and ``docs/asyncapi.yaml`` is
checked against the schemas they generate. Chunks are not here: they are raw bytes whose address is their topic.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from wire.digest import Sha256
from wire.ids import END, FileName, Name, OpaqueId
from wire.limits import MAX_CHUNK_BYTES, MAX_FILE_BYTES, MAX_FILES, MAX_MISSING_LISTED

PROTOCOL_VERSION: Literal[1] = 1

Count = Annotated[int, Meta(ge=0, le=2**53)]
Bytes = Annotated[int, Meta(ge=0, le=MAX_FILE_BYTES)]
Seconds = Annotated[float, Meta(ge=0, le=86_400)]
INSTANT_PATTERN = rf"^[0-9]{{4}}(-[0-9]{{2}}){{2}}T[0-9]{{2}}(:[0-9]{{2}}){{2}}(\.[0-9]{{1,6}})?Z{END}"
Instant = Annotated[str, Meta(pattern=INSTANT_PATTERN, description="UTC, ISO 8601")]
ShortText = Annotated[str, Meta(max_length=400)]
TopicText = Annotated[str, Meta(max_length=200)]


class Message(Struct, frozen=True, kw_only=True, tag_field="type", omit_defaults=False):
    """Anything sent as JSON: its type and the version of the protocol."""

    v: Literal[1] = PROTOCOL_VERSION


class ObjectRef(Struct, frozen=True, order=True):
    """What is handed over: a capture, one revision of a job list, or a batch."""

    kind: Literal["capture", "job_list", "batch"]
    id: OpaqueId
    revision: Count = 0


class FileEntry(Struct, frozen=True):
    """One file of an object, and the digest by which its arrival is proved."""

    name: FileName
    size: Bytes
    sha256: Sha256


Files = Annotated[tuple[FileEntry, ...], Meta(min_length=1, max_length=MAX_FILES)]


class Span(Struct, frozen=True, order=True):
    """Bytes ``start`` (included) to ``end`` (excluded) of a file."""

    start: Bytes
    end: Bytes


class Held(Struct, frozen=True):
    """The parts of one file that a worker has."""

    file: FileName
    spans: Annotated[tuple[Span, ...], Meta(max_length=4096)]


class Offer(Message, frozen=True, kw_only=True, tag="offer"):
    """A station has an object for the centre.

    Attributes:
        object: which one; offering it twice is harmless.
        files: every file of it with size and digest.
        inline: small text documents among `files`, carried here so that they cost no round trip.
    """

    station: Name
    object: ObjectRef
    files: Files
    inline: Annotated[dict[FileName, str], Meta(max_length=8)] = {}


class Grant(Message, frozen=True, kw_only=True, tag="grant"):
    """A worker takes the offer: where to send chunks, how large, how many unacknowledged, for how long."""

    object: ObjectRef
    grant_id: OpaqueId
    worker: Name
    inbox: TopicText
    chunk_bytes: Annotated[int, Meta(ge=1024, le=MAX_CHUNK_BYTES)]
    window: Annotated[int, Meta(ge=1, le=64)]
    lease_s: Seconds
    have: tuple[Held, ...] = ()


class Progress(Message, frozen=True, kw_only=True, tag="progress"):
    """What the worker holds of a grant. This, and not the broker's acknowledgement, opens the window."""

    object: ObjectRef
    grant_id: OpaqueId
    held: tuple[Held, ...]


class Receipt(Message, frozen=True, kw_only=True, tag="receipt"):
    """The object is durable at the centre, with exactly these digests."""

    object: ObjectRef
    files: Files
    worker: Name
    stored_at: Instant


class Busy(Message, frozen=True, kw_only=True, tag="busy"):
    """Not now: ask again after so many seconds."""

    object: ObjectRef
    retry_after_s: Seconds


class Again(Message, frozen=True, kw_only=True, tag="again"):
    """These spans did not arrive or did not match; send them once more under the same grant."""

    object: ObjectRef
    grant_id: OpaqueId
    file: FileName
    spans: tuple[Span, ...]


RejectionCode = Literal["digest_conflict", "digest_mismatch", "malformed", "too_large", "unknown_kind", "not_allowed"]


class Rejected(Message, frozen=True, kw_only=True, tag="rejected"):
    """The centre will not take this object as it is; a manager decides, the station keeps it."""

    object: ObjectRef
    code: RejectionCode
    detail: ShortText = ""


class Complete(Message, frozen=True, kw_only=True, tag="complete"):
    """Every capture that this revision of the list names is at the centre."""

    object: ObjectRef
    captures: Count


class Missing(Message, frozen=True, kw_only=True, tag="missing"):
    """These captures of the list are not at the centre yet (the first ones, where there are very many)."""

    object: ObjectRef
    captures: Annotated[tuple[OpaqueId, ...], Meta(max_length=MAX_MISSING_LISTED)]
    total: Count


Reply = Grant | Progress | Receipt | Busy | Again | Rejected | Complete | Missing
"""Everything a worker may say to a station."""


class StationStatus(Message, frozen=True, kw_only=True, tag="status"):
    """How a station is: said at every connect, on change and every half minute; its last will says ``online: false``.

    Counts are of captures. `answered` names commands carried out, so that the centre stops repeating them.
    """

    station: Name
    online: bool
    software: ShortText = ""
    state: ShortText = "unknown"
    fault: ShortText | None = None
    safe: Count = 0
    waiting: Count = 0
    rejected: Count = 0
    damaged: Count = 0
    disk_free_bytes: Count = 0
    disk_total_bytes: Count = 0
    temperature_c: float | None = None
    clock_synchronised: bool | None = None
    job_title: ShortText | None = None
    last_verdicts: Annotated[tuple[Literal["ok", "warn", "bad", "unsure"], ...], Meta(max_length=20)] = ()
    answered: Annotated[tuple[OpaqueId, ...], Meta(max_length=16)] = ()


class Locate(Message, frozen=True, kw_only=True, tag="locate"):
    """Blink the status light so that a person finds the station."""

    command_id: OpaqueId
    seconds: Seconds = 10.0


class Resend(Message, frozen=True, kw_only=True, tag="resend"):
    """Offer these captures again although the station has, or had, an answer for them."""

    command_id: OpaqueId
    captures: Annotated[tuple[OpaqueId, ...], Meta(min_length=1, max_length=1000)]


class Reshoot(Message, frozen=True, kw_only=True, tag="reshoot"):
    """Pages of a copy to be photographed again, at whichever station next scans that copy."""

    command_id: OpaqueId
    barcode: ShortText
    captures: Annotated[tuple[OpaqueId, ...], Meta(max_length=1000)]
    note: ShortText = ""


class OfferBatch(Message, frozen=True, kw_only=True, tag="batch"):
    """A batch of books to digitise, whole: its document and the digest of that document's bytes."""

    command_id: OpaqueId
    object: ObjectRef
    document: str
    sha256: Sha256


Command = Locate | Resend | Reshoot | OfferBatch
"""Everything the centre may ask of a station."""
