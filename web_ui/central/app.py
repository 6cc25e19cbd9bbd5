"""The centre's pages: `create_app` puts its routes on the base application. Parse, ask the centre, render."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask, Response, abort, redirect, render_template, request, send_file, url_for
from werkzeug.wrappers import Response as BaseResponse

from central.api import CentralApi
from web_ui.central.pairing import add_pairing
from web_ui.central.views import home_of, item_of, metrics_of, page_of
from web_ui.common.app import create_base_app
from wire.documents import Side
from wire.ids import is_name

_PICTURE_CACHE = "private, max-age=86400, immutable"
_SIDES: dict[str, Side] = {"left": "left", "right": "right", "single": "single"}
_LOCAL = frozenset({"127.0.0.1", "::1"})
ITEMS_PER_PAGE = 100


def create_app(
    central: CentralApi, *, token: str, secret_key: bytes, language: str = "vi", hosts: tuple[str, ...] = ()
) -> Flask:
    """Return the centre's screen.

    Args:
        central: what the screen shows; called from many threads at once.
        token: a person enters with ``/enter?token=…``, a program sends it as a bearer token; at least 16 characters.
        secret_key: signs the session cookie; keep it from one start to the next, or everybody has to enter again.
        language: ``vi`` or ``en``, where the browser has not chosen.
        hosts: names besides localhost under which the screen may be asked for.
    """
    app = create_base_app(
        "web_ui.central",
        side="central",
        token=token,
        secret_key=secret_key,
        language=language,
        hosts=hosts,
        open_endpoints=frozenset({"metrics"}),
    )
    _add_pages(app, central)
    _add_pictures(app, central)
    add_pairing(app, central.pairing)
    return app


def _add_pages(app: Flask, central: CentralApi) -> None:
    @app.get("/")
    def home() -> str:
        template = "central/overview.html" if "fragment" in request.args else "central/home.html"
        page = max(0, request.args.get("page", default=0, type=int))
        items = central.items(limit=ITEMS_PER_PAGE + 1, offset=page * ITEMS_PER_PAGE)
        return render_template(
            template, home=home_of(central.totals(), central.stations(), items, page, ITEMS_PER_PAGE)
        )

    @app.get("/item/<item_id>")
    def item(item_id: str) -> str:
        with _or_404():
            view = item_of(central.item(_id(item_id)), central.pages(item_id))
        return render_template("central/item.html", view=view)

    @app.get("/item/<item_id>/<int:number>")
    def page(item_id: str, number: int) -> str:
        with _or_404():
            view = page_of(central.item(_id(item_id)), central.pages(item_id), number)
        return render_template("central/page.html", view=view)

    @app.post("/stations/<station>/locate")
    def locate(station: str) -> BaseResponse:
        with _or_404():
            central.locate(_id(station))
        return redirect(url_for("home", located=station), code=303)

    @app.get("/metrics")
    def metrics() -> Response:
        if request.remote_addr not in _LOCAL:
            abort(403)
        return Response(metrics_of(central.totals(), central.stations()), mimetype="text/plain; version=0.0.4")


def _add_pictures(app: Flask, central: CentralApi) -> None:
    @app.get("/page/<capture_id>/<side>.jpg")
    def page_picture(capture_id: str, side: str) -> Response:
        with _or_404():
            return _picture(central.page_file(_id(capture_id), _SIDES[side]))

    @app.get("/thumbnail/<capture_id>/<side>.jpg")
    def thumbnail(capture_id: str, side: str) -> Response:
        with _or_404():
            return _picture(central.thumbnail_file(_id(capture_id), _SIDES[side]))


@contextmanager
def _or_404() -> Iterator[None]:
    """Answer 404 where the centre does not know what is asked for, or its file is gone."""
    try:
        yield
    except (KeyError, FileNotFoundError):
        abort(404)


def _id(text: str) -> str:
    """Return `text` where it can be an identifier; raises `KeyError` where it cannot, before anything looks for it."""
    if not is_name(text):
        raise KeyError(text)
    return text


def _picture(file: Path) -> Response:
    # Never decoded here: a picture from outside is only handed on, and the browser is told what it is.
    answer = send_file(file, mimetype="image/jpeg")
    answer.headers["Cache-Control"] = _PICTURE_CACHE
    return answer
