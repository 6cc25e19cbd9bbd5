"""All that a screen may ask of the centre, and the snapshots it gets: keys and numbers, never sentences."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from wire.documents import FindingEntry, ItemRef, Side


@dataclass(frozen=True, slots=True)
class StationRow:
    """One station as last heard of. Times are UTC, ISO 8601."""

    station: str
    online: bool
    last_seen_at: str | None
    software: str
    state: str
    fault: str | None
    waiting: int
    rejected: int
    damaged: int
    disk_free_bytes: int
    disk_total_bytes: int
    job_title: str | None
    captures_received: int
    last_received_at: str | None
    last_verdicts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ItemRow:
    """One item and what has arrived of it."""

    item: ItemRef
    captures: int
    pages: int
    listed: int
    """Captures that the newest list names; 0 while no list has come."""
    missing: int
    """Captures that the newest list names and the centre does not hold."""
    handed_over: bool
    worst: str
    """The worst severity among its pages: ``ok``, ``info``, ``warn`` or ``bad``."""
    stations: tuple[str, ...]
    last_received_at: str


@dataclass(frozen=True, slots=True)
class PageRow:
    """One page of an item in reading order, `number` from 1."""

    number: int
    capture_id: str
    side: Side
    width_px: int
    height_px: int
    findings: tuple[FindingEntry, ...]
    has_thumbnail: bool


@dataclass(frozen=True, slots=True)
class Totals:
    """What the centre holds, all together."""

    captures: int
    pages: int
    items: int
    bytes: int
    quarantined: int
    thumbnails_waiting: int


@dataclass(frozen=True, slots=True)
class AskingRow:
    """A station that waits until a person has compared `code`. `address` is where it asks from."""

    request_id: str
    station: str
    code: str
    address: str


@dataclass(frozen=True, slots=True)
class InvitationRow:
    """An invitation to be paired. `text` is what the code to photograph holds, empty once it counts no longer."""

    station: str
    outcome: Literal["open", "paired", "ended"]
    text: str
    host: str
    port: int
    expires_at: str
    asking: tuple[AskingRow, ...]


class PairingApi(Protocol):
    """Pairing as screens see it."""

    def invite(self, station: str) -> None:
        """Invite a station; an older invitation of it counts no longer. Raises `CodedError`."""
        ...

    def invitation(self, station: str) -> InvitationRow:
        """Return the invitation of a station that was given here; raises `KeyError`."""
        ...

    def is_paired(self, station: str) -> bool:
        """Tell whether a machine of that name is let in."""
        ...

    def decide(self, request_id: str, *, approve: bool) -> bool:
        """Do what a person decided after comparing; False where there was nothing left to decide."""
        ...

    def withdraw(self, station: str) -> None:
        """Take an invitation back."""
        ...


class CentralApi(Protocol):
    """The centre as its screens see it."""

    @property
    def pairing(self) -> PairingApi | None:
        """Where stations are paired; None where the configuration does not say."""
        ...

    def totals(self) -> Totals:
        """Return counts over everything."""
        ...

    def stations(self) -> tuple[StationRow, ...]:
        """Return every station, those needing help first."""
        ...

    def items(self, *, limit: int = 100, offset: int = 0) -> tuple[ItemRow, ...]:
        """Return items, the latest first."""
        ...

    def item(self, item_id: str) -> ItemRow:
        """Return one item; raises `KeyError`."""
        ...

    def pages(self, item_id: str) -> tuple[PageRow, ...]:
        """Return the pages of an item in reading order; raises `KeyError`."""
        ...

    def page_file(self, capture_id: str, side: Side) -> Path:
        """Return the file of a page as received; raises `KeyError`."""
        ...

    def thumbnail_file(self, capture_id: str, side: Side) -> Path:
        """Return the thumbnail of a page; raises `KeyError` while there is none."""
        ...

    def locate(self, station: str) -> None:
        """Ask a station to blink its status light; raises `KeyError` for a station that was never approved."""
        ...
