"""A screen served by the real server on a free port of this machine, for as long as a test needs it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask

from web_ui.serve import serve

TOKEN = "a-token-for-tests-only-0123456789"
SECRET_KEY = b"k" * 32


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """Serve `app` and yield its address."""
    stop, ready = threading.Event(), threading.Event()
    port: list[int] = []

    def started(listening_on: int) -> None:
        port.append(listening_on)
        ready.set()

    thread = threading.Thread(
        target=serve, args=(app, "127.0.0.1", 0, stop), kwargs={"on_ready": started}, name="web", daemon=True
    )
    thread.start()
    assert ready.wait(10), "The server did not start."
    try:
        yield f"http://127.0.0.1:{port[0]}"
    finally:
        stop.set()
        thread.join(15)
        assert not thread.is_alive(), "The server did not stop."
