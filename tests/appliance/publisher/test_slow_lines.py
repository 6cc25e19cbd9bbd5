"""Lines as libraries have them, in simulated time: slow, late, cut every minute, shared with the reading room."""

import random

import pytest

from appliance.publisher.policy import DeliveryPolicy
from tests.appliance.publisher.region import Line, Station, Time, Worker, capture

KIB = 1024
MB = 1_000_000


def deliver(line: Line, sizes: list[int], *, seed: int = 1, policy: DeliveryPolicy | None = None) -> Station:
    """Let one station deliver captures of these sizes over `line`; it must be done in twice the time the bytes need."""
    clock = Time()
    worker = Worker(clock)
    station = Station(clock, worker, random.Random(seed), line=line, policy=policy or DeliveryPolicy())
    station.queue.extend(capture(number, size) for number, size in enumerate(sizes))
    clock.run(lambda: not station.queue, limit_s=120 + 3 * sum(sizes) / line.bytes_per_s)
    assert len(worker.stored) == len(sizes)
    assert worker.refused_chunks == 0
    return station


def test_256_kbit_with_two_seconds_delay_and_a_cut_each_minute_delivers_in_order() -> None:
    line = Line(bytes_per_s=32_000, delay_s=2.0, cut_every_s=60.0)
    sizes = [5 * MB] * 6
    station = deliver(line, sizes)
    assert station.connections > 15, "each capture saw several cuts"
    assert [ref.id for ref in station.received] == sorted(ref.id for ref in station.received), "oldest first"
    sent = sum(one.size_bytes for one in station.sent if one.is_picture)
    assert sent < 1.25 * sum(sizes), "a cut costs what was under way, not what the worker had"


@pytest.mark.parametrize("kbit", [64, 256, 1000])
def test_chunks_shrink_until_all_that_is_under_way_passes_in_a_quarter_of_the_keepalive(kbit: int) -> None:
    line = Line(bytes_per_s=kbit * 125.0, delay_s=0.3)
    station = deliver(line, [kbit * 125 * 60] * 3)
    settled = station.chunk_lengths[len(station.chunk_lengths) // 2 :]
    window, lanes = 4, DeliveryPolicy().max_in_flight
    assert max(settled) * window * lanes / line.bytes_per_s <= 7.5 * 1.1
    assert max(settled) * window * lanes / line.bytes_per_s >= 3.0 or max(settled) == 4 * KIB, "nor is it timid"


def test_a_fast_line_soon_gets_the_largest_chunks() -> None:
    station = deliver(Line(bytes_per_s=12.5e6, delay_s=0.001), [8 * MB] * 3)
    assert station.chunk_lengths[0] == 64 * KIB
    assert max(station.chunk_lengths[8:12]) == 512 * KIB


def test_a_line_that_never_lasts_long_enough_for_one_large_chunk_still_gets_there() -> None:
    deliver(Line(bytes_per_s=4_000, delay_s=0.2, cut_every_s=10.0), [100_000] * 2)


@pytest.mark.parametrize("seed", range(5))
def test_any_size_gets_through_cuts(seed: int) -> None:
    chance = random.Random(seed)
    line = Line(bytes_per_s=chance.uniform(8_000, 200_000), delay_s=chance.uniform(0.01, 2.5), cut_every_s=60.0)
    deliver(line, [chance.randrange(1, 4 * MB) for _ in range(5)], seed=seed)
