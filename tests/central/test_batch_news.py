"""What the centre tells stations of a batch once its books were digitised."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from central import clock
from central.batches import read_batch, send_batch, tell_what_was_digitised, with_news
from central.catalogue import fleet_records
from central.config import CentralConfig, parse
from central.errors import BatchError
from tests.central.station_client import job_list
from tests.central.store import Store
from wire import codec
from wire.digest import sha256_of
from wire.documents import BatchDocument, Digitised, ItemRef
from wire.limits import MAX_COMMAND_BYTES
from wire.messages import ObjectRef, OfferBatch

CONFIG = """
[store]
folder = "{folder}"
database = "{database}"
[broker]
host = "localhost"
port = 8883
pki = "pki"
[web]
port = 8080
token_file = "token"
"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "store")
    with store.catalogue.write() as connection:
        for station in ("kho-1", "kho-2"):
            fleet_records.approve(connection, station, clock.now())
    yield store
    store.catalogue.close()


def sent(store: Store, text: str) -> BatchDocument:
    file = store.layout.root / "list.csv"
    file.write_text(text, encoding="utf-8")
    config: CentralConfig = parse(CONFIG.format(folder=store.layout.root, database=store.url), base=store.layout.root)
    return send_batch(config, file, "Lô 1")[0]


def waiting(store: Store) -> dict[str, list[BatchDocument]]:
    """What each station has still to fetch."""
    with store.catalogue.read() as connection:
        commands = fleet_records.open_commands(connection, clock.now())
    found: dict[str, list[BatchDocument]] = {}
    for station, _, payload in commands:
        command = codec.decode_command(payload)
        assert isinstance(command, OfferBatch)
        found.setdefault(station, []).append(codec.decode_batch(command.document.encode()))
    return found


def said(item_id: str, at: str = "2026-03-01T00:00:00Z") -> Digitised:
    return Digitised(item_id=item_id, station="kho-1", at=at)


def copy(barcode: str, part: str | None = None) -> ItemRef:
    return ItemRef(item_id="made-there", barcode=barcode, part=part)


def test_a_book_is_known_by_its_code_its_part_or_its_own_id() -> None:
    text = "barcode;title;part\nVN1;A;\nVN2;B;Tập 1\nVN2;B;Tập 2\n;Không mã;\nVN3;C;\n"
    batch = read_batch(text, batch_id="b", name="x")
    without_code = batch.items[3].item
    done = [
        (copy("VN1"), said("first")),
        (copy("VN1"), said("again", at="2026-04-01T00:00:00Z")),
        (copy("VN2", part="Tập 2"), said("volume-2")),
        (without_code, said(without_code.item_id)),
        (ItemRef(item_id="x"), said("x")),
    ]
    found = [one.digitised and one.digitised.item_id for one in with_news(batch, done).items]
    assert found == ["again", None, "volume-2", without_code.item_id, None]


def test_every_station_hears_once_what_was_digitised_and_nothing_older_is_sent_any_more(store: Store) -> None:
    batch = sent(store, "barcode;title\nVN1;Số đỏ\nVN2;Kiều\n")
    assert tell_what_was_digitised(store.catalogue) == 0
    store.put(job_list("kho-1", [], job_id="j1", item_id=batch.items[0].item.item_id))
    assert (tell_what_was_digitised(store.catalogue), tell_what_was_digitised(store.catalogue)) == (1, 0)
    store.put(job_list("kho-2", [], job_id="j2", barcode="VN2", state="to_conservation"))
    assert tell_what_was_digitised(store.catalogue) == 1
    assert waiting(store).keys() == {"kho-1", "kho-2"}
    for documents in waiting(store).values():
        (document,) = documents
        assert (document.batch_id, document.revision) == (batch.batch_id, 3)
        told = [one.digitised for one in document.items]
        assert [(one.station, one.to_conservation) for one in told if one] == [("kho-1", False), ("kho-2", True)]


def test_a_list_that_is_still_open_says_nothing(store: Store) -> None:
    batch = sent(store, "barcode;title\nVN1;Số đỏ\n")
    store.put(job_list("kho-1", [], item_id=batch.items[0].item.item_id, state="open"))
    assert tell_what_was_digitised(store.catalogue) == 0


def test_what_was_digitised_before_is_in_a_batch_from_the_start(store: Store) -> None:
    store.put(job_list("kho-1", [], item_id="long-ago", barcode="VN1"))
    told = sent(store, "barcode;title\nVN1;Số đỏ\n").items[0].digitised
    assert told
    assert (told.item_id, told.station) == ("long-ago", "kho-1")


def test_a_list_that_fits_still_fits_when_all_its_books_were_digitised() -> None:
    def books(number: int) -> str:
        return "barcode;title\n" + "".join(f"VN{one};Sách {one}\n" for one in range(number))

    batch = read_batch(books(100), batch_id="b" * 32, name="x")
    with contextlib.suppress(BatchError):
        for number in range(200, 3000, 50):
            batch = read_batch(books(number), batch_id="b" * 32, name="x")
    assert len(batch.items) > 200
    done = [(one.item, Digitised(item_id="0" * 32, station="k" * 32, at=clock.now())) for one in batch.items]
    document = codec.encode(with_news(batch, done))
    command = OfferBatch(
        command_id="0" * 32,
        object=ObjectRef("batch", batch.batch_id, 999),
        document=document.decode(),
        sha256=sha256_of(document),
    )
    assert len(codec.encode(command)) <= MAX_COMMAND_BYTES
