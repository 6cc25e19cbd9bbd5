"""The real server: it starts, waits, stops; secrets stay in files that only their owner reads."""

import socket
import threading
import time
import urllib.request
from contextlib import ExitStack
from pathlib import Path

import pytest
from flask import Flask

from lattrang.demo.waiting import wait_until
from tests.web_ui.fakes import FakeStation
from tests.web_ui.running import TOKEN, served
from web_ui.common.keyfile import KeyFileError, load_or_create
from web_ui.common.polls import MAX_WAITING, Polls
from web_ui.serve import CannotListen, serve


def get(address: str, timeout_s: float = 30.0) -> bytes:
    request = urllib.request.Request(address, headers={"Authorization": f"Bearer {TOKEN}"})
    with urllib.request.urlopen(request, timeout=timeout_s) as answer:
        content: bytes = answer.read()
        return content


def test_a_change_reaches_a_waiting_screen_at_once(station_app: Flask, station: FakeStation) -> None:
    with served(station_app) as address:
        after = station.snapshot().number
        answers: list[bytes] = []
        waiting = threading.Thread(target=lambda: answers.append(get(f"{address}/state?after={after}")))
        waiting.start()
        started = time.monotonic()
        threading.Timer(0.3, station.show, kwargs={"safe_captures": 7}).start()
        waiting.join(10)
        assert b'"safe_captures":7' in answers[0]
        assert time.monotonic() - started < 5


def test_many_waiting_screens_leave_room_for_a_press(station_app: Flask, station: FakeStation) -> None:
    with served(station_app) as address:
        after = station.snapshot().number
        for _ in range(20):
            threading.Thread(target=_quietly, args=(f"{address}/state?after={after}",), daemon=True).start()
        request = urllib.request.Request(
            f"{address}/press", method="POST", data=b"", headers={"Authorization": f"Bearer {TOKEN}"}
        )
        started = time.monotonic()
        with urllib.request.urlopen(request, timeout=10):
            took_s = time.monotonic() - started
        assert station.asked == [("press",)]
        assert took_s < 3


def test_who_has_hung_up_waits_no_more(station_app: Flask, station: FakeStation) -> None:
    with served(station_app) as address, ExitStack() as lines:
        port, after = int(address.rpartition(":")[2]), station.snapshot().number
        head = f"GET /state?after={after} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
        for _ in range(MAX_WAITING):
            lines.enter_context(socket.create_connection(("127.0.0.1", port))).sendall(head.encode())

        def is_room() -> bool:
            waiting = threading.Thread(target=get, args=(f"{address}/state?after={after}",), daemon=True)
            waiting.start()
            waiting.join(0.4)
            return waiting.is_alive()

        wait_until(lambda: not is_room(), 10.0, "the room to be full")
        lines.close()
        wait_until(is_room, 10.0, "the places to be free again")
        station.show()


def test_stopping_ends_waiting_requests_within_seconds(station_app: Flask, station: FakeStation) -> None:
    with served(station_app) as address:
        after = station.snapshot().number
        threading.Thread(target=_quietly, args=(f"{address}/state?after={after}",), daemon=True).start()
        get(f"{address}/enter")
        started = time.monotonic()
    assert time.monotonic() - started < 5


def test_a_taken_port_is_a_coded_error(station_app: Flask) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(CannotListen, match="WEB-04"):
            serve(station_app, "127.0.0.1", taken.getsockname()[1], threading.Event())


def test_a_full_waiting_room_answers_at_once() -> None:
    polls = Polls(max_waiting=0)
    assert polls.wait(lambda _wait_s: 1, lambda _answer: False, timeout_s=60) == 1


def test_waiting_ends_with_news_with_time_and_with_closing() -> None:
    polls = Polls()
    answers = iter([1, 2, 3])
    assert polls.wait(lambda _wait_s: next(answers), lambda answer: answer == 3, timeout_s=60) == 3
    assert polls.wait(lambda _wait_s: 1, lambda _answer: False, timeout_s=0.01) == 1
    polls.closing.set()
    assert polls.wait(lambda _wait_s: 1, lambda _answer: False, timeout_s=60) == 1


def test_a_secret_is_made_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    file = tmp_path / "token"
    secret = load_or_create(file)
    assert len(secret) >= 32
    assert file.stat().st_mode & 0o777 == 0o600
    assert load_or_create(file) == secret


def test_a_secret_that_others_can_read_or_that_is_too_short_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "token"
    load_or_create(file)
    file.chmod(0o644)
    with pytest.raises(KeyFileError, match="WEB-02"):
        load_or_create(file)
    file.chmod(0o600)
    file.write_text("short")
    with pytest.raises(KeyFileError, match="WEB-03"):
        load_or_create(file)
    with pytest.raises(KeyFileError, match="WEB-01"):
        load_or_create(tmp_path / "no" / "such" / "folder")


def _quietly(address: str) -> None:
    try:
        get(address)
    except OSError:
        return
