"""A centre in memory, drawn pages included: the smallest thing that keeps the contract."""

from dataclasses import dataclass, field, replace
from pathlib import Path

from central.api import AskingRow, CentralApi, InvitationRow, ItemRow, PageRow, PairingApi, StationRow, Totals
from central.errors import AuthorityError
from tests.web_ui.fakes import BLUR, CUT, ITEM, LEFT, RIGHT, SKEW, draw_spread, jpeg_of
from wire.documents import ItemRef, Side

PAIRING_CODE = "LATTRANG:1/10.0.0.5:8884/AAAA/BBBB/KHO-1"
WAITING_STATION = AskingRow("request-1", "kho-1", "7K0M-1XPD", "10.0.0.9")


class FakePairing(PairingApi):
    """One invitation, and what a person decided."""

    def __init__(self) -> None:
        self.row: InvitationRow | None = None
        self.decided: list[tuple[str, bool]] = []
        self.fails = False
        self.paired: set[str] = set()

    def invite(self, station: str) -> None:
        if self.fails:
            raise AuthorityError("CERT-01", "No.", "Restore it.")
        self.row = InvitationRow(station, "open", PAIRING_CODE, "10.0.0.5", 8884, "2026-01-02T03:04:05.000000Z", ())

    def invitation(self, station: str) -> InvitationRow:
        if self.row is None or self.row.station != station:
            raise KeyError(station)
        return self.row

    def is_paired(self, station: str) -> bool:
        return station in self.paired

    def decide(self, request_id: str, *, approve: bool) -> bool:
        self.decided.append((request_id, approve))
        return request_id == WAITING_STATION.request_id

    def withdraw(self, station: str) -> None:
        self.row = None

    def becomes(self, outcome: str, *asking: AskingRow) -> None:
        text = PAIRING_CODE if outcome == "open" else ""
        self.row = InvitationRow("kho-1", outcome, text, "10.0.0.5", 9000, "2026-01-02T03:04:05.0Z", asking)  # type: ignore[arg-type]


@dataclass
class FakeCentral(CentralApi):
    """Rows in lists and drawn pages in a folder."""

    folder: Path
    rows: tuple[StationRow, ...] = ()
    item_rows: tuple[ItemRow, ...] = ()
    page_rows: dict[str, tuple[PageRow, ...]] = field(default_factory=dict)
    counts: Totals = field(default_factory=lambda: Totals(0, 0, 0, 0, 0, 0))
    located: list[str] = field(default_factory=list)
    pairing: PairingApi | None = None

    def totals(self) -> Totals:
        return self.counts

    def stations(self) -> tuple[StationRow, ...]:
        return self.rows

    def items(self, *, limit: int = 100, offset: int = 0) -> tuple[ItemRow, ...]:
        return self.item_rows[offset : offset + limit]

    def item(self, item_id: str) -> ItemRow:
        return {row.item.item_id: row for row in self.item_rows}[item_id]

    def pages(self, item_id: str) -> tuple[PageRow, ...]:
        return self.page_rows[item_id]

    def page_file(self, capture_id: str, side: Side) -> Path:
        known = {(page.capture_id, page.side): page for pages in self.page_rows.values() for page in pages}
        page = known[capture_id, side]
        file = self.folder / f"{capture_id}-{side}.jpg"
        if not file.exists():
            spread = draw_spread(page.number)
            xs, ys = zip(*(LEFT if side == "left" else RIGHT), strict=True)
            file.write_bytes(jpeg_of(spread.crop((int(min(xs)), int(min(ys)), int(max(xs)), int(max(ys))))))
        return file

    def thumbnail_file(self, capture_id: str, side: Side) -> Path:
        return self.page_file(capture_id, side)

    def locate(self, station: str) -> None:
        if station not in {row.station for row in self.rows}:
            raise KeyError(station)
        self.located.append(station)


def station_row(name: str, **changes: object) -> StationRow:
    row = StationRow(
        station=name,
        online=True,
        last_seen_at="2026-11-22T02:00:00Z",
        software="0.1.0",
        state="ready",
        fault=None,
        waiting=0,
        rejected=0,
        damaged=0,
        disk_free_bytes=212 * 10**9,
        disk_total_bytes=500 * 10**9,
        job_title="Chuyện bên sông Trà",
        captures_received=641,
        last_received_at="2026-11-22T01:59:00Z",
        last_verdicts=("ok",) * 14 + ("warn", "ok", "bad", "ok", "unsure", "ok"),
    )
    return replace(row, **changes)  # type: ignore[arg-type]


def busy_central(folder: Path) -> FakeCentral:
    """A centre on an ordinary day: one fault, one station offline, four items in every state."""
    findings = {3: (BLUR,), 6: (CUT,), 7: (SKEW,)}
    pairing = FakePairing()
    pairing.becomes("open", WAITING_STATION)
    pages = tuple(
        PageRow(n, f"capture-{(n + 1) // 2}", "left" if n % 2 else "right", 566, 840, findings.get(n, ()), n != 10)
        for n in range(1, 13)
    )
    other = replace_item("item-2", "Địa bạ huyện Tư Nghĩa", "QNG-003169")
    return FakeCentral(
        folder,
        pairing=pairing,
        rows=(
            station_row("tram-03", fault="CAM-02", state="fault", job_title=None),
            station_row("tram-02", online=False, waiting=6, last_seen_at="2026-11-22T01:48:00Z"),
            station_row("tram-01", job_title="Địa bạ huyện Tư Nghĩa"),
            station_row("tram-04", job_title=None, last_verdicts=()),
        ),
        item_rows=(
            ItemRow(ITEM, 6, 12, 6, 0, True, "bad", ("tram-02",), "2026-11-22T01:58:00Z"),
            ItemRow(other, 44, 88, 50, 6, True, "warn", ("tram-01", "tram-02"), "2026-11-22T01:20:00Z"),
            ItemRow(replace_item("item-3", None, None), 4, 8, 0, 0, False, "ok", ("tram-01",), "2026-11-21T09:00:00Z"),
        ),
        page_rows={"item-1": pages, "item-2": pages[:4], "item-3": ()},
        counts=Totals(20_954, 41_902, 412, 182 * 10**9, 2, 1),
    )


def replace_item(item_id: str, title: str | None, barcode: str | None) -> ItemRef:
    return ItemRef(item_id=item_id, title=title, barcode=barcode)
