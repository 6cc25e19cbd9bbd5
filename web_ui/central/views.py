"""From rows to what the centre's pages show: decisions as keys and numbers. Pure; the words are in the templates."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from central.api import ItemRow, PageRow, StationRow, Totals
from wire.documents import FindingEntry

Tone = Literal["ok", "warn", "bad", "info", "plain"]
_RANK = {"bad": 2, "warn": 1, "info": 0}
_TONE: dict[str, Tone] = {"bad": "bad", "warn": "warn", "info": "info", "ok": "ok"}
LOW_DISK_SHARE = 0.1
"""Free share of a station's disk below which it needs a look."""
VERDICTS = ("ok", "warn", "unsure", "bad")


@dataclass(frozen=True, slots=True)
class StationCard:
    """One station. `trouble` is the key of what is wrong first: fault, offline, rejected, damaged, disk or nothing."""

    row: StationRow
    tone: Tone
    trouble: str
    disk_used_percent: int
    verdict_counts: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class ItemLine:
    """One item of the list. `state` is a key: capturing, missing or complete."""

    row: ItemRow
    state: str
    tone: Tone


@dataclass(frozen=True, slots=True)
class Home:
    """The first page."""

    totals: Totals
    stations: tuple[StationCard, ...]
    well: int
    to_look_at: int
    waiting: int
    items: tuple[ItemLine, ...]
    page: int
    has_more: bool


@dataclass(frozen=True, slots=True)
class PageCard:
    """One page of an item, its findings the worst first."""

    row: PageRow
    tone: Tone
    findings: tuple[FindingEntry, ...]


@dataclass(frozen=True, slots=True)
class ItemView:
    """One item and its pages in reading order."""

    line: ItemLine
    pages: tuple[PageCard, ...]
    doubtful: int


@dataclass(frozen=True, slots=True)
class PageView:
    """One page large, and its neighbours' numbers."""

    line: ItemLine
    page: PageCard
    count: int
    previous: int | None
    next: int | None


def home_of(
    totals: Totals, stations: Sequence[StationRow], items: Sequence[ItemRow], page: int = 0, per_page: int = 100
) -> Home:
    """Return the first page; `items` may hold one more than `per_page`, which then only says that there are more."""
    cards = tuple(station_card(row) for row in stations)
    well = sum(card.trouble == "" for card in cards)
    return Home(
        totals=totals,
        stations=cards,
        well=well,
        to_look_at=len(cards) - well,
        waiting=sum(row.waiting for row in stations),
        items=tuple(item_line(row) for row in items[:per_page]),
        page=page,
        has_more=len(items) > per_page,
    )


def station_card(row: StationRow) -> StationCard:
    """Return a station with what is wrong first."""
    free_share = row.disk_free_bytes / row.disk_total_bytes if row.disk_total_bytes else 1.0
    trouble, tone = _trouble(row, free_share)
    counts = Counter(row.last_verdicts)
    return StationCard(
        row=row,
        tone=tone,
        trouble=trouble,
        disk_used_percent=round(100 * (1 - free_share)),
        verdict_counts=tuple((verdict, counts[verdict]) for verdict in VERDICTS if counts[verdict]),
    )


def item_line(row: ItemRow) -> ItemLine:
    """Return an item with its state: what the newest list names is all here, or not yet."""
    if row.missing:
        return ItemLine(row, "missing", "warn")
    if not row.handed_over:
        return ItemLine(row, "capturing", "info")
    return ItemLine(row, "complete", "ok")


def item_of(row: ItemRow, pages: Sequence[PageRow]) -> ItemView:
    """Return an item with its pages."""
    cards = tuple(page_card(page) for page in pages)
    return ItemView(item_line(row), cards, sum(card.tone in ("warn", "bad") for card in cards))


def page_of(row: ItemRow, pages: Sequence[PageRow], number: int) -> PageView:
    """Return page `number` (from 1) of an item; raises `KeyError` where there is none."""
    for at, page in enumerate(pages):
        if page.number == number:
            previous = pages[at - 1].number if at else None
            following = pages[at + 1].number if at + 1 < len(pages) else None
            return PageView(item_line(row), page_card(page), len(pages), previous, following)
    raise KeyError(number)


def page_card(row: PageRow) -> PageCard:
    """Return a page with its findings sorted and its colour."""
    findings = tuple(sorted(row.findings, key=lambda finding: -_RANK[finding.severity]))
    return PageCard(row, _TONE[findings[0].severity] if findings else "ok", findings)


def metrics_of(totals: Totals, stations: Sequence[StationRow]) -> str:
    """Return counts as text, one a line: a name, a space, a number."""
    values = {
        "lattrang_captures": totals.captures,
        "lattrang_pages": totals.pages,
        "lattrang_items": totals.items,
        "lattrang_bytes": totals.bytes,
        "lattrang_quarantined": totals.quarantined,
        "lattrang_thumbnails_waiting": totals.thumbnails_waiting,
        "lattrang_stations": len(stations),
        "lattrang_stations_online": sum(row.online for row in stations),
        "lattrang_captures_waiting_on_stations": sum(row.waiting for row in stations),
    }
    return "".join(f"{name} {value}\n" for name, value in values.items())


def _trouble(row: StationRow, free_share: float) -> tuple[str, Tone]:
    if row.fault:
        return "fault", "bad"
    if row.damaged:
        return "damaged", "bad"
    if row.rejected:
        return "rejected", "bad"
    if not row.online:
        return "offline", "warn"
    if free_share < LOW_DISK_SHARE:
        return "disk", "warn"
    return "", "ok"
