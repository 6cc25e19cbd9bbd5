"""What is written beside the pictures and travels with them: the facts of a capture, its pages, lists and batches.

These files are the truth on both sides (the databases are indexes over them), so their form is part of the protocol.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from wire.digest import Sha256
from wire.ids import FileName, Name, OpaqueId
from wire.messages import Bytes, Count, Instant, ShortText

DOCUMENT_VERSION: Literal[1] = 1
CAPTURE_FILE = "capture.json"
PAGES_FILE = "pages.json"
LIST_FILE = "list.json"
BATCH_FILE = "batch.json"

PageType = Literal["cover", "spine", "endpaper", "page", "blank", "plate", "foldout", "insert", "target"]
Layout = Literal["spread", "two-camera", "single", "rectos-versos", "parts"]
Numbering = Literal["pages", "leaves", "none"]
OcrLanguages = Literal["vie+eng", "none"]
ReadingDirection = Literal["left-to-right", "right-to-left"]
Side = Literal["left", "right", "single"]
Severity = Literal["info", "warn", "bad"]
Mark = Literal["look-again", "hold-kept", "bad-kept"]
Condition = Literal[
    "torn", "pages-missing", "mould", "insects", "stained", "brittle", "loose-spine", "tight-binding", "written-in"
]
GapAnswer = Literal["absent", "misnumbered"]
Pixels = Annotated[int, Meta(ge=0, le=65_535)]
QuarterTurn = Literal[0, 90, 180, 270]
Text = Annotated[str, Meta(max_length=2000)]
ControlValue = bool | int | float | str | tuple[float, ...]


class Document(Struct, frozen=True, kw_only=True):
    """A file of our own on disk: its version comes first."""

    v: Literal[1] = DOCUMENT_VERSION


class ItemRef(Struct, frozen=True, kw_only=True):
    """Which thing is digitised.

    `item_id` is opaque and never changes. Everything else is an attribute, kept verbatim as the library wrote it: the
    bibliographic record (biblionumber), the copy (barcode, "số ĐKCB"), the part ("tập, số"), the call number
    ("ký hiệu xếp giá"). `provisional` says that nobody has matched it with a catalogue yet.
    """

    item_id: OpaqueId
    record_id: ShortText | None = None
    barcode: ShortText | None = None
    part: ShortText | None = None
    call_number: ShortText | None = None
    title: Text | None = None
    author: Text | None = None
    year: ShortText | None = None
    holding_library: ShortText | None = None
    batch_id: OpaqueId | None = None
    provisional: bool = True


class FrameEntry(Struct, frozen=True, kw_only=True):
    """One frame as the camera gave it, and how it was taken."""

    file: FileName
    size: Bytes
    sha256: Sha256
    camera: ShortText
    width_px: Pixels
    height_px: Pixels
    sensor_at_ns: int
    controls: dict[str, ControlValue] = {}
    source: ShortText = ""


class CaptureDocument(Document, frozen=True, kw_only=True):
    """``capture.json``: the facts of one press, written with its frames and never changed.

    Order comes from `sequence`, the station's own count, never from `pressed_at`: a Pi has no battery clock.
    """

    capture_id: OpaqueId
    station: Name
    sequence: Count
    job_id: OpaqueId
    sitting_id: OpaqueId
    item: ItemRef
    page_type: PageType = "page"
    layout: Layout = "spread"
    profile: ShortText
    frames: Annotated[tuple[FrameEntry, ...], Meta(min_length=1, max_length=2)]
    pressed_at: Instant
    clock_synchronised: bool
    boot_id: ShortText
    monotonic_ns: int
    calibration: Sha256 | None = None
    setup_rotation_cw: QuarterTurn | None = None
    training: bool = False
    software: ShortText


class Place(Struct, frozen=True):
    """A rectangle on a page or frame, in its own pixels."""

    x: int
    y: int
    width: int
    height: int


class FindingEntry(Struct, frozen=True, kw_only=True):
    """What one check found: the value it measured and the limit it was held against."""

    code: ShortText
    severity: Severity
    value: float | None = None
    limit: float | None = None
    place: Place | None = None


class PageEntry(Struct, frozen=True, kw_only=True):
    """One page cut from a frame.

    `outline` runs clockwise from the page's own top left, in pixels of the frame as stored (EXIF ignored);
    `rotation_cw` is the turn that made it upright.
    """

    side: Side
    file: FileName
    size: Bytes
    sha256: Sha256
    frame: FileName
    outline: Annotated[tuple[tuple[float, float], ...], Meta(min_length=4, max_length=64)]
    rotation_cw: QuarterTurn
    width_px: Pixels
    height_px: Pixels
    ppi: float | None = None
    findings: tuple[FindingEntry, ...] = ()


class PagesDocument(Document, frozen=True, kw_only=True):
    """``pages.json``: what the station made of a capture. Its presence says that processing is over."""

    capture_id: OpaqueId
    outcome: Literal["pages", "processing_failed"]
    profile: ShortText
    pages: Annotated[tuple[PageEntry, ...], Meta(max_length=2)]
    findings: tuple[FindingEntry, ...] = ()
    seconds: float = 0.0
    software: ShortText


class PagePart(Struct, frozen=True, kw_only=True):
    """What a capture shows of a large page, the `page`-th such of its list: part `part` of `of` that overlap."""

    page: Annotated[int, Meta(ge=1)]
    part: Annotated[int, Meta(ge=1, le=4)]
    of: Annotated[int, Meta(ge=2, le=4)]


class ListEntry(Struct, frozen=True, kw_only=True):
    """One place in a job list: a capture in reading order, or a place known to be empty.

    `supersedes` names what this capture replaced; the older one stays on record and can be restored. `part` is there in
    the layout `parts` alone, and not where one capture shows a page whole: nothing is stitched.
    """

    capture_id: OpaqueId
    page_type: PageType = "page"
    marks: tuple[Mark, ...] = ()
    label: ShortText | None = None
    supersedes: tuple[OpaqueId, ...] = ()
    part: PagePart | None = None


class Sitting(Struct, frozen=True, kw_only=True):
    """One person's stretch at one station ("phiên")."""

    sitting_id: OpaqueId
    station: Name
    started_at: Instant
    ended_at: Instant | None = None
    note: Annotated[str, Meta(max_length=200)] = ""


class AnsweredGap(Struct, frozen=True, kw_only=True):
    """Numbers that the book skips, and what a person says of them: the paper lacks the pages, or is numbered wrong.

    `before` is the capture that follows in the list, None at its end.
    """

    first: ShortText
    last: ShortText
    answer: GapAnswer
    before: OpaqueId | None = None


class JobListDocument(Document, frozen=True, kw_only=True):
    """``list.json``: one revision of what a copy's capture consists of, in order.

    `muted` names the warnings that a person switched off for this book; the findings themselves stay with the pages.
    """

    job_id: OpaqueId
    revision: Count
    station: Name
    state: Literal["open", "handed_over", "to_conservation"]
    item: ItemRef
    layout: Layout = "spread"
    numbering: Numbering = "pages"
    ocr: OcrLanguages = "vie+eng"
    reading_direction: ReadingDirection = "left-to-right"
    profile: ShortText
    sittings: tuple[Sitting, ...] = ()
    entries: tuple[ListEntry, ...] = ()
    removed: tuple[OpaqueId, ...] = ()
    pages_expected: Count | None = None
    rights: ShortText | None = None
    condition: tuple[Condition, ...] = ()
    condition_note: Text = ""
    gaps: tuple[AnsweredGap, ...] = ()
    muted: tuple[ShortText, ...] = ()
    training: bool = False
    software: ShortText


class Digitised(Struct, frozen=True, kw_only=True):
    """The last time that a copy was digitised, as the centre knows it: where, and when its list arrived there."""

    item_id: OpaqueId
    station: Name
    at: Instant
    part: ShortText | None = None
    to_conservation: bool = False


class BatchItem(Struct, frozen=True, kw_only=True):
    """One book of a batch, with what the station needs to know while it is offline."""

    item: ItemRef
    height_cm: float | None = None
    pages_expected: Count | None = None
    profile: ShortText | None = None
    rights: ShortText | None = None
    digitised: Digitised | None = None


class BatchDocument(Document, frozen=True, kw_only=True):
    """``batch.json``: the approved list of books to digitise ("lô số hóa")."""

    batch_id: OpaqueId
    name: ShortText
    revision: Count
    items: tuple[BatchItem, ...]


class SealedDocument(Document, frozen=True, kw_only=True):
    """``_offer.json`` and ``_answer.json`` on a carried disk: messages, and who vouches for them.

    `signature` is over `station` and the messages' very bytes (`wire.seal`), by the key in `certificate`.
    """

    station: Name
    messages: Annotated[tuple[str, ...], Meta(min_length=1, max_length=2)]
    certificate: Annotated[str, Meta(max_length=8192)]
    signature: Annotated[str, Meta(max_length=400, description="ECDSA with SHA-256, DER, base64")]
