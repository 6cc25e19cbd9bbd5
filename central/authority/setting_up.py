"""Makes what a server needs before its services start: authority, keys, broker rules, configurations. Safe to repeat.

What exists is kept: a second authority would mean pairing every station anew.
"""

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from central import web_front
from central.authority import access, ca
from central.authority.broker import BrokerSettings, config_text, find_plugin
from central.config import (
    BrokerConfig,
    CentralConfig,
    PairingConfig,
    WebConfig,
    WorkerLimits,
    default_database,
    load,
    render,
)
from central.errors import ConfigError

LOOPBACK: Final = "127.0.0.1"
EVERYWHERE: Final = "0.0.0.0"  # noqa: S104 - stations come from outside; the broker asks each for its certificate
BROKER_PORT: Final = 8883
BROKER_USER: Final = "lattrang-broker"
CREDENTIALS: Final = Path("/run/credentials/lattrang-broker.service")
"""Where systemd shows the broker its own key, and no other."""
WEB_PORT: Final = 8600
TLS_PORT: Final = 443


@dataclass(frozen=True, slots=True)
class Places:
    """Where a server keeps what.

    Attributes:
        config: ``central.toml``.
        state: authority, keys and secrets of the centre's own user.
        store: what stations sent.
        broker_config: ``mosquitto.conf``.
        broker_state: the broker's own folder, for its rules.
        front_config: ``nginx.conf``.
    """

    config: Path = Path("/etc/lattrang/central.toml")
    state: Path = Path("/var/lib/lattrang-central")
    store: Path = Path("/srv/lattrang/store")
    broker_config: Path = Path("/etc/lattrang/mosquitto.conf")
    broker_state: Path = Path("/var/lib/lattrang-broker")
    front_config: Path = Path("/etc/lattrang/nginx.conf")


def set_up(places: Places, host: str, workers: Sequence[str]) -> bool:
    """Make what is missing; `host`, by which stations reach this server, goes into a new ``central.toml``.

    The configurations of broker and nginx are ours and written anew; ``central.toml`` is written once: tells whether it
    was.

    Raises:
        CentralError: a part cannot be made (CERT-01, CONF-01, CONF-04).
    """
    try:
        return _set_up(places, host, workers)
    except OSError as error:
        raise ConfigError(
            "CONF-04", f"{error.filename} cannot be written ({error.strerror}).", "Run this as root."
        ) from error


def _set_up(places: Places, host: str, workers: Sequence[str]) -> bool:
    is_new = not places.config.exists()
    if is_new:
        _write_config(places, host)
    config = load(places.config)
    authority = ca.Authority.open(config.broker.pki)
    for name in (ca.OFFICE, ca.ADMIN, *map(ca.worker_name, workers)):
        authority.issue_client(name)
    # Stations know this machine by the name that the configuration says now, whatever it was called at first.
    names = () if config.pairing is None else (config.pairing.public_host,)
    authority.issue_server(tuple({*ca.SERVER_NAMES, *names}))
    authority.issue_pairing()
    if not config.web.token_file.exists():
        ca.write_private(config.web.token_file, secrets.token_urlsafe(24).encode())
    rules = places.broker_state / "dynamic-security.json"
    if not rules.exists():
        ca.write_private(rules, json.dumps(access.first_document(workers), indent=1).encode())
    tls = ca.Credentials(CREDENTIALS / "ca.crt", CREDENTIALS / "server.crt", CREDENTIALS / "server.key")
    broker = BrokerSettings(config.broker.port, tls, rules, find_plugin(), host=EVERYWHERE, user=BROKER_USER)
    places.broker_config.write_text(config_text(broker), "utf-8")
    places.front_config.write_text(web_front.config_text(f"{config.web.host}:{config.web.port}", TLS_PORT), "utf-8")
    return is_new


def _write_config(places: Places, host: str) -> None:
    config = CentralConfig(
        store=places.store,
        database_url=default_database(places.store),
        broker=BrokerConfig(LOOPBACK, BROKER_PORT, places.state / "pki"),
        web=WebConfig(LOOPBACK, WEB_PORT, places.state / "web.token"),
        limits=WorkerLimits(),
        pairing=PairingConfig(public_host=host, host=EVERYWHERE),
    )
    # Whole or not at all: after a power cut half a configuration would stand in the way of the next attempt.
    temporary = places.config.with_name(f"{places.config.name}.new")
    temporary.write_text(render(config), "utf-8")
    temporary.rename(places.config)
