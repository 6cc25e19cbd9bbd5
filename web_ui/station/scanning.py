"""A code that a scanner typed, on whatever page: it opens the form, or asks first where a job is open already."""

from flask import Flask, current_app, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from appliance.api import SessionState, StationApi

_NEXT = "next_barcode"
Answer = BaseResponse | str


def add_routes(app: Flask, station: StationApi) -> None:
    """Put the routes on `app`."""
    app.add_url_rule("/scan", endpoint="scan", view_func=lambda: _scan(station), methods=["POST"])
    app.add_url_rule("/scan", endpoint="scanned", view_func=lambda: _question(station), methods=["GET"])
    app.jinja_env.globals["next_barcode"] = lambda: app.extensions.get(_NEXT, "")


def expect_book(barcode: str) -> None:
    """Remember which book lies ready, from its scan to its job; a restart may forget it: it is only a convenience."""
    current_app.extensions[_NEXT] = barcode


def _scan(station: StationApi) -> Answer:
    barcode = request.form.get("barcode", "")
    snapshot = station.snapshot()
    expect_book("")
    if snapshot.job is None:
        return redirect(url_for("new_job", barcode=barcode), code=303)
    found = station.look_up(barcode)
    if found.is_open:
        if snapshot.state is SessionState.PAUSED and snapshot.room_for_captures > 0:
            station.resume()
        return redirect(url_for("home", scanned="same"), code=303)
    # Another book may lie there already: until a person has said which one goes on, a foot takes no picture.
    station.review()
    expect_book(found.barcode)
    return redirect(url_for("scanned", barcode=found.barcode), code=303)


def _question(station: StationApi) -> Answer:
    snapshot = station.snapshot()
    barcode = request.args.get("barcode", "")
    if snapshot.job is None or not barcode:
        return redirect(url_for("home"), code=303)
    return render_template("station/scanned.html", s=snapshot, found=station.look_up(barcode))
