"""What the catalogue says of a store, made the way a worker makes it; and that the folders alone can make it again."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import insert, select

from central import clock
from central.archive import adopt
from central.audit import AuditFault, audit, rebuild, rebuild_catalogue
from central.catalogue import Catalogue, fleet_records, records, schema
from central.config import BrokerConfig, CentralConfig, WebConfig, WorkerLimits
from central.errors import CatalogueError
from tests.central.station_client import Package, capture, job_list
from tests.central.store import Store
from tests.racing import what_openers_hear
from wire import codec
from wire.documents import FindingEntry, ListEntry
from wire.messages import StationStatus

WARN = FindingEntry(code="skew", severity="warn", value=3.0, limit=1.5)


@pytest.fixture(params=["sqlite", "postgresql"])
def store(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Store]:
    url = request.getfixturevalue("postgres").database() if request.param == "postgresql" else None
    store = Store(tmp_path / "store", url)
    yield store
    store.catalogue.close()


def spreads(*captures: Package, sides: tuple[str, ...] = ("left", "right")) -> list[tuple[str, str]]:
    return [(one.ref.id, side) for one in captures for side in sides]


def test_before_a_list_comes_pages_follow_the_stations_own_count_not_their_arrival(store: Store) -> None:
    third, first, second = (capture("kho-1", sequence=number) for number in (3, 1, 2))
    store.put(third, first, second)
    assert store.order() == spreads(first, second, third)
    assert [page.number for page in store.office.pages("item-1")] == [1, 2, 3, 4, 5, 6]


def test_the_newest_list_decides_and_what_came_after_it_follows(store: Store) -> None:
    one, two, retake, removed, later = (capture("kho-1", sequence=number) for number in range(1, 6))
    store.put(one, two, retake, removed, later)
    store.put(job_list("kho-1", [one.ref.id, two.ref.id], revision=3))
    entries = (ListEntry(capture_id=retake.ref.id, supersedes=(one.ref.id,)), ListEntry(capture_id=two.ref.id))
    newest = job_list("kho-1", [], revision=12, removed=(removed.ref.id,))
    document = msgspec.structs.replace(codec.decode_job_list(newest.files["list.json"]), entries=entries)
    store.put(replace(newest, files={"list.json": codec.encode(document)}))
    store.put(job_list("kho-1", [one.ref.id], revision=2))
    assert store.order() == spreads(retake, two, later)
    row = store.office.item("item-1")
    assert (row.captures, row.pages, row.listed, row.missing, row.handed_over) == (3, 6, 2, 0, True)


def test_a_book_that_runs_right_to_left_is_read_right_page_first(store: Store) -> None:
    one = capture("kho-1")
    store.put(one, job_list("kho-1", [one.ref.id], reading_direction="right-to-left"))
    assert store.order() == spreads(one, sides=("right", "left"))


def test_two_sittings_on_two_stations_follow_one_another(store: Store) -> None:
    first = [capture("kho-1", sequence=number, job_id="job-a") for number in (7, 8)]
    second = [capture("kho-2", sequence=number, job_id="job-b") for number in (1, 2)]
    store.put(*first, *second)
    assert store.order() == spreads(*first, *second)
    assert store.office.item("item-1").stations == ("kho-1", "kho-2")


def test_an_item_says_what_is_missing_and_how_bad_its_worst_page_is(store: Store) -> None:
    one = capture("kho-1", findings=(WARN,))
    store.put(one, job_list("kho-1", [one.ref.id, "not-here"], state="open"))
    row = store.office.item("item-1")
    assert (row.listed, row.missing, row.worst, row.handed_over) == (2, 1, "warn", False)
    assert store.office.pages("item-1")[0].findings == (WARN,)


def test_totals_and_items_count_everything_once(store: Store) -> None:
    books = [capture("kho-1", sequence=number, item_id=f"item-{number}", job_id=f"j{number}") for number in (1, 2, 3)]
    store.put(*books)
    totals = store.office.totals()
    assert (totals.captures, totals.pages, totals.items, totals.thumbnails_waiting) == (3, 6, 3, 6)
    assert totals.bytes == sum(entry.size for book in books for entry in book.entries)
    assert [row.item.item_id for row in store.office.items(limit=2)] == ["item-3", "item-2"]
    assert [row.item.item_id for row in store.office.items(limit=2, offset=2)] == ["item-1"]


def test_what_is_not_there_is_a_key_error_also_for_paths_that_point_outside(store: Store) -> None:
    store.put(capture("kho-1"))
    for ask in (
        lambda: store.office.item("none"),
        lambda: store.office.pages("none"),
        lambda: store.office.page_file("../../etc/passwd", "left"),
        lambda: store.office.thumbnail_file("..", "left"),
        lambda: store.office.locate("nobody"),
    ):
        with pytest.raises(KeyError):
            ask()


def test_stations_that_need_help_come_first(store: Store) -> None:
    with store.catalogue.write() as connection:
        for name, changes in (
            ("well", {}),
            ("broken", {"fault": "CAM-02"}),
            ("refused", {"rejected": 2}),
            ("away", {"online": False}),
            ("gone", {}),
        ):
            fleet_records.approve(connection, name, "2026-01-01T00:00:00Z")
            values = {"station": name, "online": True, **changes}
            fleet_records.note_status(connection, {name: StationStatus(**values)}, clock.now())  # type: ignore[arg-type]
        fleet_records.revoke(connection, "gone", "2026-01-01T00:00:02Z")
    store.put(capture("unheard"))
    names = [row.station for row in store.office.stations()]
    assert names[:2] == ["broken", "refused"]
    assert names[-1] == "well"
    assert "gone" not in names
    assert {row.station: row.captures_received for row in store.office.stations()}["unheard"] == 1


def everything(catalogue: Catalogue) -> dict[str, list[tuple[object, ...]]]:
    tables = (schema.captures, schema.pages, schema.items, schema.lists, schema.list_entries)
    with catalogue.read() as connection:
        return {one.name: sorted(map(tuple, connection.execute(select(one))), key=repr) for one in tables}


def filled(store: Store) -> list[Package]:
    books = [capture("kho-1", sequence=number, findings=(WARN,)) for number in range(1, 5)]
    ids = [one.ref.id for one in books]
    lists = [job_list("kho-1", ids[:number], revision=number) for number in (2, 10)]
    store.put(*books[:2], lists[0], *books[2:], lists[1])
    return books


def test_the_folders_alone_make_the_same_catalogue_again(store: Store, tmp_path: Path) -> None:
    filled(store)
    with Catalogue(f"sqlite:///{tmp_path / 'new.db'}") as new:
        report = rebuild(store.layout, new)
        assert (report.captures, report.lists, report.not_understood) == (4, 2, ())
        assert everything(new) == everything(store.catalogue)
    rebuild(store.layout, store.catalogue)
    with Catalogue(f"sqlite:///{tmp_path / 'new.db'}") as new:
        assert everything(new) == everything(store.catalogue)


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_a_damaged_database_is_moved_aside_and_made_again(store: Store) -> None:
    filled(store)
    before = everything(store.catalogue)
    store.catalogue.close()
    database = store.layout.root / "catalogue.db"
    for path in store.layout.root.glob("catalogue.db*"):
        path.unlink()
    database.write_bytes(b"this is not a database" * 1000)
    config = CentralConfig(
        store=store.layout.root,
        database_url=store.url,
        broker=BrokerConfig("127.0.0.1", 1, store.layout.root),
        web=WebConfig("127.0.0.1", 0, store.layout.root),
        limits=WorkerLimits(),
    )
    assert rebuild_catalogue(config).captures == 4
    assert list(store.layout.root.glob("catalogue.db.damaged-*"))
    with Catalogue(store.url) as catalogue:
        assert everything(catalogue) == before


def test_a_folder_that_cannot_be_understood_is_named_and_the_rest_is_rebuilt(store: Store) -> None:
    books = filled(store)
    (store.layout.staging / books[0].ref.id / "receipt.json").write_bytes(b"{}")
    report = rebuild(store.layout, store.catalogue)
    assert report.captures == 3
    assert report.not_understood == (str(store.layout.staging / books[0].ref.id),)


def test_an_audit_of_a_sound_store_finds_nothing_and_says_what_it_looked_at(store: Store) -> None:
    books = filled(store)
    report = audit(store.layout, store.catalogue)
    assert report.faults == ()
    assert (report.objects, report.files) == (6, 4 * len(books[0].files) + 2)


def test_an_audit_names_every_file_that_changed_vanished_or_came_from_nowhere(store: Store) -> None:
    books = filled(store)
    folders = [store.layout.staging / one.ref.id for one in books]
    (folders[0] / "left.jpg").write_bytes(b"bit rot")
    (folders[1] / "right.jpg").unlink()
    shutil.rmtree(folders[2])
    shutil.copytree(folders[3], store.layout.staging / "stranger")
    faults = set(audit(store.layout, store.catalogue).faults)
    assert faults == {
        AuditFault(books[0].ref.id, "left.jpg", "mismatch"),
        AuditFault(books[1].ref.id, "right.jpg", "missing"),
        AuditFault(books[2].ref.id, "", "missing"),
        AuditFault("stranger", "", "unknown"),
    }


def test_recording_an_object_twice_changes_nothing(store: Store) -> None:
    books = filled(store)
    before = everything(store.catalogue)
    adopt(store.layout.staging / books[0].ref.id, store.catalogue)
    assert everything(store.catalogue) == before


def test_a_write_that_fails_half_way_leaves_nothing(store: Store) -> None:
    def fail_half_way() -> None:
        with store.catalogue.write() as connection:
            records.count_quarantined(connection, [("MSG-01", 3)], "2026-01-01T00:00:00Z")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_half_way()
    assert store.office.totals().quarantined == 0


def test_a_catalogue_from_the_future_is_not_touched(store: Store) -> None:
    with store.catalogue.write() as connection:
        connection.execute(insert(schema.schema_versions).values(version=99, applied_at="2030"))
    with pytest.raises(CatalogueError) as caught:
        Catalogue(store.url)
    assert caught.value.code == "CAT-02"


def test_a_catalogue_that_cannot_be_reached_is_a_coded_error(tmp_path: Path) -> None:
    nobody_there = f"postgresql://lattrang@/catalogue?host={tmp_path}"
    for url in (f"sqlite:///{tmp_path}/none/here.db", "nonsense", "sqlite:////proc/version", nobody_there):
        with pytest.raises(CatalogueError) as caught:
            Catalogue(url)
        assert caught.value.code == "CAT-01"


def test_services_that_open_a_new_catalogue_at_the_same_moment_all_get_it(tmp_path: Path) -> None:
    assert what_openers_hear(_open_new, tmp_path, 60) == []


def _open_new(file: Path) -> None:
    Catalogue(f"sqlite:///{file}").close()
