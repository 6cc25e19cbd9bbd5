"""What stands ready before the first picture is told from one live picture and the station's figures."""

import dataclasses

import pytest

from appliance.api import NewJob
from appliance.errors import NotNow
from appliance.spool.retention import RetentionPolicy
from firmware.interfaces import Signal
from firmware.simulated.camera import SimulatedCamera
from firmware.simulated.faults import Fault


def states(station) -> dict[str, str]:
    ready = station.front.preflight()
    names = ("camera", "light", "focus", "disk", "clock", "book")
    return {name: getattr(ready, name).state for name in names}


def test_a_book_that_lies_well_before_a_good_camera_is_all_ticks_but_for_the_clock_that_nobody_set(
    build, drawn
) -> None:
    station = build(drawn())
    with pytest.raises(NotNow):
        station.front.preflight()
    station.front.open_job(NewJob(height_cm=20.5))
    expected = dict.fromkeys(("camera", "light", "focus", "disk", "book"), "ok") | {"clock": "failed"}
    assert states(station) == expected


@pytest.mark.parametrize(
    ("fault", "failed"), [(Fault.DARK, "light"), (Fault.BLUR, "focus"), (Fault.MOTION, "focus"), (Fault.EMPTY, "book")]
)
def test_what_would_spoil_the_first_picture_is_named(build, clock, fault: Fault, failed: str) -> None:
    station = build(SimulatedCamera(7, 1014, 760, faults={1: fault}, clock_ns=lambda: clock.now_ns))
    station.front.open_job(NewJob())
    assert states(station)[failed] == "failed"


def test_a_camera_that_is_gone_leaves_the_rest_unknown_and_blames_nothing_else(build, drawn) -> None:
    camera = drawn()
    station = build(camera)
    station.front.open_job(NewJob())
    camera.unplug()
    found = states(station)
    assert (found["camera"], found["light"], found["focus"], found["book"]) == ("failed", *["unknown"] * 3)


def test_it_is_heard_once_whether_the_book_is_ready_and_again_when_it_has_become_so(build, clock) -> None:
    station = build(SimulatedCamera(7, 1014, 760, faults={1: Fault.EMPTY}, clock_ns=lambda: clock.now_ns))
    station.front.open_job(NewJob())
    for _ in range(3):
        station.front.preflight()
    assert station.sounder.signals == (Signal.WARN,)
    station.shoot()  # the first picture is of the empty cradle: the book is laid there now
    before = len(station.sounder.signals)
    for _ in range(3):
        station.front.preflight()
    assert station.sounder.signals[before:] == (Signal.OK,)


def test_room_is_asked_for_the_whole_book(build, drawn) -> None:
    station = build(drawn(), policy=RetentionPolicy(reserve_bytes=0, ballast_bytes=0))
    station.front.open_job(NewJob(pages_expected=2))
    room = station.front.snapshot().room_for_captures
    assert states(station)["disk"] == "ok"
    station.front.hand_over()
    station.front.open_job(NewJob(pages_expected=2 * room + 1000))
    assert states(station)["disk"] == "failed"


def test_the_resolution_comes_from_the_books_height_and_is_that_of_the_frames(build, drawn) -> None:
    camera = drawn()
    station = build(camera)
    station.front.open_job(NewJob(height_cm=20.0))
    ready = station.front.preflight()
    page = station.shoot().last.pages[0]
    assert ready.ppi == pytest.approx(page.height_px / (20.0 / 2.54), rel=0.06)
    assert ready.ppi_wanted == 294
    station.front.hand_over()
    station.front.open_job(dataclasses.replace(NewJob(), height_cm=None))
    assert station.front.preflight().ppi is None
