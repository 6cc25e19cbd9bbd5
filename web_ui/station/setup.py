"""Setting a station up, step by step: every page is a form that works without a script, and may be left at any time."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import segno
from flask import Flask, abort, redirect, render_template, request, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response as BaseResponse

from appliance.api import SessionState, StationApi, Verdict
from appliance.setup.api import CERTIFICATE_DAYS, Certificate, FeetView, Progress, SetUpApi
from firmware.errors import HardwareError
from web_ui.common.app import polls_of
from wire.errors import CodedError

STEPS: Final = ("language", "network", "pairing", "parts", "calibration", "book")
PARTS: Final = ("camera", "lamp", "sounder", "light")
TEST_SPREADS: Final = 4
FOOT_WAIT_S: Final = 15.0
PAIRING: Final = frozenset({"looking", "asked", "asking", "comparing", "approving"})
_FOLLOWED: Final = frozenset({"pairing", "calibration", "book"})
"""Steps that change by themselves: a script asks for their fragment."""
_MAX_ADDRESS: Final = 260
_MAX_CODE: Final = 16
_MAX_TITLE: Final = 300


def add_routes(app: Flask, station: StationApi, setup: SetUpApi) -> None:
    """Put the wizard on `app`; a station that was never paired begins with it."""
    wizard = _Wizard(station, setup)
    app.before_request(wizard.begin)
    app.jinja_env.globals["calibration_due"] = lambda: _calibration_due(setup.progress())
    _add_steps(app, wizard)
    _add_pairing(app, wizard)
    _add_parts(app, wizard)
    _add_calibration(app, wizard)
    _add_book(app, wizard)


def first_open(progress: Progress) -> str:
    """Return the first step that was not done, or ``done``."""
    return next((step for step in STEPS if step not in progress.done), "done")


def next_of(step: str) -> str:
    """Return the step after `step`, or ``done``."""
    return (*STEPS, "done")[STEPS.index(step) + 1]


class _Wizard:
    """The pages, and what their forms do."""

    def __init__(self, station: StationApi, setup: SetUpApi) -> None:
        self.station = station
        self.setup = setup

    def begin(self) -> BaseResponse | None:
        """Lead a station that was never paired and never worked to its set-up."""
        if request.endpoint != "home":
            return None
        snapshot = self.station.snapshot()
        is_new = snapshot.state is SessionState.CLOSED and not snapshot.safe_captures and not snapshot.handed_over
        if not is_new or snapshot.people or self.setup.progress().is_put_off or self.setup.pairing().centre:
            return None
        return redirect(url_for("setup"), code=303)

    def page(self, step: str, code: str = "") -> tuple[str, int]:
        """Render a step; `code` says why what was asked for was not done."""
        is_fragment = "fragment" in request.args and step in _FOLLOWED
        html = render_template(
            f"station/setup/{step}{'_now' if is_fragment else ''}.html",
            step=step,
            steps=STEPS,
            parts=PARTS,
            number=(*STEPS, "done").index(step) + 1,
            back_step=STEPS[STEPS.index(step) - 1] if step in STEPS[1:] else "",
            progress=self.setup.progress(),
            pairing=self.setup.pairing(),
            s=self.station.snapshot(),
            code=code,
            **self._facts_of(step, is_fragment=is_fragment),
        )
        return html, 409 if code else 200

    def carry_out(self, step: str, command: Callable[[], object], then: str = "") -> BaseResponse | tuple[str, int]:
        """Do what a form of `step` asks for and go back to its page, or on to `then`; a refusal is said there."""
        try:
            command()
        except (CodedError, HardwareError) as error:
            return self.page(step, error.code)
        except KeyError:
            abort(404)
        return redirect(url_for("setup_step", step=then or step), code=303)

    def _facts_of(self, step: str, *, is_fragment: bool) -> dict[str, object]:
        facts: dict[str, Callable[[], dict[str, object]]] = {
            "network": lambda: {"network": self.setup.network()},
            "pairing": lambda: {"is_under_way": self.setup.pairing().step in PAIRING},
            "parts": lambda: {"feet": self.setup.feet()},
            # A page that follows is a person with both hands at the lamps: it measures by itself.
            "calibration": lambda: {"reading": self.setup.watch() if is_fragment else self.setup.reading()},
            "book": self._facts_of_book,
            "done": lambda: {"has_certificate": self._has_certificate()},
        }
        return facts[step]() if step in facts else {}

    def _facts_of_book(self) -> dict[str, object]:
        job = self.station.snapshot().job
        latest = job.latest if job else ()
        # A spoiled picture that was taken again stands in nobody's way any more, and was seen.
        verdicts = [each for shot in latest for each in (*(Verdict.BAD,) * shot.replaced, shot.verdict)]
        return {"verdicts": verdicts, "wanted": TEST_SPREADS, "has_seen_red": Verdict.BAD in verdicts}

    def _has_certificate(self) -> bool:
        certificate = self.setup.progress().certificate
        if certificate is None or not certificate.is_good:
            return False
        return certificate.days_old(datetime.now(UTC)) < CERTIFICATE_DAYS


def _add_steps(app: Flask, wizard: _Wizard) -> None:
    @app.get("/setup")
    def setup() -> BaseResponse:
        return redirect(url_for("setup_step", step=first_open(wizard.setup.progress())), code=303)

    @app.get("/setup/<step>")
    def setup_step(step: str) -> tuple[str, int]:
        if step not in (*STEPS, "done"):
            abort(404)
        return wizard.page(step)

    @app.post("/setup/<step>/done")
    def setup_step_done(step: str) -> BaseResponse:
        if step not in STEPS:
            abort(404)
        wizard.setup.mark_done(step)
        return redirect(url_for("setup_step", step=next_of(step)), code=303)

    @app.post("/setup/later")
    def setup_later() -> BaseResponse:
        wizard.setup.put_off()
        return redirect(url_for("home"), code=303)


def _add_pairing(app: Flask, wizard: _Wizard) -> None:
    setup = wizard.setup

    def add(name: str, command: Callable[[], None]) -> None:
        app.add_url_rule(
            f"/setup/pairing/{name}",
            endpoint=f"pairing_{name}",
            view_func=lambda: wizard.carry_out("pairing", command),
            methods=["POST"],
        )

    add("look", setup.look_for_code)
    add("address", lambda: setup.pair_at(_typed("address", _MAX_ADDRESS)))
    add("compare", lambda: setup.compare(_typed("code", _MAX_CODE)))
    add("stop", setup.give_up)


def _add_parts(app: Flask, wizard: _Wizard) -> None:
    setup, polls = wizard.setup, polls_of(app)

    @app.post("/setup/parts/count")
    def parts_count() -> BaseResponse | tuple[str, int]:
        return wizard.carry_out("parts", setup.count_feet)

    @app.post("/setup/parts/try")
    def parts_try() -> BaseResponse | tuple[str, int]:
        match request.form.get("part"):
            case "lamp" | "sounder" | "light" as part:
                return wizard.carry_out("parts", lambda: setup.try_part(part))
            case _:
                abort(404)

    @app.post("/setup/parts/answer")
    def parts_answer() -> BaseResponse | tuple[str, int]:
        part, works = request.form.get("part", ""), "works" in request.form
        return wizard.carry_out("parts", lambda: setup.mark_part(part, works=works))

    @app.get("/setup/parts/feet")
    def parts_feet() -> str:
        after = request.args.get("after", default=-1, type=int)

        def look(wait_s: float) -> FeetView:
            return setup.wait_for_foot(after, wait_s) if wait_s else setup.feet()

        feet = polls.wait(look, lambda found: found.number != after, FOOT_WAIT_S)
        return render_template("station/setup/feet.html", feet=feet)


def _add_calibration(app: Flask, wizard: _Wizard) -> None:
    setup = wizard.setup

    @app.post("/setup/calibration/measure")
    def calibration_measure() -> BaseResponse | tuple[str, int]:
        return wizard.carry_out("calibration", setup.measure)

    @app.post("/setup/calibration/keep")
    def calibration_keep() -> BaseResponse | tuple[str, int]:
        def keep() -> None:
            setup.certify()
            setup.mark_done("calibration")

        return wizard.carry_out("calibration", keep, then=next_of("calibration"))

    @app.get("/setup/certificate")
    def certificate() -> str:
        found = setup.progress().certificate
        if found is None:
            abort(404)
        days = found.days_old(datetime.now(UTC))
        return render_template(
            "station/setup/certificate.html",
            certificate=found,
            days=days,
            is_old=days >= CERTIFICATE_DAYS,
            valid_days=CERTIFICATE_DAYS,
            s=wizard.station.snapshot(),
            code=_qr(wizard.station.snapshot().station, found),
        )


def _add_book(app: Flask, wizard: _Wizard) -> None:
    station = wizard.station

    @app.post("/setup/book/open")
    def book_open() -> BaseResponse | tuple[str, int]:
        # Its name is a word of the screens: it comes with the form.
        title = " ".join(request.form.get("title", "").split())[:_MAX_TITLE]
        return wizard.carry_out("book", lambda: wizard.setup.open_trial(title))

    @app.post("/setup/book/end")
    def book_end() -> BaseResponse | tuple[str, int]:
        return wizard.carry_out("book", station.hand_over)


def _calibration_due(progress: Progress) -> int | None:
    """Return how many days ago the station was measured, where that is too many."""
    days = progress.certificate.days_old(datetime.now(UTC)) if progress.certificate else 0
    return days if days >= CERTIFICATE_DAYS else None


def _qr(station: str, certificate: Certificate) -> Markup:
    """Return what the certificate says, to be read by a telephone: one fact a line, the checks by their keys."""
    facts = [f"{row.check}={row.standing if row.value is None else round(row.value, 2)}" for row in certificate.rows]
    text = "\n".join((f"LATTRANG-HIEU-CHUAN:1/{station}", certificate.at, *facts))
    svg = segno.make(text, error="m", micro=False).svg_inline(scale=4, omitsize=True, svgclass="qr", lineclass=None)
    return Markup(svg)  # noqa: S704 - made of modules alone, no text of anybody's


def _typed(name: str, limit: int) -> str:
    return "".join(request.form.get(name, "").split())[:limit]
