"""Sets up a whole centre in one folder: authority, certificates, broker rules, configuration. Safe to repeat."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from central import clock
from central.authority import access, ca
from central.authority.admin import Admin
from central.authority.broker import LOOPBACK, Broker
from central.catalogue import Catalogue, fleet_records, pairing_records
from central.config import BrokerConfig, CentralConfig, PairingConfig, WebConfig, WorkerLimits, default_database, render
from central.errors import AuthorityError, BrokerError
from central.receiving.staging import StoreLayout

CONFIG_FILE: Final = "central.toml"
DEFAULT_WORKERS: Final = ("w1", "w2")


@dataclass(frozen=True, slots=True)
class Centre:
    """A centre set up on this machine: its configuration, where that is written, and its (stopped) broker."""

    config: CentralConfig
    config_file: Path
    broker: Broker


def provision(
    folder: Path,
    *,
    broker_port: int = 0,
    web_port: int = 0,
    workers: Sequence[str] = DEFAULT_WORKERS,
    limits: WorkerLimits | None = None,
    language: str = "vi",
    pairing: PairingConfig | None = None,
) -> Centre:
    """Make what a centre needs in `folder`, start its broker and write ``central.toml`` with the port it got.

    Whatever exists already (authority, keys, rules, token) is kept. The caller stops `Centre.broker`.

    Raises:
        CentralError: a part cannot be made, or the broker does not start.
    """
    pki = folder / "pki"
    authority = ca.Authority.open(pki)
    for name in (ca.OFFICE, ca.ADMIN, *map(ca.worker_name, workers)):
        authority.issue_client(name)
    names = ca.SERVER_NAMES if pairing is None else tuple({*ca.SERVER_NAMES, pairing.public_host})
    if pairing is not None:
        authority.issue_pairing()
    broker = Broker(folder / "broker", authority.issue_server(names), access.first_document(workers), port=broker_port)
    broker.start()
    token_file = folder / "web.token"
    if not token_file.exists():
        ca.write_private(token_file, secrets.token_urlsafe(24).encode())
    store = folder / "store"
    config = CentralConfig(
        store=store,
        database_url=default_database(store),
        broker=BrokerConfig(LOOPBACK, broker.port, pki),
        web=WebConfig(LOOPBACK, web_port, token_file, language),
        limits=limits or WorkerLimits(),
        pairing=pairing,
    )
    config_file = folder / CONFIG_FILE
    config_file.write_text(render(config), encoding="utf-8")
    return Centre(config, config_file, broker)


def approve_station(config: CentralConfig, station: str, request_pem: bytes) -> bytes:
    """Sign a station's request and open the broker to it; returns its certificate, PEM.

    Whoever had that name before is shut out.

    Raises:
        CentralError: the request is refused, or the broker cannot be reached.
    """
    StoreLayout(config.store).create()
    with Catalogue(config.database_url) as catalogue:
        return admit(config, catalogue, station, request_pem)


def admit(config: CentralConfig, catalogue: Catalogue, station: str, request_pem: bytes) -> bytes:
    """Do what `approve_station` does, with a catalogue that is open; safe to repeat."""
    authority = ca.Authority.load(config.broker.pki)
    certificate = authority.sign_station(station, request_pem)
    name = ca.common_name(certificate)
    with Admin(config.broker.address(ca.ADMIN)) as admin:
        admin.approve_station(station, name)
    authority.revoke(lambda other: ca.station_of(other) == station and other != name)
    with catalogue.write() as connection:
        fleet_records.approve(connection, station, clock.now(), name)
    return certificate


def revoke_station(config: CentralConfig, station: str) -> None:
    """Close the broker to a station: its live connection ends, and no other begins with any certificate it ever had.

    Raises:
        CentralError: the station is unknown, or BROKER-10, the broker cannot be reached: it learns the rest from the
            authority's list when it is started.
    """
    with Catalogue(config.database_url) as catalogue:
        with catalogue.write() as connection:
            # First here: whatever the broker does, nothing is renewed, and a token that was used lets nobody in again.
            pairing_records.forget(connection, station)
            is_known = fleet_records.is_known(connection, station)
            if is_known:
                fleet_records.revoke(connection, station, clock.now())
        try:
            with Admin(config.broker.address(ca.ADMIN)) as admin:
                admin.revoke_station(station)
        except BrokerError as error:
            raise BrokerError(
                "BROKER-10",
                f"{station} is shut out as soon as the broker starts again, which does not answer now ({error.code}).",
                "Start the broker, then run this again.",
            ) from error
        finally:
            # Last, because the broker is started again by what this changes.
            ca.Authority.load(config.broker.pki).revoke(lambda name: ca.station_of(name) == station)
    if not is_known:
        raise AuthorityError(
            "CERT-04", f"No station named {station} was ever approved.", "Run: lattrang central stations"
        )


def approve_worker(config: CentralConfig, worker: str) -> ca.Credentials:
    """Issue credentials for one more worker on this machine and open the broker to it."""
    credentials = ca.Authority.load(config.broker.pki).issue_client(ca.worker_name(worker))
    with Admin(config.broker.address(ca.ADMIN)) as admin:
        admin.approve_worker(worker)
    return credentials


def new_station(config: CentralConfig, station: str, folder: Path) -> ca.Credentials:
    """Make a station's key in `folder`, have it signed and approved; for a station on this machine (the demo)."""
    folder.mkdir(parents=True, exist_ok=True)
    credentials = ca.Credentials(ca=folder / "ca.crt", cert=folder / "station.crt", key=folder / "station.key")
    if credentials.cert.exists() and credentials.key.exists():
        return credentials
    key, request = ca.new_request(station)
    certificate = approve_station(config, station, request)
    credentials.ca.write_bytes(config.broker.credentials(ca.OFFICE).ca.read_bytes())
    ca.write_private(credentials.key, key)
    credentials.cert.write_bytes(certificate)
    return credentials
