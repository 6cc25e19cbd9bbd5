"""What screens are shown: pure, from the job's list and documents."""

from collections.abc import Mapping
from typing import Final

from appliance.api import CaptureView, Delivery, HandedOverView, JobView, PageView, Verdict
from appliance.jobs.joblist import Entry, leaves_of, parts_of
from appliance.jobs.lookup import Past
from appliance.places import LeavesView
from appliance.session import pace
from appliance.session.job import Job
from appliance.spool.rows import JobRow
from wire.documents import PagePart

LATEST: Final = 12
"""Captures at the end of the list that a strip on a screen has room for."""


def capture_view(
    job: Job,
    capture_id: str,
    entry: Entry | None,
    number: int,
    delivery: Mapping[str, Delivery],
    part: PagePart | None = None,
) -> CaptureView | None:
    """Return one capture; None where its facts have left this disk."""
    facts, pages = job.facts.get(capture_id), job.pages.get(capture_id)
    if facts is None:
        return None
    return CaptureView(
        capture_id=capture_id,
        sequence=facts.sequence,
        number=number,
        page_type=entry.page_type if entry else facts.page_type,
        marks=entry.marks if entry else (),
        verdict=job.verdict(capture_id),
        delivery=delivery.get(capture_id, Delivery.SAFE),
        frame_width_px=facts.frames[0].width_px,
        frame_height_px=facts.frames[0].height_px,
        pages=tuple(
            PageView(page.side, page.outline, page.width_px, page.height_px, page.findings)
            for page in (pages.pages if pages else ())
        ),
        findings=pages.findings if pages else (),
        label=(entry.label or "") if entry else "",
        replaced=len(entry.supersedes) if entry else 0,
        part=part,
    )


def last_view(job: Job, capture_id: str | None, delivery: Mapping[str, Delivery]) -> CaptureView | None:
    """Return the capture that the verdict is about, wherever it stands in the list now."""
    if capture_id is None:
        return None
    parts = parts_of(job.list.entries, job.list.opened.parts)
    for number, entry in reversed(list(enumerate(job.list.entries, start=1))):
        if entry.capture_id == capture_id:
            return capture_view(job, capture_id, entry, number, delivery, parts.get(capture_id))
    return capture_view(job, capture_id, None, 0, delivery)


def capture_views(job: Job, delivery: Mapping[str, Delivery], *, first: int = 0) -> tuple[CaptureView, ...]:
    """Return the captures of the list from place `first` on (from 0)."""
    parts = parts_of(job.list.entries, job.list.opened.parts)
    views = (
        capture_view(job, entry.capture_id, entry, number, delivery, parts.get(entry.capture_id))
        for number, entry in enumerate(job.list.entries[first:], start=first + 1)
    )
    return tuple(view for view in views if view is not None)


def job_view(job: Job, delivery: Mapping[str, Delivery]) -> JobView:
    """Return the open job and the end of its list."""
    entries = job.list.entries
    done = [job.pages[entry.capture_id] for entry in entries if entry.capture_id in job.pages]
    parts, expected = parts_of(entries, job.list.opened.parts), job.list.opened.pages_expected
    pages = sum(len(one.pages) for one in done if one.capture_id not in parts)
    pages += len({part.page for part in parts.values()})
    presses = [(one.boot_id, one.monotonic_ns) for one in list(job.facts.values())[-pace.LATEST :]]
    now = pace.pace_of(presses, pages, len(done), expected)
    return JobView(
        job_id=job.job_id,
        item=job.list.opened.item,
        revision=job.list.revision,
        entries=len(entries),
        pages=pages,
        to_fix=sum(job.standing(entry.capture_id) is Verdict.BAD for entry in entries),
        latest=capture_views(job, delivery, first=max(0, len(entries) - LATEST)),
        can_undo=job.can_undo,
        pages_expected=expected,
        leaves=leaves_view(job),
        mute_offer=job.mute_offer,
        muted=job.list.muted,
        condition=job.list.condition,
        condition_note=job.list.condition_note,
        shift_note=job.shift_note,
        pages_per_hour=now.pages_per_hour if now else None,
        minutes_left=now.minutes_left if now else None,
    )


def leaves_view(job: Job) -> LeavesView | None:
    """Return how rectos and versos stand; None in every layout but that of the V-cradle."""
    if job.list.opened.layout != "rectos-versos":
        return None
    versos, without = job.list.versos or frozenset(), job.list.without
    pairs = leaves_of(job.list.entries, versos, without or ())
    return LeavesView(
        pairs=tuple((recto.capture_id if recto else "", verso.capture_id if verso else "") for recto, verso in pairs),
        versos_began=job.list.versos is not None,
        without=without,
    )


def handed_over_view(row: JobRow, past: Past | None) -> HandedOverView:
    """Return a job that was handed over."""
    item = past.item if past else None
    texts = (item.barcode or "", item.call_number or "", item.part or "") if item else ()
    title = item.title or "" if item else ""
    return HandedOverView(row.job_id, title, row.captures, row.received, row.complete, *texts)
