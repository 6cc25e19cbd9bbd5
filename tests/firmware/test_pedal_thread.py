"""The pedal's thread: what reaches the listener, and when."""

import queue
import threading
import time

from firmware.gestures import MS, GestureTimes
from firmware.interfaces import Gesture
from firmware.pedal_driven import DrivenPedal
from firmware.pedal_thread import PedalThread


def test_real_time_passes_without_anybody_looking():
    events: queue.Queue = queue.Queue()
    pedal = DrivenPedal(GestureTimes(settle_ns=10 * MS, hold_ns=40 * MS, hold_long_ns=90 * MS))
    pedal.listen(events.put)
    begun = time.monotonic_ns()
    pedal.close_contact()
    said = [events.get(timeout=5.0) for _ in range(3)]
    assert [event.gesture for event in said] == [Gesture.PRESS, Gesture.HOLD, Gesture.HOLD_LONG]
    assert time.monotonic_ns() - begun >= 90 * MS
    pedal.open_contact()
    assert events.get(timeout=5.0).gesture is Gesture.RELEASE
    pedal.close()


def test_a_press_reaches_the_listener_within_a_blink():
    heard: queue.Queue = queue.Queue()
    pedal = DrivenPedal()
    pedal.listen(lambda event: heard.put((event, time.monotonic_ns())))
    delays = []
    for _ in range(20):
        pedal.close_contact()
        event, heard_at_ns = heard.get(timeout=5.0)
        delays.append(heard_at_ns - event.at_ns)
        pedal.open_contact()
        assert heard.get(timeout=5.0)[0].gesture is Gesture.RELEASE
    assert sorted(delays)[10] < 20 * MS
    pedal.close()


def test_a_press_whose_edge_the_kernel_lost_is_found_by_looking():
    events: queue.Queue = queue.Queue()
    contact = threading.Event()
    pedal = PedalThread(level=contact.is_set)
    pedal.listen(events.put)
    contact.set()
    assert events.get(timeout=5.0).gesture is Gesture.PRESS
    contact.clear()
    assert events.get(timeout=5.0).gesture is Gesture.RELEASE
    pedal.close()


def test_a_pedal_may_be_closed_by_its_own_listener():
    closed = threading.Event()
    pedal = DrivenPedal()

    def close(_event):
        pedal.close()
        closed.set()

    pedal.listen(close)
    pedal.close_contact()
    assert closed.wait(5.0)
