"""What a learner did decides where they are: the lessons without a camera."""

from dataclasses import dataclass, field, replace

import pytest

from appliance.api import SessionState, Verdict
from appliance.training import lessons
from appliance.training.lessons import STEPS, Progress, Scene, Seen
from appliance.training.view import Flaw, Lesson

CODE = {Flaw.BLUR: "blur", Flaw.GLARE: "glare", Flaw.FINGER: "finger"}


@dataclass
class Learner:
    """Somebody at the pedal; the station sees every flaw unless told otherwise."""

    progress: Progress = field(default_factory=Progress)
    scene: Scene = field(default_factory=lambda: Scene(SessionState.READY))
    is_seen: bool = True

    def look(self, **changes: object) -> None:
        self.scene = replace(self.scene, **changes)  # type: ignore[arg-type]
        self.progress = lessons.advance(self.progress, self.scene)

    def shoot(self, verdict: Verdict = Verdict.OK, *, instead_of: str = "", before: str = "") -> str:
        name = f"c{len(self.scene.taken) + 1}"
        order = lessons.order_of(self.progress, self.scene)
        flaw = order[2] if order else None
        codes = frozenset({CODE[flaw]}) if flaw and self.is_seen else frozenset()
        verdict = Verdict.BAD if codes else verdict
        names = [one for one in self.scene.order if one != instead_of]
        at = self.scene.order.index(before or instead_of) if before or instead_of else len(names)
        taken = [replace(one, is_listed=False) if one.capture_id == instead_of else one for one in self.scene.taken]
        pending = Seen(name, Verdict.PENDING, flaw=flaw)
        self.look(taken=(*taken, pending), order=(*names[:at], name, *names[at:]))
        self.look(taken=(*taken, replace(pending, verdict=verdict, codes=codes)))
        return name

    def mend(self) -> None:
        self.shoot(instead_of=self.scene.order[-1])

    @property
    def task(self) -> str:
        return lessons.view_of(self.progress, self.scene).task

    def up_to(self, lesson: Lesson) -> "Learner":
        while self.progress.step and self.progress.step.lesson is not lesson:
            self.progress = lessons.skip(self.progress, self.scene)
        return self


def test_somebody_who_does_what_is_asked_comes_through_all_lessons_with_all_that_can_be_had() -> None:
    one = Learner()
    for _ in range(4):
        one.shoot()
    one.mend()
    one.look(state=SessionState.PAUSED)
    one.look(state=SessionState.READY)
    for flaws in (2, 1):
        for _ in range(flaws):
            one.shoot()
            assert one.task == "mend"
            one.mend()
        if flaws == 2:
            one.shoot()
    first, behind = one.shoot(), one.shoot()
    one.look(is_reviewing=True)
    assert (one.task, lessons.gap_of(one.progress, one.scene)) == ("fill-gap", (first, behind))
    one.shoot(before=behind)
    one.look(is_reviewing=False)
    assert one.task == "offline"
    one.shoot()
    one.shoot()
    assert lessons.may_hand_over(one.progress)
    one.look(state=SessionState.CLOSED)
    score = lessons.view_of(one.progress, one.scene).score
    assert (score.taken, score.good, score.retaken) == (14, 14, 0)
    assert (score.flaws, score.found, score.lessons) == (3, 3, 6)


def test_a_bad_picture_does_not_count_as_placing_the_book_and_costs_yield() -> None:
    one = Learner()
    one.shoot(Verdict.BAD)
    assert one.task == "place"
    one.mend()
    assert one.task == "spreads"
    score = lessons.score_of(one.progress, one.scene)
    assert (score.taken, score.good, score.retaken) == (2, 1, 1)


def test_the_picture_that_mends_a_flaw_is_never_spoiled_itself() -> None:
    one = Learner().up_to(Lesson.FAULTS)
    assert lessons.order_of(one.progress, one.scene) is not None
    one.shoot()
    assert lessons.order_of(one.progress, one.scene) is None


def test_whoever_goes_on_behind_a_flaw_is_told_and_has_not_found_it() -> None:
    one = Learner().up_to(Lesson.FAULTS)
    flawed = one.shoot()
    one.shoot()
    assert one.task == "left"
    one.shoot(instead_of=flawed)
    score = lessons.score_of(one.progress, one.scene)
    assert (score.flaws, score.found) == (1, 0)


def test_while_the_mending_picture_is_not_in_its_place_yet_nobody_has_gone_on() -> None:
    one = Learner().up_to(Lesson.FAULTS)
    flawed = one.shoot()
    # The foot is still down: judged, but the session has not placed it.
    one.look(taken=(*one.scene.taken, Seen("held", Verdict.PENDING)), order=(flawed, "held"))
    assert one.task == "mend"


def test_a_flaw_that_this_book_hides_is_tried_again_and_then_given_up() -> None:
    one = Learner(is_seen=False).up_to(Lesson.FAULTS)
    orders = set()
    for _ in range(lessons.TRIES):
        orders.add(lessons.order_of(one.progress, one.scene))
        one.shoot()
    assert len(orders) == lessons.TRIES
    assert (one.progress.step, one.progress.flawed) == (STEPS[6], ())


def test_a_skipped_lesson_is_not_in_the_certificate_and_the_hand_over_cannot_be_skipped() -> None:
    one = Learner().up_to(Lesson.HAND_OVER)
    assert lessons.skip(one.progress, one.scene) == one.progress
    assert lessons.score_of(one.progress, one.scene).lessons == 0
    one.look(state=SessionState.CLOSED)
    assert lessons.score_of(one.progress, one.scene).lessons == 1


@pytest.mark.parametrize("lesson", [lesson for lesson in Lesson if lesson is not Lesson.HAND_OVER])
def test_a_list_closed_early_ends_the_training_without_the_lessons_that_were_left(lesson: Lesson) -> None:
    one = Learner().up_to(lesson)
    one.look(state=SessionState.CLOSED)
    view = lessons.view_of(one.progress, one.scene)
    assert (view.is_over, view.score.lessons) == (True, 0)
