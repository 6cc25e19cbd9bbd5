"""The topics of protocol version 1: built and parsed in one place."""

from typing import Final, NamedTuple

from wire.errors import Malformed, ProtocolError
from wire.ids import is_name

PREFIX: Final = "lattrang/1/"
ANY_OFFER: Final = f"{PREFIX}offers/+"
SHARED_OFFERS: Final = f"$share/ingest/{ANY_OFFER}"
"""Workers share this subscription, so each offer reaches one of them."""
ANY_STATUS: Final = f"{PREFIX}stations/+/status"


class ChunkAddress(NamedTuple):
    """Where a chunk belongs: the whole of its meaning is in its topic, its payload is bytes of the file."""

    worker: str
    station: str
    grant_id: str
    file: str
    offset: int


def offers(station: str) -> str:
    """Return where `station` makes its offers."""
    return f"{PREFIX}offers/{_name(station)}"


def replies(station: str) -> str:
    """Return where workers answer `station`."""
    return f"{PREFIX}stations/{_name(station)}/replies"


def commands(station: str) -> str:
    """Return where the centre asks something of `station`."""
    return f"{PREFIX}stations/{_name(station)}/commands"


def status(station: str) -> str:
    """Return where `station` says how it is."""
    return f"{PREFIX}stations/{_name(station)}/status"


def inbox(worker: str) -> str:
    """Return the root under which `worker` takes chunks."""
    return f"{PREFIX}inbox/{_name(worker)}"


def any_chunk(worker: str) -> str:
    """Return the filter for every chunk sent to `worker`."""
    return f"{inbox(worker)}/#"


def chunk(address: ChunkAddress) -> str:
    """Return the topic of one chunk."""
    return f"{inbox(address.worker)}/{_name(address.station)}/{address.grant_id}/{address.file}/{address.offset}"


def parse_offer(topic: str) -> str:
    """Return the station that an offer's topic belongs to; raises `ProtocolError` for any other topic."""
    return _single(topic, "offers/", "")


def parse_status(topic: str) -> str:
    """Return the station that a status topic belongs to; raises `ProtocolError` for any other topic."""
    return _single(topic, "stations/", "/status")


def parse_chunk(topic: str) -> ChunkAddress:
    """Return the address in a chunk's topic; raises `ProtocolError` where it is not one."""
    parts = topic.removeprefix(PREFIX).split("/")
    if not topic.startswith(f"{PREFIX}inbox/") or len(parts) != 6:
        raise ProtocolError(Malformed.WRONG_TOPIC, "A chunk came on a topic that is not an inbox.")
    _, worker, station, grant_id, file, offset = parts
    if not (is_name(worker) and is_name(station) and is_name(grant_id) and offset.isascii() and offset.isdigit()):
        raise ProtocolError(Malformed.WRONG_TOPIC, "A chunk's address cannot be read.")
    if len(offset) > 12:
        raise ProtocolError(Malformed.OUT_OF_RANGE, "A chunk's offset is beyond any file.")
    return ChunkAddress(worker, station, grant_id, file, int(offset))


def _single(topic: str, before: str, after: str) -> str:
    name = topic.removeprefix(PREFIX + before).removesuffix(after) if after else topic.removeprefix(PREFIX + before)
    if topic != f"{PREFIX}{before}{name}{after}" or not is_name(name):
        raise ProtocolError(Malformed.WRONG_TOPIC, "A message came on a topic that names no station.")
    return name


def _name(text: str) -> str:
    if not is_name(text):
        raise ProtocolError(Malformed.WRONG_TOPIC, "A name may hold a-z, 0-9 and dashes, at most 32.")
    return text
