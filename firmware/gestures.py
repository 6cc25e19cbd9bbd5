"""What a foot said, from the raw edges of a switch: debounce and gestures in one pure state machine.

A press is said on the first closing edge, without waiting to see whether it bounces: what bounces afterwards belongs to
the same press until the contact has been open for `settle_ns`. No clock in here: time comes in with every call.
"""

from dataclasses import dataclass
from typing import Final

from firmware.interfaces import Gesture, PedalEvent

MS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class GestureTimes:
    """How long is long.

    Attributes:
        settle_ns: the contact counts as open once it has been open this long; below it, edges are bounce. Switches
            bounce for up to 40 ms here and a foot cannot press twice in 50.
        hold_ns: from the press to HOLD.
        hold_long_ns: from the press to HOLD_LONG.
    """

    settle_ns: int = 50 * MS
    hold_ns: int = 800 * MS
    hold_long_ns: int = 3_000 * MS


class GestureRecogniser:
    """Turns edges into `PedalEvent`s. Not thread-safe; one driver owns it.

    A contact that is closed from the start says nothing until it has opened: a pedal that something stands on when the
    station boots makes no press.
    """

    def __init__(self, times: GestureTimes | None = None, *, closed: bool = False) -> None:
        self._times = times or GestureTimes()
        self._stages = ((self._times.hold_ns, Gesture.HOLD), (self._times.hold_long_ns, Gesture.HOLD_LONG))
        self._closed = closed
        self._changed_at_ns: int | None = None
        self._now_ns: int | None = None
        self._down = closed
        self._pressed_at_ns: int | None = None
        self._said = 0
        self._number = 0

    def feed(self, closed: bool, at_ns: int) -> tuple[PedalEvent, ...]:
        """Take an edge, or a repeated reading of the contact, and return the events that are due by `at_ns`."""
        at_ns = self._advance(at_ns)
        events = self._due(at_ns)
        if closed == self._closed:
            return events
        self._closed = closed
        self._changed_at_ns = at_ns
        if closed and not self._down:
            return (*events, self._press(at_ns))
        return events + self._due(at_ns)

    def tick(self, now_ns: int) -> tuple[PedalEvent, ...]:
        """Return the events that have become due without an edge."""
        return self._due(self._advance(now_ns))

    def deadline_ns(self) -> int | None:
        """Return when `tick` should be called next, or None where only an edge can bring news."""
        if not self._down:
            return None
        if not self._closed:
            return (self._changed_at_ns or 0) + self._times.settle_ns
        if self._pressed_at_ns is None or self._said == len(self._stages):
            return None
        return self._pressed_at_ns + self._stages[self._said][0]

    def _advance(self, at_ns: int) -> int:
        # Edges and ticks come from different threads; one that was overtaken counts as happening now.
        self._now_ns = at_ns if self._now_ns is None else max(at_ns, self._now_ns)
        return self._now_ns

    def _press(self, at_ns: int) -> PedalEvent:
        self._down = True
        self._pressed_at_ns = at_ns
        self._said = 0
        self._number += 1
        return PedalEvent(Gesture.PRESS, at_ns, self._number)

    def _due(self, now_ns: int) -> tuple[PedalEvent, ...]:
        if not self._down:
            return ()
        return self._holds(now_ns) if self._closed else self._release(now_ns)

    def _holds(self, now_ns: int) -> tuple[PedalEvent, ...]:
        events: list[PedalEvent] = []
        while self._pressed_at_ns is not None and self._said < len(self._stages):
            after_ns, gesture = self._stages[self._said]
            if now_ns < self._pressed_at_ns + after_ns:
                break
            self._said += 1
            # A bounce that was open at the very moment delays the gesture until the contact closes again.
            at_ns = max(self._pressed_at_ns + after_ns, self._changed_at_ns or 0)
            events.append(PedalEvent(gesture, at_ns, self._number))
        return tuple(events)

    def _release(self, now_ns: int) -> tuple[PedalEvent, ...]:
        opened_at_ns = self._changed_at_ns or 0
        if now_ns < opened_at_ns + self._times.settle_ns:
            return ()
        self._down = False
        was_pressed, self._pressed_at_ns = self._pressed_at_ns is not None, None
        return (PedalEvent(Gesture.RELEASE, opened_at_ns, self._number),) if was_pressed else ()
