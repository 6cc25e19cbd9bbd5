"""Vietnamese is the source language, English is complete; numbers, sizes and times follow the language."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from babel import Locale
from babel.dates import format_timedelta
from babel.numbers import format_decimal
from flask import Flask, Response, g, request, url_for
from flask_babel import Babel, format_date, get_locale

LANGUAGES: Final = {"vi": "Tiếng Việt", "en": "English"}
"""Each language by its own name."""
COOKIE: Final = "lattrang_language"
TRANSLATIONS: Final = Path(__file__).parent / "translations"
_YEAR_S: Final = 365 * 24 * 3600


def install(app: Flask, default: str) -> None:
    """Let `app` speak the language asked for by ``?lang=``, else by the cookie, else `default`."""
    if default not in LANGUAGES:
        raise ValueError(f"The language must be one of {', '.join(LANGUAGES)}.")

    def choose() -> str:
        wanted = (request.args.get("lang"), request.cookies.get(COOKIE), default)
        return next(language for language in wanted if language in LANGUAGES)

    Babel(
        app,
        default_locale=default,
        default_timezone="Asia/Ho_Chi_Minh",
        default_translation_directories=str(TRANSLATIONS),
        locale_selector=choose,
    )
    app.jinja_env.filters.update(number=number, size=size, ago=ago, day=day)
    app.jinja_env.globals.update(language=language, other_languages=other_languages)

    @app.after_request
    def remember(response: Response) -> Response:
        if request.args.get("lang") in LANGUAGES:
            response.set_cookie(COOKIE, request.args["lang"], max_age=_YEAR_S, httponly=True, samesite="Strict")
        return response


def language() -> str:
    """Return the present request's language as a code for ``lang`` attributes."""
    return _locale().language


def other_languages() -> list[tuple[str, str, str]]:
    """Return code, own name and address of the present page in each other language."""
    here = request.path if request.method == "GET" and request.endpoint else url_for("access.enter")
    return [(code, name, f"{here}?lang={code}") for code, name in LANGUAGES.items() if code != language()]


def number(value: float) -> str:
    """Return `value` as the language writes numbers: 1.284 or 1,284."""
    return format_decimal(value, locale=_locale())


def size(value: int) -> str:
    """Return bytes as whole megabytes below a gigabyte, else as gigabytes (one decimal below ten)."""
    if value < 10**9:
        return f"{format_decimal(round(value / 1e6), locale=_locale())} MB"
    amount = value / 1e9
    return f"{format_decimal(amount, format='#,##0' if amount >= 10 else '#,##0.0', locale=_locale())} GB"


def ago(instant: str) -> str:
    """Return how long a UTC instant (ISO 8601) is past, in words; the instant itself where it cannot be read."""
    try:
        at = datetime.fromisoformat(instant)
    except ValueError:
        return instant
    past = now() - (at if at.tzinfo else at.replace(tzinfo=UTC))
    # A clock that is a little ahead must not make "in 2 seconds" of something that has happened.
    return format_timedelta(-max(past, timedelta(seconds=1)), add_direction=True, locale=_locale())


def day(instant: str) -> str:
    """Return the day of a UTC instant (ISO 8601) where the library is: 31/12/2026; the text itself where it is none."""
    try:
        at = datetime.fromisoformat(instant)
    except ValueError:
        return instant
    return str(format_date(at, "dd/MM/yyyy"))


def now() -> datetime:
    """Return the present moment, the same one throughout a request."""
    if "now" not in g:
        g.now = datetime.now(UTC)
    moment: datetime = g.now
    return moment


def _locale() -> Locale:
    locale: Locale | None = get_locale()
    return locale or Locale("vi")
