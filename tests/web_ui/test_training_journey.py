"""Journey A9: training from the first screen to the certificate, once by the pedal alone and once by touch alone."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from appliance.api import SessionState
from appliance.people import People
from appliance.training.view import Lesson
from firmware.simulated.faults import Fault
from tests.appliance.training.practice import TrainingStation, training_station
from tests.web_ui.journey import capture, walk_to
from tests.web_ui.running import SECRET_KEY, TOKEN, served
from tests.web_ui.test_in_browser import Screen, chromium, pytestmark, wait_until  # noqa: F401 - the same browser
from web_ui.station.app import create_app


@pytest.fixture
def station(tmp_path: Path) -> Iterator[TrainingStation]:
    people = People(None)
    people.add("Lan", "1111")
    with training_station(tmp_path, people) as running:
        running.front.sign_in(people.views()[0].person_id, "1111")
        yield running


@pytest.fixture
def screen(chromium: object, station: TrainingStation) -> Iterator[Screen]:  # noqa: F811
    app = create_app(station.front, token=TOKEN, secret_key=SECRET_KEY, training=station.desk)
    with served(app) as address, Screen(chromium, address, (1024, 600), has_touch=True) as opened:
        yield opened
        app.extensions["polls"].closing.set()


def asked(screen: Screen, words: str) -> None:
    """Wait until the coach asks for this."""
    screen.page.wait_for_selector(f".coach:has-text('{words}')", timeout=15_000)


def turn_and(screen: Screen, station: TrainingStation, press: Callable[[], object], *, same: bool = False) -> None:
    if same:
        station.camera.inject(Fault.DOUBLED)
    capture(screen, station, press)


def into_review(screen: Screen, station: TrainingStation) -> None:
    """Three seconds on the pedal pause, one more hold looks through; the press that pauses takes a picture, too."""
    station.press(held_s=4.0)
    wait_until(screen, lambda: station.front.snapshot().state is SessionState.PAUSED)
    station.press(held_s=1.0)
    screen.page.wait_for_selector("#review")


def go_to(screen: Screen, station: TrainingStation, lesson: Lesson) -> None:
    """Leave out what is tested without a browser."""
    while (now := station.desk.training()) and now.lesson is not lesson:
        station.desk.skip_lesson()
    screen.page.wait_for_selector(f".coach:has-text('{list(Lesson).index(lesson) + 1}/6')")


def test_a_spoiled_picture_a_gap_and_the_hand_over_by_the_pedal_alone(screen: Screen, station: TrainingStation) -> None:
    page = screen.page
    walk_to(screen, station, "#tool-training")
    walk_to(screen, station, "#begin-training")
    asked(screen, "Đặt sách vào giữa khung")
    assert page.locator(".watermark").count() == 1
    turn_and(screen, station, station.press)
    go_to(screen, station, Lesson.FAULTS)
    asked(screen, "ảnh tới có thể có lỗi")
    turn_and(screen, station, station.press)
    asked(screen, "Ảnh này có lỗi")
    page.wait_for_selector("#verdict:has-text('CHỤP LẠI')")
    turn_and(screen, station, lambda: station.press(held_s=1.0), same=True)
    asked(screen, "ảnh tới có thể có lỗi")
    go_to(screen, station, Lesson.GAP)
    turn_and(screen, station, station.press)
    asked(screen, "lật hai tờ một lúc")
    turn_and(screen, station, station.press)
    asked(screen, "mở chỗ thiếu")
    into_review(screen, station)
    walk_to(screen, station, "#do-fill")
    page.wait_for_selector("#do-press")
    station.shoot()
    asked(screen, "Đã bù đủ")
    walk_to(screen, station, "#do-capture_on")
    asked(screen, "Mạng vừa mất")
    page.wait_for_selector("#link:has-text('Mất mạng')")
    go_to(screen, station, Lesson.HAND_OVER)
    into_review(screen, station)
    hand_over(screen, station)
    page.wait_for_selector(".certificate:has-text('Lan')")
    assert "1/1" in page.locator(".certificate").inner_text()
    walk_to(screen, station, "#leave-training")
    page.wait_for_selector("#scan")
    assert page.locator(".watermark").count() == 0
    assert not station.training_folder.exists()
    assert not list((station.folder / "captures").iterdir())


def hand_over(screen: Screen, station: TrainingStation) -> None:
    """Keep what is doubtful, then hand over: all by walking."""
    while (job := station.front.snapshot().job) is not None:
        walk_to(screen, station, "#do-keep, #do-hand_over")
        wait_until(screen, lambda was=job.revision: revision(station) != was)


def revision(station: TrainingStation) -> int | None:
    job = station.front.snapshot().job
    return job.revision if job else None


def test_a_lesson_with_a_spoiled_picture_by_touch_alone(screen: Screen, station: TrainingStation) -> None:
    page = screen.page
    page.tap("#tool-training")
    page.tap("#begin-training")
    asked(screen, "Đặt sách vào giữa khung")
    for lesson in (Lesson.PEDAL, Lesson.FAULTS):
        page.tap("#skip-lesson")
        page.wait_for_selector(f".coach:has-text('{list(Lesson).index(lesson) + 1}/6')")
    turn_and(screen, station, lambda: page.tap("#do-press"))
    asked(screen, "Ảnh này có lỗi")
    page.wait_for_selector("#verdict:has-text('CHỤP LẠI')")
    turn_and(screen, station, lambda: page.tap("#do-retake"), same=True)
    asked(screen, "ảnh tới có thể có lỗi")
    for _ in range(3):
        before = page.locator(".coach strong").inner_text()
        page.tap("#skip-lesson")
        page.wait_for_function("before => document.querySelector('.coach strong').innerText !== before", arg=before)
    page.tap("#finish")
    page.tap("#do-hand_over")
    page.wait_for_selector(".certificate")
    page.fill("#name", "Trần Thị Bé")
    page.tap("text=Ghi tên")
    page.wait_for_selector(".certificate:has-text('Trần Thị Bé')")
    page.keyboard.press("Escape")
    page.wait_for_selector("#scan")
    assert not station.training_folder.exists()
