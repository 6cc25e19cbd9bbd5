"""The base of both screens: one Flask application with access, headers, languages and assets in place."""

import hashlib
from datetime import timedelta
from pathlib import Path

from flask import Blueprint, Flask, Response, render_template, url_for
from werkzeug.exceptions import HTTPException, SecurityError
from werkzeug.sansio.response import Response as BaseResponse

from web_ui.common import headers, languages, themes
from web_ui.common.access import Gate, unauthorised
from web_ui.common.polls import Polls
from wire import VERSION

LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1", "[::1]")
MAX_REQUEST_BYTES = 64 * 1024


def create_base_app(
    import_name: str,
    *,
    side: str,
    token: str,
    secret_key: bytes,
    language: str = "vi",
    hosts: tuple[str, ...] = (),
    open_endpoints: frozenset[str] = frozenset(),
) -> Flask:
    """Return an application on which a screen puts its own routes.

    Args:
        import_name: the screen's package; its templates and static files are found beside it.
        side: ``station`` or ``central``: names the session cookie (cookies do not tell ports apart).
        token: what a person enters with, at least 16 characters.
        secret_key: signs the session cookie.
        language: spoken where the browser has not chosen one.
        hosts: names besides localhost under which the screen may be asked for.
        open_endpoints: routes that anybody may read.
    """
    app = Flask(import_name)
    app.config.update(
        SECRET_KEY=secret_key,
        SESSION_COOKIE_NAME=f"lattrang_{side}_{hashlib.sha256(secret_key).hexdigest()[:8]}",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Strict",
        PERMANENT_SESSION_LIFETIME=timedelta(hours=12),
        MAX_CONTENT_LENGTH=MAX_REQUEST_BYTES,
        TRUSTED_HOSTS=[*LOCAL_HOSTS, *hosts],
    )
    app.register_blueprint(
        Blueprint("common", __name__, static_folder="static", static_url_path="/common", template_folder="templates")
    )
    app.extensions["polls"] = Polls()
    headers.install(app)
    languages.install(app, language)
    themes.install(app)
    Gate(app, token, open_endpoints=open_endpoints)
    app.jinja_env.globals.update(asset=_Assets(app).address, version=VERSION)
    app.jinja_env.filters["sentence"] = lambda text: text[:1].upper() + text[1:]
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.register_error_handler(401, unauthorised)
    app.register_error_handler(HTTPException, _in_words)
    return app


def polls_of(app: Flask) -> Polls:
    """Return where the long-polls of `app` wait."""
    polls: Polls = app.extensions["polls"]
    return polls


def _in_words(error: HTTPException) -> BaseResponse:
    if error.code is None or error.code < 400 or isinstance(error, SecurityError):
        # For a host that is not ours no address can be built, so no page either.
        return error.get_response()
    answer = Response(render_template("common/message.html", status=error.code), status=error.code)
    if error.code == 429:
        answer.headers["Retry-After"] = "60"
    return answer


class _Assets:
    """Addresses of static files that change with their content, so that a browser may keep them for ever."""

    def __init__(self, app: Flask) -> None:
        self._folders = {
            "common.static": Path(__file__).parent / "static",
            "static": Path(app.root_path) / "static",
        }
        self._addresses: dict[tuple[str, str], str] = {}

    def address(self, name: str, *, common: bool = False) -> str:
        """Return the versioned address of the static file `name` of the screen, or of what screens share."""
        endpoint = "common.static" if common else "static"
        if (endpoint, name) not in self._addresses:
            digest = hashlib.sha256((self._folders[endpoint] / name).read_bytes()).hexdigest()
            self._addresses[endpoint, name] = url_for(endpoint, filename=name, v=digest[:10])
        return self._addresses[endpoint, name]
