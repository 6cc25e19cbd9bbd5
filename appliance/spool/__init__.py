"""The spool: every capture durable on the station's disk until the centre has proved that it holds it.

The folder is the truth and SQLite is its index. `Spool` is the station's side and `Outbox` the publisher's; the two
processes meet nowhere else.
"""

from appliance.spool.outbox import Outbox
from appliance.spool.recover import recover
from appliance.spool.retention import RetentionPolicy, Room
from appliance.spool.rows import CaptureRow, Counts, JobRow, Pending, SetAside, SweepReport
from appliance.spool.state import PublisherState, StationState
from appliance.spool.store import Spool

__all__ = [
    "CaptureRow",
    "Counts",
    "JobRow",
    "Outbox",
    "Pending",
    "PublisherState",
    "RetentionPolicy",
    "Room",
    "SetAside",
    "Spool",
    "StationState",
    "SweepReport",
    "recover",
]
