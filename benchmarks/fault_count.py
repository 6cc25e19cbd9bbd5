"""What came of it all: counted from the disks of both sides after the fact, every byte hashed once more."""

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from appliance.jobs.joblist import document
from appliance.model import SOFTWARE
from appliance.session.job import Job
from appliance.spool import Spool
from benchmarks.fault_listener import SAFE_EVENT
from central.audit import audit
from central.catalogue import Catalogue
from central.config import CentralConfig
from central.receiving.staging import StoreLayout, read_receipt, same_files
from wire import codec
from wire.digest import sha256_of
from wire.documents import CAPTURE_FILE, LIST_FILE, PAGES_FILE, CaptureDocument, JobListDocument
from wire.messages import FileEntry, Receipt

_SHOWN: Final = 5


@dataclass(slots=True)
class Verdict:
    """The count; every list names what is wrong, and an empty one is what was promised."""

    safe: int = 0
    jobs: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    mismatches: list[str] = field(default_factory=list)
    out_of_order: list[str] = field(default_factory=list)
    audit: list[str] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        """Whether nothing is wrong."""
        return not (self.lost or self.doubled or self.mismatches or self.out_of_order or self.audit)

    def names(self) -> Iterator[tuple[str, list[str]]]:
        """Yield each kind of wrong and the first few of it."""
        for kind in ("lost", "doubled", "mismatches", "out_of_order", "audit"):
            yield kind, getattr(self, kind)[:_SHOWN]


@dataclass(frozen=True, slots=True)
class _Stored:
    """A capture at the centre."""

    facts: CaptureDocument
    receipt: Receipt


def announced(log_folder: Path) -> list[str]:
    """Return every capture that an event log calls safe, one entry an announcement."""
    found: list[str] = []
    for log in sorted(log_folder.glob("events*.jsonl")):
        found += [name.decode() for name in SAFE_EVENT.findall(log.read_bytes())]
    return found


def delivery_seconds(log_folder: Path) -> list[float]:
    """Return how long each capture took from being processed to its receipt, in order of length."""
    began: dict[str, int] = {}
    took: list[float] = []
    for log in sorted(log_folder.glob("events*.jsonl")):
        for line in log.read_bytes().splitlines():
            with suppress(ValueError):
                event = json.loads(line)
                if event["event"] == "capture.processed":
                    began[event["capture_id"]] = event["monotonic_ns"]
                elif event["event"] == "capture.received" and event["capture_id"] in began:
                    took.append((event["monotonic_ns"] - began.pop(event["capture_id"])) / 1e9)
    return sorted(took)


def count(spool_folder: Path, station: str, central: CentralConfig, shown: set[str]) -> Verdict:
    """Count; both sides' processes are stopped."""
    verdict = Verdict()
    events = announced(spool_folder / "log")
    safe = set(events) | shown
    verdict.safe = len(safe)
    layout = StoreLayout(central.store)
    stored = _stored(layout, verdict)
    verdict.lost = sorted(safe - stored.keys())
    verdict.doubled += [f"announced twice: {name}" for name, number in Counter(events).items() if number > 1]
    numbers = Counter(one.facts.sequence for one in stored.values())
    verdict.doubled += [f"sequence {number} stored twice" for number, times in numbers.items() if times > 1]
    with Spool.open(spool_folder, station) as spool:
        _compare_receipts(spool_folder / "station.db", stored, verdict)
        _compare_lists(spool, station, layout, stored, safe, verdict)
    with Catalogue(central.database_url) as catalogue:
        report = audit(layout, catalogue)
    verdict.audit = [f"{fault.object} {fault.file} {fault.problem}" for fault in report.faults]
    return verdict


def _stored(layout: StoreLayout, verdict: Verdict) -> dict[str, _Stored]:
    stored = {}
    for folder in sorted(one for one in layout.staging.iterdir() if one.is_dir()):
        receipt = read_receipt(folder)
        if receipt is None:
            verdict.mismatches.append(f"{folder.name} has no receipt")
            continue
        facts = codec.decode_capture((folder / CAPTURE_FILE).read_bytes())
        pages = codec.decode_pages((folder / PAGES_FILE).read_bytes())
        described = [FileEntry(one.file, one.size, one.sha256) for one in facts.frames]
        described += [FileEntry(one.file, one.size, one.sha256) for one in pages.pages]
        verdict.mismatches += _differences(folder, (*receipt.files, *described))
        if facts.capture_id != folder.name:
            verdict.mismatches.append(f"{folder.name} holds {facts.capture_id}")
        stored[facts.capture_id] = _Stored(facts, receipt)
    return stored


def _differences(folder: Path, files: Iterable[FileEntry]) -> Iterator[str]:
    for entry in files:
        try:
            content = (folder / entry.name).read_bytes()
        except OSError as error:
            yield f"{folder.name}/{entry.name}: {error.strerror}"
            continue
        if len(content) != entry.size or sha256_of(content) != entry.sha256:
            yield f"{folder.name}/{entry.name} is not what was promised"


def _compare_receipts(index: Path, stored: dict[str, _Stored], verdict: Verdict) -> None:
    """The station's own word: what it holds a receipt for is there, with the files that it offered."""
    with closing(sqlite3.connect(index)) as connection:
        kept = connection.execute("SELECT id, document FROM receipts WHERE kind = 'capture'").fetchall()
    for capture_id, content in kept:
        receipt, there = codec.decode_reply(content.encode()), stored.get(capture_id)
        if there is None:
            verdict.lost.append(f"{capture_id}, for which the station has a receipt")
        elif not isinstance(receipt, Receipt) or not same_files(receipt.files, there.receipt.files):
            verdict.mismatches.append(f"{capture_id}: the two sides' receipts differ")


def _compare_lists(
    spool: Spool, station: str, layout: StoreLayout, stored: dict[str, _Stored], safe: set[str], verdict: Verdict
) -> None:
    listed: Counter[str] = Counter()
    for row in spool.jobs():
        if not spool.changes(row.job_id):
            verdict.out_of_order.append(f"{row.job_id} has no history")
            continue
        verdict.jobs += 1
        job = Job(spool, row.job_id, station, lambda: datetime.now(UTC).isoformat())
        ours = document(job.list, job_id=row.job_id, station=station, software=SOFTWARE)
        theirs = _newest_list(layout.lists / row.job_id)
        if theirs is None:
            verdict.lost.append(f"the list of {row.job_id}")
            continue
        if (ours.revision, ours.entries, ours.removed) != (theirs.revision, theirs.entries, theirs.removed):
            verdict.out_of_order.append(f"{row.job_id}: the centre's list is not the station's")
        verdict.out_of_order += _disorder(theirs, stored)
        listed.update(_named(theirs))
    verdict.doubled += [f"{name} stands {times} times in lists" for name, times in listed.items() if times > 1]
    verdict.lost += [f"{name} stands in no list" for name in sorted(safe - listed.keys())]


def _newest_list(folder: Path) -> JobListDocument | None:
    revisions = sorted((one for one in folder.glob("*") if one.is_dir()), key=lambda one: int(one.name))
    return codec.decode_job_list((revisions[-1] / LIST_FILE).read_bytes()) if revisions else None


def _named(job_list: JobListDocument) -> Iterator[str]:
    for entry in job_list.entries:
        yield entry.capture_id
        yield from entry.supersedes
    yield from job_list.removed


def _disorder(job_list: JobListDocument, stored: dict[str, _Stored]) -> Iterator[str]:
    """Nothing was moved, so each place's first capture comes after the one of the place before."""
    places: dict[str, list[int]] = defaultdict(list)
    for entry in job_list.entries:
        first = stored.get((*entry.supersedes, entry.capture_id)[0])
        if first is not None:
            places[job_list.job_id].append(first.facts.sequence)
    for job_id, numbers in places.items():
        if numbers != sorted(set(numbers)):
            yield f"{job_id}: sequences {numbers}"


def to_json(verdict: Verdict, **figures: object) -> str:
    """Return the one line that a program reads."""
    wrong = {kind: len(getattr(verdict, kind)) for kind, _ in verdict.names()}
    return json.dumps({"safe": verdict.safe, "jobs": verdict.jobs, **wrong, **figures}, ensure_ascii=False)
