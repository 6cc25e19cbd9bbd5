"""What a person does: each command is a POST, carried out once per key, answered as JSON or by going back."""

from collections import deque
from collections.abc import Callable

from flask import Flask, Response, abort, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from appliance.api import StationApi
from firmware.errors import HardwareError
from web_ui.common.once import Once
from wire.errors import CodedError
from wire.ids import is_name

Command = Callable[[], object]


def add_routes(app: Flask, station: StationApi) -> None:
    """Put the changing routes on `app`: GET never changes anything, POST always answers the same to the same key."""
    once = Once()

    def add(name: str, command: Command, *, back_to: str = "home") -> None:
        def carry_out() -> BaseResponse:
            once.run(request.form.get("once", ""), command)
            return jsonify(ok=True) if wants_json() else redirect(url_for(_back(back_to)), code=303)

        app.add_url_rule("/" + name.replace("_", "-"), endpoint=name, view_func=carry_out, methods=["POST"])

    foot = _Foot(station)
    # A form without a script cannot say when the finger goes up.
    add("press", lambda: foot.press(request.form.get("foot", ""), is_tap="tap" in request.form))
    add("release", lambda: foot.release(request.form.get("foot", "")))
    add("retake", station.retake)
    add("undo", station.undo)
    add("pause", station.pause)
    add("resume", station.resume)
    add("keep", lambda: _on_capture(station.keep))
    add("delete", lambda: _on_capture(station.delete), back_to="review")
    add("mute", lambda: station.mute(request.form.get("code", "")))
    app.register_error_handler(CodedError, _refused)
    app.register_error_handler(HardwareError, _refused)


class _Foot:
    """A finger or key that is a pedal. Press and release travel side by side, so on a slow line one may overtake.

    Commands come one after another (`Once`).
    """

    def __init__(self, station: StationApi) -> None:
        self._station = station
        self._down = ""
        self._lifted: deque[str] = deque(maxlen=16)

    def press(self, foot: str, *, is_tap: bool) -> None:
        """The foot with this name goes down; where it is known to be up again, it was a tap."""
        if self._down:
            # Its release is still on the way: who goes down again was up before.
            self._station.release()
        self._down = foot
        self._station.press()
        if is_tap or foot in self._lifted:
            self._up()

    def release(self, foot: str) -> None:
        """It goes up. A program gives no name: it says one thing after the other."""
        if foot and foot != self._down:
            self._lifted.append(foot)
        else:
            self._up()

    def _up(self) -> None:
        self._down = ""
        self._station.release()


def _back(usual: str) -> str:
    return "review" if request.form.get("back") == "review" else usual


def _on_capture(command: Callable[[str], None]) -> None:
    capture_id = request.form.get("capture", "")
    if not is_name(capture_id):
        abort(404)
    try:
        command(capture_id)
    except KeyError:
        abort(404)


def wants_json() -> bool:
    """Tell whether the request comes from a script of ours, which follows the state anyway."""
    return request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json"


def _refused(error: CodedError | HardwareError) -> Response:
    sentence = render_template("station/not_now.txt", code=error.code).strip()
    if wants_json():
        answer = jsonify(code=error.code, sentence=sentence)
    else:
        answer = Response(render_template("common/message.html", status=409, code=error.code, sentence=sentence))
    answer.status_code = 409
    return answer
