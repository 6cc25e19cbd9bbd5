"""The lessons as a pure function: where the learner is, and what is seen of the session, give where they are then.

What counts is what the session did (captures, replacements, pauses), never how it was asked for: pedal, keyboard and
screen are all one.
"""

from dataclasses import dataclass, field, replace
from typing import Final

from appliance.api import SessionState, Verdict
from appliance.training.view import CODES_OF, Flaw, Lesson, Score, TrainingView

TRIES: Final = 3
"""A flaw that the checks do not see on this book is put on so many pictures; then the lesson goes on without it."""
_FINE: Final = frozenset({Verdict.OK, Verdict.UNSURE})
"""Where the station could not judge, nobody is to blame."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One capture of the training's job, in the list or not.

    Attributes:
        capture_id: of it.
        verdict: on it; PENDING while its place in the list is still open, too.
        codes: of its findings.
        flaw: what training did to it.
        is_listed: whether it stands in the list.
    """

    capture_id: str
    verdict: Verdict
    codes: frozenset[str] = frozenset()
    flaw: Flaw | None = None
    is_listed: bool = True


@dataclass(frozen=True, slots=True)
class Scene:
    """What is seen of the session at one moment.

    Attributes:
        state: of the session.
        taken: every capture in the order of the presses.
        order: those in the list, in its order.
        is_reviewing: whether the list is being looked through.
    """

    state: SessionState
    taken: tuple[Seen, ...] = ()
    order: tuple[str, ...] = ()
    is_reviewing: bool = False

    def since(self, known: frozenset[str]) -> tuple[Seen, ...]:
        """Return the captures that are not among the `known`."""
        return tuple(one for one in self.taken if one.capture_id not in known)


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do. `task` is a key of the words."""

    lesson: Lesson
    task: str
    times: int = 1
    flaw: Flaw | None = None


STEPS: Final = (
    Step(Lesson.PLACE, "place"),
    Step(Lesson.PEDAL, "spreads", 3),
    Step(Lesson.PEDAL, "again"),
    Step(Lesson.PEDAL, "pause"),
    Step(Lesson.PEDAL, "resume"),
    Step(Lesson.FAULTS, "flaw", flaw=Flaw.BLUR),
    Step(Lesson.FAULTS, "flaw", flaw=Flaw.GLARE),
    # One that nothing is wrong with in between: who expects a fault does not have to look for it.
    Step(Lesson.FAULTS, "spreads"),
    Step(Lesson.FAULTS, "flaw", flaw=Flaw.FINGER),
    Step(Lesson.GAP, "before-gap"),
    Step(Lesson.GAP, "skip-leaf"),
    Step(Lesson.GAP, "fill-gap"),
    Step(Lesson.GAP, "capture-on"),
    Step(Lesson.OFFLINE, "offline", 2),
    Step(Lesson.HAND_OVER, "hand-over"),
)


@dataclass(frozen=True, slots=True)
class Progress:
    """Where the learner is.

    Attributes:
        at: place in `STEPS`; behind the last one when the list was handed over.
        known: captures that were there when the step began.
        gone: captures of them that were not in the list then.
        left: the flawed capture that the learner went on behind, while the step lasts.
        flawed: every flawed capture that the checks saw, and whether it was taken again at once.
        asked: a capture that was replaced because a lesson wanted it.
        gap: the captures before and behind the missing leaf.
        skipped: lessons that were not gone through.
    """

    at: int = 0
    known: frozenset[str] = frozenset()
    gone: frozenset[str] = frozenset()
    left: str = ""
    flawed: tuple[tuple[str, bool], ...] = ()
    asked: str = ""
    gap: tuple[str, str] = ("", "")
    skipped: frozenset[Lesson] = field(default_factory=frozenset)

    @property
    def step(self) -> Step | None:
        """What is to be done now; None when everything is."""
        return STEPS[self.at] if self.at < len(STEPS) else None


def advance(progress: Progress, scene: Scene) -> Progress:
    """Return where the learner is with what is seen now; more than one step where that much was done."""
    while (step := progress.step) is not None:
        if scene.state is SessionState.CLOSED:
            return _over(progress)
        known, progress = progress, _stepped(progress, scene, step)
        if progress.at == known.at:
            break
    return progress


def skip(progress: Progress, scene: Scene) -> Progress:
    """Go on with the next lesson; the last one ends with a hand-over alone."""
    step = progress.step
    if step is None or step.lesson is Lesson.HAND_OVER:
        return progress
    skipped = replace(progress, skipped=progress.skipped | {step.lesson})
    at = next(at for at, one in enumerate(STEPS) if at > progress.at and one.lesson is not step.lesson)
    return _begun(skipped, scene, at)


def order_of(progress: Progress, scene: Scene) -> tuple[int, int, Flaw] | None:
    """Return what the next picture is to be spoiled with: never the one that takes a spoiled one's place.

    The numbers tell one order from the next: an order is for one picture, whenever that comes.
    """
    step = progress.step
    if step is None or step.flaw is None or any(one.flaw for one in _waiting(progress, scene, step)):
        return None
    judged = sum(one.verdict is not Verdict.PENDING for one in scene.since(progress.known))
    return progress.at, judged, step.flaw


def may_hand_over(progress: Progress) -> bool:
    """Tell whether the lessons before the hand-over are behind the learner."""
    return progress.step is None or progress.step.lesson is Lesson.HAND_OVER


def gap_of(progress: Progress, scene: Scene) -> tuple[str, str] | None:
    """Return the captures before and behind the missing leaf while it is missing."""
    before, behind = progress.gap
    if before not in scene.order or behind not in scene.order:
        return None
    return progress.gap if scene.order.index(behind) == scene.order.index(before) + 1 else None


def view_of(progress: Progress, scene: Scene) -> TrainingView:
    """Return what screens are shown."""
    step = progress.step or STEPS[-1]
    done = 0 if progress.step is None else min(step.times - 1, len(_settled(progress, scene)))
    score = score_of(progress, scene)
    return TrainingView(step.lesson, _task(progress, scene, step), done, step.times, progress.step is None, score)


def score_of(progress: Progress, scene: Scene) -> Score:
    """Return how the training went so far."""
    own = [one for one in scene.taken if one.flaw is None]
    return Score(
        taken=len(own),
        good=sum(one.verdict in _FINE for one in own),
        retaken=sum(not one.is_listed and one.capture_id != progress.asked for one in own),
        flaws=len(progress.flawed),
        found=sum(at_once for _, at_once in progress.flawed),
        lessons=len(set(Lesson) - {step.lesson for step in STEPS[progress.at :]} - progress.skipped),
    )


def _task(progress: Progress, scene: Scene, step: Step) -> str:
    flawed = [one for one in _waiting(progress, scene, step) if one.flaw]
    if not flawed:
        return step.task
    if flawed[-1].verdict is Verdict.PENDING:
        return "look"
    return "left" if progress.left else "mend"


def _begun(progress: Progress, scene: Scene, at: int) -> Progress:
    gone = frozenset(one.capture_id for one in scene.taken if not one.is_listed)
    known = frozenset(one.capture_id for one in scene.taken)
    return replace(progress, at=at, known=known, gone=gone, left="")


def _next(progress: Progress, scene: Scene) -> Progress:
    return _begun(progress, scene, progress.at + 1)


def _over(progress: Progress) -> Progress:
    last = progress.step
    behind = {step.lesson for step in STEPS[progress.at :]} - (
        {last.lesson} if last and may_hand_over(progress) else set()
    )
    return replace(progress, at=len(STEPS), skipped=progress.skipped | behind)


def _settled(progress: Progress, scene: Scene) -> tuple[Seen, ...]:
    """Return the captures of this step that are judged and stay in the list as they are."""
    return tuple(
        one
        for one in scene.since(progress.known)
        if one.is_listed and one.verdict not in (Verdict.PENDING, Verdict.BAD)
    )


def _waiting(progress: Progress, scene: Scene, step: Step) -> tuple[Seen, ...]:
    """Return the captures of a step with a flaw, those left out on which the checks did not see it."""
    if step.flaw is None:
        return ()
    codes = CODES_OF[step.flaw]
    return tuple(
        one
        for one in scene.since(progress.known)
        if one.verdict is Verdict.PENDING or not one.flaw or one.codes & codes
    )


def _stepped(progress: Progress, scene: Scene, step: Step) -> Progress:
    match step.task:
        case "again":
            return _again(progress, scene)
        case "pause":
            is_done = scene.state is SessionState.PAUSED
        case "resume":
            is_done = scene.state is not SessionState.PAUSED and not scene.is_reviewing
        case "flaw":
            return _mended(progress, scene, step)
        case "skip-leaf":
            return _skipped_leaf(progress, scene)
        case "fill-gap":
            is_done = gap_of(progress, scene) is None
        case "capture-on":
            is_done = not scene.is_reviewing
        case "hand-over":
            is_done = False
        case _:
            is_done = len(_settled(progress, scene)) >= step.times
    return _next(progress, scene) if is_done else progress


def _again(progress: Progress, scene: Scene) -> Progress:
    gone = next((one for one in scene.taken if not one.is_listed and one.capture_id not in progress.gone), None)
    return replace(_next(progress, scene), asked=gone.capture_id) if gone else progress


def _mended(progress: Progress, scene: Scene, step: Step) -> Progress:
    seen = _waiting(progress, scene, step)
    flawed = next((one for one in reversed(seen) if one.flaw and one.verdict is not Verdict.PENDING), None)
    if flawed is None:
        missed = [one for one in scene.since(progress.known) if one.flaw and one not in seen]
        return _next(progress, scene) if len(missed) >= TRIES else progress
    if not flawed.is_listed:
        at_once = flawed.capture_id != progress.left
        mended = replace(progress, flawed=(*progress.flawed, (flawed.capture_id, at_once)))
        return _next(mended, scene)
    behind = seen[seen.index(flawed) + 1 :]
    went_on = any(one.is_listed and one.verdict is not Verdict.PENDING for one in behind)
    return replace(progress, left=flawed.capture_id) if went_on else progress


def _skipped_leaf(progress: Progress, scene: Scene) -> Progress:
    settled = _settled(progress, scene)
    if not settled or settled[-1].capture_id not in scene.order:
        return progress
    at = scene.order.index(settled[-1].capture_id)
    if at == 0:
        return progress
    return replace(_next(progress, scene), gap=(scene.order[at - 1], scene.order[at]))
