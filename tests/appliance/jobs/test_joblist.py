"""The job list as sentences, and as properties over random histories."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.jobs import changes as ch
from appliance.jobs.joblist import Entry, JobList, Taken, document, fold, next_undo, parts_of
from wire.codec import decode_job_list, encode
from wire.documents import ItemRef

AT = "2026-01-02T03:04:05Z"
OPENED = ch.JobOpened(after_sequence=0, at=AT, item=ItemRef(item_id="item-1"), profile="sach-in-300")
NAMES = tuple("abcdefgh")


def taken(*names: str) -> tuple[Taken, ...]:
    return tuple(Taken(name, NAMES.index(name) + 1) for name in names)


def folded(*changes: ch.AnyChange, captures: tuple[Taken, ...]) -> JobList:
    return fold((OPENED, *changes), captures, station="tram-01")


def names(job_list: JobList) -> str:
    return "".join(entry.capture_id for entry in job_list.entries)


def test_captures_append_themselves_in_the_order_of_their_sequence() -> None:
    job_list = folded(captures=tuple(reversed(taken("a", "b", "c"))))
    assert names(job_list) == "abc"
    assert job_list.revision == 4


def test_a_replacement_takes_the_place_and_its_kind_and_the_old_one_stays_on_record() -> None:
    job_list = folded(
        ch.Typed(after_sequence=2, at=AT, capture="a", page_type="cover"),
        ch.Labelled(after_sequence=2, at=AT, capture="a", label="xii"),
        ch.Replaced(after_sequence=3, at=AT, new="c", old="a", reason="hold"),
        captures=taken("a", "b", "c"),
    )
    assert job_list.entries == (Entry("c", page_type="cover", label="xii", supersedes=("a",)), Entry("b"))


def test_a_replacement_nobody_asked_for_is_marked_for_review() -> None:
    job_list = folded(ch.Replaced(after_sequence=2, at=AT, new="b", old="a", reason="auto"), captures=taken("a", "b"))
    assert job_list.entries == (Entry("b", marks=("look-again",), supersedes=("a",)),)


def test_a_chain_of_replacements_remembers_all_that_stood_there() -> None:
    job_list = folded(
        ch.Replaced(after_sequence=2, at=AT, new="b", old="a", reason="hold"),
        ch.Replaced(after_sequence=3, at=AT, new="c", old="b", reason="retake"),
        captures=taken("a", "b", "c"),
    )
    assert job_list.entries == (Entry("c", supersedes=("a", "b")),)


def test_a_deleted_capture_is_listed_as_removed_together_with_what_it_had_superseded() -> None:
    job_list = folded(
        ch.Replaced(after_sequence=2, at=AT, new="b", old="a", reason="hold"),
        ch.Deleted(after_sequence=2, at=AT, capture="b"),
        captures=taken("a", "b"),
    )
    assert job_list.entries == ()
    assert document(job_list, job_id="job", station="tram-01", software="x").removed == ("a", "b")


def test_moving_puts_a_capture_before_another_or_last() -> None:
    abc = taken("a", "b", "c")
    assert names(folded(ch.Moved(after_sequence=3, at=AT, capture="c", before="a"), captures=abc)) == "cab"
    assert names(folded(ch.Moved(after_sequence=3, at=AT, capture="a"), captures=abc)) == "bca"
    assert names(folded(ch.Moved(after_sequence=3, at=AT, capture="a", before="a"), captures=abc)) == "abc"
    assert names(folded(ch.Moved(after_sequence=3, at=AT, capture="a", before="z"), captures=abc)) == "abc"


def test_a_capture_that_was_in_flight_during_a_change_still_comes_last() -> None:
    deleted_meanwhile = ch.Deleted(after_sequence=1, at=AT, capture="a")
    assert names(folded(deleted_meanwhile, captures=taken("a", "b"))) == "b"


def test_a_capture_cannot_be_changed_before_it_is_in_the_list() -> None:
    too_early = ch.Deleted(after_sequence=1, at=AT, capture="b")
    assert names(folded(too_early, captures=taken("a", "b"))) == "ab"


def test_undo_takes_back_changes_of_the_list_newest_first_and_no_more_than_twenty() -> None:
    changes: list[ch.AnyChange] = [OPENED]
    for number in range(25):
        changes.append(ch.Labelled(after_sequence=1, at=AT, capture="a", label=str(number)))
    undone = 0
    while (number_to_undo := next_undo(changes)) is not None:
        changes.append(ch.Undone(after_sequence=1, at=AT, number=number_to_undo))
        undone += 1
    assert undone == 20
    assert fold(changes, taken("a"), station="tram-01").entries == (Entry("a", label="4"),)


def test_opening_sitting_marks_and_hand_over_are_not_undone() -> None:
    changes = (
        OPENED,
        ch.SittingStarted(after_sequence=0, at=AT, sitting_id="s"),
        ch.Marked(after_sequence=1, at=AT, capture="a", mark="look-again"),
        ch.HandedOver(after_sequence=1, at=AT),
    )
    assert next_undo(changes) is None


def test_a_sitting_has_a_beginning_and_an_end_and_a_job_an_honest_end() -> None:
    job_list = folded(
        ch.SittingStarted(after_sequence=0, at=AT, sitting_id="s"),
        ch.SittingEnded(after_sequence=0, at="2026-01-02T05:00:00Z", sitting_id="s"),
        ch.HandedOver(after_sequence=0, at=AT),
        ch.Reopened(after_sequence=0, at=AT),
        ch.StoppedForConservation(after_sequence=0, at=AT, note="giấy giòn"),
        captures=(),
    )
    assert job_list.state == "to_conservation"
    assert job_list.sittings[0].ended_at == "2026-01-02T05:00:00Z"


def test_the_document_of_a_list_can_be_read_by_the_other_side() -> None:
    job_list = folded(ch.Kept(after_sequence=1, at=AT, capture="a"), captures=taken("a"))
    written = document(job_list, job_id="job-1", station="tram-01", software="lattrang 0")
    assert decode_job_list(encode(written)) == written
    assert written.entries[0].marks == ("bad-kept",)


_name = st.sampled_from(NAMES)
_edit: st.SearchStrategy[ch.AnyChange] = st.one_of(
    st.builds(ch.Replaced, after_sequence=st.just(0), at=st.just(AT), new=_name, old=_name, reason=st.just("hold")),
    st.builds(ch.Replaced, after_sequence=st.just(0), at=st.just(AT), new=_name, old=_name, reason=st.just("auto")),
    st.builds(ch.Deleted, after_sequence=st.just(0), at=st.just(AT), capture=_name),
    st.builds(ch.Moved, after_sequence=st.just(0), at=st.just(AT), capture=_name, before=_name | st.none()),
    st.builds(ch.Typed, after_sequence=st.just(0), at=st.just(AT), capture=_name, page_type=st.just("cover")),
    st.builds(
        ch.Labelled, after_sequence=st.just(0), at=st.just(AT), capture=_name, label=st.sampled_from(("1", "xii", None))
    ),
    st.builds(ch.Kept, after_sequence=st.just(0), at=st.just(AT), capture=_name),
    st.builds(ch.Marked, after_sequence=st.just(0), at=st.just(AT), capture=_name, mark=st.just("hold-kept")),
)


def test_large_pages_are_counted_by_their_parts_and_what_is_whole_ends_one() -> None:
    kinds = {"a": "cover", "e": "target"}
    entries = tuple(Entry(name, page_type=kinds.get(name, "foldout")) for name in "abcdefg")  # type: ignore[arg-type]
    found = {name: (part.page, part.part) for name, part in parts_of(entries, 2).items()}
    assert found == {"b": (1, 1), "c": (1, 2), "d": (2, 1), "f": (3, 1), "g": (3, 2)}
    assert {part.of for part in parts_of(entries, 4).values()} == {4}
    assert parts_of(entries, 0) == {}


@st.composite
def histories(draw: st.DrawFn) -> list[ch.AnyChange | Taken]:
    """A history as it happens: captures come in their order, changes and undos in between."""
    steps = draw(st.lists(st.sampled_from(("capture", "edit", "edit", "undo")), max_size=30))
    history: list[ch.AnyChange | Taken] = [OPENED]
    sequence = 0
    for step in steps:
        so_far = [entry for entry in history if not isinstance(entry, Taken)]
        if step == "capture" and sequence < len(NAMES):
            sequence += 1
            history.append(Taken(NAMES[sequence - 1], sequence))
        elif step == "edit":
            history.append(ch.msgspec.structs.replace(draw(_edit), after_sequence=sequence))
        elif step == "undo" and (number := next_undo(so_far)) is not None:
            history.append(ch.Undone(after_sequence=sequence, at=AT, number=number))
    return history


def apart(history: list[ch.AnyChange | Taken]) -> tuple[list[ch.AnyChange], list[Taken]]:
    return (
        [entry for entry in history if not isinstance(entry, Taken)],
        [entry for entry in history if isinstance(entry, Taken)],
    )


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(histories())
def test_no_capture_is_ever_lost_or_doubled(history: list[ch.AnyChange | Taken]) -> None:
    changes, captures = apart(history)
    job_list = fold(changes, captures, station="tram-01")
    held = [name for entry in job_list.entries + job_list.removed for name in (entry.capture_id, *entry.supersedes)]
    assert sorted(held) == sorted(capture.capture_id for capture in captures)


@given(histories(), st.randoms())
def test_folding_does_not_depend_on_the_order_in_which_captures_are_read(history, random) -> None:
    changes, captures = apart(history)
    shuffled = list(captures)
    random.shuffle(shuffled)
    assert fold(changes, shuffled, station="t") == fold(changes, captures, station="t")


@given(histories(), st.data())
def test_what_a_list_was_can_be_told_from_the_longer_history(history, data) -> None:
    length = data.draw(st.integers(1, len(history)))
    then_changes, then_captures = apart(history[:length])
    changes, captures = apart(history)
    assert fold(then_changes, then_captures, station="t") == fold(
        changes[: len(then_changes)], captures[: len(then_captures)], station="t"
    )
    assert fold(then_changes, then_captures, station="t").revision == length


@given(histories(), _edit)
def test_undo_restores_the_list_exactly(history, edit) -> None:
    changes, captures = apart(history)
    before = fold(changes, captures, station="t")
    edit = ch.msgspec.structs.replace(edit, after_sequence=len(captures))
    if isinstance(edit, ch.Marked):
        return
    changes.append(edit)
    number = next_undo(changes)
    assert number == len(changes)
    changes.append(ch.Undone(after_sequence=len(captures), at=AT, number=number))
    after = fold(changes, captures, station="t")
    assert (after.entries, after.removed, after.state) == (before.entries, before.removed, before.state)
    assert after.revision == before.revision + 2


@given(histories())
def test_every_change_survives_its_line(history: list[ch.AnyChange | Taken]) -> None:
    for change in apart(history)[0]:
        line = ch.encode(change)
        assert b"\n" not in line
        assert ch.decode(line) == change
