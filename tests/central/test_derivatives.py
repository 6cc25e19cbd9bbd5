"""Thumbnails: made once each, in a child that hostile pictures may kill, never for ever."""

import os
import signal
import struct
import threading
import zlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import select

from central.catalogue import schema
from central.derivatives import Derivatives, PictureChild
from central.thumbnail_child import DISK_ANSWER
from tests.central.house import eventually
from tests.central.station_client import capture
from tests.central.store import Store


def jpeg(width: int, height: int) -> bytes:
    stream = BytesIO()
    Image.new("RGB", (width, height), (200, 180, 150)).save(stream, "JPEG")
    return stream.getvalue()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "store")
    yield store
    store.catalogue.close()


@pytest.fixture
def child() -> Iterator[PictureChild]:
    with PictureChild(timeout_s=20.0) as child:
        yield child


def states(store: Store) -> set[str]:
    with store.catalogue.read() as connection:
        return set(connection.execute(select(schema.pages.c.thumbnail)).scalars())


def work_all(store: Store, child: PictureChild) -> None:
    derivatives = Derivatives(store.catalogue, store.layout)
    while derivatives.work_once(child):
        pass


def test_every_page_gets_a_small_picture_of_itself(store: Store, child: PictureChild) -> None:
    package = capture("kho-1", page=jpeg(1500, 2100))
    store.put(package)
    work_all(store, child)
    with Image.open(store.office.thumbnail_file(package.ref.id, "left")) as picture:
        assert picture.size == (343, 480)
    assert all(page.has_thumbnail for page in store.office.pages("item-1"))
    assert store.office.totals().thumbnails_waiting == 0


def _png_header(width: int, height: int) -> bytes:
    data = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    crc = struct.pack(">I", zlib.crc32(b"IHDR" + data))
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR" + data + crc


def _bomb() -> bytes:
    small = jpeg(16, 16)
    at = small.index(b"\xff\xc0") + 5
    return small[:at] + struct.pack(">HH", 65_000, 65_000) + small[at + 4 :]


@pytest.mark.parametrize(
    "page",
    [b"", b"not a picture", jpeg(600, 600)[:300], _png_header(10, 10), _bomb()],
    ids=["empty", "text", "cut short", "other format", "bomb"],
)
def test_a_hostile_picture_is_tried_twice_marked_and_left(store: Store, child: PictureChild, page: bytes) -> None:
    good = capture("kho-1", sequence=2, page=jpeg(100, 100))
    bad = capture("kho-1", sequence=1, page=page)
    store.put(bad, good)
    work_all(store, child)
    assert store.office.thumbnail_file(good.ref.id, "left").is_file()
    with pytest.raises(KeyError):
        store.office.thumbnail_file(bad.ref.id, "left")
    assert states(store) == {"made", "failed"}


def test_a_child_that_dies_is_replaced_and_the_work_goes_on(store: Store, child: PictureChild) -> None:
    store.put(capture("kho-1", page=jpeg(100, 100)))
    store.put(capture("kho-1", page=jpeg(100, 100), sequence=2))
    Derivatives(store.catalogue, store.layout).work_once(child)
    process = child._process
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    store.put(capture("kho-1", page=jpeg(100, 100), sequence=3))
    work_all(store, child)
    assert states(store) == {"made"}


def test_a_picture_that_hangs_the_child_costs_its_time_and_no_more(store: Store, tmp_path: Path) -> None:
    pipe = tmp_path / "never-written"
    os.mkfifo(pipe)
    with PictureChild(timeout_s=1.0) as child:
        assert child.make(str(pipe), str(tmp_path / "out")) == "timeout"
        good = tmp_path / "good.jpg"
        good.write_bytes(jpeg(50, 50))
    with PictureChild(timeout_s=20.0) as child:
        assert child.make(str(good), str(tmp_path / "out")) == "ok"


def test_new_pages_are_taken_up_while_it_runs_and_it_stops_when_told(store: Store) -> None:
    stop = threading.Event()
    thread = threading.Thread(target=Derivatives(store.catalogue, store.layout).run, args=(stop,))
    thread.start()
    try:
        store.put(capture("kho-1", page=jpeg(100, 100)))
        eventually(lambda: states(store) == {"made"})
    finally:
        stop.set()
        thread.join(timeout=10)
    assert not thread.is_alive()


def test_a_disk_that_takes_nothing_is_waited_for_and_no_picture_is_blamed(store: Store) -> None:
    stop = threading.Event()
    thumbnails = store.layout.thumbnails
    store.put(capture("kho-1", page=jpeg(100, 100)))
    thumbnails.rmdir()
    thumbnails.write_text("no folder can be made in here")
    derivatives = Derivatives(store.catalogue, store.layout, disk_retry_s=0.05)
    thread = threading.Thread(target=derivatives.run, args=(stop,))
    thread.start()
    try:
        assert not stop.wait(0.5)
        assert thread.is_alive()
        assert states(store) == {"waiting"}
        thumbnails.unlink()
        thumbnails.mkdir()
        eventually(lambda: states(store) == {"made"})
    finally:
        stop.set()
        thread.join(timeout=10)


def test_a_full_disk_is_not_called_a_bad_picture(child: PictureChild, tmp_path: Path) -> None:
    good = tmp_path / "good.jpg"
    good.write_bytes(jpeg(50, 50))
    assert child.make(str(good), "/dev/full") == DISK_ANSWER
    assert child.make(str(tmp_path / "missing.jpg"), str(tmp_path / "out")) == "FileNotFoundError"
