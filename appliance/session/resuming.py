"""Going on after a stop or a crash: which job is open, and which lists were closed but not sent."""

import logging
from collections.abc import Callable

from appliance.session.job import Job
from appliance.spool.store import Spool

log = logging.getLogger(__name__)


def resume(spool: Spool, station: str, now: Callable[[], str]) -> Job | None:
    """Return the job that is open, sending the lists of those that ended without it; None where none is open.

    Raises:
        SpoolError: a job's history cannot be read.
    """
    found: Job | None = None
    for row in spool.jobs():
        if row.complete or not spool.changes(row.job_id):
            # Captures whose job's history is gone stay safe and are delivered; there is no list to go on with.
            continue
        job = Job(spool, row.job_id, station, now)
        if job.list.state == "open":
            if found is not None:
                log.warning("two jobs are open, going on with the later one job=%s", found.job_id)
            found = job
        elif not row.handed_over:
            job.send()
    if found is not None:
        found.sit_down()
    return found
