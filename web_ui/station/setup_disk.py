"""Hand-over by a plugged-in disk: the screen offers, a person decides, the page tells when it may be pulled out."""

from typing import Final

from flask import Flask, Response, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from appliance.api import StationApi
from appliance.setup.api import CarryView, SetUpApi
from wire.errors import CodedError

UNDER_WAY: Final = frozenset({"asked", "opening", "copying", "proving"})


def add_routes(app: Flask, station: StationApi, setup: SetUpApi) -> None:
    """Put the page, its form and the offer on `app`."""

    def page(code: str = "") -> tuple[str, int]:
        carried = setup.carried()
        html = render_template(
            "station/setup/disk_now.html" if "fragment" in request.args else "station/setup/disk.html",
            disks=setup.disks(),
            carried=carried,
            is_under_way=carried.step in UNDER_WAY,
            percent=percent_of(carried),
            is_paired=bool(setup.pairing().centre),
            s=station.snapshot(),
            code=code,
        )
        return html, 409 if code else 200

    @app.get("/disk")
    def disk() -> tuple[str, int]:
        return page()

    @app.post("/disk/carry")
    def disk_carry() -> BaseResponse | tuple[str, int]:
        try:
            setup.carry(request.form.get("disk", ""))
        except CodedError as error:
            return page(error.code)
        return redirect(url_for("disk"), code=303)

    @app.get("/disk/offer")
    def disk_offer() -> Response:
        carried = setup.carried()
        return jsonify(plugged=bool(setup.disks()), step=carried.step)


def percent_of(carried: CarryView) -> int:
    """Return how much is copied, in whole percent."""
    if carried.total_bytes <= 0:
        return 100 if carried.step in ("proving", "done") else 0
    return min(100, 100 * carried.done_bytes // carried.total_bytes)
