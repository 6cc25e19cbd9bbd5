"""Who works here: names as tiles, a PIN, changing over, handing over the shift. Plain forms: nothing needs a script."""

from collections.abc import Callable

from flask import Flask, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from appliance.api import SessionState, StationApi, StationSnapshot
from appliance.errors import NotNow

MAX_NOTE = 200
Answer = BaseResponse | tuple[str, int]


def add_routes(app: Flask, station: StationApi) -> None:
    """Put the routes on `app`."""

    def add(path: str, name: str, command: Callable[[], None]) -> None:
        app.add_url_rule(path, endpoint=name, view_func=lambda: _carry_out(station, command), methods=["POST"])

    app.add_url_rule("/people", endpoint="people", view_func=lambda: _page(station))
    add("/people", "add_person", lambda: station.add_person(_text("name"), _text("pin")))
    add("/sign-in", "sign_in", lambda: station.sign_in(_text("who"), _text("pin")))
    add("/set-pin", "set_pin", lambda: station.set_pin(_text("who"), _text("pin")))
    add("/sign-out", "sign_out", lambda: station.sign_out(" ".join(_text("note").split())[:MAX_NOTE]))


def _page(station: StationApi, code: str = "") -> Answer:
    snapshot = station.snapshot()
    asked = request.values.get("who", "")
    who = next((one for one in snapshot.people if one.person_id == asked), None)
    if asked and who is None:
        abort(404)
    task = _task(snapshot, request.values.get("task", ""), who is not None)
    return render_template("station/people.html", s=snapshot, task=task, who=who, code=code), 409 if code else 200


def _carry_out(station: StationApi, command: Callable[[], None]) -> Answer:
    try:
        command()
    except NotNow as refusal:
        return _page(station, refusal.code)
    except KeyError:
        abort(404)
    here = station.snapshot()
    has_left = here.person is None and here.state is SessionState.CLOSED
    return redirect(url_for("people" if has_left else "home"), code=303)


def _text(name: str) -> str:
    return request.form.get(name, "")


def _task(snapshot: StationSnapshot, asked: str, has_person: bool) -> str:
    """Return what the page is for: ``new``, ``pin`` (a new one), ``enter`` or ``choose``."""
    may_change = snapshot.person is not None
    if not snapshot.people or (asked == "new" and may_change):
        return "new"
    if has_person:
        return "pin" if asked == "pin" and may_change else "enter"
    return "choose"
