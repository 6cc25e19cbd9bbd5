"""The office process: fleet, derivatives, screens, pairing, a thread each; one that dies takes all down, loudly."""

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Final

from central.api import CentralApi
from central.authority.ca import OFFICE
from central.catalogue import Catalogue
from central.config import CentralConfig
from central.derivatives import Derivatives
from central.fleet import SUBSCRIPTIONS, Fleet
from central.mqtt import MqttClient
from central.office import Office
from central.pairing.desk import PairingDesk
from central.pairing.front import PairingFront
from central.pairing.listener import PairingListener
from central.pulse import Pulse, unwatched
from central.receiving.staging import StoreLayout

log = logging.getLogger(__name__)

Serve = Callable[[CentralApi, threading.Event], None]
"""Serves the screens until the event is set. The roof passes it in: the centre does not know its screens."""
LOOPS: Final = ("fleet", "derivatives")
"""The loops of `run_office` that have a pulse."""


def run_office(config: CentralConfig, serve: Serve, stop: threading.Event, pulse: Pulse = unwatched) -> None:
    """Run everything of the centre but its workers until `stop` is set.

    Args:
        config: of the centre.
        serve: serves the screens.
        stop: set it to end.
        pulse: of the loops `LOOPS`.

    Raises:
        CentralError: a part cannot be used. Whatever a thread raises comes out here once all have stopped.
    """
    layout = StoreLayout(config.store)
    layout.create()
    with (
        Catalogue(config.database_url) as catalogue,
        MqttClient(config.broker.address(OFFICE), SUBSCRIPTIONS) as client,
    ):
        desk = PairingDesk(config, catalogue)
        office = Office(catalogue, layout, None if config.pairing is None else PairingFront(desk))
        fleet, derivatives = Fleet(client, catalogue), Derivatives(catalogue, layout)
        fleet_beat, derivatives_beat = map(pulse, LOOPS)
        parts: list[tuple[str, Callable[[threading.Event], None]]] = [
            ("fleet", lambda event: fleet.run(event, fleet_beat)),
            ("derivatives", lambda event: derivatives.run(event, derivatives_beat)),
            ("web", lambda event: serve(office, event)),
        ]
        if config.pairing is not None:
            parts.append(("pairing", PairingListener(config, desk).run))
        run_together(parts, stop)


def run_together(parts: Sequence[tuple[str, Callable[[threading.Event], None]]], stop: threading.Event) -> None:
    """Run each part in a thread of its own until `stop` is set; the first that fails stops all and is raised."""
    failures: list[BaseException] = []

    def guarded(name: str, part: Callable[[threading.Event], None]) -> None:
        try:
            part(stop)
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that started us
            log.critical("thread died name=%s %s", name, error)
            failures.append(error)
        finally:
            stop.set()

    threads = [threading.Thread(target=guarded, args=part, name=part[0]) for part in parts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
