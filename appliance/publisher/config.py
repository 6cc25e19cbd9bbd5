"""What the publisher needs to know to start."""

from dataclasses import dataclass, field
from pathlib import Path

from appliance.publisher.hours import UplinkHours
from appliance.publisher.policy import DeliveryPolicy
from wire import pairing


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """Where the broker is, and who we are to it: certificates and key as PEM files.

    At `pairing_port` the same machine renews the certificate.
    """

    host: str
    port: int
    ca: Path
    cert: Path
    key: Path
    pairing_port: int = pairing.DEFAULT_PORT


@dataclass(frozen=True, slots=True)
class PublisherConfig:
    """One station's publisher.

    Attributes:
        station: our name, as the certificate says it.
        spool: the folder shared with the station process.
        broker: where everything goes.
        policy: how patient the delivery is.
        hours: when pictures may go.
        poll_s: how often the spool is asked whether the station has added something.
    """

    station: str
    spool: Path
    broker: BrokerAddress
    policy: DeliveryPolicy = field(default_factory=DeliveryPolicy)
    hours: UplinkHours = field(default_factory=UplinkHours)
    poll_s: float = 0.2
