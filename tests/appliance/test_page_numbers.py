"""What printed numbers tell of a list: labels, gaps between captures, and what a person said of them."""

import dataclasses
import threading

from appliance.api import CaptureView, Delivery, PageView, Verdict
from appliance.numbering.labels import Reading
from appliance.numbering.sequence import find_gaps
from appliance.page_numbers import PageNumbers, listing
from wire.documents import AnsweredGap, PageType


def spread(n: int, page_type: PageType = "page", label: str = "") -> CaptureView:
    pages = tuple(PageView(side, (), 10, 10, ()) for side in ("left", "right"))
    return CaptureView(
        f"c{n}", n, n, page_type, (), Verdict.OK, Delivery.PROCESSED, 10, 10, pages, (), label
    )  # fmt: skip


def read(captures, numbers, answered=()):
    pages = [(capture, page.side) for capture in captures for page in capture.pages]
    readings = [Reading("pages", number) if number else None for number in numbers]
    return listing(tuple(captures), pages, find_gaps(readings), tuple(answered))


def test_a_skipped_spread_is_a_gap_between_its_neighbours() -> None:
    found = read([spread(n) for n in range(1, 6)], [38, 39, 40, 41, 44, 45, 46, None, 48, 49])
    (gap,) = found.gaps
    assert (gap.first, gap.last, gap.after, gap.before, gap.answer) == ("42", "43", "c2", "c3", None)
    assert found.labels["c4"] == ("46", "47")


def test_a_gap_that_a_person_has_explained_says_so_and_others_do_not() -> None:
    answered = [AnsweredGap(first="42", last="43", answer="absent", before="c3")]
    found = read([spread(n) for n in range(1, 5)], [38, 39, 40, 41, 44, 45, 46, 47], answered)
    assert [gap.answer for gap in found.gaps] == ["absent"]


class Book:
    """A spool without files: no number can be read, and every page has been looked at."""

    def path(self, capture_id: str, _file: str):
        raise KeyError(capture_id)


def test_what_a_person_says_is_believed_where_nothing_can_be_read() -> None:
    numbers = PageNumbers(Book())  # type: ignore[arg-type]
    captures = tuple(
        dataclasses.replace(spread(n), label=label) for n, label in enumerate(["8", "10", "14", "16", "18"], start=1)
    )
    found = numbers.listing(captures, "pages", "left-to-right", ())
    assert [(gap.first, gap.last) for gap in found.gaps] == [("12", "13")]
    assert found.labels["c1"] == ("8", "9")
    assert found.unread == 10


def test_no_page_is_begun_while_somebody_waits_for_a_picture() -> None:
    asked, looked, is_free = threading.Event(), threading.Event(), threading.Event()

    class Looked(Book):
        def path(self, capture_id: str, file: str):
            looked.set()
            return super().path(capture_id, file)

    def free() -> bool:
        asked.set()
        return is_free.is_set()

    numbers = PageNumbers(Looked(), free)  # type: ignore[arg-type]
    numbers.listing((spread(1),), "pages", "left-to-right", ())
    reading = threading.Thread(target=numbers.run)
    reading.start()
    try:
        for _ in range(2):  # asked again: it did not begin after the first time
            asked.clear()
            assert asked.wait(10)
        assert not looked.is_set()
        is_free.set()
        assert looked.wait(10)
    finally:
        numbers.stop()
        reading.join(10)


def test_covers_do_not_count_and_a_book_without_numbers_is_not_asked() -> None:
    numbers = PageNumbers(Book())  # type: ignore[arg-type]
    captures = (spread(1, "cover"), spread(2, label="1"), spread(3, "plate"), spread(4, label="3"))
    assert numbers.listing(captures, "pages", "left-to-right", ()).gaps == ()
    assert numbers.listing(captures, "none", "left-to-right", ()).unread == 0
