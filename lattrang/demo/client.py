"""A station's screen, driven over HTTP by a program: what the demo presses instead of a pedal."""

import http.client
import json
import urllib.parse
from collections.abc import Callable, Mapping
from typing import Any

from lattrang.demo.waiting import wait_until

_TIMEOUT_S = 30.0


class Refused(Exception):
    """The station understood and said no; `code` can be read aloud."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class StationClient:
    """Signed in with the screen's own token. Raises `OSError` while the station is not there."""

    def __init__(self, port: int, token: str) -> None:
        self._port = port
        self._headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}

    def state(self, after: int = -1) -> dict[str, Any]:
        """Return the station's snapshot once its number is greater than `after`, or after a while."""
        answer: dict[str, Any] = json.loads(self._ask(f"/state?after={after}"))
        return answer

    def post(self, path: str, fields: Mapping[str, str] | None = None) -> None:
        """Send a command; raises `Refused` where the state forbids it."""
        self._ask(path, urllib.parse.urlencode(fields or {}))

    def wait_for(self, condition: Callable[[dict[str, Any]], bool], timeout_s: float, what: str) -> dict[str, Any]:
        """Return the first snapshot for which `condition` holds, living through restarts of the station.

        Raises:
            TimeoutError: `what` did not come within `timeout_s`.
        """
        latest: dict[str, Any] = {"number": -1}

        def holds() -> bool:
            nonlocal latest
            try:
                latest = self.state(int(latest["number"]))
            except OSError:
                latest = {"number": -1}
                return False
            return condition(latest)

        wait_until(holds, timeout_s, what, step_s=0.05)
        return latest

    def _ask(self, path: str, body: str | None = None) -> bytes:
        headers = self._headers | ({} if body is None else {"Content-Type": "application/x-www-form-urlencoded"})
        line = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_TIMEOUT_S)
        try:
            line.request("GET" if body is None else "POST", path, body, headers)
            answer = line.getresponse()
            content = answer.read()
        except http.client.HTTPException as error:
            raise ConnectionError(f"The station hung up ({error!r}).") from error
        finally:
            line.close()
        if answer.status >= 400:
            raise _refusal(answer.status, content)
        return content


def _refusal(status: int, content: bytes) -> Refused:
    try:
        answer = json.loads(content)
    except ValueError:
        answer = {}
    return Refused(str(answer.get("code", f"HTTP-{status}")), str(answer.get("sentence", "refused")))
