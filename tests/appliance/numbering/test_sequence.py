"""What the numbers of a run of pages tell."""

from random import Random

import pytest

from appliance.numbering.labels import Reading, parse, written
from appliance.numbering.sequence import find_gaps

PAGES = list(range(1, 201))


def read(places: list[int], *, unread: float = 0.0, wrong: float = 0.0, seed: int = 1) -> list[Reading | None]:
    """Read pages as a fallible reader does."""
    rng = Random(seed)
    result: list[Reading | None] = []
    for place in places:
        chance = rng.random()
        misread = rng.randrange(1, 999)
        confidence = rng.uniform(0.7, 1.0)
        seen = None if chance < unread else Reading("pages", misread if chance < unread + wrong else place, confidence)
        result.append(seen)
    return result


def test_a_whole_book_has_no_gap_and_its_unread_pages_are_filled_in() -> None:
    run = find_gaps(read(PAGES, unread=0.1, wrong=0.03))
    assert [number[1] for number in run.numbers if number] == PAGES
    assert run.gaps == run.doubles == run.reversed_pairs == ()


@pytest.mark.parametrize("at", [2, 4, 50, 101, 150, 194, 196])
def test_a_skipped_leaf_is_found_wherever_it_is(at: int) -> None:
    run = find_gaps(read(PAGES[:at] + PAGES[at + 2 :]))
    (gap,) = run.gaps
    assert (gap.after, gap.first, gap.last) == (at - 1, at + 1, at + 2)


@pytest.mark.parametrize("at", [2, 4, 50, 101, 150, 196, 198])
def test_a_doubled_leaf_is_found_wherever_it_is(at: int) -> None:
    run = find_gaps(read(PAGES[:at] + PAGES[at - 2 :]))
    assert [double.place for double in run.doubles] == [at - 1, at]
    assert [double.page for double in run.doubles] == [at, at + 1]
    assert run.gaps == ()


@pytest.mark.parametrize("seed", range(60))
def test_a_skipped_and_a_doubled_leaf_are_pointed_at_though_one_number_in_twenty_is_not_read(seed: int) -> None:
    rng = Random(seed)
    skipped, doubled = 2 * rng.randrange(4, 45), 2 * rng.randrange(55, 95)
    places = PAGES[:skipped] + PAGES[skipped + 2 : doubled] + PAGES[doubled - 2 :]
    run = find_gaps(read(places, unread=0.05, seed=seed))
    assert {place for gap in run.gaps for place in range(gap.first, gap.last + 1)} >= {skipped + 1, skipped + 2}
    truly = {index for index, place in enumerate(places) if places.count(place) > 1}
    pointed_at = {index for double in run.doubles for index in (double.earlier, double.page)} | set(run.uncounted)
    assert pointed_at & truly
    assert len(pointed_at) <= 4


@pytest.mark.parametrize("seed", range(40))
def test_a_leaf_that_looks_the_same_twice_is_doubled_however_little_was_read_of_it(seed: int) -> None:
    rng = Random(seed)
    doubled, later = 2 * rng.randrange(2, 60), 2 * rng.randrange(0, 30)
    at = doubled + later  # shot again at once, or after some more leaves
    places = [*PAGES[:at], *PAGES[doubled - 2 : doubled], *PAGES[at:]]
    readings = read(places, unread=0.1, wrong=0.01, seed=seed)
    for page in (doubled - 2, doubled - 1, at, at + 1):
        readings[page] = None
    run = find_gaps(readings, [(doubled - 2, at), (doubled - 1, at + 1)])
    assert [(each.earlier, each.page, each.place) for each in run.doubles] == [
        (doubled - 2, at, doubled - 1),
        (doubled - 1, at + 1, doubled),
    ]
    assert run.seen_again == ((doubled - 2, at), (doubled - 1, at + 1))
    assert run.gaps == ()
    assert [number and number[1] for number in run.numbers] == places


def test_pages_that_look_the_same_and_bear_other_numbers_are_not_the_same() -> None:
    run = find_gaps(read(PAGES), [(10, 40), (11, 41)])
    assert run.doubles == run.seen_again == run.gaps == ()


def test_what_is_seen_a_third_time_repeats_the_first_and_a_page_without_number_is_seen_again_too() -> None:
    plates: list[Reading | None] = [None, None, None]
    run = find_gaps(plates, [(1, 2), (0, 1), (2, 2)])
    assert run.seen_again == ((0, 1), (0, 2))
    assert run.doubles == ()
    assert run.numbers == (None, None, None)


def test_a_number_read_only_on_the_second_picture_of_a_page_is_the_first_ones_too() -> None:
    run = find_gaps([None, Reading("pages", 7)], [(0, 1)])
    assert run.numbers == (("pages", 7), ("pages", 7))


def test_a_misread_number_does_not_part_two_pictures_of_one_page() -> None:
    readings = read([*PAGES[:20], *PAGES[18:60]])
    readings[20] = Reading("pages", 91)
    run = find_gaps(readings, [(18, 20), (19, 21)])
    assert run.seen_again == ((18, 20), (19, 21))
    assert [number and number[1] for number in run.numbers] == [*PAGES[:20], *PAGES[18:60]]


def test_one_misread_number_is_outvoted() -> None:
    readings = read(PAGES)
    readings[40] = Reading("pages", 47, 1.0)
    run = find_gaps(readings)
    assert run.numbers[40] == ("pages", 41)
    assert run.outvoted == (40,)
    assert run.gaps == run.doubles == ()


def test_two_pages_in_each_others_place_are_a_reversed_pair_and_no_gap() -> None:
    run = find_gaps(read([*PAGES[:20], 22, 21, *PAGES[22:]]))
    assert run.reversed_pairs == ((20, 21),)
    assert run.numbers[20] == ("pages", 22)
    assert run.gaps == run.doubles == run.outvoted == ()


def test_a_plate_that_is_not_counted_is_no_double() -> None:
    readings = [*read(PAGES[:20]), None, None, *read(PAGES[20:])]
    run = find_gaps(readings)
    assert run.gaps == run.doubles == ()
    assert run.numbers[20:22] == (None, None)
    assert run.uncounted == (20, 21)


def test_the_roman_numbers_of_a_preface_are_a_sequence_of_their_own() -> None:
    preface = [parse(written("roman", place)) for place in range(1, 13)]
    run = find_gaps([*preface, *read(PAGES[:40])])
    assert run.numbers[11:13] == (("roman", 12), ("pages", 1))
    assert run.gaps == run.doubles == ()


def test_leaves_have_two_sides() -> None:
    labels = [f"tờ {leaf}{side}" for leaf in range(1, 30) for side in "ab" if leaf != 12]
    run = find_gaps([parse(label, leaves=True) for label in labels])
    (gap,) = run.gaps
    assert (written("leaves", gap.first), written("leaves", gap.last)) == ("12a", "12b")


@pytest.mark.parametrize("place", range(1, 400, 7))
def test_roman_numbers_are_read_as_they_are_written(place: int) -> None:
    assert parse(written("roman", place)) == Reading("roman", place)


@pytest.mark.parametrize("label", ["", "iiii", "12c", "trang", "vx", "12345", "-3"])
def test_what_is_no_number_is_not_read(label: str) -> None:
    assert parse(label) is None


def test_nothing_read_tells_nothing() -> None:
    assert find_gaps([None] * 5).numbers == (None,) * 5
    assert find_gaps([]).numbers == ()
