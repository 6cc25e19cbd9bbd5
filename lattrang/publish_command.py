"""``lattrang station publish``: the publisher service, from its configuration to its end."""

import threading

from appliance.publisher import mqtt, status
from appliance.publisher.config import PublisherConfig
from appliance.publisher.runner import Publisher
from appliance.spool.outbox import Outbox
from appliance.threads import Beat, unheard
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
    will = mqtt.LastWill(topics.status(config.station), codec.encode(status.offline(config.station)))
    listened = (topics.replies(config.station), topics.commands(config.station))
    line = mqtt.Line(config.broker, listened, will)
    with Outbox.open(config.spool) as outbox:
        line.start()
        try:
            Publisher(config, outbox, line).run(stop, beat)
        finally:
            line.close()
    return ExitCode.OK
