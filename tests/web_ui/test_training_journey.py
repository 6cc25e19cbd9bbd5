"""Journey A9: training from the first screen to the certificate, by pedal, by keyboard and by touch alone."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from appliance.api import SessionState
from appliance.people import People
from appliance.training.view import Lesson
from firmware.simulated.faults import Fault
from tests.appliance.training.practice import TrainingStation, training_station
from tests.web_ui.browser import Screen, chromium, pytestmark, wait_until  # noqa: F401 - the same browser
from tests.web_ui.hands import Fingers, Keys
from tests.web_ui.journey import LANGUAGES, capture, walk_to
from tests.web_ui.running import SECRET_KEY, TOKEN, served
from web_ui.station.app import create_app

OFFLINE = {"vi": "Mất mạng", "en": "Offline"}


@pytest.fixture
def station(tmp_path: Path) -> Iterator[TrainingStation]:
    people = People(None)
    people.add("Lan", "1111")
    with training_station(tmp_path, people) as running:
        running.front.sign_in(people.views()[0].person_id, "1111")
        yield running


@pytest.fixture
def screen(chromium: object, station: TrainingStation, language: str) -> Iterator[Screen]:  # noqa: F811
    app = create_app(station.front, token=TOKEN, secret_key=SECRET_KEY, language=language, training=station.desk)
    with served(app) as address, Screen(chromium, address, (1024, 600), has_touch=True) as opened:
        yield opened
        app.extensions["polls"].closing.set()


def asked(screen: Screen, task: str) -> None:
    """Wait until the coach asks for this."""
    screen.page.wait_for_selector(f".coach[data-task='{task}']")


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


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_spoiled_picture_a_gap_and_the_hand_over_by_the_pedal_alone(
    screen: Screen, station: TrainingStation, language: str
) -> None:
    page = screen.page
    walk_to(screen, station, "#tool-training")
    walk_to(screen, station, "#begin-training")
    asked(screen, "place")
    assert page.locator(".watermark").count() == 1
    turn_and(screen, station, station.press)
    go_to(screen, station, Lesson.FAULTS)
    asked(screen, "flaw")
    turn_and(screen, station, station.press)
    asked(screen, "mend")
    page.wait_for_selector(".stage-bad")
    turn_and(screen, station, lambda: station.press(held_s=1.0), same=True)
    asked(screen, "flaw")
    go_to(screen, station, Lesson.GAP)
    turn_and(screen, station, station.press)
    asked(screen, "skip-leaf")
    turn_and(screen, station, station.press)
    asked(screen, "fill-gap")
    into_review(screen, station)
    walk_to(screen, station, "#do-fill")
    page.wait_for_selector("#do-press")
    station.shoot()
    asked(screen, "capture-on")
    walk_to(screen, station, "#do-capture_on")
    asked(screen, "offline")
    page.wait_for_selector(f"#link:has-text('{OFFLINE[language]}')")
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


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("way", [Keys, Fingers])
def test_a_lesson_with_a_spoiled_picture_by_keyboard_or_touch_alone(
    screen: Screen, station: TrainingStation, way: type[Keys | Fingers], language: str
) -> None:
    page, hand = screen.page, way(screen, station)
    hand.choose("#tool-training")
    hand.choose("#begin-training")
    asked(screen, "place")
    skip_to(screen, hand, Lesson.FAULTS)
    turn_and(screen, station, hand.press)
    asked(screen, "mend")
    page.wait_for_selector(".stage-bad")
    turn_and(screen, station, hand.replace, same=True)
    asked(screen, "flaw")
    skip_to(screen, hand, Lesson.HAND_OVER)
    hand.finish()
    page.wait_for_selector("html[data-walked] #review")
    hand.choose("#do-hand_over")
    page.wait_for_selector(".certificate")
    if way is Fingers:  # typed on the screen's own keyboard, or on one that somebody brought
        page.fill("#name", "Trần Thị Bé")
        page.tap("form:has(#name) button")
        page.wait_for_selector(".certificate:has-text('Trần Thị Bé')")
    hand.choose("#leave-training")
    page.wait_for_selector("#scan")
    assert not station.training_folder.exists()


def skip_to(screen: Screen, hand: Keys | Fingers, lesson: Lesson) -> None:
    """Leave lessons out, as a person may."""
    wanted = list(Lesson).index(lesson) + 1
    while (here := int(screen.page.locator(".coach strong").inner_text().split("/6")[0].split()[-1])) < wanted:
        hand.choose("#skip-lesson")
        screen.page.wait_for_selector(f".coach strong:has-text('{here + 1}/6')")
