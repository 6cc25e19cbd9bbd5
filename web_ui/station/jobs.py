"""The form that opens a job, and the sheet of the open one: what is known of the copy, its condition, its end."""

from collections.abc import Callable
from typing import Final, get_args

from flask import Flask, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from appliance.api import NewJob, StationApi
from appliance.errors import NotNow
from appliance.jobs.copies import Found, SeenCode
from web_ui.station.review import what_must_be_done_first
from web_ui.station.scanning import expect_book
from wire.documents import Condition, Numbering
from wire.ids import is_name

CONDITIONS: Final[tuple[Condition, ...]] = get_args(Condition)
NUMBERINGS: Final[tuple[Numbering, ...]] = get_args(Numbering)
PARTS: Final = (2, 4)
"""Captures that may show one large page."""
RIGHTS: Final = ("public-domain", "licensed", "library-only", "excerpt", "restricted")
MAX_TITLE: Final = 300
MAX_ATTRIBUTE: Final = 64
MAX_NOTE: Final = 500
MAX_PAGES: Final = 20_000
MIN_HEIGHT_CM: Final = 3.0
MAX_HEIGHT_CM: Final = 120.0
Answer = BaseResponse | str | tuple[str, int]


def add_routes(app: Flask, station: StationApi) -> None:
    """Put the routes on `app`."""

    def add(path: str, name: str, work: Callable[[StationApi], Answer], *methods: str) -> None:
        app.add_url_rule(path, endpoint=name, view_func=lambda: work(station), methods=methods or ("POST",))

    add("/job/new", "new_job", _form, "GET")
    add("/job", "job", _open)
    add("/job/look", "look_for_barcode", _look)
    add("/job/part", "new_part", _new_part)
    add("/job/reopen", "reopen_job", _reopen)
    add("/sheet", "sheet", _sheet, "GET")
    add("/condition", "note_condition", _note_condition)
    add("/stop", "stop_for_conservation", _stop)


def _form(station: StationApi) -> Answer:
    after = request.args.get("after", "")
    if after:
        return _render(station, _known(lambda: station.next_part(after)), like=after)
    in_catalogue = "catalogue" in request.args
    return _render(station, station.look_up(request.args.get("barcode", ""), in_catalogue=in_catalogue))


def _open(station: StationApi) -> Answer:
    # A program has the token and nobody's name; a person at the screen says who they are.
    is_program = "Authorization" in request.headers
    if not is_program and station.snapshot().person is None:
        raise NotNow("PIN-05", "Nobody is signed in.", "Sign in first.")
    barcode = _text("barcode")
    found = station.look_up(barcode)
    is_doubted = bool(found.problem) and request.form.get("accepted") != found.barcode
    pages, has_pages = _pages()
    if not is_program and (is_doubted or not has_pages):
        return _render(station, found, bad_pages=not has_pages), 422
    station.open_job(_new_job(barcode if is_program else found.barcode, pages))
    expect_book("")
    return redirect(url_for("home"), code=303)


def _look(station: StationApi) -> Answer:
    picked = _text("picked")
    seen = SeenCode(picked) if picked else station.read_barcode()
    return _render(station, station.look_up(seen.barcode or _text("barcode")), seen=seen)


def _new_part(station: StationApi) -> Answer:
    job = station.snapshot().job
    left = what_must_be_done_first(station, job) if job is not None else None
    if left is None:
        station.hand_over()
    return left or redirect(url_for("new_job", after=job.job_id if job else None), code=303)


def _reopen(station: StationApi) -> Answer:
    job_id = request.form.get("job", "")
    _known(lambda: station.reopen_job(job_id) if is_name(job_id) else abort(404))
    return redirect(url_for("home"), code=303)


def _sheet(station: StationApi) -> Answer:
    snapshot = station.snapshot()
    if snapshot.job is None:
        return redirect(url_for("home"), code=303)
    return render_template("station/sheet.html", s=snapshot, conditions=CONDITIONS)


def _note_condition(station: StationApi) -> Answer:
    station.note_condition(_conditions(), _text("note", MAX_NOTE))
    return redirect(url_for("home"), code=303)


def _stop(station: StationApi) -> Answer:
    station.stop_for_conservation(_text("note", MAX_NOTE))
    return redirect(url_for("home"), code=303)


def _render(
    station: StationApi, found: Found, *, like: str = "", bad_pages: bool = False, seen: SeenCode | None = None
) -> str:
    return render_template(
        "station/job.html",
        s=station.snapshot(),
        found=found,
        like=like or _text("like"),
        bad_pages=bad_pages,
        conditions=CONDITIONS,
        numberings=NUMBERINGS,
        rights=RIGHTS,
        parts=PARTS,
        seen=seen,
        is_sent=request.method == "POST" and seen is None,
    )


def _new_job(barcode: str, pages: int | None) -> NewJob:
    return NewJob(
        title=_text("title", MAX_TITLE),
        barcode=barcode,
        author=_text("author", MAX_TITLE),
        year=_text("year"),
        part=_text("part"),
        profile=_text("profile"),
        right_to_left="right_to_left" in request.form,
        pages_expected=pages,
        rights=_text("rights"),
        numbering=next((one for one in NUMBERINGS if one == request.form.get("numbering")), "pages"),
        condition=_conditions(),
        like=_text("like"),
        record_id=_text("record_id"),
        call_number=_text("call_number"),
        height_cm=_height_cm(),
        adds="adds" in request.form,
        parts=next((one for one in PARTS if str(one) == request.form.get("parts")), 0),
    )


def _pages() -> tuple[int | None, bool]:
    """Return the expected number of pages, and whether what was typed is one (nothing is fine, too)."""
    text = _text("pages_expected")
    if not text:
        return None, True
    is_number = text.isascii() and text.isdigit() and 0 < int(text) <= MAX_PAGES
    return (int(text) if is_number else None), is_number


def _height_cm() -> float | None:
    """Return what was typed where it can be a book's height, with a comma or a point; anything else says nothing."""
    try:
        height_cm = float(_text("height_cm").replace(",", "."))
    except ValueError:
        return None
    return height_cm if MIN_HEIGHT_CM <= height_cm <= MAX_HEIGHT_CM else None


def _conditions() -> tuple[Condition, ...]:
    ticked = request.form.getlist("condition")
    return tuple(one for one in CONDITIONS if one in ticked)


def _text(name: str, limit: int = MAX_ATTRIBUTE) -> str:
    return " ".join(request.form.get(name, "").split())[:limit]


def _known(work: Callable[[], Found | None]) -> Found:
    try:
        return work() or Found("")
    except KeyError:
        abort(404)
