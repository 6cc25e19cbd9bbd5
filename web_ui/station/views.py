"""From a snapshot to what the capture page shows: keys and numbers. Pure; the words are in the templates."""

from dataclasses import dataclass
from typing import Literal

from appliance.api import CaptureView, Delivery, FaultView, LinkView, PageView, SessionState, StationSnapshot, Verdict
from appliance.places import GapView
from wire.documents import FindingEntry, PagePart, PageType, Severity, Side

Tone = Literal["ok", "warn", "bad", "info", "plain"]
Where = Literal["left", "right", "single", "both", "frame"]

TONE_OF_VERDICT: dict[Verdict, Tone] = {
    Verdict.PENDING: "plain",
    Verdict.OK: "ok",
    Verdict.WARN: "warn",
    Verdict.BAD: "bad",
    Verdict.UNSURE: "info",
}
_TONE_OF_SEVERITY: dict[str, Tone] = {"bad": "bad", "warn": "warn", "info": "ok"}
_RANK = {"bad": 2, "warn": 1, "info": 0}
_NEWS_OF_A_GOOD_PAGE = frozenset({"skew", "duplicate", "blank_page"})
"""Findings worth a word although nothing has to be done."""
_ON_DISK = frozenset({Delivery.SAFE, Delivery.PROCESSED, Delivery.RECEIVED, Delivery.REJECTED, Delivery.DAMAGED})
_NO_MORE_PHOTOGRAPHS = frozenset({"CAM-03", "CAM-05"})
LOW_ROOM = 200
"""Captures of room below which the disk is shown in amber: about one book of 400 pages."""
STRIP_LENGTH = 14


@dataclass(frozen=True, slots=True)
class Lead:
    """The one finding that the verdict is about, and which pages show it."""

    code: str
    severity: Severity
    where: Where
    value: float | None = None


@dataclass(frozen=True, slots=True)
class PagePicture:
    """One page drawn over the frame. `points` is an SVG polygon in pixels of the frame."""

    side: Side
    tone: Tone
    points: str
    lead: Lead | None


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the list of checks."""

    lead: Lead
    tone: Tone
    limit: float | None


@dataclass(frozen=True, slots=True)
class Shot:
    """One capture of the strip."""

    capture_id: str
    number: int
    tone: Tone
    verdict: str
    on_disk: bool
    is_last: bool
    page_type: PageType
    lead: Lead | None
    part: PagePart | None


@dataclass(frozen=True, slots=True)
class Face:
    """The capture page at one moment."""

    snapshot: StationSnapshot
    tone: Tone
    verdict: str
    lead: Lead | None
    pages: tuple[PagePicture, ...]
    checks: tuple[Check, ...]
    strip: tuple[Shot, ...]
    link_tone: Tone
    room_tone: Tone
    fault_kind: str
    shows_picture: bool
    can_keep: bool
    can_retake: bool
    can_undo: bool
    can_hand_over: bool
    gaps: tuple[GapView, ...] = ()


def face_of(snapshot: StationSnapshot, gaps: tuple[GapView, ...] = ()) -> Face:
    """Return what the capture page shows for `snapshot`; `gaps` are those near the end of the list."""
    last, job = snapshot.last, snapshot.job
    verdict = last.verdict if last else Verdict.PENDING
    can_change = job is not None and snapshot.state in (SessionState.READY, SessionState.PAUSED, SessionState.FAULT)
    shots = tuple(_shot(shot, last) for shot in job.latest[-STRIP_LENGTH:]) if job else ()
    return Face(
        snapshot=snapshot,
        tone=TONE_OF_VERDICT[verdict],
        verdict=verdict.value,
        lead=lead_of(last) if last else None,
        pages=tuple(_picture(page) for page in last.pages) if last else (),
        checks=checks_of(last) if last else (),
        strip=shots,
        link_tone=link_tone(snapshot.link),
        room_tone=_room_tone(snapshot.room_for_captures),
        fault_kind=fault_kind(snapshot.fault) if snapshot.fault else "",
        shows_picture=last is not None and last.delivery in _ON_DISK,
        can_keep=can_change and last is not None and _is_doubtful(last),
        can_retake=job is not None and job.entries > 0 and snapshot.state is SessionState.READY,
        can_undo=can_change and job is not None and job.can_undo,
        can_hand_over=can_change and job is not None and job.entries > 0,
        gaps=gaps,
    )


def lead_of(capture: CaptureView) -> Lead | None:
    """Return the finding that explains the verdict, or the news of a good capture; None where there is none."""
    if capture.verdict is Verdict.PENDING:
        return None
    told = [finding for finding in _all_findings(capture) if _is_told(finding, capture.verdict)]
    if not told:
        return None
    first = max(told, key=lambda finding: _RANK[finding.severity])
    return _lead(capture, first)


def checks_of(capture: CaptureView) -> tuple[Check, ...]:
    """Return every finding once (both pages together), the worst first."""
    leads: dict[str, Check] = {}
    for finding in sorted(_all_findings(capture), key=lambda finding: -_RANK[finding.severity]):
        tone = _TONE_OF_SEVERITY[finding.severity]
        leads.setdefault(finding.code, Check(_lead(capture, finding), tone, finding.limit))
    return tuple(leads.values())


def link_tone(link: LinkView) -> Tone:
    """Return the colour of the line to the centre: being offline is amber and normal, only a refusal is red."""
    if link.rejected or link.damaged or link.state == "refused":
        return "bad"
    return {"online": "ok", "offline": "warn", "no_server": "warn"}.get(link.state, "plain")  # type: ignore[return-value]


def fault_kind(fault: FaultView) -> str:
    """Return which family of advice fits a fault, from the letters of its code."""
    if fault.code in _NO_MORE_PHOTOGRAPHS:
        return "photos"
    letters = fault.code.partition("-")[0].lower()
    return {"cam": "camera", "disk": "disk", "pwr": "power"}.get(letters, "other")


def facts_of(snapshot: StationSnapshot) -> dict[str, object]:
    """Return the snapshot as plain values for a program that reads ``/state``."""
    last, job = snapshot.last, snapshot.job
    return {
        "number": snapshot.number,
        "station": snapshot.station,
        "state": snapshot.state.value,
        "job": job
        and {
            "job_id": job.job_id,
            "title": job.item.title,
            "revision": job.revision,
            "entries": job.entries,
            "pages": job.pages,
            "to_fix": job.to_fix,
            "mute_offer": job.mute_offer,
        },
        "last": last
        and {
            "capture_id": last.capture_id,
            "sequence": last.sequence,
            "number": last.number,
            "verdict": last.verdict.value,
            "delivery": last.delivery.value,
            "pages": len(last.pages),
        },
        "notice": snapshot.notice and {"key": snapshot.notice.key, "number": snapshot.notice.number},
        "fault": snapshot.fault and snapshot.fault.code,
        "link": snapshot.link.state,
        "waiting": snapshot.link.waiting,
        "rejected": snapshot.link.rejected,
        "damaged": snapshot.link.damaged,
        "safe_captures": snapshot.safe_captures,
        "queue_length": snapshot.queue_length,
        "queue_limit": snapshot.queue_limit,
        "disk_free_bytes": snapshot.disk_free_bytes,
        "room_for_captures": snapshot.room_for_captures,
        "reviewing": snapshot.is_reviewing,
        "slot_open": snapshot.slot is not None,
        "walk": snapshot.walk,
        "refused_presses": snapshot.refused_presses,
        "handed_over": [
            {"job_id": job.job_id, "captures": job.captures, "confirmed": job.confirmed, "complete": job.complete}
            for job in snapshot.handed_over
        ],
    }


def _is_told(finding: FindingEntry, verdict: Verdict) -> bool:
    if verdict is Verdict.OK:
        # A warning under a good verdict is one that was muted for this book.
        return finding.severity == "info" and finding.code in _NEWS_OF_A_GOOD_PAGE
    return finding.severity != "info" or verdict is Verdict.UNSURE or finding.code in _NEWS_OF_A_GOOD_PAGE


def _all_findings(capture: CaptureView) -> tuple[FindingEntry, ...]:
    return (*capture.findings, *(finding for page in capture.pages for finding in page.findings))


def _lead(capture: CaptureView, finding: FindingEntry) -> Lead:
    sides: list[Side] = [page.side for page in capture.pages if any(f.code == finding.code for f in page.findings)]
    where: Where = "frame" if not sides else sides[0] if len(sides) == 1 else "both"
    return Lead(finding.code, finding.severity, where, finding.value)


def _picture(page: PageView) -> PagePicture:
    worst = max(page.findings, key=lambda finding: _RANK[finding.severity], default=None)
    tone = _TONE_OF_SEVERITY[worst.severity] if worst else "ok"
    points = " ".join(f"{x:.0f},{y:.0f}" for x, y in page.outline)
    lead = Lead(worst.code, worst.severity, page.side, worst.value) if worst and worst.severity != "info" else None
    return PagePicture(page.side, tone, points, lead)


def _shot(capture: CaptureView, last: CaptureView | None) -> Shot:
    return Shot(
        capture_id=capture.capture_id,
        number=capture.number,
        tone=TONE_OF_VERDICT[capture.verdict],
        verdict=capture.verdict.value,
        on_disk=capture.delivery in _ON_DISK,
        is_last=last is not None and last.capture_id == capture.capture_id,
        page_type=capture.page_type,
        lead=lead_of(capture),
        part=capture.part,
    )


def _is_doubtful(capture: CaptureView) -> bool:
    return capture.verdict in (Verdict.WARN, Verdict.BAD, Verdict.UNSURE) and "bad-kept" not in capture.marks


def _room_tone(room_for_captures: int) -> Tone:
    if room_for_captures <= 0:
        return "bad"
    return "warn" if room_for_captures < LOW_ROOM else "ok"
