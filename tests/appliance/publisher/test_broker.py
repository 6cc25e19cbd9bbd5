"""From the spool to the receipt, through a real Mosquitto with its access rules, to a real worker."""

import pytest

from tests.appliance.publisher.depot import Depot
from tests.central.house import House, eventually

pytestmark = pytest.mark.broker


def test_every_capture_and_its_list_reach_the_centre_and_may_then_leave_the_disk(house: House, depot: Depot) -> None:
    captures = [depot.capture() for _ in range(5)]
    job_id = f"job-{depot.station}"
    with house.worker(), depot.publisher():
        eventually(lambda: depot.received() == 5)
        eventually(lambda: depot.link() == "online")
        depot.spool.append_change(job_id, b"{}")
        depot.spool.queue_list(depot.make.job_list(6, *captures, job_id=job_id))
        eventually(lambda: depot.spool.jobs()[0].complete)
    assert set(depot.spool.release_due()) == set(captures)
