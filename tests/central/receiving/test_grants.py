"""The ledger and its spans, without a network: what is held, what is due and when."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.receiving import spans
from central.receiving.grants import MAX_SPANS, Expired, Grant, Ledger, Quiet
from wire.errors import Malformed, ProtocolError
from wire.messages import FileEntry, ObjectRef, Offer, Span
from wire.topics import ChunkAddress

DIGEST = "0" * 64
CHUNK = 10


def offer(**sizes: int) -> Offer:
    files = tuple(FileEntry(name, size, DIGEST) for name, size in sizes.items())
    return Offer(station="s", object=ObjectRef("capture", "c"), files=files)


def ledger(max_grants: int = 2) -> Ledger:
    return Ledger(chunk_bytes=CHUNK, max_grants=max_grants, lease_s=60.0)


def address(offset: int, file: str = "a", grant: str = "g", station: str = "s") -> ChunkAddress:
    return ChunkAddress("w", station, grant, file, offset)


@given(st.integers(1, 400), st.randoms(use_true_random=False))
def test_chunks_in_any_order_and_repeated_complete_the_file_and_only_then(size: int, random: object) -> None:
    book = ledger()
    book.open("g", offer(a=size), 0.0)
    offsets = list(range(0, size, CHUNK))
    random.shuffle(offsets)  # type: ignore[attr-defined]
    for number, offset in enumerate(offsets):
        length = min(CHUNK, size - offset)
        first = book.take(address(offset), length, float(number))
        second = book.take(address(offset), length, float(number))
        assert first.is_new
        assert not second.is_new
        assert second.grant.is_complete == (number == len(offsets) - 1)


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(1, CHUNK)), max_size=40))
def test_spans_are_always_sorted_disjoint_and_exactly_what_was_taken(parts: list[tuple[int, int]]) -> None:
    book, held = ledger(), set()
    book.open("g", offer(a=60), 0.0)
    for offset, length in parts:
        wanted = set(range(offset, offset + length))
        try:
            chunk = book.take(address(offset), length, 0.0)
        except ProtocolError:
            assert offset + length > 60 or (wanted & held and wanted - held)
            continue
        held |= wanted
        now = chunk.grant.held["a"]
        assert {byte for span in now for byte in range(span.start, span.end)} == held
        assert all(one.end < after.start for one, after in pairwise(now))


def test_holes_are_what_was_lost_below_the_highest_byte() -> None:
    held = (Span(2, 4), Span(6, 8))
    assert spans.holes(held) == (Span(0, 2), Span(4, 6))
    assert spans.holes(()) == ()


@pytest.mark.parametrize(
    ("where", "size", "reason"),
    [
        (address(0, grant="other"), 1, Malformed.WRONG_TOPIC),
        (address(0, file="other"), 1, Malformed.WRONG_TOPIC),
        (address(0, station="other"), 1, Malformed.WRONG_TOPIC),
        (address(0), CHUNK + 1, Malformed.TOO_LARGE),
        (address(0), 0, Malformed.OUT_OF_RANGE),
        (address(15), 6, Malformed.OUT_OF_RANGE),
        (address(4), 4, Malformed.OUT_OF_RANGE),
    ],
)
def test_a_chunk_that_does_not_fit_is_refused_and_changes_nothing(
    where: ChunkAddress, size: int, reason: Malformed
) -> None:
    book = ledger()
    book.open("g", offer(a=20), 0.0)
    book.take(address(0), 6, 0.0)
    before = book.all()
    with pytest.raises(ProtocolError) as caught:
        book.take(where, size, 1.0)
    assert caught.value.reason is reason
    assert book.all() == before


def test_a_file_in_crumbs_is_refused_before_a_reply_outgrows_its_limit() -> None:
    book = ledger()
    book.open("g", offer(a=100_000), 0.0)
    for crumb in range(MAX_SPANS):
        book.take(address(2 * crumb), 1, 0.0)
    with pytest.raises(ProtocolError):
        book.take(address(2 * MAX_SPANS), 1, 0.0)


def test_silence_is_named_at_half_the_lease_once_and_ends_the_grant_at_the_whole() -> None:
    book = ledger()
    book.open("g", offer(a=30), 0.0)
    book.take(address(0), CHUNK, 10.0)
    book.take(address(20), CHUNK, 10.0)
    assert book.next_due_s() == 40.0
    assert book.due(39.9) == ()
    (quiet,) = book.due(40.0)
    assert isinstance(quiet, Quiet)
    assert quiet.holes == (("a", (Span(10, 20),)),)
    assert book.due(41.0) == ()
    assert book.next_due_s() == 70.0
    (end,) = book.due(70.0)
    assert isinstance(end, Expired)
    assert len(book) == 0
    assert book.next_due_s() is None


def test_every_chunk_and_every_repeated_offer_renews_the_lease() -> None:
    book = ledger()
    grant = book.open("g", offer(a=30), 0.0)
    book.take(address(0), CHUNK, 50.0)
    assert book.due(60.0) == ()
    book.renew(grant, 100.0)
    assert book.due(129.0) == ()


def test_progress_is_told_at_half_a_window_and_on_a_slow_line_for_every_chunk() -> None:
    book = ledger()
    book.open("g", offer(a=1000), 0.0)

    def comes(number: int, now_s: float, *, is_drained: bool) -> bool:
        book.take(address(number * CHUNK), CHUNK, now_s)
        due = book.to_report(4, now_s, is_drained=is_drained)
        for grant in due:
            book.reported(grant, now_s)
        return bool(due)

    assert [comes(number, 1.0 + number / 1000, is_drained=False) for number in range(4)] == [False, True, False, True]
    assert [comes(number, 1.01 + number / 1000, is_drained=True) for number in range(4, 8)] == [
        False,
        True,
        False,
        True,
    ]
    assert [comes(number, 2.0 + number, is_drained=True) for number in range(8, 11)] == [True, True, True]


@pytest.mark.parametrize("window", range(1, 9))
def test_a_station_that_has_sent_a_window_has_always_been_told_of_some_of_it(window: int) -> None:
    book = ledger()
    book.open("g", offer(a=1000), 0.0)
    for number in range(window):
        book.take(address(number * CHUNK), CHUNK, 0.0)
    assert book.to_report(window, 0.0, is_drained=False)


def test_a_file_of_no_bytes_is_held_from_the_start() -> None:
    assert ledger().open("g", offer(a=0), 0.0).is_complete


def test_a_ledger_is_full_at_its_number_of_grants() -> None:
    book = ledger(max_grants=1)
    grant: Grant = book.open("g", offer(a=5), 0.0)
    assert not book.free_for("another")
    assert book.open_bytes == 5
    book.close(grant)
    assert book.free_for("another")


def test_no_station_takes_all_the_places() -> None:
    book = ledger(max_grants=8)
    for number in range(4):
        assert book.free_for("s")
        book.open(f"g{number}", offer(a=5), 0.0)
    assert not book.free_for("s")
    assert book.free_for("another")
