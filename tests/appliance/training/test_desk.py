"""Training on a whole station: it is worked like the real thing, and nothing of it is ever the real thing."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.api import NewJob, SessionState
from appliance.errors import NotNow
from appliance.places import SlotView
from appliance.spool.outbox import Outbox
from appliance.training.view import Flaw, Lesson, TrainingView
from firmware.interfaces import Signal
from firmware.simulated.faults import Fault
from tests.appliance.training.practice import TrainingStation, training_station


@pytest.fixture
def station(tmp_path: Path) -> Iterator[TrainingStation]:
    with training_station(tmp_path) as running:
        yield running


def coached(station: TrainingStation, task: str, lesson: Lesson | None = None) -> TrainingView:
    """Wait until the screen asks for this."""
    now = station.until(
        lambda now: bool(now.training and now.training.task == task and lesson in (None, now.training.lesson)), task
    )
    assert now.training
    return now.training


def test_a_learner_goes_through_all_lessons_with_the_pedal_and_nothing_of_it_is_left(station: TrainingStation) -> None:
    station.desk.begin_training()
    coached(station, "place")
    for _ in range(4):
        station.shoot()
    coached(station, "again")
    station.mend()
    coached(station, "pause")
    station.press(held_s=4.0)
    station.until(lambda now: now.state is SessionState.PAUSED)
    coached(station, "resume")
    station.press()
    told: list[set[str]] = []
    for flaw in (Flaw.BLUR, Flaw.GLARE, Flaw.FINGER):
        if flaw is Flaw.FINGER:
            coached(station, "spreads", Lesson.FAULTS)
            station.shoot()
        coached(station, "flaw")
        last = station.shoot().last
        assert last
        found = (*last.findings, *(one for page in last.pages for one in page.findings))
        told.append({one.code for one in found if one.severity != "info"})
        coached(station, "mend")
        station.mend()
    assert [flaw.value in codes for flaw, codes in zip(Flaw, told, strict=True)] == [True, True, True]
    coached(station, "before-gap")
    station.shoot()
    coached(station, "skip-leaf")
    station.shoot()
    coached(station, "fill-gap")
    (gap,) = station.front.listing().gaps
    station.front.review(SlotView(before=gap.before))
    station.shoot()
    station.front.end_review()
    coached(station, "offline")
    assert station.front.snapshot().link.state == "offline"
    for _ in range(2):
        station.shoot()
    coached(station, "hand-over")
    assert station.front.snapshot().link.state == "training"
    station.front.hand_over()
    view = station.desk.training()
    assert view
    assert view.is_over
    assert (view.score.lessons, view.score.flaws, view.score.found, view.score.retaken) == (6, 3, 3, 0)
    assert view.score.good == view.score.taken
    assert station.sounder.signals.count(Signal.BAD) == 1
    station.desk.leave_training()
    assert not station.training_folder.exists()
    assert station.front.snapshot().training is None
    assert station.front.snapshot().safe_captures == 0


def test_the_publisher_finds_real_pages_alone_while_somebody_trains(station: TrainingStation) -> None:
    job = station.front.open_job(NewJob(title="Kiều"))
    station.ready()
    station.shoot()
    station.front.hand_over()
    station.desk.begin_training()
    station.shoot()
    with Outbox.open(station.folder) as outbox:
        assert outbox.counts().safe == 1
        assert {row.job_id for row in outbox.jobs()} == {job}
        offered = {pending.ref.id for pending in outbox.pending(10)}
    (real,) = (path.name for path in (station.folder / "captures").iterdir())
    (practised,) = (path.name for path in (station.training_folder / "captures").iterdir())
    assert offered == {job, real}
    assert practised not in offered


def test_training_waits_while_a_book_is_being_captured_and_a_pause_makes_room_for_it(station: TrainingStation) -> None:
    station.front.open_job(NewJob(title="Kiều"))
    station.ready()
    station.shoot()
    with pytest.raises(NotNow, match="TRAIN-01"):
        station.desk.begin_training()
    assert not station.training_folder.exists()
    station.front.pause()
    station.desk.begin_training()
    station.shoot()
    station.desk.leave_training()
    now = station.front.snapshot()
    assert (now.state, now.job and now.job.entries) == (SessionState.PAUSED, 1)


def test_a_training_opens_no_books_and_hands_nothing_over_before_its_last_lesson(station: TrainingStation) -> None:
    station.desk.begin_training()
    with pytest.raises(NotNow, match="TRAIN-02"):
        station.front.open_job(NewJob(title="Kiều"))
    with pytest.raises(NotNow, match="TRAIN-03"):
        station.front.hand_over()
    for _ in range(5):
        station.desk.skip_lesson()
    coached(station, "hand-over", Lesson.HAND_OVER)
    station.shoot()
    station.front.hand_over()
    view = station.desk.training()
    assert view
    assert (view.is_over, view.score.lessons) == (True, 1)


def test_what_a_power_cut_has_left_of_a_training_is_wiped_at_the_next_start(tmp_path: Path) -> None:
    (tmp_path / "training" / "captures").mkdir(parents=True)
    with training_station(tmp_path) as running:
        assert not running.training_folder.exists()
        running.desk.begin_training()
        assert running.training_folder.exists()
    assert not (tmp_path / "training").exists()


def test_a_command_that_a_screen_has_kept_goes_to_what_is_going_on_when_it_is_given(station: TrainingStation) -> None:
    resume, retake = station.front.resume, station.front.retake
    station.front.open_job(NewJob(title="Kiều"))
    station.ready()
    station.front.pause()
    station.desk.begin_training()
    with pytest.raises(NotNow, match="SES-07"):
        resume()
    station.shoot()
    station.camera.inject(Fault.DOUBLED)
    retake()
    station.until(lambda now: now.safe_captures == 2 and bool(now.job and now.job.entries == 1))
    station.desk.leave_training()
    resume()
    station.ready()


def test_a_foot_that_is_down_when_training_begins_lifts_in_the_work(station: TrainingStation) -> None:
    station.pedal.close_contact()
    station.until(lambda now: now.refused_presses == 1)
    station.desk.begin_training()
    steps = station.front.snapshot().walk[0]
    station.lift()
    station.until(lambda now: now.walk[0] == steps + 1)
    assert station.front.snapshot().job is not None
    assert station.front.snapshot().last is None


def test_a_screen_that_waits_hears_of_training_at_once_and_numbers_never_repeat(station: TrainingStation) -> None:
    before = station.front.snapshot().number
    begin = threading.Thread(target=station.desk.begin_training)
    begin.start()
    begin.join()
    within = station.front.wait_for_change(before, 5.0)
    assert within.training is not None
    again = threading.Timer(0.1, station.desk.skip_lesson)
    again.start()
    news = station.front.wait_for_change(station.front.snapshot().number, 5.0)
    again.join()
    assert news.training
    assert news.training.lesson is Lesson.PEDAL
    station.desk.leave_training()
    station.desk.begin_training()
    assert station.front.snapshot().number > news.number > within.number
