"""The wall clock as it is written into documents and rows: UTC, ISO 8601, always the same length."""

from datetime import UTC, datetime, timedelta


def instant(at: datetime) -> str:
    """Return `at` as text; texts of two instants sort as the instants do."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def now() -> str:
    """Return this instant as text."""
    return instant(datetime.now(UTC))


def after(seconds: float) -> str:
    """Return the instant `seconds` from now as text."""
    return instant(datetime.now(UTC) + timedelta(seconds=seconds))
