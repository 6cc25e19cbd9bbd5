"""What can go wrong with a drawn capture, on demand."""

from enum import Enum


class Fault(Enum):
    """One thing that is wrong with one capture."""

    BLUR = "blur"
    """Out of focus."""
    MOTION = "motion"
    """A leaf was still moving, or the table was."""
    GLARE = "glare"
    """The lamp's reflection covers text of one page."""
    FINGER = "finger"
    """A finger lies on one page, over text."""
    CUT_EDGE = "cut-edge"
    """The book lies so that the outer text of one page is outside the frame."""
    SKIPPED = "skipped"
    """Two leaves were turned at once: two pages are missing before this capture."""
    DOUBLED = "doubled"
    """No leaf was turned: the same spread as in the capture before."""
    EMPTY = "empty"
    """No book."""
    BLANK = "blank"
    """One page of the spread has nothing printed on it (nothing is wrong with that)."""
    DARK = "dark"
    """The lamp is off."""
