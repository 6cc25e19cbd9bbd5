"""The session at work on a real spool, with drawn books and driven time."""

import json
import threading
from collections import Counter

import pytest

from appliance.api import Delivery, NewJob, SessionState, Verdict
from appliance.errors import NotNow
from appliance.imaging.pipeline import process
from firmware.interfaces import Signal
from firmware.simulated.faults import Fault
from wire.codec import decode_job_list


def names(station) -> list[int]:
    """The sequences of the list, in order."""
    spool, job = station.spool, station.front.snapshot().job
    rows = {row.capture_id: row.sequence for row in spool.captures_of(job.job_id)}
    document = station.session.ask(station.session.job.document)
    return [rows[entry.capture_id] for entry in document.entries]


def test_a_press_becomes_a_safe_capture_and_then_two_judged_pages(station) -> None:
    now = station.shoot()
    assert now.job.entries == 1
    assert now.job.pages == 2
    assert now.last.verdict is Verdict.OK
    assert now.last.delivery is Delivery.PROCESSED
    assert station.sounder.signals == (Signal.TICK, Signal.OK)
    assert station.light.signals == station.sounder.signals
    facts = station.spool.capture(now.last.capture_id)
    assert facts.item.title == "Truyện Kiều"
    assert facts.pressed_at == "2026-01-02T03:04:05.000000Z"
    assert not facts.clock_synchronised
    assert station.front.frame_file(now.last.capture_id).read_bytes().startswith(b"\xff\xd8")
    assert station.front.page_file(now.last.capture_id, "left").is_file()


def test_fifty_spreads_each_held_for_one_and_a_half_seconds_are_fifty_spreads(station) -> None:
    for _ in range(50):
        station.shoot(held_s=1.5)
    now = station.front.snapshot()
    assert now.job.entries == 50
    assert now.job.pages == 100
    assert names(station) == list(range(1, 51))
    assert now.refused_presses == 0
    assert now.state is SessionState.READY


def test_something_standing_on_the_pedal_for_minutes_makes_one_capture_and_a_pause(station) -> None:
    station.pedal.close_contact()
    station.hold(5)
    station.until(lambda now: now.state is SessionState.PAUSED)
    station.hold(300)
    now = station.until(lambda now: now.safe_captures == 1 and now.queue_length == 0)
    assert now.job.entries == 1
    assert now.job.latest[0].marks == ("look-again",)
    station.lift()
    station.press()
    station.ready()
    station.shoot()
    assert station.front.snapshot().job.entries == 2


def test_holding_on_the_same_spread_replaces_it(build, drawn) -> None:
    station = build(drawn(faults={2: Fault.DOUBLED}))
    station.front.open_job(NewJob())
    station.shoot()
    station.shoot(held_s=1.0)
    now = station.until(lambda now: now.job.entries == 1, "the replacement")
    assert now.notice.key == "c.replaced"
    assert names(station) == [2]
    station.front.undo()
    assert names(station) == [1, 2]


def test_a_press_while_capturing_is_refused_and_makes_no_capture_later(build, drawn, gate) -> None:
    slow = drawn()
    take = slow.capture
    taking = threading.Event()

    def capture_when_let(**how):
        taking.set()
        assert gate.wait(10)
        return take(**how)

    slow.capture = capture_when_let
    station = build(slow)
    station.front.open_job(NewJob())
    station.press()
    assert taking.wait(10)
    station.press()
    now = station.until(lambda now: now.refused_presses == 1)
    assert now.notice.key == "refused.capturing"
    with pytest.raises(NotNow, match="SES-03"):
        station.front.hand_over()
    gate.set()
    now = station.until(lambda now: now.safe_captures == 1 and now.queue_length == 0)
    assert now.job.entries == 1
    assert Counter(station.sounder.signals)[Signal.REFUSED] == 1


def test_a_full_queue_refuses_in_words_and_capture_never_waits_for_processing(build, gate) -> None:
    def wait_then_process(*what):
        assert gate.wait(20)
        return process(*what)

    station = build(pipeline=wait_then_process)
    station.front.open_job(NewJob())
    for number in range(1, station.worker.limit + 1):
        station.press()
        station.until(lambda now, n=number: now.safe_captures == n and now.state is SessionState.READY)
    station.press()
    now = station.until(lambda now: now.refused_presses == 1)
    assert now.notice.key == "refused.queue"
    assert now.safe_captures == station.worker.limit
    gate.set()
    station.until(lambda now: now.queue_length == 0)
    station.shoot()
    assert station.front.snapshot().job.entries == station.worker.limit + 1


def test_a_camera_that_stalls_is_a_named_fault_and_comes_back_by_itself(build, drawn) -> None:
    loose = drawn()
    station = build(loose)
    station.front.open_job(NewJob())
    station.shoot()
    loose.stall()
    station.press()
    now = station.until(lambda now: now.state is SessionState.FAULT)
    assert (now.fault.code, now.fault.part) == ("CAM-02", "camera:simulated-0")
    station.ready()
    station.shoot()
    assert names(station) == [1, 2]


def test_a_camera_that_is_gone_is_tried_again_until_it_is_back(build, drawn) -> None:
    loose = drawn()
    station = build(loose)
    station.front.open_job(NewJob())
    loose.unplug()
    station.press()
    station.until(lambda now: now.fault is not None and now.fault.attempts >= 2)
    station.press()
    station.until(lambda now: now.notice is not None and now.notice.key == "refused.camera")
    loose.plug_in()
    station.ready()
    station.shoot()


def test_with_one_of_two_cameras_missing_nothing_passes_for_a_whole_spread(build, drawn) -> None:
    left, right = drawn(port="cam-0"), drawn(port="cam-1")
    station = build(left, right, layout="two-camera")
    station.front.open_job(NewJob())
    right.unplug()
    station.press()
    now = station.until(lambda now: now.state is SessionState.FAULT)
    assert now.fault.part == "camera:cam-1"
    assert now.safe_captures == 0
    right.plug_in()
    station.ready()
    now = station.shoot()
    assert [page.side for page in now.last.pages] == ["left", "right"]
    assert len(station.spool.capture(now.last.capture_id).frames) == 2


def test_a_platen_that_is_up_refuses_the_press_in_words(station) -> None:
    station.cradle.put_platen(False)
    station.press()
    assert station.until(lambda now: now.refused_presses == 1).notice.key == "refused.platen"
    station.cradle.put_platen(True)
    station.shoot()


def test_a_retake_replaces_the_last_spread_and_undo_brings_it_back(station) -> None:
    station.shoot()
    station.shoot()
    station.front.retake()
    now = station.until(lambda now: now.safe_captures == 3 and now.queue_length == 0)
    assert names(station) == [1, 3]
    assert now.last.number == 2
    station.front.undo()
    assert names(station) == [1, 2, 3]
    with pytest.raises(NotNow, match="SES-05"):
        station.front.undo()


def test_the_list_can_be_put_in_order_and_every_change_undone(station) -> None:
    for _ in range(3):
        station.shoot()
    first, second, third = (view.capture_id for view in station.front.snapshot().job.latest)
    station.front.delete(first)
    assert names(station) == [2, 3]
    station.front.move(third, second)
    assert names(station) == [3, 2]
    station.front.set_page_type(third, "cover")
    station.front.keep(second)
    now = station.until(lambda now: now.job.latest[1].marks == ("bad-kept",))
    assert now.job.latest[0].page_type == "cover"
    for _ in range(4):
        station.front.undo()
    assert names(station) == [1, 2, 3]
    with pytest.raises(NotNow, match="SES-04"):
        station.front.delete("no-such-capture")


def test_a_handed_over_list_waits_for_the_centre_and_the_next_job_may_begin(station) -> None:
    station.shoot()
    station.front.hand_over()
    now = station.front.snapshot()
    assert now.state is SessionState.CLOSED
    assert now.job is None
    assert (now.handed_over[0].title, now.handed_over[0].captures) == ("Truyện Kiều", 1)
    job_id = now.handed_over[0].job_id
    (list_file,) = (station.folder / "jobs" / job_id).glob("list-*.json")
    document = decode_job_list(list_file.read_bytes())
    assert document.state == "handed_over"
    assert document.sittings[0].ended_at is not None
    assert Signal.DONE in station.sounder.signals
    station.press()
    station.until(lambda now: now.notice is not None and now.notice.key == "refused.no-job")
    with pytest.raises(NotNow, match="SES-01"):
        station.front.retake()
    station.front.open_job(NewJob(title="Lục Vân Tiên"))
    station.shoot()
    with pytest.raises(NotNow, match="SES-02"):
        station.front.open_job(NewJob())


def test_a_clock_that_jumps_back_a_year_does_not_disorder_the_list(station, clock) -> None:
    station.shoot()
    clock.date = clock.date.replace(year=2025)
    station.shoot()
    clock.date = clock.date.replace(year=2031)
    station.shoot()
    assert names(station) == [1, 2, 3]


def test_a_job_goes_on_after_a_restart(build) -> None:
    first = build()
    first.front.open_job(NewJob(title="Truyện Kiều"))
    first.shoot()
    first.shoot()
    first.stop()
    again = build()
    now = again.until(lambda now: now.job is not None)
    assert (now.job.item.title, now.job.entries, now.job.pages) == ("Truyện Kiều", 2, 4)
    assert now.state is SessionState.READY
    again.shoot()
    assert names(again) == [1, 2, 3]


def test_every_safe_capture_is_a_line_of_the_event_log(station) -> None:
    for _ in range(3):
        station.shoot()
    log = (station.folder / "log" / "events.jsonl").read_text(encoding="utf-8").splitlines()
    safe = [json.loads(line) for line in log if '"capture.safe"' in line]
    assert [line["sequence"] for line in safe] == [1, 2, 3]


def test_a_pipeline_that_fails_twice_delivers_the_frame_alone_and_says_it_cannot_judge(build) -> None:
    tries = []

    def poisoned(*what):
        tries.append(what)
        raise ZeroDivisionError

    station = build(pipeline=poisoned)
    station.front.open_job(NewJob())
    now = station.shoot()
    assert now.last.verdict is Verdict.UNSURE
    pages = station.spool.pages(now.last.capture_id)
    assert pages.outcome == "processing_failed"
    assert len(tries) == 2
    assert station.spool.row(now.last.capture_id).state is Delivery.PROCESSED
    assert station.sounder.signals[-1] is Signal.WARN


def test_commands_after_the_end_are_answered_not_left_waiting(build) -> None:
    station = build()
    station.stop()
    with pytest.raises(NotNow, match="SES-08"):
        station.front.open_job(NewJob())
