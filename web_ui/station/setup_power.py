"""Switching the machine off, or off and on again: one question, with what is safe, and what to wait for."""

from flask import Flask, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from appliance.api import StationApi
from appliance.setup.api import SetUpApi
from wire.errors import CodedError


def add_routes(app: Flask, station: StationApi, setup: SetUpApi) -> None:
    """Put the page and its forms on `app`."""

    def page(code: str = "") -> tuple[str, int]:
        switching = setup.switching()
        html = render_template(
            "station/setup/power_now.html" if "fragment" in request.args else "station/setup/power.html",
            switching=switching,
            code=code or switching.code,
            s=station.snapshot(),
        )
        return html, 409 if code else 200

    @app.get("/power")
    def power() -> tuple[str, int]:
        return page()

    @app.post("/power/<way>")
    def power_switch(way: str) -> BaseResponse | tuple[str, int]:
        try:
            match way:
                case "off" | "restart":
                    setup.switch(way)
                case _:
                    abort(404)
        except CodedError as error:
            return page(error.code)
        return redirect(url_for("power"), code=303)
