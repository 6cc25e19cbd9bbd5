"""`lattrang station kiosk`: the station's screen on the machine's own display, in a browser that shows nothing else."""

import argparse
import http.client
import logging
import os
import shutil
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

from wire.errors import CodedError, ExitCode

if TYPE_CHECKING:
    from appliance.config import WebSection

log = logging.getLogger(__name__)

_ASK_EVERY_S: Final = 1.0
_BROWSERS: Final = ("chromium", "chromium-browser")
_FLAGS: Final = (
    "--kiosk",
    "--ozone-platform=wayland",
    "--no-first-run",
    "--noerrdialogs",
    "--disable-session-crashed-bubble",
    "--disable-pinch",
    "--overscroll-history-navigation=0",
    # Nothing is fetched, told or translated: there is no way out anyway, and each try costs time.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-features=Translate,MediaRouter,OptimizationHints",
    "--disable-breakpad",
    "--password-store=basic",
)


class _CannotShow(CodedError):
    exit_code = ExitCode.MISSING_PART


def run(arguments: argparse.Namespace) -> int:
    """Wait for the station's screen, then become the browser that shows it; returns only where that cannot be."""
    from appliance.config import DEFAULT_FILE, load

    # Under systemd both files come as credentials: the display's user can read neither where it lies.
    given = os.environ.get("CREDENTIALS_DIRECTORY")
    file = Path(given, "station.toml") if given else Path(getattr(arguments, "config", None) or DEFAULT_FILE)
    web = load(file).web
    token_file = Path(given, "token") if given else web.token_file
    command = browser_command(Path(os.environ.get("STATE_DIRECTORY", Path.home() / ".lattrang-kiosk")))
    if (own := os.environ.get("RUNTIME_DIRECTORY")) is not None:
        # The session's own folder, which PAM names, cannot be written from within this unit.
        os.environ["XDG_RUNTIME_DIR"] = own
    ticket = _ticket(web, token_file.read_text("ascii").strip(), threading.Event())
    os.execv(command[0], [*command, f"http://{web.host}:{web.port}/enter?ticket={ticket}"])  # noqa: S606 - no shell


def browser_command(profile: Path) -> list[str]:
    """Return the compositor and the browser that it shows, without an address.

    Raises:
        CodedError: KIOSK-01, one of them is not installed.
    """
    cage, browser = shutil.which("cage"), next(filter(None, map(shutil.which, _BROWSERS)), None)
    if cage is None or browser is None:
        raise _CannotShow("KIOSK-01", "The browser or its compositor is missing.", "sudo apt install cage chromium")
    return [cage, "-s", "--", browser, *_FLAGS, f"--user-data-dir={profile}"]


def _ticket(web: "WebSection", token: str, stop: threading.Event) -> str:
    """Return what opens one session, as soon as the station's screen answers: it may start after us."""
    while True:
        line = http.client.HTTPConnection(web.host, web.port, timeout=10)
        try:
            line.request("POST", "/ticket", headers={"Authorization": f"Bearer {token}"})
            answer = line.getresponse()
            text = answer.read().decode("ascii", "replace")
            if answer.status == http.client.OK:
                return text
            if answer.status == http.client.UNAUTHORIZED:
                raise _CannotShow(
                    "KIOSK-02", "The station's screen does not take this token.", "Start both services again."
                )
        except (OSError, http.client.HTTPException) as error:
            log.info("the station's screen does not answer yet: %s", error)
        finally:
            line.close()
        stop.wait(_ASK_EVERY_S)
