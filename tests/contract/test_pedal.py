"""What every pedal promises, whatever closes the contact. Time is driven here: nobody waits three seconds."""

import queue
from collections.abc import Callable, Iterator
from typing import Protocol

import pytest

from firmware.gestures import MS
from firmware.interfaces import Gesture, Pedal, PedalEvent
from firmware.pedal_driven import DrivenPedal
from firmware.pedal_gpio import GpioPedal
from tests.contract.bench import Bench, EdgeTold, SimulatedChipBench

PIN = 17


class Foot(Protocol):
    """A pedal under a foot and a clock that only the test moves."""

    pedal: Pedal
    events: "queue.Queue[PedalEvent]"

    def down(self) -> None: ...
    def up(self) -> None: ...
    def wait_ms(self, milliseconds: float) -> None: ...


class _Clock:
    def __init__(self) -> None:
        self.now_ns = 1_000 * MS

    def __call__(self) -> int:
        return self.now_ns


class _DrivenFoot:
    def __init__(self, _: Bench, *, down: bool = False) -> None:
        self.clock = _Clock()
        self.pedal = DrivenPedal(closed=down, clock_ns=self.clock)
        self.events: queue.Queue[PedalEvent] = queue.Queue()
        self.pedal.listen(self.events.put)

    def down(self) -> None:
        self.pedal.close_contact()

    def up(self) -> None:
        self.pedal.open_contact()

    def wait_ms(self, milliseconds: float) -> None:
        self.clock.now_ns += int(milliseconds * MS)
        self.pedal.tick()


class _GpioFoot:
    def __init__(self, bench: Bench, *, down: bool = False) -> None:
        self.clock = _Clock()
        self.bench = bench
        if down:
            bench.low(PIN)
        self.pedal = GpioPedal(PIN, bench.factory, clock_ns=self.clock)
        self.edge = EdgeTold(self.pedal._button)
        self.events: queue.Queue[PedalEvent] = queue.Queue()
        self.pedal.listen(self.events.put)

    def down(self) -> None:
        self._move(self.bench.low)

    def up(self) -> None:
        self._move(self.bench.high)

    def _move(self, hand: Callable[[int], None]) -> None:
        if self.bench.tells_at_once:
            hand(PIN)
        else:
            self.edge.after(hand, PIN)

    def wait_ms(self, milliseconds: float) -> None:
        # The driver looks by itself ten times a second.
        self.clock.now_ns += int(milliseconds * MS)


@pytest.fixture(params=[_DrivenFoot, _GpioFoot], ids=["driven", "gpio"])
def foot(request: pytest.FixtureRequest, bench: Bench) -> Iterator[Foot]:
    foot = request.param(bench)
    yield foot
    foot.pedal.close()


def said(foot: Foot) -> tuple[Gesture, int]:
    event = foot.events.get(timeout=5.0)
    return event.gesture, event.press_number


def silent(foot: Foot) -> bool:
    try:
        foot.events.get(timeout=0.3)
    except queue.Empty:
        return True
    return False


def test_a_driver_is_a_pedal(foot):
    assert isinstance(foot.pedal, Pedal)


def test_a_press_is_said_at_once_and_at_the_time_of_its_edge(foot):
    at_ns = foot.clock.now_ns
    foot.down()
    assert foot.events.get(timeout=5.0) == PedalEvent(Gesture.PRESS, at_ns, 1)


def test_holding_is_said_while_the_foot_is_still_down(foot):
    foot.down()
    assert said(foot) == (Gesture.PRESS, 1)
    foot.wait_ms(800)
    assert said(foot) == (Gesture.HOLD, 1)
    foot.wait_ms(2200)
    assert said(foot) == (Gesture.HOLD_LONG, 1)
    foot.up()
    foot.wait_ms(50)
    assert said(foot) == (Gesture.RELEASE, 1)


def test_five_edges_in_forty_milliseconds_are_one_press(foot):
    for move in (foot.down, foot.up, foot.down, foot.up, foot.down):
        move()
        foot.clock.now_ns += 10 * MS
    assert said(foot) == (Gesture.PRESS, 1)
    assert silent(foot)


def test_each_press_has_its_number(foot):
    for number in (1, 2, 3):
        foot.down()
        assert said(foot) == (Gesture.PRESS, number)
        foot.wait_ms(200)
        foot.up()
        foot.wait_ms(60)
        assert said(foot) == (Gesture.RELEASE, number)


def test_something_standing_on_it_for_minutes_makes_one_press(foot):
    foot.down()
    assert said(foot) == (Gesture.PRESS, 1)
    foot.wait_ms(800)
    assert said(foot) == (Gesture.HOLD, 1)
    foot.wait_ms(2200)
    assert said(foot) == (Gesture.HOLD_LONG, 1)
    foot.wait_ms(10 * 60_000)
    assert silent(foot)


def test_nobody_is_called_after_close_which_may_come_twice(foot):
    foot.pedal.close()
    foot.pedal.close()
    assert silent(foot)


def test_without_a_listener_presses_go_nowhere(foot):
    foot.pedal.listen(None)
    foot.down()
    foot.wait_ms(100)
    assert silent(foot)


@pytest.mark.parametrize("kind", [_DrivenFoot, _GpioFoot], ids=["driven", "gpio"])
def test_a_boot_with_something_on_the_pedal_makes_no_press(kind, bench):
    if isinstance(bench, SimulatedChipBench):
        pytest.skip("the simulated chip's own pull-up lifts the foot when the pin is opened")
    foot = kind(bench, down=True)
    foot.wait_ms(5_000)
    assert silent(foot)
    foot.up()
    foot.wait_ms(60)
    assert silent(foot)
    foot.down()
    assert said(foot) == (Gesture.PRESS, 1)
    foot.pedal.close()
