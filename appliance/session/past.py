"""What this station did before: the jobs that ended here, read from their histories."""

from typing import Final

from appliance.jobs import changes as ch
from appliance.jobs.lookup import Past
from appliance.spool.rows import JobRow
from appliance.spool.store import Spool

_ENDS: Final = (ch.HandedOver, ch.StoppedForConservation)


class PastJobs:
    """Remembers what it has read: a history is read again only when it has grown. For one thread."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._known: dict[str, tuple[int, Past | None]] = {}

    def all(self) -> tuple[Past, ...]:
        """Return the jobs that have ended, the oldest first."""
        return tuple(past for row in self._spool.jobs() if (past := self.of(row)) is not None)

    def of(self, row: JobRow) -> Past | None:
        """Return one of them; None where it is open, or its history is gone."""
        changes, past = self._known.get(row.job_id, (-1, None))
        if changes != row.changes:
            past = _read(self._spool, row)
            self._known[row.job_id] = (row.changes, past)
        return past


def _read(spool: Spool, row: JobRow) -> Past | None:
    lines = spool.changes(row.job_id)
    history = [ch.decode(line) for line in lines]
    if not history or not isinstance(history[0], ch.JobOpened):
        return None
    end = next((one for one in reversed(history) if isinstance(one, (*_ENDS, ch.Reopened))), None)
    if not isinstance(end, _ENDS):
        return None
    is_stopped = isinstance(end, ch.StoppedForConservation)
    return Past(row.job_id, history[0], end.at, row.captures, is_stopped)
