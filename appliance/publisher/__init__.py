"""The publisher: hands over what the spool holds, until the centre has proved that it has it."""

from appliance.publisher.config import BrokerAddress, PublisherConfig
from appliance.publisher.policy import DeliveryPolicy

__all__ = ["BrokerAddress", "DeliveryPolicy", "PublisherConfig"]
