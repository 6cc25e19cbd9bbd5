"""What a run of the demo came to: counted from the disks of both sides, after the fact, and not from what was said."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from wire import codec
from wire.documents import CAPTURE_FILE, PAGES_FILE, CaptureDocument, PagesDocument

RECEIPT_FILE = "receipt.json"


@dataclass(frozen=True, slots=True)
class Stored:
    """One capture as its folder says, on either side."""

    facts: CaptureDocument
    pages: PagesDocument | None
    has_receipt: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """The line of JSON that ``demo --once`` prints.

    Attributes:
        spreads: captures announced as safe.
        pages: pages cut from them.
        received: pages covered by a receipt.
        lost: safe captures without a receipt.
        duplicates: captures stored twice.
        digest_mismatches: files at the centre that are not what their receipt says.
        seconds: from the first press to the last receipt.
        derivative_seconds: from the last receipt to the last derivative.
        items: items they belong to.
        findings: how often each finding was made.
    """

    spreads: int
    pages: int
    received: int
    lost: int
    duplicates: int
    digest_mismatches: int
    seconds: float
    derivative_seconds: float
    items: int
    findings: dict[str, int]

    @property
    def is_whole(self) -> bool:
        """Whether everything that was announced arrived once, as it was."""
        return self.received == self.pages and self.lost == self.duplicates == self.digest_mismatches == 0


def tally(
    safe: Sequence[str],
    at_station: Iterable[Stored],
    at_centre: Iterable[Stored],
    *,
    digest_mismatches: int,
    seconds: float,
    derivative_seconds: float,
) -> Outcome:
    """Return the outcome for the captures named in `safe`, given what lies on each side's disk."""
    wanted = set(safe)
    received = [one for one in at_centre if one.facts.capture_id in wanted and one.has_receipt]
    known = {one.facts.capture_id: one for one in (*at_station, *received) if one.facts.capture_id in wanted}
    pages = {capture_id: one.pages.pages if one.pages else () for capture_id, one in known.items()}
    # A capture stored under a second id would still carry the number that the station gave it once.
    numbers = Counter((one.facts.station, one.facts.sequence) for one in received)
    findings = Counter(
        finding.code
        for one in known.values()
        if one.pages
        for finding in (*one.pages.findings, *(finding for page in one.pages.pages for finding in page.findings))
    )
    arrived = {one.facts.capture_id for one in received}
    return Outcome(
        spreads=len(wanted),
        pages=sum(map(len, pages.values())),
        received=sum(len(pages[capture_id]) for capture_id in arrived),
        lost=len(wanted - arrived),
        duplicates=sum(number - 1 for number in numbers.values()) + len(safe) - len(wanted),
        digest_mismatches=digest_mismatches,
        seconds=round(seconds, 2),
        derivative_seconds=round(derivative_seconds, 2),
        items=len({one.facts.item.item_id for one in received}),
        findings=dict(sorted(findings.items())),
    )


def safe_events(event_logs: Iterable[Path], job_ids: set[str] | None = None) -> list[str]:
    """Return the captures announced as safe (of `job_ids` only, where given), in order, one entry an announcement."""
    announced = []
    for log in event_logs:
        for line in log.read_text("utf-8").splitlines():
            event = json.loads(line)
            if event["event"] == "capture.safe" and (job_ids is None or event["job_id"] in job_ids):
                announced.append(event["capture_id"])
    return announced


def stored_in(folder: Path) -> Iterator[Stored]:
    """Yield every capture whose folder lies in `folder`; what is being written at this moment is passed over."""
    for capture in sorted(folder.iterdir()) if folder.is_dir() else ():
        if (capture / CAPTURE_FILE).is_file():
            pages = capture / PAGES_FILE
            yield Stored(
                facts=codec.decode_capture((capture / CAPTURE_FILE).read_bytes()),
                pages=codec.decode_pages(pages.read_bytes()) if pages.is_file() else None,
                has_receipt=(capture / RECEIPT_FILE).is_file(),
            )
