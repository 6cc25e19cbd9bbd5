"""The door before set-up and hand-over by disk: a person of the station shows by their PIN that they stand there now.

Who stands before the screen is not who signed in this morning. Setting up asks each time anew; carrying pages away asks
where nobody is signed in. A station without people has nobody to ask: its first start goes on.
"""

import secrets
import time
from typing import Final

from flask import Flask, abort, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response as BaseResponse

from appliance.api import StationApi
from appliance.errors import NotNow

OPEN_S: Final = 600.0
"""How long the door stays open after the last thing done behind it: pairing by telephone takes some minutes."""
_FIELD: Final = "set_up"
_FREE: Final = frozenset({"disk_offer"})
"""Tells only whether a disk was plugged in."""


class Door:
    """Remembers in the browser's session until when it is open; another start of the program shuts it."""

    def __init__(self, station: StationApi) -> None:
        self._station = station
        self._start = secrets.token_hex(8)

    def guard(self) -> BaseResponse | None:
        """Lead whoever must show a PIN first to the page that asks for it."""
        kind = request.path.split("/")[1]
        is_program = "Authorization" in request.headers
        is_behind = kind in ("setup", "disk") and request.endpoint is not None and request.endpoint not in _FREE
        if not is_behind or is_program:
            return None
        snapshot = self._station.snapshot()
        if not snapshot.people or (kind == "disk" and snapshot.person is not None):
            return None
        if self._is_open():
            if request.method == "POST":
                self.open()
            return None
        if "fragment" in request.args or "after" in request.args:
            abort(401)  # the page that asks by itself loads anew, and is asked
        asked_for = request.path if request.method == "GET" else f"/{kind}"
        return redirect(url_for("door", to=asked_for), code=303)

    def open(self) -> None:
        """Let this browser pass for a while. By a clock that no correction of the date moves."""
        session[_FIELD] = [self._start, time.monotonic() + OPEN_S]

    def _is_open(self) -> bool:
        match session.get(_FIELD):
            case [self._start, float(until_s)]:
                return time.monotonic() < until_s
            case _:
                return False


def add_routes(app: Flask, station: StationApi) -> None:
    """Put the door before the pages that are already on `app`, and those to come."""
    door = Door(station)
    app.before_request(door.guard)

    def page(code: str = "") -> tuple[str, int]:
        snapshot = station.snapshot()
        who = request.values.get("who", "")
        person = next((one for one in snapshot.people if one.person_id == who), None)
        if person is None and len(snapshot.people) == 1:
            person = snapshot.people[0]
        html = render_template("station/setup/door.html", s=snapshot, who=person, to=_within(), code=code)
        return html, 409 if code else 200

    @app.get("/door", endpoint="door")
    def show() -> tuple[str, int]:
        return page()

    @app.post("/door", endpoint="door_open")
    def enter() -> BaseResponse | tuple[str, int]:
        try:
            station.check_pin(request.form.get("who", ""), request.form.get("pin", ""))
        except NotNow as refusal:
            return page(refusal.code)
        except KeyError:
            abort(404)
        door.open()
        return redirect(_within(), code=303)


def _within() -> str:
    """Return where to go on: a page behind the door, whatever the address says."""
    to = request.values.get("to", "")
    steps = to.split("/")
    is_ours = len(to) < 64 and steps[0] == "" and len(steps) > 1 and steps[1] in ("setup", "disk")
    return to if is_ours and all(part.isalnum() for part in steps[1:]) else url_for("setup")
