"""Serve a screen with waitress until told to stop."""

import logging
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

from flask import Flask
from waitress import wasyncore  # type: ignore[import-untyped]
from waitress.server import create_server  # type: ignore[import-untyped]

from web_ui.common.app import polls_of
from wire.errors import CodedError, ExitCode

THREADS = 12
CONNECTIONS = 400
"""At once, most of them silent: a browser keeps up to six. All of them fit into one `select`."""
REQUEST_WITHIN_S = 20.0
"""Within which a request must be whole: commands are a few hundred bytes also on the slowest line."""
_SILENT_S = 30
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
    request_within_s: float = REQUEST_WITHIN_S,
) -> None:
    """Answer requests on `host`:`port` until `stop` is set; requests being answered are let finish for 5 s.

    Args:
        app: made by ``create_app`` of a screen.
        host: address to listen on, normally 127.0.0.1.
        port: 0 takes any free one.
        stop: set it to end.
        on_ready: told the port once connections are taken.
        on_turn: called with an empty text whenever the loop that takes connections comes round.
        request_within_s: who has not sent a whole request by then is hung up on.

    Raises:
        CannotListen: the port is taken, or the address does not belong to this machine.
    """
    listening = _listen(host, port)
    listening_on = int(listening.getsockname()[1])
    channels: dict[int, Any] = {}
    server = create_server(
        app,
        map=channels,
        sockets=[listening],
        threads=THREADS,
        ident=None,
        clear_untrusted_proxy_headers=True,
        connection_limit=CONNECTIONS,
        channel_timeout=_SILENT_S,
        cleanup_interval=_SILENT_S // 3,
        # Read on while a request waits for news: so a browser that has hung up is noticed.
        channel_request_lookahead=1,
        # Refused while it arrives, with a length or without: the application hears of it only when all of it is here.
        max_request_body_size=app.config["MAX_CONTENT_LENGTH"] + 1,
    )
    slow = _Slow(request_within_s)
    _log.info("web listening host=%s port=%d", host, listening_on)
    try:
        if on_ready is not None:
            on_ready(listening_on)
        while not stop.is_set():
            wasyncore.loop(timeout=_STOP_CHECK_S, map=channels, count=1)
            slow.hang_up(channels, time.monotonic())
            if on_turn is not None:
                on_turn("")
    finally:
        polls_of(app).closing.set()
        server.task_dispatcher.shutdown(cancel_pending=True, timeout=5)
        wasyncore.close_all(channels)
        _log.info("web stopped host=%s port=%d", host, listening_on)


class _Slow:
    """Who sends a request drop by drop keeps a connection as long as it likes: waitress counts silence only."""

    def __init__(self, within_s: float) -> None:
        self._within_s = within_s
        self._begun: dict[int, tuple[object, float]] = {}

    def hang_up(self, channels: dict[int, Any], now_s: float) -> None:
        """End the connections whose present request has been arriving for too long."""
        begun: dict[int, tuple[object, float]] = {}
        for number, channel in channels.items():
            if (request := getattr(channel, "request", None)) is not None:
                known, since_s = self._begun.get(number, (None, now_s))
                begun[number] = (request, since_s if known is request else now_s)
                if now_s - begun[number][1] > self._within_s:
                    channel.will_close = True
        self._begun = begun


def _listen(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise CannotListen("WEB-04", f"{host}:{port} cannot be listened on.", "Choose another port.") from error
