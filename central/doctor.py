"""Names every part of the centre that is missing, and its cure. Changes nothing."""

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final

from cryptography import x509

from central.authority import broker, ca
from central.authority.admin import Admin
from central.catalogue import Catalogue
from central.config import CentralConfig
from central.errors import AuthorityError, BrokerError, CentralError, StoreError
from central.mqtt import Connected
from central.receiving.staging import StoreLayout
from wire.limits import MAX_PACKET_BYTES, MIB

_SOON: Final = timedelta(days=60)
_BROKER_TIMEOUT_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the doctor: what was looked at and, where it is not well, code, sentence and cure."""

    name: str
    code: str = ""
    message: str = ""
    cure: str = ""

    @property
    def ok(self) -> bool:
        """Whether nothing is missing."""
        return not self.code


def checks(config: CentralConfig) -> tuple[Check, ...]:
    """Look at everything and return what was found, in the order in which a person would mend it."""
    found = [
        _checked("mosquitto", broker.find_program),
        _checked("dynamic-security plugin", broker.find_plugin),
        *_certificates(config),
        _checked("store", lambda: _store(config)),
        _checked("catalogue", lambda: _catalogue(config)),
    ]
    return (*found, *_broker(config))


def _checked(name: str, look: Callable[[], object]) -> Check:
    try:
        look()
    except CentralError as error:
        return Check(name, error.code, error.message, error.cure)
    return Check(name)


def _certificates(config: CentralConfig) -> list[Check]:
    names = {ca.OFFICE, ca.ADMIN, *(path.stem for path in config.broker.pki.glob("worker.*.crt"))}
    found = [_checked(f"certificate {name}", partial(_certificate, config, name)) for name in sorted(names)]
    if len(names) == 2:
        found.append(
            Check("certificate of a worker", "CERT-05", "No worker has a certificate.", "Run: lattrang central approve")
        )
    if config.pairing is not None:
        found.append(_checked("certificate for pairing", partial(_certificate, config, ca.PAIRING)))
        found.append(_checked("name of the centre", partial(_public_name, config, config.pairing.public_host)))
    return found


def _public_name(config: CentralConfig, public_host: str) -> None:
    # A broker that somebody else set up has its certificate elsewhere; that is not looked at.
    server = config.broker.credentials(ca.SERVER).cert
    if server.exists() and not ca.is_for(server, public_host):
        raise AuthorityError(
            "CERT-08",
            f"The broker's certificate is not for {public_host}, by which stations reach it.",
            "Run: lattrang central renew, then start the broker again.",
        )


def _certificate(config: CentralConfig, name: str) -> None:
    credentials = config.broker.credentials(name)
    issue = "Run: lattrang central renew, or restore the folder from its backup."
    for path in (credentials.ca, credentials.cert, credentials.key):
        if not os.access(path, os.R_OK):
            raise AuthorityError("CERT-05", f"{path} is missing or cannot be read.", issue)
    if stat.S_IMODE(credentials.key.stat().st_mode) & 0o077:
        raise AuthorityError(
            "CERT-06", f"{credentials.key} can be read by others.", f"Run: chmod 600 {credentials.key}"
        )
    _valid(credentials.ca, issue)
    _valid(credentials.cert, issue)


def _valid(path: Path, cure: str) -> None:
    try:
        until = x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc
    except ValueError as error:
        raise AuthorityError("CERT-05", f"{path} is not a certificate ({error}).", cure) from error
    if until - datetime.now(UTC) < _SOON:
        raise AuthorityError("CERT-07", f"{path} ends on {until:%Y-%m-%d}.", "Run: lattrang central renew")


def _store(config: CentralConfig) -> None:
    layout = StoreLayout(config.store)
    layout.create()
    if not os.access(layout.staging, os.W_OK):
        raise StoreError("STORE-01", f"{layout.staging} cannot be written.", "Give its owner the right to write.")
    free, reserve = layout.free_bytes(), config.limits.reserve_bytes
    if free < reserve:
        raise StoreError(
            "STORE-02",
            f"{free // MIB} MiB are free, {reserve // MIB} MiB are kept in reserve.",
            "Free or add disk space; stations keep waiting.",
        )


def _catalogue(config: CentralConfig) -> None:
    Catalogue(config.database_url).close()


def _broker(config: CentralConfig) -> list[Check]:
    try:
        with Admin(config.broker.address(ca.ADMIN), timeout_s=_BROKER_TIMEOUT_S) as admin:
            limits, present = admin.limits, admin.worker_present()
    except BrokerError as error:
        return [Check("broker", error.code, error.message, error.cure)]
    found = [Check("broker"), _checked("broker limits", lambda: _limits(limits))]
    missing = ("BROKER-08", "No worker takes offers.", "Run: lattrang central work --name w1")
    return [*found, Check("worker") if present else Check("worker", *missing)]


def _limits(limits: Connected) -> None:
    # Absent means without limit (packet size) or 65,535 (receive maximum): both are enough.
    packet, receive = limits.max_packet_bytes, limits.receive_maximum
    if packet is not None and packet < MAX_PACKET_BYTES:
        raise BrokerError(
            "BROKER-09",
            f"The broker takes packets of {packet} bytes, chunks need {MAX_PACKET_BYTES}.",
            "Set max_packet_size in mosquitto.conf.",
        )
    if limits.retains:
        raise BrokerError(
            "BROKER-09",
            "The broker keeps retained messages, with which one station could fill its memory.",
            "Set retain_available false in mosquitto.conf.",
        )
    if receive is not None and receive < broker.LEAST_INFLIGHT_MESSAGES:
        raise BrokerError(
            "BROKER-09",
            f"The broker takes {receive} messages at once, stations may send {broker.LEAST_INFLIGHT_MESSAGES}.",
            "Set max_inflight_messages in mosquitto.conf.",
        )
