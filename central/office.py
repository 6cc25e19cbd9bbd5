"""The centre as screens see it: reads the catalogue, puts commands into the outbox."""

from pathlib import Path
from typing import Final

from central import clock
from central.api import ItemRow, PageRow, PairingApi, StationRow, Totals
from central.catalogue import Catalogue, fleet_records, queries
from central.receiving.staging import StoreLayout
from wire.documents import Side
from wire.ids import new_id
from wire.messages import Locate

SILENT_AFTER_S: Final = 90.0
"""Stations say every half minute how they are."""
LOCATE_LIFE_S: Final = 60.0
"""A station that comes back an hour later shall not blink at nobody."""


class Office:
    """Implements `central.api.CentralApi`; every call is one short look at the catalogue."""

    def __init__(self, catalogue: Catalogue, layout: StoreLayout, pairing: PairingApi | None = None) -> None:
        """Look at `catalogue` and the folders of `layout`; neither is closed here."""
        self.pairing = pairing
        self._catalogue = catalogue
        self._layout = layout

    def totals(self) -> Totals:
        """Return counts over everything."""
        with self._catalogue.read() as connection:
            return queries.totals(connection)

    def stations(self) -> tuple[StationRow, ...]:
        """Return every station, those needing help first."""
        with self._catalogue.read() as connection:
            return fleet_records.station_rows(connection, clock.after(-SILENT_AFTER_S))

    def items(self, *, limit: int = 100, offset: int = 0) -> tuple[ItemRow, ...]:
        """Return items, the latest first."""
        with self._catalogue.read() as connection:
            return queries.item_rows(connection, limit=limit, offset=offset)

    def item(self, item_id: str) -> ItemRow:
        """Return one item; raises `KeyError`."""
        with self._catalogue.read() as connection:
            return queries.item_row(connection, item_id)

    def pages(self, item_id: str) -> tuple[PageRow, ...]:
        """Return the pages of an item in reading order; raises `KeyError`."""
        with self._catalogue.read() as connection:
            return queries.page_rows(connection, item_id)

    def page_file(self, capture_id: str, side: Side) -> Path:
        """Return the file of a page as received; raises `KeyError`."""
        # Only names that the catalogue knows ever become a path: nothing from an address does.
        with self._catalogue.read() as connection:
            return self._layout.staging / capture_id / queries.page_file_name(connection, capture_id, side)

    def thumbnail_file(self, capture_id: str, side: Side) -> Path:
        """Return the thumbnail of a page; raises `KeyError` while there is none."""
        with self._catalogue.read() as connection:
            queries.page_file_name(connection, capture_id, side)
        path = self._layout.thumbnail_file(capture_id, side)
        if not path.is_file():
            raise KeyError((capture_id, side))
        return path

    def locate(self, station: str) -> None:
        """Ask a station to blink its status light; raises `KeyError` for a station that was never approved."""
        with self._catalogue.write() as connection:
            if not fleet_records.is_approved(connection, station):
                raise KeyError(station)
            command = Locate(command_id=new_id())
            fleet_records.add_command(connection, station, command, clock.now(), clock.after(LOCATE_LIFE_S))
