"""The manager's pages for letting a station in: a code to show, and codes to compare."""

import math
from datetime import UTC, datetime

import segno
from flask import Flask, abort, redirect, render_template, request, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response as BaseResponse

from central.api import PairingApi
from wire.errors import CodedError
from wire.ids import is_name
from wire.pairing_code import is_same_code

NOTES = frozenset({"differs", "late", "refused", "approved"})


def add_pairing(app: Flask, pairing: PairingApi | None) -> None:
    """Put the pages on `app`; without `pairing` they say what is missing."""
    _add_inviting(app, pairing)
    _add_deciding(app, pairing)


def _add_inviting(app: Flask, pairing: PairingApi | None) -> None:
    @app.get("/pair")
    def pair() -> str:
        return render_template("central/pair.html", available=pairing is not None)

    @app.post("/pair")
    def invite() -> BaseResponse | tuple[str, int]:
        name = request.form.get("station", "").strip().lower()
        if not is_name(name):
            return render_template("central/pair.html", available=True, name=name, wrong="name"), 400
        try:
            _needed(pairing).invite(name)
        except CodedError as error:
            return render_template("central/pair.html", available=True, name=name, wrong=error.code), 409
        return redirect(url_for("invitation", station=name), code=303)

    @app.get("/pair/<station>")
    def invitation(station: str) -> str:
        here = _needed(pairing)
        try:
            row = here.invitation(station)
        except KeyError:
            abort(404)
        template = "central/invitation.html" if "fragment" in request.args else "central/invitation_page.html"
        note = request.args.get("note", "")
        return render_template(
            template,
            row=row,
            code=_drawn(row.text),
            minutes=minutes_left(row.expires_at, datetime.now(UTC)),
            replaces=row.outcome == "open" and here.is_paired(station),
            note=note if note in NOTES else "",
        )

    @app.post("/pair/<station>/withdraw")
    def withdraw(station: str) -> BaseResponse:
        if is_name(station):
            _needed(pairing).withdraw(station)
        return redirect(url_for("pair"), code=303)


def _add_deciding(app: Flask, pairing: PairingApi | None) -> None:
    @app.post("/pair/<station>/decide")
    def decide(station: str) -> BaseResponse:
        here, request_id = _needed(pairing), request.form.get("request", "")
        try:
            asking = {one.request_id: one for one in here.invitation(station).asking}.get(request_id)
        except KeyError:
            abort(404)
        approve = "approve" in request.form
        if asking is None:
            note = "late"
        elif approve and not is_same_code(request.form.get("code", ""), asking.code):
            note = "differs"
        elif not here.decide(request_id, approve=approve):
            note = "late"
        else:
            note = "approved" if approve else "refused"
        return redirect(url_for("invitation", station=station, note=note), code=303)


def minutes_left(expires_at: str, now: datetime) -> int:
    """Return the minutes until `expires_at`, begun ones counted."""
    return max(0, math.ceil((datetime.fromisoformat(expires_at) - now).total_seconds() / 60))


def _needed(pairing: PairingApi | None) -> PairingApi:
    if pairing is None:
        abort(404)
    return pairing


def _drawn(text: str) -> Markup:
    """Return the code as an SVG element, dark on light whatever the theme: that is what cameras expect."""
    if not text:
        return Markup("")
    # What segno draws consists of numbers alone; the text is in the shape, not in the markup.
    return Markup(segno.make_qr(text, error="m").svg_inline(border=4, dark="#000", light="#fff", omitsize=True))  # noqa: S704
