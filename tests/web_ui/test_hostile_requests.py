"""What no browser of ours would send: names that climb, bodies that swell or drip, forms that somebody else wrote."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.web_ui.conftest import entered
from tests.web_ui.fakes import FakeStation
from tests.web_ui.running import SECRET_KEY, TOKEN, served
from tests.web_ui.setup_fakes import FakeSetUp
from web_ui.common.app import MAX_REQUEST_BYTES
from web_ui.serve import serve
from web_ui.station.app import create_app

CLIMBING = ("..%2f..%2f..%2fetc%2fpasswd", "..", "%2e%2e%2f%2e%2e", "a%00b", "/etc/passwd", "..%5c..", "a" * 300)
PATIENCE_S = 1.0


@pytest.fixture
def whole_app(station: FakeStation) -> Iterator[Flask]:
    """All the screens of a station, before it has people: no door is between."""
    station.show(people=(), person=None)
    app = create_app(station, token=TOKEN, secret_key=SECRET_KEY, set_up=FakeSetUp())
    yield app
    app.extensions["polls"].closing.set()


@pytest.fixture
def staff(whole_app: Flask) -> FlaskClient:
    return entered(whole_app)


def test_no_form_of_any_screen_is_taken_without_the_sessions_token(
    whole_app: Flask, staff: FlaskClient, station: FakeStation
) -> None:
    paths = {
        rule.rule.replace("<step>", "network").replace("<capture_id>", "capture-1")
        for rule in whole_app.url_map.iter_rules()
        if "POST" in (rule.methods or ()) and rule.endpoint != "access.enter"
    }
    assert len(paths) > 20
    for path in sorted(paths):
        assert staff.post(path).status_code == 403, path
        assert staff.post(path, data={"csrf": "guessed"}).status_code == 403, path
    assert station.asked == []


def test_a_name_that_climbs_reaches_no_file(whole_app: Flask, staff: FlaskClient, station: FakeStation) -> None:
    rules = [rule for rule in whole_app.url_map.iter_rules() if rule.arguments and "GET" in (rule.methods or ())]
    assert {rule.endpoint for rule in rules} >= {"frame", "static", "common.static", "setup_step"}
    for rule in rules:
        for name in CLIMBING:
            path = rule.rule
            for argument in rule.arguments:
                path = path.replace(f"<path:{argument}>", name).replace(f"<{argument}>", name)
            answer = staff.get(path)
            assert answer.status_code in (308, 404), path
            assert b"root:" not in answer.data
    assert station.frames_asked == []


def test_a_body_that_is_too_large_is_refused_while_it_arrives_with_a_length_or_without(whole_app: Flask) -> None:
    with served(whole_app) as address:
        assert _answer(address, _head("/press", f"Content-Length: {10**12}")).startswith(b"HTTP/1.1 413")
        block = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
        sent = _answer(address, _head("/press", "Transfer-Encoding: chunked"), *[block] * 64)
        assert sent.startswith(b"HTTP/1.1 413")
        assert MAX_REQUEST_BYTES <= 0x10000


def test_bodies_that_drip_hold_up_nobody_and_are_hung_up_on(whole_app: Flask, station: FakeStation) -> None:
    ready, stop, port = threading.Event(), threading.Event(), [0]

    def started(listening_on: int) -> None:
        port[0] = listening_on
        ready.set()

    serving = threading.Thread(
        target=serve,
        args=(whole_app, "127.0.0.1", 0, stop),
        kwargs={"on_ready": started, "request_within_s": PATIENCE_S},
    )
    serving.start()
    assert ready.wait(10)
    address = f"http://127.0.0.1:{port[0]}"
    with ExitStack() as open_lines:
        open_lines.callback(serving.join, 15)
        open_lines.callback(stop.set)
        slow = [open_lines.enter_context(_line(address)) for _ in range(150)]
        for line in slow:
            line.sendall(_head("/press", "Content-Length: 1000") + b"x")
        began_s = time.monotonic()
        assert _answer(address, _head("/press", "Content-Length: 0")).startswith(b"HTTP/1.1 200")
        assert station.asked == [("press",)]
        for line in slow:
            assert _drip_until_the_end(line) == b""
        assert time.monotonic() - began_s < PATIENCE_S + 8
    assert station.asked == [("press",)]


def _drip_until_the_end(line: socket.socket) -> bytes:
    line.settimeout(0.2)
    for _ in range(60):
        try:
            line.sendall(b"x")
            return line.recv(100)
        except TimeoutError:
            continue
        except ConnectionError:
            return b""
    pytest.fail("The line stayed open.")


def _head(path: str, *more: str) -> bytes:
    lines = (f"POST {path} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {TOKEN}", "Accept: application/json")
    return "\r\n".join((*lines, *more, "", "")).encode()


def _line(address: str) -> socket.socket:
    return socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2])), timeout=10)


def _answer(address: str, *pieces: bytes) -> bytes:
    """Send `pieces` for as long as they are taken, and return the beginning of what comes back."""
    with _line(address) as line:
        with contextlib.suppress(ConnectionError):  # refused in the middle: the answer is there already
            for piece in pieces:
                line.sendall(piece)
        return line.recv(1000)
