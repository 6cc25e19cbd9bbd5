"""What screens are shown of a training, and what they may ask. Keys and numbers: the words are in the templates."""

from dataclasses import dataclass
from enum import Enum
from typing import Final, Protocol


class Lesson(Enum):
    """One of the lessons, in their order."""

    PLACE = "place"
    PEDAL = "pedal"
    FAULTS = "faults"
    GAP = "gap"
    OFFLINE = "offline"
    HAND_OVER = "hand-over"


class Flaw(Enum):
    """What training does to a picture."""

    BLUR = "blur"
    GLARE = "glare"
    FINGER = "finger"


CODES_OF: Final = {
    Flaw.BLUR: frozenset({"blur", "motion"}),
    Flaw.GLARE: frozenset({"glare"}),
    Flaw.FINGER: frozenset({"finger"}),
}
"""The findings by which the station's own checks see a flaw."""


@dataclass(frozen=True, slots=True)
class Score:
    """How a training went. Shown to the learner and kept nowhere.

    Attributes:
        taken: pictures that were the learner's own doing.
        good: those of them that nothing was to be said about.
        retaken: those of them that had to be taken again.
        flaws: pictures that training spoiled, and that the checks saw.
        found: those of them that were taken again before the next page.
        lessons: how many were gone through to their end.
    """

    taken: int
    good: int
    retaken: int
    flaws: int
    found: int
    lessons: int


@dataclass(frozen=True, slots=True)
class TrainingView:
    """Where a training is.

    Attributes:
        lesson: which one.
        task: what is to be done now, a key of the words.
        done: how many times it was done.
        times: how many times it is to be done.
        is_over: the list was handed over; what is left is the certificate.
        score: so far.
    """

    lesson: Lesson
    task: str
    done: int
    times: int
    is_over: bool
    score: Score

    @property
    def number(self) -> int:
        """Which lesson this is, from 1."""
        return list(Lesson).index(self.lesson) + 1

    @property
    def lessons(self) -> int:
        """How many lessons there are."""
        return len(Lesson)


class TrainingApi(Protocol):
    """What the training screens ask; commands raise `appliance.errors.NotNow` where the state forbids them."""

    def training(self) -> TrainingView | None:
        """Return where the training is, the latest capture included; None while there is none."""
        ...

    def begin_training(self) -> None:
        """Begin; raises `NotNow` while pictures are taken for a real book."""
        ...

    def skip_lesson(self) -> None:
        """Go on with the next lesson."""
        ...

    def leave_training(self) -> None:
        """End it and wipe what was captured. Nothing happens where there is none."""
        ...
