"""The look through before hand-over: cards, slots, gaps, labels, the gate, and the slip that goes with the book."""

from collections.abc import Callable
from typing import Final, get_args

import segno
from flask import Flask, Response, abort, jsonify, redirect, render_template, request, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response as BaseResponse

from appliance.api import HandedOverView, JobView, SessionState, StationApi
from appliance.places import SlotView
from web_ui.station.commands import wants_json
from web_ui.station.pictures import cropped_jpeg
from web_ui.station.reviewing import gap_key, review_of
from wire.documents import AnsweredGap, GapAnswer, PageType, Place, Side
from wire.ids import is_name

PAGE_TYPES: Final[tuple[PageType, ...]] = get_args(PageType)
SIDES: Final[tuple[Side, ...]] = get_args(Side)
ANSWERS: Final[tuple[GapAnswer, ...]] = get_args(GapAnswer)
MAX_LABEL: Final = 16
Answer = BaseResponse | str


def add_routes(app: Flask, station: StationApi) -> None:
    """Put the routes on `app`."""
    app.jinja_env.filters["gap_key"] = gap_key

    def add(path: str, name: str, work: Callable[[StationApi], Answer], method: str = "POST") -> None:
        app.add_url_rule(path, endpoint=name, view_func=lambda: work(station), methods=[method])

    add("/review", "review", _page, "GET")
    add("/finish", "finish", _finish)
    add("/capture-on", "capture_on", _capture_on)
    add("/slot", "open_slot", _open_slot)
    add("/gap", "answer_gap", _answer_gap)
    add("/label", "set_label", lambda station: _on_capture(station.set_label, _text("label", MAX_LABEL)))
    add("/type", "set_page_type", _set_page_type)
    add("/move", "move", _move)
    add("/hand-over", "hand_over", _hand_over)

    @app.get("/captures/<capture_id>/<side>/zoom.jpg")
    def zoom(capture_id: str, side: str) -> Response:
        return _zoom(station, capture_id, side)

    @app.get("/slip/<job_id>")
    def slip(job_id: str) -> Answer:
        return _slip(station, job_id)


def _page(station: StationApi) -> Answer:
    snapshot = station.snapshot()
    if snapshot.job is None or snapshot.state is SessionState.CLOSED:
        return redirect(url_for("home"), code=303)
    at, show_all = request.args.get("at", ""), "all" in request.args
    page = review_of(station.listing(), at, show_all=show_all)
    return render_template("station/review.html", s=snapshot, page=page, show_all=show_all, page_types=PAGE_TYPES)


def _finish(station: StationApi) -> Answer:
    station.review()
    return _back(_text("at", 64))


def _capture_on(station: StationApi) -> Answer:
    station.end_review()
    return redirect(url_for("home"), code=303)


def _open_slot(station: StationApi) -> Answer:
    replaces, before = _text("replaces"), _text("before")
    if not all(is_name(name) for name in (replaces, before) if name):
        abort(404)
    is_open = bool(replaces or before)
    station.review(SlotView(replaces or None, before or None) if is_open else None)
    return _back(_text("at", 64))


def _answer_gap(station: StationApi) -> Answer:
    answer = next((one for one in ANSWERS if one == request.form.get("answer")), None)
    gap = next((one for one in station.listing().gaps if gap_key(one) == request.form.get("gap")), None)
    if answer is None or gap is None:
        abort(404)
    station.answer_gap(AnsweredGap(first=gap.first, last=gap.last, answer=answer, before=gap.before or None))
    return _back("")


def _set_page_type(station: StationApi) -> Answer:
    page_type = next((one for one in PAGE_TYPES if one == request.form.get("type")), None)
    if page_type is None:
        abort(404)
    return _on_capture(station.set_page_type, page_type)


def _move(station: StationApi) -> Answer:
    before = _text("before")
    if before and not is_name(before):
        abort(404)
    return _on_capture(station.move, before or None)


def _hand_over(station: StationApi) -> Answer:
    job = station.snapshot().job
    if "Authorization" in request.headers or job is None:
        # A program knows what it does. A button that was hit twice finds no job: what is said then is true.
        station.hand_over()
        return redirect(url_for("home"), code=303)
    left = what_must_be_done_first(station, job)
    if left is None:
        station.hand_over()
    return left or redirect(url_for("slip", job_id=job.job_id), code=303)


def what_must_be_done_first(station: StationApi, job: JobView) -> BaseResponse | None:
    """Lead to what has to be done before `job` may be handed over; None where nothing has."""
    if job.leaves is not None and not job.leaves.is_paired:
        return redirect(url_for("leaves"), code=303)
    page = review_of(station.listing())
    return redirect(url_for("review", at=page.tasks[0].key), code=303) if page.must else None


def _zoom(station: StationApi, capture_id: str, side: str) -> Response:
    found = next((one for one in SIDES if one == side), None)
    numbers = [request.args.get(name, default=0, type=int) for name in ("x", "y", "w", "h")]
    if found is None or not is_name(capture_id):
        abort(404)
    try:
        place = Place(*numbers) if all(number > 0 for number in numbers[2:]) else None
        jpeg = cropped_jpeg(station.page_file(capture_id, found), place)
    except (KeyError, OSError):
        abort(404)
    return Response(jpeg, mimetype="image/jpeg", headers={"Cache-Control": "private, max-age=86400, immutable"})


def _slip(station: StationApi, job_id: str) -> Answer:
    snapshot = station.snapshot()
    done = next((one for one in snapshot.handed_over if one.job_id == job_id), None)
    if done is None:
        abort(404)
    return render_template("station/slip.html", s=snapshot, done=done, code=_qr(snapshot.station, done))


def _qr(station: str, done: HandedOverView) -> Markup:
    text = "\n".join(filter(None, (f"LATTRANG-PHIEU:1/{done.job_id}", station, done.barcode, done.call_number)))
    svg = segno.make(text, error="m", micro=False).svg_inline(scale=4, omitsize=True, svgclass="qr", lineclass=None)
    return Markup(svg)  # noqa: S704 - made of modules alone, no text of anybody's


def _on_capture(command: Callable[..., None], *values: object) -> Answer:
    capture_id = _text("capture")
    if not is_name(capture_id):
        abort(404)
    try:
        command(capture_id, *values)
    except KeyError:
        abort(404)
    return jsonify(ok=True) if wants_json() else _back(capture_id)


def _back(at: str) -> Answer:
    return redirect(url_for("review", at=at or None, all="1" if request.form.get("all") else None), code=303)


def _text(name: str, limit: int = 40) -> str:
    return " ".join(request.form.get(name, "").split())[:limit]
