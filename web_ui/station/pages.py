"""What a person sees: the page, the state it follows, the live picture, the frames. Nothing here changes anything."""

from typing import Final

from flask import Flask, Response, abort, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from appliance.api import StationApi, StationSnapshot
from firmware.errors import HardwareError
from web_ui.common.access import csrf_token
from web_ui.common.app import polls_of
from web_ui.common.polls import Polls
from web_ui.station.pictures import scaled_jpeg
from web_ui.station.views import face_of, facts_of
from web_ui.station.watchers import Watchers
from wire.ids import is_name

STATE_WAIT_S: Final = 20.0
PREVIEW_WAIT_S: Final = 2.0
_PREVIEW_PACE_S: Final = 0.08
"""How often a new picture is looked for: at most about twelve a second."""
_PICTURE_CACHE: Final = "private, max-age=86400, immutable"


def add_routes(app: Flask, station: StationApi) -> None:
    """Put the reading routes on `app`."""
    _add_pages(app, station)
    _add_pictures(app, station, polls_of(app))


def _add_pages(app: Flask, station: StationApi) -> None:
    polls, watchers = polls_of(app), Watchers()

    @app.get("/")
    def home() -> BaseResponse | str:
        snapshot = station.snapshot()
        if snapshot.is_reviewing:
            return redirect(url_for("review"), code=303)
        return render_template("station/page.html", face=face_of(snapshot, station.recent_gaps()))

    @app.get("/preflight")
    def preflight() -> str:
        return render_template("station/preflight.html", ready=station.preflight())

    @app.get("/state")
    def state() -> Response:
        after = request.args.get("after", default=-1, type=int)
        screen, known = csrf_token(), request.args.get("elsewhere", type=int)

        def look(wait_s: float) -> tuple[StationSnapshot, bool]:
            return station.wait_for_change(after, wait_s), watchers.is_second(screen)

        def is_other(found: tuple[StationSnapshot, bool]) -> bool:
            # A restarted station counts from the beginning: any other number than the one known is news.
            return found[0].number != after or (known is not None and found[1] is not bool(known))

        snapshot, is_second = polls.wait(look, is_other, STATE_WAIT_S)
        is_news = snapshot.number != after and "face" not in request.args
        face = render_template("station/face.html", face=face_of(snapshot, station.recent_gaps())) if is_news else None
        return jsonify(facts_of(snapshot) | {"csrf": screen, "face": face, "elsewhere": is_second})


def _add_pictures(app: Flask, station: StationApi, polls: Polls) -> None:
    def look(wait_s: float) -> tuple[bytes, int]:
        if wait_s:
            polls.closing.wait(min(wait_s, _PREVIEW_PACE_S))
        return station.preview()

    @app.get("/preview")
    def preview() -> Response:
        after = request.args.get("after", default=-1, type=int)
        try:
            jpeg, number = polls.wait(look, lambda picture: picture[1] != after, PREVIEW_WAIT_S)
        except HardwareError as error:
            return Response(status=503, headers={"X-Code": error.code})
        if number == after:
            return Response(status=204)
        return Response(jpeg, mimetype="image/jpeg", headers={"X-Number": str(number)})

    @app.get("/captures/<capture_id>/frame.jpg")
    def frame(capture_id: str) -> Response:
        if not is_name(capture_id):
            abort(404)
        try:
            jpeg = scaled_jpeg(station.frame_file(capture_id), request.args.get("w", default=960, type=int))
        except (KeyError, OSError):
            abort(404)
        return Response(jpeg, mimetype="image/jpeg", headers={"Cache-Control": _PICTURE_CACHE})
