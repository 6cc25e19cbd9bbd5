"""Serve a screen with waitress until told to stop."""

import logging
import socket
import threading
from collections.abc import Callable
from typing import Any

from flask import Flask
from waitress import wasyncore  # type: ignore[import-untyped]
from waitress.server import create_server  # type: ignore[import-untyped]

from web_ui.common.app import polls_of
from wire.errors import CodedError, ExitCode

THREADS = 12
_STOP_CHECK_S = 0.25
_log = logging.getLogger(__name__)


class CannotListen(CodedError):
    """The address is taken or not ours."""

    exit_code = ExitCode.NETWORK


def serve(
    app: Flask,
    host: str,
    port: int,
    stop: threading.Event,
    *,
    on_ready: Callable[[int], None] | None = None,
    on_turn: Callable[[str], None] | None = None,
) -> None:
    """Answer requests on `host`:`port` until `stop` is set; requests being answered are let finish for 5 s.

    Args:
        app: made by ``create_app`` of a screen.
        host: address to listen on, normally 127.0.0.1.
        port: 0 takes any free one.
        stop: set it to end.
        on_ready: told the port once connections are taken.
        on_turn: called with an empty text whenever the loop that takes connections comes round.

    Raises:
        CannotListen: the port is taken, or the address does not belong to this machine.
    """
    listening = _listen(host, port)
    listening_on = int(listening.getsockname()[1])
    channels: dict[int, Any] = {}
    server = create_server(
        app, map=channels, sockets=[listening], threads=THREADS, ident=None, clear_untrusted_proxy_headers=True
    )
    _log.info("web listening host=%s port=%d", host, listening_on)
    try:
        if on_ready is not None:
            on_ready(listening_on)
        while not stop.is_set():
            wasyncore.loop(timeout=_STOP_CHECK_S, map=channels, count=1)
            if on_turn is not None:
                on_turn("")
    finally:
        polls_of(app).closing.set()
        server.task_dispatcher.shutdown(cancel_pending=True, timeout=5)
        wasyncore.close_all(channels)
        _log.info("web stopped host=%s port=%d", host, listening_on)


def _listen(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise CannotListen("WEB-04", f"{host}:{port} cannot be listened on.", "Choose another port.") from error
