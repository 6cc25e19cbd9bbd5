"""Training: how it begins and ends, what is laid over every screen meanwhile, and the certificate. Plain forms."""

from datetime import UTC, datetime
from typing import Final

from flask import Flask, redirect, render_template, request, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response as BaseResponse

from appliance.api import SessionState, StationApi
from appliance.training.view import TrainingApi

MAX_NAME: Final = 60
_AFTER_HAND_OVER: Final = frozenset({"home", "slip", "new_job", "training"})
"""Where somebody comes to who has handed the training's list over: what is left there is the certificate."""
Answer = BaseResponse | str


def add_routes(app: Flask, station: StationApi, training: TrainingApi) -> None:
    """Put the pages on `app`."""

    def layer(*, is_capture_page: bool) -> str:
        now = training.training()
        if now is None:
            return ""
        return Markup(render_template("station/training/layer.html", t=now, is_capture_page=is_capture_page))  # noqa: S704 - a template of ours

    app.jinja_env.globals["training_layer"] = layer

    @app.before_request
    def lead_to_certificate() -> BaseResponse | None:
        if request.method != "GET" or request.endpoint not in _AFTER_HAND_OVER:
            return None
        now = station.snapshot()
        is_over = now.training is not None and now.state is SessionState.CLOSED
        return redirect(url_for("training_certificate"), code=303) if is_over else None

    @app.get("/training", endpoint="training")
    def start() -> Answer:
        if training.training() is not None:
            return redirect(url_for("home"), code=303)
        return render_template("station/training/start.html", s=station.snapshot())

    @app.get("/training/certificate")
    def training_certificate() -> Answer:
        now = training.training()
        if now is None or not now.is_over:
            return redirect(url_for("training" if now is None else "home"), code=303)
        snapshot = station.snapshot()
        known = snapshot.person.name if snapshot.person else ""
        name = " ".join(request.args.get("name", known).split())[:MAX_NAME]
        at = datetime.now(UTC).isoformat()
        return render_template("station/training/certificate.html", s=snapshot, t=now, name=name, at=at)

    _add_commands(app, station, training)


def _add_commands(app: Flask, station: StationApi, training: TrainingApi) -> None:
    @app.post("/training/begin")
    def begin_training() -> Answer:
        training.begin_training()
        return redirect(url_for("home"), code=303)

    @app.post("/training/skip")
    def skip_lesson() -> Answer:
        training.skip_lesson()
        return redirect(url_for("review" if station.snapshot().is_reviewing else "home"), code=303)

    @app.post("/training/leave")
    def leave_training() -> Answer:
        training.leave_training()
        return redirect(url_for("home"), code=303)
