"""Looking the list through with the pedal: walking, shooting into slots, muting what was kept, gaps, power cuts."""

import dataclasses

import pytest

from appliance.api import NewJob, SessionState, Verdict
from appliance.errors import NotNow
from appliance.imaging.model import Processed
from appliance.imaging.pipeline import process
from appliance.model import verdict_of
from appliance.places import SlotView
from tests.appliance.session.test_runner import names
from wire.documents import AnsweredGap, FindingEntry, PagesDocument, Severity


def warned(severity: str):
    """Make a pipeline that finds glare on every page."""

    def pipeline(planes, setup, profile, previous=()) -> Processed:
        made = process(planes, setup, profile, previous)
        found = FindingEntry(code="glare", severity=severity, value=2.0, limit=1.0)
        return dataclasses.replace(made, findings=(found,))

    return pipeline


def test_the_pedal_walks_through_the_list_and_takes_no_picture(station) -> None:
    station.shoot()
    station.front.review()
    station.press()
    station.press()
    station.press(held_s=1.0)
    now = station.until(lambda now: now.walk == (2, 1))
    assert (now.safe_captures, now.is_reviewing, now.state) == (1, True, SessionState.READY)
    station.front.end_review()
    station.shoot()


def test_in_an_open_slot_the_next_press_replaces_just_that_capture(station) -> None:
    for _ in range(3):
        station.shoot()
    second = station.front.listing().captures[1].capture_id
    station.front.review(SlotView(replaces=second))
    now = station.shoot()
    assert names(station) == [1, 4, 3]
    assert (now.is_reviewing, now.slot) == (True, None)
    station.front.undo()
    assert names(station) == [1, 2, 3, 4]


def test_in_a_gap_the_next_press_lands_between_its_neighbours(station) -> None:
    for _ in range(2):
        station.shoot()
    last = station.front.listing().captures[1].capture_id
    station.front.review(SlotView(before=last))
    station.shoot()
    assert names(station) == [1, 3, 2]


@pytest.mark.parametrize("kind", ["replaces", "before"])
def test_a_foot_that_rests_in_an_open_slot_goes_back_and_leaves_the_list_as_it_was(station, kind: str) -> None:
    for _ in range(2):
        station.shoot()
    first, _ = station.front.listing().captures
    station.front.review(SlotView(**{kind: first.capture_id}))
    station.press(held_s=4.0)
    now = station.until(lambda now: now.safe_captures == 3 and now.queue_length == 0)
    assert (now.state, now.is_reviewing, now.slot) == (SessionState.READY, True, None)
    assert names(station) == [1, 2]
    station.press()
    station.until(lambda now: now.walk[0] == 1)
    station.front.undo()
    assert names(station) == [1, 2, 3]


def test_a_foot_rests_in_a_slot_longer_than_the_camera_takes_for_its_picture(station) -> None:
    station.shoot()
    (only,) = station.front.listing().captures
    station.front.review(SlotView(replaces=only.capture_id))
    station.pedal.close_contact()
    station.until(lambda now: now.safe_captures == 2 and now.queue_length == 0)
    assert names(station) == [2]
    station.hold(4.0)
    station.lift()
    station.until(lambda now: now.job.entries == 1 and now.job.latest[0].sequence == 1)


def test_a_slot_names_what_is_in_the_list(station) -> None:
    with pytest.raises(NotNow, match="SES-04"):
        station.front.review(SlotView(replaces="nowhere"))


def test_the_pedal_walks_where_no_job_is_open_too(build) -> None:
    station = build()
    station.press()
    station.press(held_s=1.0)
    station.until(lambda now: now.walk == (1, 1))


def test_a_warning_kept_three_times_may_be_muted_for_this_book_only(build) -> None:
    station = build(pipeline=warned("warn"))
    station.front.open_job(NewJob("Kiều"))
    for kept in range(3):
        now = station.shoot()
        assert (now.last.verdict, now.job.mute_offer) == (Verdict.WARN, "")
        with pytest.raises(NotNow, match="SES-14"):
            station.front.mute("glare")
        station.front.keep(now.last.capture_id)
        assert kept < 2 or station.front.snapshot().job.mute_offer == "glare"
    station.front.mute("glare")
    now = station.shoot()
    assert (now.last.verdict, now.job.mute_offer, now.job.muted) == (Verdict.OK, "", ("glare",))
    assert now.last.findings[0].severity == "warn"
    station.front.undo()
    assert station.front.snapshot().last.verdict is Verdict.WARN
    station.front.hand_over()
    station.front.open_job(NewJob("Khác"))
    assert station.shoot().last.verdict is Verdict.WARN


def test_what_is_bad_is_never_offered_to_be_muted(build) -> None:
    station = build(pipeline=warned("bad"))
    station.front.open_job(NewJob("Kiều"))
    for _ in range(5):
        station.front.keep(station.shoot().last.capture_id)
    assert station.front.snapshot().job.mute_offer == ""


def test_what_a_person_says_of_missing_numbers_travels_with_the_list(station) -> None:
    station.shoot()
    gap = AnsweredGap(first="42", last="43", answer="absent")
    station.front.answer_gap(gap)
    assert station.session.ask(station.session.job.document).gaps == (gap,)
    station.front.undo()
    assert station.session.ask(station.session.job.document).gaps == ()


def test_after_a_power_cut_the_last_safe_spread_is_shown_and_named(station) -> None:
    station.shoot()
    now = station.shoot()
    station.stop()
    station.clock.boot_id = "boot-2"
    again = station.start().front.snapshot()
    assert again.last.capture_id == now.last.capture_id
    assert (again.notice.key, again.notice.values) == ("s.boot", {"n": 2})
    assert station.shoot().notice is None


def test_a_restart_without_a_power_cut_says_nothing_of_one(station) -> None:
    station.shoot()
    station.stop()
    assert station.start().front.snapshot().notice is None


def test_a_foot_that_stays_down_in_a_pause_is_done_with_the_book(station) -> None:
    station.shoot()
    station.front.pause()
    station.press(held_s=1.0)
    now = station.until(lambda now: now.is_reviewing)
    assert (now.safe_captures, now.state) == (1, SessionState.READY)


def test_a_short_press_in_a_pause_only_ends_it(station) -> None:
    station.shoot()
    station.front.pause()
    station.press()
    now = station.ready()
    assert (now.safe_captures, now.is_reviewing) == (1, False)


def test_what_is_muted_as_a_warning_is_heard_when_it_is_bad() -> None:
    def pages(severity: Severity) -> PagesDocument:
        found = FindingEntry(code="glare", severity=severity)
        return PagesDocument(
            capture_id="c", outcome="pages", profile="p", pages=(), findings=(found,), software="lattrang"
        )

    assert verdict_of(pages("warn"), ("glare",)) is Verdict.OK
    assert verdict_of(pages("warn"), ("finger",)) is Verdict.WARN
    assert verdict_of(pages("bad"), ("glare",)) is Verdict.BAD
