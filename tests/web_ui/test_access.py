"""Who gets in, who can change something, and what a browser is told."""

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.web_ui.fakes import FakeStation
from tests.web_ui.running import SECRET_KEY, TOKEN
from web_ui.common.attempts import MAX_ADDRESSES, Attempts
from web_ui.station.app import create_app

POSTS = ["/press", "/release", "/retake", "/keep", "/delete", "/undo", "/pause", "/resume", "/hand-over", "/job"]
GETS = ["/", "/review", "/state", "/preview", "/captures/capture-1/frame.jpg"]


def csrf_of(client: FlaskClient) -> str:
    return str(client.get("/state?after=-1").get_json()["csrf"])


@pytest.mark.parametrize("path", GETS)
def test_nothing_is_shown_to_somebody_who_has_not_entered(visitor: FlaskClient, path: str) -> None:
    answer = visitor.get(path)
    assert answer.status_code == 401
    assert "Cần mở bằng mã" in answer.text


@pytest.mark.parametrize("path", POSTS)
def test_nothing_is_done_for_somebody_who_has_not_entered(
    visitor: FlaskClient, station: FakeStation, path: str
) -> None:
    assert visitor.post(path).status_code == 401
    assert station.asked == []


@pytest.mark.parametrize("path", POSTS)
def test_a_post_without_the_token_against_forgery_does_nothing(
    person: FlaskClient, station: FakeStation, path: str
) -> None:
    assert person.post(path, data={"csrf": "guess"}).status_code == 403
    assert person.post(path).status_code == 403
    assert station.asked == []


@pytest.mark.parametrize("path", POSTS)
def test_get_never_changes_anything(person: FlaskClient, station: FakeStation, path: str) -> None:
    assert person.get(path).status_code == 405
    assert station.asked == []


def test_the_token_opens_a_session_whose_cookie_stays_with_this_site(visitor: FlaskClient) -> None:
    answer = visitor.get("/enter", query_string={"token": TOKEN})
    cookie = answer.headers["Set-Cookie"]
    assert answer.status_code == 303
    assert answer.location == "/"
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert TOKEN not in cookie
    assert visitor.get("/").status_code == 200


def test_a_form_may_bring_the_token_too_and_leaving_ends_the_session(visitor: FlaskClient) -> None:
    assert visitor.post("/enter", data={"token": TOKEN}).status_code == 303
    assert visitor.post("/leave", data={"csrf": csrf_of(visitor)}).status_code == 303
    assert visitor.get("/").status_code == 401


@pytest.mark.parametrize("token", ["wrong", "", TOKEN[:-1], TOKEN + "x", "đ" * 20])
def test_a_wrong_token_opens_nothing(visitor: FlaskClient, token: str) -> None:
    visitor.get("/enter", query_string={"token": token})
    assert visitor.get("/").status_code == 401


def test_too_many_wrong_tokens_make_an_address_wait_even_with_the_right_one(visitor: FlaskClient) -> None:
    answers = [visitor.get("/enter?token=wrong").status_code for _ in range(9)]
    assert answers == [401] * 8 + [429]
    refused = visitor.get("/enter", query_string={"token": TOKEN})
    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == "60"
    elsewhere = visitor.get("/enter", query_string={"token": TOKEN}, environ_base={"REMOTE_ADDR": "127.0.0.9"})
    assert elsewhere.status_code == 303


def test_a_new_token_ends_the_sessions_of_the_old_one(station: FakeStation, visitor: FlaskClient) -> None:
    visitor.get("/enter", query_string={"token": TOKEN})
    after = create_app(station, token="another-token-altogether", secret_key=SECRET_KEY).test_client()
    for name, cookie in ((c.key, c) for c in visitor._cookies.values()):
        after.set_cookie(name, cookie.value)
    assert after.get("/").status_code == 401


def test_a_program_sends_the_token_itself_and_needs_no_session(visitor: FlaskClient, station: FakeStation) -> None:
    def post(token: str) -> TestResponse:
        return visitor.post("/press", headers={"Authorization": f"Bearer {token}", "Accept": "application/json"})

    assert post("wrong").status_code == 401
    assert station.asked == []
    assert post(TOKEN).get_json() == {"ok": True}
    assert station.asked == [("press",)]


def test_a_token_too_short_to_be_a_secret_is_refused_at_the_start(station: FakeStation) -> None:
    with pytest.raises(ValueError, match="16 characters"):
        create_app(station, token="short", secret_key=SECRET_KEY)


@pytest.mark.parametrize("path", ["/", "/enter", "/nowhere", "/common/base.css"])
def test_every_answer_forbids_what_the_screen_does_not_need(person: FlaskClient, path: str) -> None:
    headers = person.get(path, buffered=True).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"


def test_pages_are_never_cached_and_versioned_assets_for_ever(person: FlaskClient) -> None:
    assert person.get("/").headers["Cache-Control"] == "no-store"
    assert "immutable" in person.get("/common/base.css?v=1", buffered=True).headers["Cache-Control"]
    assert person.get("/common/morph.js", buffered=True).headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "tram-02.local"])
def test_a_host_that_is_not_ours_is_refused(person: FlaskClient, host: str) -> None:
    assert person.get("/", headers={"Host": host}).status_code == 400


def test_a_host_from_the_configuration_is_taken(station: FakeStation) -> None:
    app = create_app(station, token=TOKEN, secret_key=SECRET_KEY, hosts=("tram-02.local",))
    assert app.test_client().get("/enter", headers={"Host": "tram-02.local:8600"}).status_code == 200


def test_a_request_too_large_is_refused(person: FlaskClient) -> None:
    assert person.post("/job", data={"csrf": csrf_of(person), "title": "x" * 70_000}).status_code == 413


def test_failures_are_forgotten_after_the_window_and_never_fill_the_memory() -> None:
    attempts = Attempts(limit=2, window_s=60)
    attempts.failed("a", 0.0)
    attempts.failed("a", 10.0)
    assert attempts.wait_s("a", 11.0) == pytest.approx(49.0)
    assert attempts.wait_s("b", 11.0) == 0
    assert attempts.wait_s("a", 61.0) == 0
    for address in range(MAX_ADDRESSES + 10):
        attempts.failed(str(address), 0.0)
    assert len(attempts._failed_at_s) == MAX_ADDRESSES
