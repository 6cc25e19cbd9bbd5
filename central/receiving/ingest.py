"""Whether an object is what it says it is: its documents against its files. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from wire import codec, limits
from wire.documents import (
    CAPTURE_FILE,
    LIST_FILE,
    PAGES_FILE,
    CaptureDocument,
    FrameEntry,
    JobListDocument,
    PageEntry,
    PagesDocument,
)
from wire.errors import ProtocolError
from wire.messages import FileEntry, ObjectRef, Offer, RejectionCode

MAX_OBJECT_BYTES: Final = 2 * limits.MAX_FILE_BYTES
MAX_DOCUMENT_BYTES: Final = 16 * limits.MIB
_DOCUMENTS: Final = {"capture": (CAPTURE_FILE, PAGES_FILE), "job_list": (LIST_FILE,)}
_D = TypeVar("_D")


class Refusal(Exception):
    """The object will not be taken as it is."""

    def __init__(self, code: RejectionCode, detail: str) -> None:
        super().__init__(detail)
        self.code: RejectionCode = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class CaptureFacts:
    """A capture's two documents, found to agree with each other and with the files."""

    capture: CaptureDocument
    pages: PagesDocument


@dataclass(frozen=True, slots=True)
class ListFacts:
    """A job list found to be the one that was offered."""

    document: JobListDocument


Facts = CaptureFacts | ListFacts


def check_offer(offer: Offer) -> None:
    """Look at an offer before anything is granted; raises `Refusal`."""
    documents = _DOCUMENTS.get(offer.object.kind)
    if documents is None:
        raise Refusal("unknown_kind", f"the centre does not take objects of kind {offer.object.kind}")
    entries = {entry.name: entry for entry in offer.files}
    missing = [name for name in documents if name not in entries]
    if missing:
        raise Refusal("malformed", f"{', '.join(missing)} is missing")
    if "receipt.json" in entries:
        raise Refusal("malformed", "receipt.json is a name of the centre's own")
    if offer.object.kind == "capture" and offer.object.revision != 0:
        raise Refusal("malformed", "a capture has no revisions")
    if sum(map(len, offer.inline.values())) > limits.MAX_INLINE_BYTES:
        raise Refusal("too_large", f"more than {limits.MAX_INLINE_BYTES} bytes of documents in the offer")
    if sum(entry.size for entry in offer.files) > MAX_OBJECT_BYTES:
        raise Refusal("too_large", f"more than {MAX_OBJECT_BYTES} bytes together")
    if any(entries[name].size > MAX_DOCUMENT_BYTES for name in documents):
        raise Refusal("too_large", f"a document is over {MAX_DOCUMENT_BYTES} bytes")
    for name, text in offer.inline.items():
        if len(text.encode()) != entries[name].size:
            raise Refusal("digest_mismatch", f"{name} does not have the size that is offered")


def read_facts(
    ref: ObjectRef, station: str | None, files: tuple[FileEntry, ...], read: Callable[[str], bytes]
) -> Facts:
    """Return what an object's documents say; `read` gives a document's bytes, already proved by digest.

    `station` is who offered it; None where it is in the store already and its receipt vouches for that.

    Raises:
        Refusal: a document cannot be read, names another object or station, or files that were not offered.
    """
    entries = {entry.name: entry for entry in files}
    if ref.kind == "capture":
        return _capture_facts(ref, station, entries, read)
    document = _decoded(codec.decode_job_list, read(LIST_FILE), LIST_FILE)
    _require((document.job_id, document.revision) == (ref.id, ref.revision), "list.json is of another job or revision")
    _require(station in (None, document.station), "list.json is of another station")
    return ListFacts(document)


def _capture_facts(
    ref: ObjectRef, station: str | None, entries: Mapping[str, FileEntry], read: Callable[[str], bytes]
) -> CaptureFacts:
    capture = _decoded(codec.decode_capture, read(CAPTURE_FILE), CAPTURE_FILE)
    pages = _decoded(codec.decode_pages, read(PAGES_FILE), PAGES_FILE)
    _require(capture.capture_id == ref.id, "capture.json is of another capture")
    _require(station in (None, capture.station), "capture.json is of another station")
    _require(pages.capture_id == ref.id, "pages.json is of another capture")
    described: tuple[FrameEntry | PageEntry, ...] = (*capture.frames, *pages.pages)
    for named in described:
        _require(_is_offered(named, entries), f"{named.file} is not among the files as it is described")
    frames = {frame.file for frame in capture.frames}
    _require(all(page.frame in frames for page in pages.pages), "a page names a frame that is not there")
    _require(len({page.side for page in pages.pages}) == len(pages.pages), "two pages are on the same side")
    return CaptureFacts(capture, pages)


def _is_offered(named: FrameEntry | PageEntry, entries: Mapping[str, FileEntry]) -> bool:
    return entries.get(named.file) == FileEntry(named.file, named.size, named.sha256)


def _decoded(decode: Callable[[bytes], _D], content: bytes, name: str) -> _D:
    try:
        return decode(content)
    except ProtocolError as error:
        raise Refusal("malformed", f"{name}: {error.message}"[:400]) from error


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise Refusal("malformed", otherwise)
