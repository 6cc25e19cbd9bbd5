"""One pedal for two sessions: what a foot says goes to the one that is at work, a press and its end to the same one."""

from firmware.interfaces import Gesture, Pedal, PedalEvent, PedalListener


class Branch:
    """What one of the two sessions holds: implements `Pedal`."""

    def __init__(self) -> None:
        self.listener: PedalListener | None = None

    def listen(self, listener: PedalListener | None) -> None:
        """Call `listener` with every event that is for this session."""
        self.listener = listener

    def close(self) -> None:
        """Stop listening. The pedal itself belongs to whoever opened it."""
        self.listener = None


class Fork:
    """Hands the events of one pedal to one of two branches.

    Args:
        pedal: whoever opened it closes it.

    Attributes:
        work: the branch of the real work, which has the pedal until it is turned.
        training: the other one.
    """

    def __init__(self, pedal: Pedal) -> None:
        self.work, self.training = Branch(), Branch()
        self._turned_to = self._pressed_on = self.work
        pedal.listen(self._felt)

    def turn(self, *, to_training: bool) -> None:
        """Let the next press, and what belongs to it, be for this branch."""
        self._turned_to = self.training if to_training else self.work

    def _felt(self, event: PedalEvent) -> None:
        if event.gesture is Gesture.PRESS:
            self._pressed_on = self._turned_to
        listener = self._pressed_on.listener
        if listener is not None:
            listener(event)
