"""The pairing of rectos and versos on a cradle that shows one page at a time: two columns, and a shift by one leaf."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from flask import Flask, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from appliance.api import StationApi
from appliance.places import LeavesView

Answer = BaseResponse | str


@dataclass(frozen=True, slots=True)
class Row:
    """One leaf: its captures and the numbers read on them, and whether both fit together."""

    leaf: int
    recto: str
    verso: str
    recto_label: str
    verso_label: str
    has_none: bool
    fits: bool


def rows_of(leaves: LeavesView, read: Mapping[str, tuple[str, ...]]) -> tuple[Row, ...]:
    """Return the leaves with their printed numbers. Pure."""

    def label(capture: str) -> str:
        return "–".join(read.get(capture, ()))

    return tuple(
        Row(
            leaf,
            recto,
            verso,
            label(recto),
            label(verso),
            leaf in (leaves.without or ()),
            _fits(label(recto), label(verso)),
        )
        for leaf, (recto, verso) in enumerate(leaves.pairs)
    )


def first_doubt(rows: tuple[Row, ...]) -> Row | None:
    """Return the leaf from which on the versos are likely to have slipped: two leaves in a row do not fit."""
    for row, after in pairwise(rows):
        if not row.fits and not after.fits:
            return row
    return None


def _fits(recto: str, verso: str) -> bool:
    """Tell whether a verso's number follows its recto's; a number that was not read says nothing."""
    if recto.isdigit() and verso.isdigit():
        return int(verso) == int(recto) + 1
    if recto.endswith("a") and verso.endswith("b"):
        return recto[:-1] == verso[:-1]
    return True


def add_routes(app: Flask, station: StationApi) -> None:
    """Put the routes on `app`."""

    def add(path: str, name: str, work: Callable[[StationApi], Answer], method: str) -> None:
        app.add_url_rule(path, endpoint=name, view_func=lambda: work(station), methods=[method])

    add("/leaves", "leaves", _page, "GET")
    add("/versos", "begin_versos", _begin_versos, "POST")
    add("/pair-leaves", "pair_leaves", _pair, "POST")


def _page(station: StationApi) -> Answer:
    snapshot = station.snapshot()
    job = snapshot.job
    if job is None or job.leaves is None:
        return redirect(url_for("home"), code=303)
    rows = rows_of(job.leaves, station.listing().read)
    return render_template("station/leaves.html", s=snapshot, leaves=job.leaves, rows=rows, doubt=first_doubt(rows))


def _begin_versos(station: StationApi) -> Answer:
    station.begin_versos()
    station.end_review()
    return redirect(url_for("home"), code=303)


def _pair(station: StationApi) -> Answer:
    job = station.snapshot().job
    if job is None or job.leaves is None:
        abort(404)
    chosen = request.form.get("leaf", default=-1, type=int)
    if chosen >= len(job.leaves.pairs):
        abort(404)
    without = set(job.leaves.without or ())
    if chosen >= 0:
        without ^= {chosen}
    station.interleave(tuple(sorted(without)))
    return redirect(url_for("leaves", _anchor=f"leaf-{chosen}" if chosen >= 0 else None), code=303)
