"""One worker process: builds the parts of a receiver, runs it, takes it apart again."""

import logging
import threading
from contextlib import closing

from central.archive import adopt_unknown
from central.authority.ca import worker_name
from central.catalogue import Catalogue
from central.config import CentralConfig
from central.mqtt import MqttClient
from central.pulse import Pulse, unwatched
from central.receiving.receiver import Receiver, subscriptions
from central.receiving.staging import Staging, StoreLayout

log = logging.getLogger(__name__)


def run_worker(config: CentralConfig, name: str, stop: threading.Event, pulse: Pulse = unwatched) -> None:
    """Receive as the worker `name` until `stop` is set. The loop `receiver` has a pulse.

    Raises:
        CentralError: the store, the catalogue or the broker cannot be used, or the name is taken.
    """
    layout = StoreLayout(config.store)
    address = config.broker.address(worker_name(name))
    with closing(Staging(layout, name)) as staging, Catalogue(config.database_url) as catalogue:
        adopted = adopt_unknown(layout, catalogue)
        log.info("worker starts name=%s adopted=%d", name, adopted)
        with MqttClient(address, subscriptions(name)) as client:
            Receiver(name, client, staging, catalogue, config.limits).run(stop, pulse("receiver"))
    log.info("worker stopped name=%s", name)
