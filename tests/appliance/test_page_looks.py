"""A leaf taken twice is found by its look where its numbers were not read: right after it, or anywhere in the list."""

import dataclasses
import random
import threading
from pathlib import Path

import pytest

from appliance.api import CaptureView
from appliance.imaging.encode import encode
from appliance.imaging.planes import Planes
from appliance.numbering.labels import Reading
from appliance.numbering.sequence import find_gaps
from appliance.page_looks import Page, seen_while_capturing, worth_a_look
from appliance.page_numbers import PageNumbers
from tests.appliance.imaging.drawing import spread as drawn
from tests.appliance.test_page_numbers import spread
from wire.documents import FindingEntry

CAPTURES = 100
READ = 0.9


def pages_of(captures: list[CaptureView]) -> list[Page]:
    return [(capture, page.side) for capture in captures for page in capture.pages]


def readings_of(openings: list[int], seed: int) -> list[Reading | None]:
    """Return what is read, nine in ten, of the pages of some openings of a book."""
    chance = random.Random(seed)
    numbers = [2 * opening + side for opening in openings for side in (1, 2)]
    return [Reading("pages", number) if chance.random() < READ else None for number in numbers]


@pytest.mark.parametrize("seed", range(100))
def test_a_spread_taken_twice_within_the_last_eight_is_always_known(seed: int) -> None:
    chance = random.Random(1000 + seed)
    back = chance.randint(1, 8)
    at = chance.randint(back, CAPTURES - 2)
    captures = [spread(n) for n in range(1, CAPTURES + 1)]
    again = FindingEntry(code="duplicate", severity="info", value=float(back))
    captures[at] = dataclasses.replace(captures[at], findings=(again,))
    openings = [*range(at), at - back, *range(at, CAPTURES - 1)]
    run = find_gaps(readings_of(openings, seed), seen_while_capturing(pages_of(captures)))
    assert run.seen_again == ((2 * (at - back), 2 * at), (2 * (at - back) + 1, 2 * at + 1))
    assert run.gaps == ()


@pytest.mark.parametrize("seed", range(100))
def test_a_spread_taken_again_far_behind_is_asked_about_when_one_of_its_numbers_was_read(seed: int) -> None:
    chance = random.Random(2000 + seed)
    at = chance.randint(40, CAPTURES - 2)
    first = chance.randint(1, at - 12)
    readings = readings_of([*range(at), first, *range(at, CAPTURES - 1)], seed)
    if not any(readings[2 * at : 2 * at + 2]):  # nothing tells then that it is there at all
        readings[2 * at] = Reading("pages", 2 * first + 1)
    pages = pages_of([spread(n) for n in range(1, CAPTURES + 1)])
    asked = worth_a_look(pages, readings, find_gaps(readings))
    assert {(2 * first, 2 * at), (2 * first + 1, 2 * at + 1)} <= asked
    assert len(asked) < 40


def test_a_retake_whose_first_picture_is_no_longer_in_the_list_repeats_nothing() -> None:
    again = FindingEntry(code="duplicate", severity="info", value=1.0)
    captures = [spread(1), dataclasses.replace(spread(3), findings=(again,))]
    assert seen_while_capturing(pages_of(captures)) == set()


class Folder:
    """Files of captures in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, capture_id: str, file: str) -> Path:
        return self._folder / f"{capture_id}-{file}"


def test_real_pages_far_apart_that_look_the_same_share_a_number_and_others_do_not(tmp_path: Path) -> None:
    """The last capture shows the second one again; the one before only bears, wrongly said, the first one's number."""
    shown = [*range(1, 11), 1, 2]
    for capture, seed in enumerate(shown, start=1):
        seen = drawn(seed=seed if capture != 11 else 50).planes
        half = seen.y.shape[1] // 4 * 2
        for side, left, right in (("left", 0, half), ("right", half, half * 2)):
            page = Planes(*(p[:, left // k : right // k].copy() for p, k in ((seen.y, 1), (seen.u, 2), (seen.v, 2))))
            (tmp_path / f"c{capture}-{side}.jpg").write_bytes(encode(page, quality=85))
    captures = tuple(spread(n, label=str(2 * shows)) for n, shows in enumerate(shown, start=1))
    numbers = PageNumbers(Folder(tmp_path))  # type: ignore[arg-type]
    thread = threading.Thread(target=numbers.run)
    thread.start()
    try:
        for _ in range(600):
            if (found := numbers.listing(captures, "pages", "left-to-right", ())).unread == 0:
                break
            thread.join(0.05)
    finally:
        numbers.stop()
        thread.join()
    assert found.unread == 0
    assert found.again == {"c12": "c2"}
