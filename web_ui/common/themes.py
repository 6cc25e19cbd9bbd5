"""How screens look: light, dark or with the highest contrast. Each browser remembers what was chosen in it."""

from typing import Final

from flask import Flask, request
from werkzeug.wrappers import Response

THEMES: Final = ("light", "dark", "contrast")
COOKIE: Final = "lattrang_theme"
_YEAR_S: Final = 365 * 24 * 3600


def install(app: Flask) -> None:
    """Give templates ``theme(default)``: what was chosen, or else `default`."""
    app.jinja_env.globals.update(theme=theme, themes=THEMES)


def theme(default: str = "light") -> str:
    """Return the theme chosen in this browser, or else `default`."""
    chosen = request.cookies.get(COOKIE, "")
    return chosen if chosen in THEMES else default


def remember(answer: Response, chosen: str) -> None:
    """Let the browser remember `chosen`."""
    answer.set_cookie(COOKIE, chosen, max_age=_YEAR_S, httponly=True, samesite="Strict")
