"""Two weeks without a server, in simulated time: the disk fills in words, nothing is lost, all comes home in order."""

import random
from collections import Counter
from dataclasses import replace

import pytest

from appliance.publisher import hours
from appliance.publisher.policy import DeliveryPolicy
from appliance.spool.retention import RetentionPolicy, may_capture, releasable, room
from appliance.spool.rows import JobRow
from tests.appliance.publisher.region import (
    DAY_S,
    Line,
    Sent,
    Station,
    Time,
    Worker,
    capture,
    greatest_excess,
    job_list,
)
from wire.limits import KIB, MIB
from wire.messages import ObjectRef

CAPTURES = 8_000
CAPTURE_BYTES = 1_000_000
DAYS = 14
RETENTION = RetentionPolicy()
DISK_BYTES = CAPTURES * CAPTURE_BYTES + RETENTION.reserve_bytes
LIMIT_BYTES_PER_S = 1_000_000.0
NIGHT = hours.parse(("18:00-07:00",))
SERVER_IS_BACK_S = DAYS * DAY_S + 10 * 3600
"""At ten in the morning of the fifteenth day: in the middle of reading hours."""


class Shelfful:
    """One station's disk and jobs: a job a day, pressed at even intervals from eight to five."""

    def __init__(self, station: Station, attempts_a_day: int) -> None:
        self.station = station
        self.jobs: dict[str, list[ObjectRef]] = {}
        self.released: set[str] = set()
        self.taken = 0
        self.refused: list[float] = []
        for day in range(DAYS):
            for press in range(attempts_a_day):
                at_s = day * DAY_S + 8 * 3600 + press * 9 * 3600 / attempts_a_day
                station.clock.at(at_s, lambda day=day: self.press(f"job-{day:02d}"))  # type: ignore[misc]
            station.clock.at(day * DAY_S + 17 * 3600 + 60, lambda day=day: self.hand_over(f"job-{day:02d}"))  # type: ignore[misc]

    @property
    def free_bytes(self) -> int:
        held = sum(len(refs) for job, refs in self.jobs.items() if job not in self.released)
        return DISK_BYTES - held * CAPTURE_BYTES

    def press(self, job: str) -> None:
        if not may_capture(self.free_bytes, CAPTURE_BYTES, RETENTION):
            assert room(self.free_bytes, DISK_BYTES, (CAPTURE_BYTES,), RETENTION).captures_left == 0
            self.refused.append(self.station.clock.now_s)
            return
        pending = capture(self.taken, CAPTURE_BYTES)
        self.taken += 1
        self.jobs.setdefault(job, []).append(pending.ref)
        self.station.queue.append(pending)
        if len(self.station.queue) <= self.station.look_ahead:
            self.station.look()

    def hand_over(self, job: str) -> None:
        captures = self.jobs.get(job, [])
        if captures:
            pending = job_list(job, len(captures))
            self.station.worker.jobs[job] = set(captures)
            self.station.lists[pending.ref] = pending
            self.station.look()

    def release(self) -> None:
        """What the station process does now and then: captures of complete jobs leave the disk."""
        done = {ref.id for ref in self.station.complete}
        rows = tuple(
            JobRow(
                job_id=job,
                changes=0,
                captures=len(refs),
                received=len(refs) if job in done else 0,
                list_revision=len(refs),
                list_state="complete" if job in done else "waiting",
                list_hands_over=True,
                missing=0,
            )
            for job, refs in self.jobs.items()
        )
        self.released = set(releasable(rows))


def is_at_night(at_s: float) -> bool:
    hour = at_s % DAY_S / 3600
    return hour >= 18 or hour < 7


@pytest.mark.slow
def test_two_weeks_of_captures_wait_and_then_all_arrive_oldest_first_by_night_and_within_the_limit() -> None:
    clock = Time()
    worker = Worker(clock)
    station = Station(
        clock,
        worker,
        random.Random(1),
        line=Line(bytes_per_s=5e6, delay_s=0.02),
        policy=DeliveryPolicy(limit_bytes_per_s=LIMIT_BYTES_PER_S),
        hours=NIGHT,
        server_is_back=lambda: clock.now_s >= SERVER_IS_BACK_S,
        look_ahead=8,
    )
    shelfful = Shelfful(station, attempts_a_day=700)
    clock.run(lambda: clock.now_s >= SERVER_IS_BACK_S, limit_s=SERVER_IS_BACK_S + 60)
    assert shelfful.taken == len(station.queue) == CAPTURES, (
        "every capture that was taken is here, and the disk is full"
    )
    assert len(shelfful.refused) == DAYS * 700 - CAPTURES, "every other press was refused, none half taken"
    assert shelfful.free_bytes >= RETENTION.reserve_bytes
    assert min(shelfful.refused) > (DAYS - 3) * DAY_S

    clock.run(lambda: station.delivery.link.state == "waiting_for_hours", limit_s=SERVER_IS_BACK_S + 120)
    clock.run(lambda: not station.queue and not station.lists, limit_s=SERVER_IS_BACK_S + 3 * DAY_S)
    assert len(worker.stored) == CAPTURES + len(shelfful.jobs)
    order = [int(ref.id.rpartition("-")[2]) for _, _, ref in worker.stored_at if ref.kind == "capture"]
    assert all(abs(place - number) <= 1 for place, number in enumerate(order)), "oldest first, two at a time"
    assert all(is_at_night(one.at_s) for one in station.sent if one.is_picture)
    assert any(not is_at_night(one.at_s) for one in station.sent), "lists and questions go by day"
    assert greatest_excess(station.sent, LIMIT_BYTES_PER_S) <= LIMIT_BYTES_PER_S + 128 * KIB
    took_s = station.sent[-1].at_s - (DAYS * DAY_S + 18 * 3600)
    assert took_s < 1.2 * CAPTURES * CAPTURE_BYTES / LIMIT_BYTES_PER_S, "the limit is used, not only obeyed"

    shelfful.release()
    assert shelfful.released == set(shelfful.jobs)
    assert may_capture(shelfful.free_bytes, CAPTURE_BYTES, RETENTION), "and capture goes on"


def first_offers(stations: list[Station], after_s: float) -> list[float]:
    return sorted(min(at_s for at_s, _ in station.offers if at_s >= after_s) for station in stations)


def fleet(clock: Time, worker: Worker, number: int, captures: int, **changes: object) -> list[Station]:
    stations = []
    for index in range(number):
        station = Station(
            clock,
            worker,
            random.Random(f"fleet {index}"),
            name=f"s{index}",
            line=Line(bytes_per_s=2e6, delay_s=0.02),
            **changes,  # type: ignore[arg-type]
        )
        station.queue.extend(capture(one, CAPTURE_BYTES, station.name) for one in range(captures))
        stations.append(station)
    return stations


def most_in_a_second(moments: list[float]) -> int:
    return max(Counter(int(moment) for moment in moments).values())


def test_fifty_stations_do_not_come_back_at_the_same_moment() -> None:
    clock, back_s = Time(), 3600.0
    worker = Worker(clock, store_s=0.02)
    stations = fleet(clock, worker, 50, 20, server_is_back=lambda: clock.now_s >= back_s)
    clock.run(lambda: not any(station.queue for station in stations), limit_s=back_s + 3600)
    moments = first_offers(stations, back_s)
    assert moments[-1] - moments[0] > 15.0, "spread over the lines' own retries"
    assert moments[-1] - back_s < 50.0
    assert most_in_a_second(moments) <= 8
    assert len(worker.stored) == 50 * 20


def test_fifty_stations_that_wait_for_a_worker_notice_it_within_ten_seconds_but_not_as_one() -> None:
    clock, back_s = Time(), 1800.0
    worker = Worker(clock, store_s=0.02)
    worker.is_here = False
    clock.at(back_s, lambda: setattr(worker, "is_here", True))
    stations = fleet(clock, worker, 50, 10)
    clock.run(lambda: not any(station.queue for station in stations), limit_s=back_s + 3600)
    moments = first_offers(stations, back_s)
    assert moments[-1] - moments[0] > 5.0
    assert moments[-1] - back_s < DeliveryPolicy().absent_retry_s + 1
    assert most_in_a_second(moments) <= 20
    assert all(len(station.offers) < 10 * 10 for station in stations)


def test_fifty_stations_whose_hours_begin_at_the_same_stroke_begin_within_a_minute_of_it() -> None:
    clock = Time(now_s=17 * 3600.0)
    worker = Worker(clock, store_s=0.02)
    stations = fleet(clock, worker, 50, 5, hours=NIGHT)
    clock.run(lambda: not any(station.queue for station in stations), limit_s=20 * 3600)
    moments = first_offers(stations, 0.0)
    assert moments[0] >= 18 * 3600
    assert 40.0 < moments[-1] - moments[0] < 61.0
    assert most_in_a_second(moments) <= 6


@pytest.mark.parametrize("store_s", [0.2, 0.01])
def test_nobody_starves_when_fifty_stations_share_one_worker_and_turns_cost_it_little(store_s: float) -> None:
    clock = Time()
    worker = Worker(clock, store_s=store_s)
    stations = fleet(clock, worker, 50, 20)
    clock.run(lambda: len(worker.stored) >= 50 * 20 // 2, limit_s=36_000)
    done = [len(station.received) for station in stations]
    assert min(done) >= 6, f"half of everything is here, but of one station only {min(done)} of 20"
    assert max(done) <= 15
    assert worker.greatest_backlog <= 50 * DeliveryPolicy().max_in_flight + 8 * 4
    clock.run(lambda: not any(station.queue for station in stations), limit_s=36_000)
    assert len(worker.stored) == 50 * 20
    assert clock.now_s < 1.15 * max(50 * 20 * CAPTURE_BYTES / MIB * store_s, 105.0), "nor do places stay empty for long"


def test_a_capture_broken_off_by_the_end_of_the_hours_goes_on_the_next_evening_where_it_stopped() -> None:
    clock = Time(now_s=6.99 * 3600)
    worker = Worker(clock)
    station = Station(clock, worker, random.Random(3), line=Line(bytes_per_s=20_000, delay_s=0.1), hours=NIGHT)
    station.queue.append(capture(0, 2 * MIB))
    clock.run(lambda: not station.queue, limit_s=19 * 3600)
    sent = [one for one in station.sent if one.is_picture]
    assert {is_at_night(one.at_s) for one in sent} == {True}
    assert min(one.at_s for one in sent) < 7 * 3600 < 18 * 3600 < max(one.at_s for one in sent)
    assert sum(one.size_bytes for one in sent) < 1.2 * 2 * MIB


def test_the_measure_of_excess_finds_a_burst() -> None:
    calm = [Sent(float(second), 100, True) for second in range(10)]
    assert greatest_excess(calm, 100.0) == 100
    burst = [*calm, *(replace(one, at_s=9.0) for one in calm)]
    assert greatest_excess(burst, 100.0) == 1100
