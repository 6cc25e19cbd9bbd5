"""What happens to the delivery and what it decides: values only, so that any order of events can be tried."""

from dataclasses import dataclass

from appliance.spool.rows import Pending
from wire.messages import Complete, Missing, ObjectRef, Receipt, Rejected, Reply
from wire.topics import ChunkAddress


@dataclass(frozen=True, slots=True)
class Connected:
    """The broker took us and our subscriptions; no message larger than `max_chunk_bytes` may be sent."""

    max_chunk_bytes: int


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The line is gone, or could not be made. `code` says why, `refused` that the broker does not want us."""

    code: str
    refused: bool = False


@dataclass(frozen=True, slots=True)
class ReplyReceived:
    """A worker answers."""

    reply: Reply


@dataclass(frozen=True, slots=True)
class PublishAcknowledged:
    """The broker answers a publication. It is not a receipt: it only tells who is there to listen."""

    token: int
    reason_code: int


@dataclass(frozen=True, slots=True)
class ObjectsWaiting:
    """All that waits now, the most urgent first; what is not among them needs no delivery any more."""

    objects: tuple[Pending, ...]


@dataclass(frozen=True, slots=True)
class ObjectDamaged:
    """A file of an object is not what was written."""

    ref: ObjectRef
    file: str


@dataclass(frozen=True, slots=True)
class HoursChanged:
    """Pictures may go from now on, or may not; everything small always may."""

    are_open: bool


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed."""


Event = (
    Connected
    | Disconnected
    | ReplyReceived
    | PublishAcknowledged
    | ObjectsWaiting
    | ObjectDamaged
    | HoursChanged
    | Tick
)


@dataclass(frozen=True, slots=True)
class SendOffer:
    """Offer an object; its acknowledgement carries `token`."""

    token: int
    pending: Pending


@dataclass(frozen=True, slots=True)
class SendChunk:
    """Send bytes of a file; their acknowledgement carries `token`.

    `is_doubted`: what came of the file before was not what was promised, so its digest is to be proved first.
    """

    token: int
    pending: Pending
    address: ChunkAddress
    length: int
    is_doubted: bool = False


@dataclass(frozen=True, slots=True)
class SendProbe:
    """Ask the broker whether anybody takes offers, by an empty one; its acknowledgement carries `token`."""

    token: int


@dataclass(frozen=True, slots=True)
class RecordReceipt:
    """Make it durable that the centre holds an object."""

    receipt: Receipt


@dataclass(frozen=True, slots=True)
class RecordRejection:
    """Make it durable that the centre refuses an object."""

    rejected: Rejected


@dataclass(frozen=True, slots=True)
class RecordDamaged:
    """Make it durable that an object is not whole."""

    ref: ObjectRef
    file: str


@dataclass(frozen=True, slots=True)
class RecordListAnswer:
    """Make durable what the centre says of a list."""

    answer: Complete | Missing


Action = SendOffer | SendChunk | SendProbe | RecordReceipt | RecordRejection | RecordDamaged | RecordListAnswer
