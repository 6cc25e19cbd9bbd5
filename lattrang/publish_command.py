"""``lattrang station publish``: the publisher service, from its configuration to its end."""

import threading
from contextlib import suppress

from appliance.pairing.files import Certificates
from appliance.pairing.line import Address
from appliance.pairing.renewal import Renewal
from appliance.publisher import mqtt, status
from appliance.publisher.config import PublisherConfig
from appliance.publisher.runner import Publisher
from appliance.spool.outbox import Outbox
from appliance.threads import Beat, ServiceThread, unheard
from lattrang.buffers import keep_chunks
from wire import codec, topics
from wire.errors import ExitCode


def run_publisher(config: PublisherConfig, stop: threading.Event, beat: Beat = unheard) -> int:
    """Deliver what the spool holds until `stop` is set, and return the exit code. `beat` is the delivery loop's.

    Raises:
        SpoolError: the spool cannot be used.
        StationError: the certificates cannot be used.
    """
    keep_chunks()
    broker, deaths = config.broker, list[BaseException]()
    certificates = Certificates(broker.ca, broker.cert, broker.key)
    with suppress(OSError):
        # What a power cut has interrupted; a folder that cannot be written shows when it is time to renew.
        certificates.finish()
    will = mqtt.LastWill(topics.status(config.station), codec.encode(status.offline(config.station)))
    listened = (topics.replies(config.station), topics.commands(config.station))
    line = mqtt.Line(config.broker, listened, will)
    renewal = Renewal(config.station, certificates, Address(broker.host, broker.pairing_port))

    def on_death(_name: str, error: BaseException) -> None:
        deaths.append(error)
        stop.set()

    renewing = ServiceThread("renewal", lambda: renewal.run(stop), on_death)
    with Outbox.open(config.spool) as outbox:
        line.start()
        renewing.start()
        try:
            Publisher(config, outbox, line).run(stop, beat)
        finally:
            line.close()
            stop.set()
            renewing.join()
    if deaths:
        raise deaths[0]
    return ExitCode.OK
