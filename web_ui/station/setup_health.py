"""How the station is, one file for whoever helps from far away, and how the screen looks."""

from datetime import UTC, datetime

from flask import Flask, Response, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from appliance.api import StationApi
from appliance.setup.api import SetUpApi
from web_ui.common import themes


def add_routes(app: Flask, station: StationApi, setup: SetUpApi) -> None:
    """Put the pages on `app`."""

    @app.get("/health")
    def health() -> str:
        rows = setup.health()
        return render_template(
            "station/setup/health.html",
            rows=rows,
            is_well=all(row.tone == "ok" for row in rows),
            has_bad=any(row.tone == "bad" for row in rows),
            progress=setup.progress(),
            s=station.snapshot(),
        )

    @app.get("/health/support.zip")
    def support() -> Response:
        name = f"lattrang-{station.snapshot().station}-{datetime.now(UTC):%Y%m%d-%H%M}.zip"
        return Response(
            setup.support_file(),
            mimetype="application/zip",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    @app.post("/settings/theme")
    def settings_theme() -> BaseResponse:
        wanted = request.form.get("theme", "")
        if wanted not in themes.THEMES:
            abort(404)
        answer = redirect(url_for("health"), code=303)
        themes.remember(answer, wanted)
        return answer
