"""What a hold means, and when a new capture replaces the one before it. Pure.

Decided only when the capture is safe and judged and the foot is up (or has rested for the long time). Until then the
capture stands at the end of the list like any other. So nothing waits for the decision, nothing ever has to be taken
back, and a foot that rests for 3 s never replaces anything.
"""

from typing import assert_never

from appliance.api import Verdict
from appliance.imaging.judging.similarity import Match
from appliance.session.data import Held, Judgement, Shot
from appliance.session.events import Effect, MarkCapture, Replace, Say


def place(shot: Shot) -> tuple[Effect, ...] | None:
    """Return what to do about a shot's place, or None while something about it is still open."""
    if not shot.safe or shot.judged is None or (shot.foot_down and shot.held is not Held.LONG):
        return None
    if shot.previous is None or shot.replaces is not None or shot.before is not None:
        return ()
    judged = shot.judged
    match shot.held:
        case Held.LONG:
            return ()
        case Held.HOLD:
            return _place_held(shot.capture_id, shot.previous, judged)
        case Held.NO:
            # Nobody asked for this one, so it takes both a bad predecessor and features that agree.
            if judged.previous_verdict is Verdict.BAD and judged.match is Match.AGREE:
                return (Replace(shot.capture_id, shot.previous, "auto"),)
            return ()
        case _:
            assert_never(shot.held)


def _place_held(new: str, old: str, judged: Judgement) -> tuple[Effect, ...]:
    if judged.match is Match.AGREE:
        return (Replace(new, old, "hold"),)
    if judged.previous_verdict is Verdict.BAD:
        # A bad picture's features prove little, so the hold decides; where they differ, a person looks at it later.
        doubt = (MarkCapture(new, "look-again"),) if judged.match is Match.DIFFER else ()
        return (Replace(new, old, "hold"), *doubt)
    if judged.previous_verdict is Verdict.WARN and judged.match is Match.UNSURE:
        return (Replace(new, old, "hold"),)
    # Clearly another spread, or a good one before it: beginners hold until they hear the verdict. A doubled page costs
    # a key, a missing one a walk to the stacks.
    return (MarkCapture(new, "hold-kept"), Say("c.hold-kept"))
