"""How patient the delivery is."""

from dataclasses import dataclass

from wire.limits import KIB


@dataclass(frozen=True, slots=True)
class DeliveryPolicy:
    """Every time and limit of the delivery.

    Attributes:
        offer_timeout_s: from an offer's acknowledgement to a worker's answer.
        progress_timeout_s: of silence of a worker that everything sent has reached the broker for.
        line_timeout_s: of silence of the broker itself, on a line that is merely slow.
        first_retry_s: wait after the first failure; it doubles with each.
        longest_retry_s: where the doubling ends.
        absent_retry_s: where it ends while the broker says that no centre is there: asking is a few bytes.
        longest_busy_s: the most that a worker's "busy" is obeyed for; workers ask for a minute at most.
        jitter: part of each wait that is left to chance, so that a fleet does not come back as one.
        max_in_flight: objects on the line at once; the second one's offer overlaps the first one's last chunks. Three
            and four were measured too: no faster.
        max_agains: times one grant may ask for spans once more.
        unanswered_limit: offers in a row without an answer until the centre is called absent.
        hours_spread_s: in which the stations of a fleet begin when their hours do.
        probe_every_s: how often to ask whether the centre is there while there is nothing to send.
        line_patience_s: in which all that is under way must pass: a quarter of the connection's keepalive.
        smallest_chunk_bytes: what chunks shrink to on a slow line.
        limit_bytes_per_s: what may be sent on the average; None for as much as the line takes.
    """

    offer_timeout_s: float = 5.0
    progress_timeout_s: float = 12.0
    line_timeout_s: float = 90.0
    first_retry_s: float = 1.0
    longest_retry_s: float = 60.0
    absent_retry_s: float = 10.0
    longest_busy_s: float = 60.0
    jitter: float = 0.25
    max_in_flight: int = 2
    max_agains: int = 8
    unanswered_limit: int = 2
    hours_spread_s: float = 60.0
    probe_every_s: float = 30.0
    line_patience_s: float = 7.5
    smallest_chunk_bytes: int = 4 * KIB
    limit_bytes_per_s: float | None = None
