"""What a station knows of a barcode with the network off, and what it will not take for one."""

import msgspec
import pytest

from appliance.api import NewJob
from appliance.jobs import barcodes
from appliance.jobs.changes import JobOpened
from appliance.jobs.copies import DoneElsewhere
from appliance.jobs.lookup import Past, batch_views, item_of, look_up, next_part
from wire.documents import BatchDocument, BatchItem, Digitised, ItemRef

BOOKS = tuple(
    BatchItem(
        item=ItemRef(
            item_id=f"item-{n}",
            barcode=f"DD.{n:03}/24",
            title=f"Sách {n}",
            call_number=f"K{n}",
            batch_id="lo-07",
            provisional=False,
        ),
        height_cm=24.0,
        pages_expected=100 + n,
        rights="public-domain",
    )
    for n in range(1, 41)
)


def past_job(job_id: str, item: ItemRef, ended_at: str, captures: int) -> Past:
    """A job of an item that has ended."""
    opened = JobOpened(after_sequence=0, at="2026-01-01T00:00:00Z", item=item, profile="sach-in-300")
    return Past(job_id, opened, ended_at, captures)


BATCH = BatchDocument(batch_id="lo-07", name="Lô 07", revision=1, items=BOOKS)


def test_each_of_forty_books_of_a_batch_is_known_with_the_network_off() -> None:
    for book in BOOKS:
        found = look_up(f" {book.item.barcode}\r\n", [BATCH], [])
        assert (found.item, found.batch, found.pages_expected) == (book.item, "Lô 07", book.pages_expected)
        assert (found.problem, found.before) == ("", ())


@pytest.mark.parametrize("scanned", ["Đ.007/24", "D9.007/24", "đ.007/24"])
def test_what_a_vietnamese_keyboard_driver_made_of_a_code_is_put_back_where_a_list_proves_it(scanned: str) -> None:
    known = {"DD.007/24", "D9.007/24"} if scanned == "D9.007/24" else {"DD.007/24", "QNG-1"}
    assert barcodes.as_typed(scanned, known) == ("D9.007/24" if scanned == "D9.007/24" else "DD.007/24")


@pytest.mark.parametrize(
    ("made", "typed"),
    [("QNGÁ1", "QNGAS1"), ("QNGÁ", "QNGA1"), ("VÂ12", "VAA12"), ("VÂ2", "VA62"), ("Ươ", "UWow"), ("NẬM", "NAAJM")],
)
def test_marks_are_undone_in_both_ways_of_typing(made: str, typed: str) -> None:
    assert barcodes.as_typed(made, {typed, "OTHER"}) == typed


def test_marks_that_nothing_explains_are_said_and_never_guessed() -> None:
    assert look_up("Đ.999/24", [BATCH], []).problem == "unikey"
    assert barcodes.as_typed("Đ1", {"DD1", "D91"}) is None


@pytest.mark.parametrize(
    "code", ["9786042100434", "978-604-2-10043-4", "https://example.org/x", "A" * 65, "9770866725003"]
)
def test_what_is_no_copys_code_is_said(code: str) -> None:
    assert look_up(code, [BATCH], []).problem == "wrong-code"


@pytest.mark.parametrize("code", ["", "QNG-003187", "9786042100435", "0173/24", "12 345"])
def test_anything_else_is_taken_as_it_is(code: str) -> None:
    found = look_up(code, [BATCH], [])
    assert (found.barcode, found.problem, found.item) == (code, "", None)


def test_the_open_jobs_own_code_is_known_also_as_a_keyboard_driver_leaves_it() -> None:
    opened = ItemRef(item_id="i1", barcode="DD-17", title="Sách đang chụp")
    for code in ("DD-17", "\u0110-17"):
        found = look_up(code, [BATCH], [], opened)
        assert (found.is_open, found.barcode, found.problem) == (True, "DD-17", "")
    assert not look_up("DD-18", [BATCH], [], opened).is_open


def test_what_was_done_here_before_is_told_newest_first() -> None:
    past = [
        past_job(f"job-{n}", ItemRef(item_id=f"i{n}", barcode="B1", part=f"Số {n}"), f"2026-0{n}-01T00:00:00Z", n)
        for n in (1, 2)
    ]
    found = look_up("B1", [], past)
    assert [one.job_id for one in found.before] == ["job-2", "job-1"]
    assert found.item == past[1].item


@pytest.mark.parametrize(
    ("part", "after"), [("Số 9", "Số 10"), ("Tập 09", "Tập 10"), ("1925, số 3", "1925, số 4"), ("", ""), ("thượng", "")]
)
def test_the_next_part_is_one_more(part: str, after: str) -> None:
    assert next_part(part) == after


def test_a_lists_item_keeps_its_id_once_and_what_a_person_types_wins() -> None:
    known = BOOKS[0].item
    new = NewJob(title="Sách một", barcode=known.barcode or "", part="Tập 2")
    first = item_of(new, known, [])
    assert (first.item_id, first.title, first.part, first.call_number) == ("item-1", "Sách một", "Tập 2", "K1")
    again = item_of(new, known, [past_job("job-1", first, "2026-01-01T00:00:00Z", 3)])
    assert again.item_id not in ("item-1", "")
    assert again.batch_id == "lo-07"


def test_a_batch_tells_how_many_of_its_books_were_done_here() -> None:
    past = [past_job("job-1", BOOKS[3].item, "2026-01-01T00:00:00Z", 3)]
    (view,) = batch_views([BATCH], past)
    assert (view.name, view.done, view.total) == ("Lô 07", 1, 40)


THERE = Digitised(item_id="made-there", station="tram-09", at="2026-03-01T00:00:00Z", part="Tập 1")


def batch_with(number: int, **changes: object) -> BatchDocument:
    """The batch with one book changed."""
    items = list(BATCH.items)
    items[number] = msgspec.structs.replace(items[number], **changes)
    return msgspec.structs.replace(BATCH, items=tuple(items))


def test_what_another_station_digitised_is_said_with_the_network_off_until_it_is_done_here() -> None:
    book = BOOKS[4].item
    batch = batch_with(4, digitised=THERE)
    found = look_up(book.barcode or "", [batch], [])
    assert found.elsewhere == DoneElsewhere(THERE.at, "tram-09", "made-there", "Tập 1")
    assert batch_views([batch], [])[0].done == 1
    here = look_up(book.barcode or "", [batch], [past_job("job-1", book, "2026-04-01T00:00:00Z", 3)])
    assert (here.elsewhere, [one.job_id for one in here.before]) == (None, ["job-1"])


def test_captures_go_to_what_was_digitised_elsewhere_only_where_a_person_says_so() -> None:
    book = BOOKS[4].item
    done = look_up(book.barcode or "", [batch_with(4, digitised=THERE)], []).elsewhere
    assert item_of(NewJob(barcode=book.barcode or "", adds=True), book, [], done).item_id == "made-there"
    anew = item_of(NewJob(barcode=book.barcode or ""), book, [], done)
    assert anew.item_id not in ("made-there", book.item_id, "")
    assert anew.batch_id == "lo-07"


def test_another_copy_of_the_same_record_is_told_but_no_other_part_of_it() -> None:
    same = msgspec.structs.replace(BOOKS[1].item, record_id="4711")
    copy = msgspec.structs.replace(BOOKS[2].item, record_id="4711")
    volume = msgspec.structs.replace(BOOKS[3].item, record_id="4711", part="Tập 2")
    items = [BatchItem(item=same), BatchItem(item=copy, digitised=THERE), BatchItem(item=volume)]
    batch = msgspec.structs.replace(BATCH, items=tuple(items))
    found = look_up(same.barcode or "", [batch], [])
    assert found.elsewhere == DoneElsewhere(THERE.at, "tram-09", barcode=copy.barcode or "")
    assert item_of(NewJob(adds=True), same, [], found.elsewhere).item_id == same.item_id
    here = look_up(same.barcode or "", [batch], [past_job("job-1", copy, "2026-09-01T00:00:00Z", 3)])
    assert here.elsewhere == DoneElsewhere("2026-09-01T00:00:00Z", barcode=copy.barcode or "")
    assert look_up(volume.barcode or "", [batch], []).elsewhere is None
