"""A store without a broker, filled as a worker's archive fills it."""

from contextlib import closing
from pathlib import Path

from central.archive import Archive
from central.catalogue import Catalogue
from central.config import default_database
from central.office import Office
from central.receiving.staging import Staging, StoreLayout
from tests.central.station_client import Package
from wire.ids import new_id


class Store:
    """A store without a broker: objects are put in as a worker's archive does it."""

    def __init__(self, root: Path, url: str | None = None) -> None:
        self.layout = StoreLayout(root)
        self.layout.create()
        self.url = url or default_database(root)
        self.catalogue = Catalogue(self.url)
        self.office = Office(self.catalogue, self.layout)
        self._minute = 0

    def put(self, *packages: Package) -> None:
        with closing(Staging(self.layout, "w1")) as staging:
            archive = Archive(staging, self.catalogue, "w1")
            for package in packages:
                self._minute += 1
                incoming = staging.open(new_id(), package.entries, {})
                for name, data in package.files.items():
                    incoming.write(name, 0, data)
                assert all(incoming.prove(entry) for entry in package.entries)
                at = f"2026-01-01T00:{self._minute:02d}:00.000000Z"
                archive.keep(incoming, package.ref, package.station, package.entries, at)

    def order(self, item_id: str = "item-1") -> list[tuple[str, str]]:
        return [(page.capture_id, page.side) for page in self.office.pages(item_id)]
