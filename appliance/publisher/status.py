"""What the station says of itself to the centre. Pure: facts in, a message out."""

from typing import Final

from appliance.spool.retention import Room
from appliance.spool.rows import Counts
from appliance.spool.state import StationState
from wire import VERSION
from wire.limits import MIB
from wire.messages import StationStatus

DISK_STEP_BYTES: Final = 16 * MIB
"""Free room is told in such steps, or every write would be news."""
SILENT: Final = StationState(state="silent")
"""The publisher runs and the station process does not."""


def online(
    station: str, counts: Counts, room: Room, state: StationState | None, answered: tuple[str, ...]
) -> StationStatus:
    """Return the status of a station whose line is up."""
    known = state or SILENT
    return StationStatus(
        station=station,
        online=True,
        software=VERSION,
        state=known.state,
        fault=known.fault,
        safe=counts.safe,
        waiting=counts.waiting,
        rejected=counts.rejected,
        damaged=counts.damaged,
        disk_free_bytes=room.free_bytes // DISK_STEP_BYTES * DISK_STEP_BYTES,
        disk_total_bytes=room.total_bytes,
        temperature_c=None if known.temperature_c is None else float(round(known.temperature_c)),
        clock_synchronised=known.clock_synchronised,
        job_title=known.job_title,
        last_verdicts=known.last_verdicts,
        answered=answered,
    )


def offline(station: str) -> StationStatus:
    """Return the status of a station that has gone."""
    return StationStatus(station=station, online=False, software=VERSION)
