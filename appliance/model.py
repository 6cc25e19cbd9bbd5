"""What the parts of a station share: how it is set up, and what its findings come to. Pure."""

from dataclasses import dataclass
from typing import Final

from appliance.api import Verdict
from wire import VERSION
from wire.documents import FindingEntry, Layout, PagesDocument, QuarterTurn

SOFTWARE: Final = f"lattrang {VERSION}"
PROCESSING_FAILED: Final = "processing_failed"
UNSURE_CODES: Final = frozenset({PROCESSING_FAILED, "outline_uncertain"})
"""Findings that say "I could not judge" and not "this is bad"."""


@dataclass(frozen=True, slots=True)
class CaptureSetup:
    """How this station takes pictures.

    Attributes:
        station: its name.
        layout: what one press photographs.
        profile: name of the profile that pages are held against.
        capture_timeout_s: how long a camera may take to give a frame.
        rotations_cw: the turn that makes each camera's frames upright; None = look at the text.
    """

    station: str
    layout: Layout = "spread"
    profile: str = "sach-in-300"
    rotations_cw: tuple[QuarterTurn | None, ...] = (None,)
    capture_timeout_s: float = 5.0

    def rotation_of(self, camera: int) -> QuarterTurn | None:
        """Return the turn of a camera (from 0); the last one given holds for those after it."""
        return self.rotations_cw[min(camera, len(self.rotations_cw) - 1)]


def findings_of(pages: PagesDocument) -> tuple[FindingEntry, ...]:
    """Return all findings of a capture: of its frames, then of each page."""
    return pages.findings + tuple(finding for page in pages.pages for finding in page.findings)


def verdict_of(pages: PagesDocument | None, muted: tuple[str, ...] = ()) -> Verdict:
    """Return what the station says of a capture: the worst it found, and `UNSURE` where it could not judge.

    Warnings named in `muted` do not count; what is bad always does.
    """
    if pages is None:
        return Verdict.PENDING
    findings = tuple(one for one in findings_of(pages) if one.severity != "warn" or one.code not in muted)
    severities = {finding.severity for finding in findings if finding.code not in UNSURE_CODES}
    if "bad" in severities:
        return Verdict.BAD
    if "warn" in severities:
        return Verdict.WARN
    return Verdict.UNSURE if any(finding.code in UNSURE_CODES for finding in findings) else Verdict.OK
