"""What the pipeline made of a capture, as it is kept and delivered. Pure."""

from typing import Final

from appliance.imaging.encode import Stamp, encode
from appliance.imaging.model import Page, Processed
from appliance.imaging.profiles import Profile
from appliance.model import PROCESSING_FAILED, SOFTWARE
from wire.digest import sha256_of
from wire.documents import CaptureDocument, FindingEntry, PageEntry, PagesDocument, Side

_SIDES: Final[tuple[Side, Side]] = ("left", "right")
"""With a camera a page, the first camera looks at the left one."""


def to_document(
    facts: CaptureDocument, profile: Profile, results: tuple[tuple[str, Processed], ...], seconds: float
) -> tuple[PagesDocument, dict[str, bytes]]:
    """Return ``pages.json`` and the pages' files by name.

    Args:
        facts: of the capture.
        profile: that the pages were held against.
        results: for each frame its file's name and what was made of it.
        seconds: that it took.
    """
    entries: list[PageEntry] = []
    files: dict[str, bytes] = {}
    for camera, (frame, result) in enumerate(results):
        for page in result.pages if len(results) == 1 else _largest(result.pages):
            side = page.side if len(results) == 1 else _SIDES[camera]
            name = f"{side}.jpg"
            files[name] = encode(page.planes, quality=profile.jpeg_quality, stamp=_stamp(facts, page, side))
            entries.append(_entry(page, side, frame, name, files[name]))
    pages = PagesDocument(
        capture_id=facts.capture_id,
        outcome="pages",
        profile=profile.name,
        pages=tuple(entries),
        findings=tuple(finding for _, result in results for finding in result.findings),
        seconds=round(seconds, 3),
        software=SOFTWARE,
    )
    return pages, files


def failed(facts: CaptureDocument) -> PagesDocument:
    """Return ``pages.json`` of a capture that goes to the centre as its frames alone."""
    return PagesDocument(
        capture_id=facts.capture_id,
        outcome="processing_failed",
        profile=facts.profile,
        pages=(),
        findings=(FindingEntry(code=PROCESSING_FAILED, severity="warn"),),
        software=SOFTWARE,
    )


def _largest(pages: tuple[Page, ...]) -> tuple[Page, ...]:
    """Return the one page that a camera of its own looks at: a strip of the facing page may be in its view."""
    return (max(pages, key=lambda page: page.width_px * page.height_px),) if pages else ()


def _stamp(facts: CaptureDocument, page: Page, side: Side) -> Stamp:
    return Stamp(
        station=facts.station,
        item_id=facts.item.item_id,
        capture_id=facts.capture_id,
        sequence=facts.sequence,
        side=side,
        outline=page.outline,
        rotation_cw=page.rotation_cw,
        software=SOFTWARE,
        ppi=page.ppi,
    )


def _entry(page: Page, side: Side, frame: str, name: str, content: bytes) -> PageEntry:
    return PageEntry(
        side=side,
        file=name,
        size=len(content),
        sha256=sha256_of(content),
        frame=frame,
        outline=page.outline,
        rotation_cw=page.rotation_cw,
        width_px=page.width_px,
        height_px=page.height_px,
        ppi=page.ppi,
        findings=page.findings,
    )
