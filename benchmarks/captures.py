"""Captures whose pictures are noise: true documents and digests, sizes as they are, nothing that compresses."""

import random
from collections.abc import Mapping
from dataclasses import dataclass

from wire import codec
from wire.digest import sha256_of
from wire.documents import (
    CAPTURE_FILE,
    PAGES_FILE,
    CaptureDocument,
    FindingEntry,
    FrameEntry,
    ItemRef,
    PageEntry,
    PagesDocument,
)
from wire.ids import new_id
from wire.messages import FileEntry, ObjectRef, Offer

FRAME_FILE = "frame-1.jpg"
FRAME_SHARE = 0.55
"""Of a capture's bytes; the rest is its two pages. So it is with a spread of 12 MP at quality 95."""


@dataclass(frozen=True, slots=True)
class Capture:
    """A capture and everything that belongs to it."""

    facts: CaptureDocument
    pages: PagesDocument
    pictures: Mapping[str, bytes]

    @property
    def frames(self) -> dict[str, bytes]:
        """The camera's pictures by file name."""
        return {FRAME_FILE: self.pictures[FRAME_FILE]}

    @property
    def page_files(self) -> dict[str, bytes]:
        """The pages' pictures by file name."""
        return {page.file: self.pictures[page.file] for page in self.pages.pages}

    @property
    def files(self) -> dict[str, bytes]:
        """Every file that travels."""
        return {
            CAPTURE_FILE: codec.encode_pretty(self.facts),
            PAGES_FILE: codec.encode_pretty(self.pages),
            **self.pictures,
        }

    @property
    def size_bytes(self) -> int:
        """Bytes of its pictures."""
        return sum(map(len, self.pictures.values()))

    def offer(self) -> Offer:
        """Return the offer of it, the documents inside, as a station makes it."""
        files = self.files
        return Offer(
            station=self.facts.station,
            object=ObjectRef("capture", self.facts.capture_id),
            files=tuple(FileEntry(name, len(content), sha256_of(content)) for name, content in files.items()),
            inline={name: files[name].decode() for name in (CAPTURE_FILE, PAGES_FILE)},
        )


def draw(station: str, sequence: int, size_bytes: int, seed: int) -> Capture:
    """Return capture number `sequence` of a station, about `size_bytes` large; the same seed, the same pictures."""
    noise = random.Random(f"{seed}/{station}/{sequence}")
    frame_bytes = int(size_bytes * FRAME_SHARE)
    page_bytes = (size_bytes - frame_bytes) // 2
    pictures = {
        FRAME_FILE: noise.randbytes(frame_bytes),
        "left.jpg": noise.randbytes(page_bytes),
        "right.jpg": noise.randbytes(page_bytes),
    }
    capture_id = new_id()
    return Capture(_facts(station, sequence, capture_id, pictures[FRAME_FILE]), _pages(capture_id, pictures), pictures)


def _facts(station: str, sequence: int, capture_id: str, frame: bytes) -> CaptureDocument:
    return CaptureDocument(
        capture_id=capture_id,
        station=station,
        sequence=sequence,
        job_id=f"{station}-job",
        sitting_id="sitting",
        item=ItemRef(item_id=f"{station}-item", title="Bench"),
        profile="sach-in-300",
        frames=(
            FrameEntry(
                file=FRAME_FILE,
                size=len(frame),
                sha256=sha256_of(frame),
                camera="bench",
                width_px=4056,
                height_px=3040,
                sensor_at_ns=1,
            ),
        ),
        pressed_at="2026-01-02T03:04:05Z",
        clock_synchronised=True,
        boot_id="bench",
        monotonic_ns=1,
        software="bench",
    )


def _pages(capture_id: str, pictures: Mapping[str, bytes]) -> PagesDocument:
    pages = tuple(
        PageEntry(
            side=side,
            file=f"{side}.jpg",
            size=len(pictures[f"{side}.jpg"]),
            sha256=sha256_of(pictures[f"{side}.jpg"]),
            frame=FRAME_FILE,
            outline=((0, 0), (1900, 0), (1900, 2900), (0, 2900)),
            rotation_cw=0,
            width_px=1900,
            height_px=2900,
            findings=(FindingEntry(code="skew", severity="info", value=0.4, limit=1.0),),
        )
        for side in ("left", "right")
    )
    return PagesDocument(capture_id=capture_id, outcome="pages", profile="sach-in-300", pages=pages, software="bench")
