"""How much room there must be, and what may go. Pure: sizes in, decisions out."""

from dataclasses import dataclass

from appliance.spool.rows import JobRow

MIB = 2**20


@dataclass(frozen=True, slots=True)
class RetentionPolicy:
    """Room that capture never uses up.

    Attributes:
        reserve_bytes: kept free for the pages of captures that are already safe, lists, logs and the index.
        ballast_bytes: given up when even that is gone, so that the index can still commit.
        typical_capture_bytes: size of a capture with its pages until real ones are known: a 12 MP frame and two pages
            at quality 95.
    """

    reserve_bytes: int = 512 * MIB
    ballast_bytes: int = 16 * MIB
    typical_capture_bytes: int = 14 * MIB


@dataclass(frozen=True, slots=True)
class Room:
    """Room on the spool's disk. `captures_left` is an estimate from the size of recent captures."""

    free_bytes: int
    total_bytes: int
    reserve_bytes: int
    captures_left: int


def room(free_bytes: int, total_bytes: int, recent_bytes: tuple[int, ...], policy: RetentionPolicy) -> Room:
    """Return what fits, given the sizes of recent captures with their pages."""
    typical_bytes = max(recent_bytes, default=policy.typical_capture_bytes)
    spare_bytes = max(0, free_bytes - policy.reserve_bytes)
    return Room(free_bytes, total_bytes, policy.reserve_bytes, spare_bytes // max(1, typical_bytes))


def may_capture(free_bytes: int, capture_bytes: int, policy: RetentionPolicy) -> bool:
    """Tell whether a capture of this size leaves the reserve untouched."""
    return free_bytes - capture_bytes >= policy.reserve_bytes


def may_restore_ballast(free_bytes: int, policy: RetentionPolicy) -> bool:
    """Tell whether there is room for the ballast beside the reserve."""
    return free_bytes - policy.ballast_bytes >= policy.reserve_bytes


def releasable(jobs: tuple[JobRow, ...]) -> tuple[str, ...]:
    """Return the jobs whose received captures may leave the disk.

    A job that has changed since its list was answered is not among them: its new list may need any of its captures.
    """
    return tuple(job.job_id for job in jobs if job.complete)
