"""Who may see a screen and change something: one token, a session cookie, and a second token against forged posts.

A person opens ``/enter?token=…`` once and has a session. A program sends ``Authorization: Bearer …`` with every
request; a browser never adds that header by itself, so such a request needs no token against forgery.
"""

import hashlib
import hmac
import secrets
import threading
import time

from flask import Blueprint, Flask, Response, abort, redirect, render_template, request, session
from werkzeug.wrappers import Response as BaseResponse

from web_ui.common.attempts import Attempts
from web_ui.common.tickets import Tickets

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
FORM_FIELD = "csrf"
HEADER = "X-CSRF-Token"


class Gate:
    """Decides for every request of one application whether it may pass."""

    def __init__(self, app: Flask, token: str, *, open_endpoints: frozenset[str]) -> None:
        if len(token) < 16:
            raise ValueError("The token must have at least 16 characters.")
        self._token = token.encode()
        # The session names the token it was opened with, so that a new token ends every old session.
        self._fingerprint = hashlib.sha256(b"session:" + self._token).hexdigest()[:32]
        self._open = open_endpoints | {"access.enter", "common.static", "static"}
        self._attempts = Attempts()
        self._tickets = Tickets()
        self._lock = threading.Lock()
        app.before_request(self._check)
        app.register_blueprint(self._routes())
        app.jinja_env.globals["csrf_token"] = csrf_token
        app.jinja_env.globals["signed_in"] = self.signed_in

    def signed_in(self) -> bool:
        """Tell whether the present request belongs to a person who entered with the token."""
        return hmac.compare_digest(session.get("entered", ""), self._fingerprint)

    def _check(self) -> None:
        if request.endpoint is None or request.endpoint in self._open:
            return
        header = request.headers.get("Authorization", "")
        if header.startswith("Bearer "):
            self._take(header.removeprefix("Bearer ").strip())
            return
        if not self.signed_in():
            abort(401)
        if request.method not in SAFE_METHODS and not _post_is_ours():
            abort(403)

    def _take(self, token: str) -> None:
        """Pass when `token` is right; answer 401 or, after too many tries from one address, 429."""
        address, now_s = request.remote_addr or "", time.monotonic()
        with self._lock:
            if self._attempts.wait_s(address, now_s) > 0:
                abort(429)
            if hmac.compare_digest(token.encode(), self._token):
                return
            self._attempts.failed(address, now_s)
        abort(401)

    def _routes(self) -> Blueprint:
        routes = Blueprint("access", __name__)

        @routes.route("/enter", methods=["GET", "POST"])
        def enter() -> BaseResponse | str:
            ticket, token = request.args.get("ticket", ""), request.values.get("token")
            if not (ticket and self._tickets.take(ticket)):
                if not token:
                    return render_template("common/enter.html")
                self._take(token)
            session.clear()
            session.permanent = True
            session["entered"] = self._fingerprint
            session[FORM_FIELD] = secrets.token_urlsafe(24)
            return redirect("/", code=303)

        @routes.post("/ticket")
        def ticket() -> str:
            return self._tickets.give()

        @routes.post("/leave")
        def leave() -> BaseResponse:
            session.clear()
            return redirect("/enter", code=303)

        return routes


def csrf_token() -> str:
    """Return the session's token against forged posts; empty before anyone entered."""
    return str(session.get(FORM_FIELD, ""))


def _post_is_ours() -> bool:
    sent = request.headers.get(HEADER) or request.form.get(FORM_FIELD) or ""
    expected = csrf_token()
    return bool(expected) and hmac.compare_digest(sent.encode(), expected.encode())


def unauthorised(_error: Exception) -> Response:
    """Answer in words where the session is missing or over."""
    return Response(render_template("common/enter.html"), status=401)
