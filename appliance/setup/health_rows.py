"""How every part of the station is: what the health page shows."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from appliance.api import StationSnapshot
from appliance.config import StationConfig
from appliance.doctor import look_at_disk, look_at_packages
from appliance.health import HOT_C, is_power_low, temperature_c
from appliance.setup.api import CERTIFICATE_DAYS, Certificate, HealthRow, Tone
from appliance.spool.files import Paths
from appliance.spool.state import Clock, PublisherState, read_state
from wire import VERSION
from wire.errors import CodedError

LOW_ROOM: Final = 200
"""Captures: about one book of 400 pages."""
_RANK: Final[dict[Tone, int]] = {"bad": 0, "warn": 1, "ok": 2}
_LINK_TONES: Final[dict[str, Tone]] = {"online": "ok", "waiting_for_hours": "ok", "refused": "bad"}


def health(
    config: StationConfig, snapshot: StationSnapshot, certificate: Certificate | None = None
) -> tuple[HealthRow, ...]:
    """Return how every part is, the bad ones first. Cheap enough for a page that somebody keeps loading anew."""
    looks: tuple[Callable[[], HealthRow | None], ...] = (
        lambda: _camera(snapshot),
        lambda: _room(snapshot),
        lambda: _disk(config),
        lambda: _captures(snapshot),
        lambda: _link(config, snapshot),
        lambda: _pairing(config),
        lambda: HealthRow("clock", "ok") if snapshot.clock_synchronised else HealthRow("clock", "warn", "CLOCK-01"),
        lambda: _calibration(certificate),
        lambda: _temperature(temperature_c()),
        lambda: _power(is_power_low()),
        lambda: _coded("software", "bad", look_at_packages, VERSION),
    )
    rows = [row for look in looks if (row := look()) is not None]
    return tuple(sorted(rows, key=lambda row: _RANK[row.tone]))


def _camera(snapshot: StationSnapshot) -> HealthRow:
    if snapshot.fault is None:
        return HealthRow("camera", "ok")
    return HealthRow("camera", "bad", snapshot.fault.code, snapshot.fault.part)


def _room(snapshot: StationSnapshot) -> HealthRow:
    left = snapshot.room_for_captures
    if left <= 0:
        return HealthRow("room", "bad", "DISK-01", left)
    return HealthRow("room", "ok" if left >= LOW_ROOM else "warn", "", left)


def _disk(config: StationConfig) -> HealthRow:
    # Room has a row of its own.
    return _coded("disk", "warn", lambda: look_at_disk(config.spool.folder, 0))


def _captures(snapshot: StationSnapshot) -> HealthRow:
    if snapshot.link.damaged:
        return HealthRow("captures", "bad", "DISK-06", snapshot.link.damaged)
    if snapshot.link.rejected:
        return HealthRow("rejected", "bad", "", snapshot.link.rejected)
    return HealthRow("captures", "ok", "", snapshot.safe_captures)


def _link(config: StationConfig, snapshot: StationSnapshot) -> HealthRow | None:
    if config.broker is None:
        return None
    publisher = read_state(Paths(config.spool.folder).run / "publisher.json", PublisherState, Clock())
    if publisher is None:
        return HealthRow("publisher", "warn", "", snapshot.link.waiting)
    return HealthRow("link", _LINK_TONES.get(publisher.link, "warn"), publisher.code or "", snapshot.link.waiting)


def _pairing(config: StationConfig) -> HealthRow:
    if config.broker is None:
        return HealthRow("pairing", "warn", "CONF-03")
    return HealthRow("pairing", "ok", "", config.broker.host)


def _calibration(certificate: Certificate | None) -> HealthRow:
    if certificate is None:
        return HealthRow("calibration", "warn")
    days = certificate.days_old(datetime.now(UTC))
    is_well = certificate.is_good and days < CERTIFICATE_DAYS
    return HealthRow("calibration", "ok" if is_well else "warn", "", days)


def _temperature(celsius: float | None) -> HealthRow | None:
    if celsius is None:
        return None
    return HealthRow("temperature", "ok" if celsius < HOT_C else "warn", "" if celsius < HOT_C else "HOT-01", celsius)


def _power(is_low: bool | None) -> HealthRow | None:
    if is_low is None:
        return None
    return HealthRow("power", "bad", "PWR-01") if is_low else HealthRow("power", "ok")


def _coded(part: str, tone: Tone, look: Callable[[], object], value: str | None = None) -> HealthRow:
    try:
        look()
    except CodedError as error:
        return HealthRow(part, tone, error.code, value)
    except OSError:
        return HealthRow(part, "bad", "DISK-07", value)
    return HealthRow(part, "ok", "", value)
