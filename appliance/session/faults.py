"""Commands that cannot be honoured now, each with its code and cure in one place."""

from typing import Final

from appliance.errors import NotNow
from appliance.session.events import Refusal


def no_job() -> NotNow:
    """Return the answer to a command that needs an open job."""
    return NotNow("SES-01", "No job is open.", "Start a job first.")


def job_open() -> NotNow:
    """Return the answer to opening a second job."""
    return NotNow("SES-02", "A job is open already.", "Hand it over first.")


def busy() -> NotNow:
    """Return the answer to a command that must wait for the end of an exposure."""
    return NotNow("SES-03", "A picture is being taken.", "Try again in a moment.")


def unknown_capture() -> NotNow:
    """Return the answer to a command about a capture that is not in the list."""
    return NotNow("SES-04", "This capture is not in the list.", "Reload the page: the list has changed.")


def nothing_to_undo() -> NotNow:
    """Return the answer to an undo too many."""
    return NotNow("SES-05", "There is nothing to undo.", "Only the last twenty changes of a list can be undone.")


def unknown_profile(name: str) -> NotNow:
    """Return the answer to a job with a profile that does not exist."""
    return NotNow("SES-06", f"There is no profile '{name}'.", "Choose one of those that the station offers.")


def not_resumable() -> NotNow:
    """Return the answer to resuming what no person paused."""
    return NotNow("SES-07", "There is no pause to end.", "A pause for want of room ends by itself.")


def stopped() -> NotNow:
    """Return the answer to a command that nobody can carry out any more."""
    return NotNow("SES-08", "The station is stopping.", "Wait until it has started again.")


def nothing_to_retake() -> NotNow:
    """Return the answer to a retake in an empty list."""
    return NotNow("SES-13", "There is no picture to take again.", "Press the pedal for the first one.")


def nobody() -> NotNow:
    """Return the answer to what only somebody who is signed in may do."""
    return NotNow("PIN-05", "Nobody is signed in.", "Sign in first.")


def not_offered() -> NotNow:
    """Return the answer to muting what was not kept often enough."""
    return NotNow("SES-14", "This warning cannot be muted.", "A warning is muted after it was kept three times.")


_REFUSALS: Final = {
    Refusal.NO_JOB: ("SES-01", "No job is open.", "Start a job first."),
    Refusal.CAPTURING: ("SES-03", "A picture is being taken.", "Try again in a moment."),
    Refusal.PAUSED: ("SES-09", "The station is paused.", "Resume first."),
    Refusal.QUEUE: ("SES-10", "The pictures taken so far are still being worked on.", "Wait a few seconds."),
    Refusal.DISK: ("DISK-01", "The disk is full; all that was captured is safe.", "Connect the station or make room."),
    Refusal.PLATEN: ("SES-11", "The platen is up.", "Lower the glass."),
    Refusal.CAMERA: ("SES-12", "The camera does not answer.", "Wait: it is tried again by itself."),
}


def refused(why: Refusal) -> NotNow:
    """Return the answer to a command whose picture cannot be taken."""
    return NotNow(*_REFUSALS[why])
