"""A ticket opens one session, once and soon, and only who has the token is given one."""

from flask.testing import FlaskClient

from tests.web_ui.running import TOKEN
from web_ui.common.tickets import LIFE_S, Tickets


def given(client: FlaskClient) -> str:
    answer = client.post("/ticket", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    return answer.text


def test_a_ticket_opens_a_session_once(visitor: FlaskClient, person: FlaskClient) -> None:
    ticket = given(visitor)
    assert TOKEN not in ticket
    assert visitor.get("/").status_code == 401, "asking for one opens nothing"
    assert visitor.get("/enter", query_string={"ticket": ticket}).status_code == 303
    assert visitor.get("/").status_code == 200
    other = visitor.application.test_client()
    other.get("/enter", query_string={"ticket": ticket})
    assert other.get("/").status_code == 401


def test_only_the_token_gives_tickets(visitor: FlaskClient, person: FlaskClient) -> None:
    assert visitor.post("/ticket").status_code == 401
    assert visitor.post("/ticket", headers={"Authorization": "Bearer guess-guess-guess"}).status_code == 401
    assert person.post("/ticket").status_code == 403, "a session without the token against forgery"
    assert visitor.get("/ticket").status_code in (401, 405)


def test_a_ticket_ends_and_only_the_latest_are_kept() -> None:
    now_s = [0.0]
    tickets = Tickets(lambda: now_s[0])
    late, first = tickets.give(), tickets.give()
    now_s[0] = LIFE_S + 0.1
    assert not tickets.take(late)
    many = [tickets.give() for _ in range(20)]
    assert not tickets.take(many[0])
    assert tickets.take(many[-1])
    assert not tickets.take(first)
    assert not tickets.take("")
