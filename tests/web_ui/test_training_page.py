"""Training on the screens: where it begins, what lies over every screen meanwhile, and what it ends with."""

import pytest
from flask.testing import FlaskClient

from appliance.api import SessionState
from appliance.training.lessons import STEPS
from appliance.training.view import Lesson
from tests.web_ui.conftest import entered
from tests.web_ui.fakes import FakeStation
from tests.web_ui.running import SECRET_KEY, TOKEN
from tests.web_ui.screens import SCREENS, training_view
from tests.web_ui.setup_fakes import FakeSetUp
from web_ui.station.app import create_app

BY_NAME = {shown.name: shown for shown in SCREENS}


def page(person: FlaskClient, station: FakeStation, name: str, path: str = "") -> str:
    BY_NAME[name].prepare(station)
    return person.get(path or BY_NAME[name].path).get_data(as_text=True)


def test_it_begins_where_jobs_are_opened_and_ends_there(person: FlaskClient, station: FakeStation) -> None:
    assert 'id="tool-training"' in page(person, station, "closed")
    assert 'id="begin-training"' in person.get("/training").get_data(as_text=True)
    for path in ("begin", "skip", "leave"):
        csrf = person.get("/state?after=-1").get_json()["csrf"]
        answer = person.post(f"/training/{path}", data={"csrf": csrf})
        assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert station.asked == [("begin_training",), ("skip_lesson",), ("leave_training",)]


def test_it_is_offered_at_the_end_of_the_set_up(station: FakeStation) -> None:
    station.show(people=(), person=None)
    app = create_app(station, token=TOKEN, secret_key=SECRET_KEY, set_up=FakeSetUp(), training=station)
    html = entered(app).get("/setup/done").get_data(as_text=True)
    app.extensions["polls"].closing.set()
    assert 'id="tool-training"' in html


@pytest.mark.parametrize("name", ["training-first", "training-flaw", "training-gap", "training-sheet", "training-over"])
def test_every_screen_of_it_bears_the_mark_and_the_way_out(
    person: FlaskClient, station: FakeStation, name: str
) -> None:
    html = page(person, station, name)
    assert html.count('class="watermark"') == 1
    assert html.count('id="leave-training"') == 1


def test_a_screen_of_the_work_bears_neither(person: FlaskClient, station: FakeStation) -> None:
    html = page(person, station, "capture-ok")
    assert "watermark" not in html
    assert "leave-training" not in html


@pytest.mark.parametrize("task", sorted({step.task for step in STEPS} | {"look", "mend", "left"}))
def test_every_task_has_words_of_its_own(person: FlaskClient, station: FakeStation, task: str) -> None:
    last = "làm hết việc còn lại, rồi bàn giao" if task != "hand-over" else "Đặt sách vào giữa khung"
    assert last not in page_of_task(person, station, task)


def page_of_task(person: FlaskClient, station: FakeStation, task: str) -> str:
    BY_NAME["training-first"].prepare(station)
    station.show(training=training_view(Lesson.PEDAL, task))
    return person.get("/").get_data(as_text=True)


@pytest.mark.parametrize("path", ["/", "/slip/job-1", "/training"])
def test_whoever_has_handed_over_comes_to_the_certificate(person: FlaskClient, station: FakeStation, path: str) -> None:
    BY_NAME["training-over"].prepare(station)
    assert person.get(path).headers["Location"] == "/training/certificate"


def test_the_certificate_names_who_is_signed_in_or_whoever_says_a_name_and_the_score(
    person: FlaskClient, station: FakeStation
) -> None:
    html = page(person, station, "training-over")
    assert "Nguyễn Thị Lan" in html
    assert "14/15 (93 %)" in html
    assert "Trần &lt;b&gt;" in page(person, station, "training-over", "/training/certificate?name=Trần <b>")


def test_there_is_no_certificate_without_a_training(person: FlaskClient, station: FakeStation) -> None:
    BY_NAME["closed"].prepare(station)
    assert person.get("/training/certificate").headers["Location"] == "/training"
    BY_NAME["training-first"].prepare(station)
    assert person.get("/training/certificate").headers["Location"] == "/"
    assert station.snapshot().state is SessionState.READY
