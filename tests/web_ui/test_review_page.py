"""The look through before hand-over: what is left is said in words, and each thing can be done without any script."""

from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from appliance.api import Listing, SessionState, Verdict
from appliance.places import GapView, SlotView
from tests.web_ui.fakes import BLUR, CUT, FakeStation, capture_view, job_view
from tests.web_ui.running import TOKEN
from tests.web_ui.test_station_commands import post
from web_ui.station.reviewing import need_of, review_of
from wire.documents import FindingEntry, PagePart

GAP = GapView("42", "43", "capture-4", "capture-5")


def long_list(*, gaps: tuple[GapView, ...] = (GAP,), bad: bool = True) -> Listing:
    captures = [capture_view(n) for n in range(1, 20)]
    if bad:
        captures[7] = capture_view(8, Verdict.BAD, right=(BLUR,))
    captures[11] = capture_view(12, Verdict.WARN, left=(CUT,))
    return Listing(tuple(captures), {"capture-8": ("50", "51")}, gaps)


@pytest.fixture
def reviewing(station: FakeStation) -> FakeStation:
    station.listed = long_list()
    station.show(state=SessionState.READY, job=job_view(*station.listed.captures), is_reviewing=True)
    return station


def form(client: FlaskClient, path: str, **values: str) -> str:
    answer = post(client, path, json=False, **values)
    assert answer.status_code == 303
    return str(answer.location)


def test_problems_come_first_what_must_be_done_before_what_should_be_seen() -> None:
    page = review_of(long_list())
    assert [card.key for card in page.tasks] == ["gap-42-43", "capture-8", "capture-12"]
    assert (page.must, page.should, page.gaps) == (2, 1, 1)
    assert page.selected is not None
    assert page.selected.key == "gap-42-43"
    assert [card.key for card in page.cards if card.capture] == [f"capture-{n}" for n in (4, 5, 7, 8, 9, 11, 12, 13)]
    assert page.hidden == 11
    assert len(review_of(long_list(), show_all=True).cards) == 20


def test_next_and_previous_go_round_the_tasks() -> None:
    page = review_of(long_list(), "capture-8")
    assert (page.number, page.back, page.onward) == (2, "gap-42-43", "capture-12")
    assert review_of(long_list(), "capture-12").onward == "gap-42-43"


def test_what_a_person_has_kept_or_explained_is_no_task_any_more() -> None:
    assert need_of(capture_view(1, Verdict.BAD, left=(BLUR,))) == "must"
    assert need_of(capture_view(1, Verdict.PENDING)) == "must"
    assert need_of(capture_view(1)) == ""
    assert need_of(replace(capture_view(1, Verdict.BAD, left=(BLUR,)), marks=("bad-kept",))) == ""
    assert need_of(replace(capture_view(1), marks=("hold-kept",))) == "should"
    assert need_of(capture_view(1, findings=(FindingEntry(code="duplicate", severity="info"),))) == "should"
    twice = capture_view(1, findings=(FindingEntry(code="duplicate", severity="info"),))
    assert need_of(replace(twice, replaced=1)) == ""
    assert review_of(long_list(gaps=(replace(GAP, answer="absent"),), bad=False)).must == 0


def test_a_spread_that_was_taken_before_however_far_back_is_a_task() -> None:
    page = review_of(replace(long_list(gaps=(), bad=False), again={"capture-18": "capture-2"}))
    assert [card.key for card in page.tasks] == ["capture-12", "capture-18"]
    assert page.tasks[1].lead is not None
    assert page.tasks[1].lead.code == "duplicate"


def test_the_gate_says_how_much_is_left_and_leads_to_the_first(person: FlaskClient, reviewing: FakeStation) -> None:
    page = person.get("/review").text
    assert "Còn 2 việc bắt buộc, 1 việc nên xem" in page
    assert "Bàn giao (còn 2 việc bắt buộc)" in page
    assert "11 lần chụp đạt khác đang ẩn" in page
    assert form(person, "/hand-over") == "/review?at=gap-42-43"
    assert reviewing.asked == []


def test_a_program_that_knows_what_it_does_hands_over_anyway(visitor: FlaskClient, reviewing: FakeStation) -> None:
    assert visitor.post("/hand-over", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 303
    assert reviewing.asked == [("hand_over",)]


def test_with_nothing_left_the_hand_over_leads_to_the_slip_that_follows_the_centre(
    person: FlaskClient, reviewing: FakeStation
) -> None:
    reviewing.listed = Listing(tuple(capture_view(n) for n in range(1, 9)))
    assert "Bàn giao 8 lần chụp" not in person.get("/review").text
    assert form(person, "/hand-over") == "/slip/job-1"
    slip = person.get("/slip/job-1").text
    assert "Máy chủ đã xác nhận 6/8 lần chụp, còn 2 đang gửi" in slip
    assert "K 12.3" in slip
    assert "<svg" in slip
    done = replace(reviewing.snapshot().handed_over[0], confirmed=8, complete=True)
    reviewing.show(handed_over=(done,))
    assert "Máy chủ xác nhận đủ 8/8 lần chụp" in person.get("/slip/job-1").text
    assert person.get("/slip/nowhere").status_code == 404


def test_a_place_is_opened_and_the_press_is_offered_there(person: FlaskClient, reviewing: FakeStation) -> None:
    assert form(person, "/finish") == "/review"
    assert "Chụp lại vào chỗ này" in person.get("/review?at=capture-8").text
    assert form(person, "/slot", replaces="capture-8", at="capture-8") == "/review?at=capture-8"
    page = person.get("/review?at=capture-8").text
    assert "Mở sách ở trang 50–51" in page
    assert 'action="/press"' in page
    form(person, "/slot", before="capture-5", at="gap-42-43")
    assert reviewing.snapshot().slot == SlotView(before="capture-5")
    form(person, "/slot", at="capture-8")
    assert reviewing.asked == [("review",), ("review", "capture-8", ""), ("review", "", "capture-5"), ("review",)]


@pytest.mark.parametrize("answer", ["absent", "misnumbered"])
def test_a_gap_has_its_answers(person: FlaskClient, reviewing: FakeStation, answer: str) -> None:
    page = person.get("/review?at=gap-42-43").text
    for words in ("Chụp bù", "Không thiếu – sách đánh số sai", "Bản gốc thiếu trang này"):
        assert words in page
    form(person, "/gap", gap="gap-42-43", answer=answer)
    assert reviewing.asked == [("answer_gap", "42", "43", answer)]
    assert post(person, "/gap", json=False, gap="gap-1-2", answer=answer).status_code == 404
    assert post(person, "/gap", json=False, gap="gap-42-43", answer="whatever").status_code == 404


def test_each_command_of_a_card_names_its_capture_and_comes_back_to_the_list(
    person: FlaskClient, reviewing: FakeStation
) -> None:
    assert form(person, "/label", capture="capture-8", label=" xii ") == "/review?at=capture-8"
    assert form(person, "/type", capture="capture-8", type="plate", all="1") == "/review?at=capture-8&all=1"
    assert form(person, "/move", capture="capture-8", before="capture-7") == "/review?at=capture-8"
    assert form(person, "/move", capture="capture-8", before="") == "/review?at=capture-8"
    assert form(person, "/keep", capture="capture-8", back="review") == "/review"
    assert form(person, "/delete", capture="capture-8", back="review") == "/review"
    assert form(person, "/capture-on") == "/"
    assert reviewing.asked == [
        ("set_label", "capture-8", "xii"),
        ("set_page_type", "capture-8", "plate"),
        ("move", "capture-8", "capture-7"),
        ("move", "capture-8", ""),
        ("keep", "capture-8"),
        ("delete", "capture-8"),
        ("end_review",),
    ]


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("/label", {"capture": "../x"}),
        ("/type", {"capture": "capture-8", "type": "nonsense"}),
        ("/move", {"capture": "capture-8", "before": "../x"}),
        ("/slot", {"replaces": "../x"}),
    ],
)
def test_what_is_no_name_is_not_found(
    person: FlaskClient, reviewing: FakeStation, path: str, values: dict[str, str]
) -> None:
    assert post(person, path, json=False, **values).status_code == 404
    assert reviewing.asked == []


@pytest.mark.parametrize(
    "path", ["/finish", "/capture-on", "/slot", "/gap", "/label", "/type", "/move", "/hand-over", "/mute"]
)
def test_a_form_without_the_sessions_token_is_refused(person: FlaskClient, reviewing: FakeStation, path: str) -> None:
    assert person.post(path).status_code == 403
    assert reviewing.asked == []


def test_the_cause_is_shown_as_it_is(person: FlaskClient, reviewing: FakeStation) -> None:
    picture = person.get("/captures/capture-8/right/zoom.jpg?x=1200&y=900&w=50&h=20")
    assert picture.mimetype == "image/jpeg"
    assert person.get("/captures/capture-8/nowhere/zoom.jpg").status_code == 404
    assert person.get("/captures/..%5c/right/zoom.jpg").status_code == 404


def test_while_the_list_is_looked_through_the_capture_page_leads_there(
    person: FlaskClient, reviewing: FakeStation
) -> None:
    assert person.get("/").location == "/review"


def test_a_kept_warning_is_offered_to_be_muted_and_nothing_else_is(person: FlaskClient, station: FakeStation) -> None:
    job = job_view(capture_view(1))
    station.show(state=SessionState.READY, job=job, last=capture_view(1))
    assert "Bỏ cảnh báo" not in person.get("/").text
    station.show(job=replace(job, mute_offer="glare"))
    assert "Đã giữ 3 trang vì “lóa”. Bỏ cảnh báo này cho cuốn này?" in person.get("/").text
    assert post(person, "/mute", code="glare").status_code == 200
    assert station.asked == [("mute", "glare")]


def newspaper() -> Listing:
    """Two large pages in two parts each, the second with one; then the ruler."""
    places = ((1, 1), (1, 2), (2, 1))
    parts = [
        replace(capture_view(n), part=PagePart(page=page, part=part, of=2)) for n, (page, part) in enumerate(places, 1)
    ]
    return Listing((*parts, replace(capture_view(4), page_type="target")))


def test_a_large_page_without_all_its_parts_must_be_finished_or_kept() -> None:
    page = review_of(newspaper())
    assert [(card.key, card.lacks) for card in page.tasks] == [("capture-3", True)]
    assert page.must == 1
    kept = newspaper().captures
    assert review_of(Listing((*kept[:2], replace(kept[2], marks=("bad-kept",)), kept[3]))).must == 0
    assert review_of(Listing(kept[:2])).must == 0


def test_the_missing_part_is_shot_into_its_place(person: FlaskClient, station: FakeStation) -> None:
    station.listed = newspaper()
    station.show(state=SessionState.READY, job=job_view(*station.listed.captures), is_reviewing=True)
    page = person.get("/review").text
    assert "Trang lớn 2, phần 1/2" in page
    assert "Trang lớn này mới có 1/2 phần." in page
    assert "Trang chỉ có vậy – giữ lại" in page
    form(person, "/slot", before="capture-4", at="capture-3")
    assert station.asked[-1] == ("review", "", "capture-4")
