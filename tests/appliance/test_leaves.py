"""Rectos first, then versos: the list is put in turn, whatever was skipped, replaced or undone meanwhile."""

from appliance.jobs import changes as ch
from appliance.jobs.joblist import Taken, fold, leaves_of
from wire.documents import ItemRef

AT = "2026-01-01T00:00:00Z"
OPENED = ch.JobOpened(after_sequence=0, at=AT, item=ItemRef(item_id="i"), profile="sach-in-300", layout="rectos-versos")


def names(changes, captures: int, **taken: str) -> list[str]:
    found = fold([OPENED, *changes], [Taken(f"c{n}", n) for n in range(1, captures + 1)], station="tram-01")
    return [entry.capture_id for entry in found.entries]


def began(after: int) -> ch.VersosBegan:
    return ch.VersosBegan(after_sequence=after, at=AT)


def paired(after: int, *without: int) -> ch.Interleaved:
    return ch.Interleaved(after_sequence=after, at=AT, without=without)


def test_a_book_of_two_hundred_pages_with_one_skipped_verso_is_paired_right_with_one_action() -> None:
    found = names([began(100), paired(199, 56)], 199)
    assert len(found) == 199
    versos = iter(range(101, 200))
    expected = []
    for leaf in range(100):
        expected.append(f"c{leaf + 1}")
        if leaf != 56:
            expected.append(f"c{next(versos)}")
    assert found == expected


def test_a_shift_takes_the_place_of_the_one_before_and_may_be_undone() -> None:
    changes = [began(3), paired(5, 0), paired(5, 1)]
    assert names(changes, 5) == ["c1", "c4", "c2", "c3", "c5"]
    assert names([*changes, ch.Undone(after_sequence=5, at=AT, number=4)], 5) == ["c1", "c2", "c4", "c3", "c5"]


def test_a_verso_more_than_there_are_leaves_stands_at_the_end_and_is_seen() -> None:
    assert names([began(2), paired(5)], 5) == ["c1", "c3", "c2", "c4", "c5"]
    found = fold([OPENED, began(2), paired(5)], [Taken(f"c{n}", n) for n in range(1, 6)], station="tram-01")
    leaves = leaves_of(found.entries, found.versos or frozenset(), found.without or ())
    assert leaves[-1][0] is None


def test_a_recto_shot_again_while_versos_come_is_still_a_recto() -> None:
    replaced = ch.Replaced(after_sequence=5, at=AT, new="c5", old="c1", reason="retake")
    assert names([began(2), replaced, paired(5)], 5) == ["c5", "c3", "c2", "c4"]


def test_the_verso_that_was_skipped_is_shot_into_its_place() -> None:
    moved = ch.Moved(after_sequence=6, at=AT, capture="c6", before="c3")
    assert names([began(3), paired(5, 1), moved], 6) == ["c1", "c4", "c2", "c6", "c3", "c5"]
