"""The delivery against every kind of bad day, in simulated time."""

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.appliance.publisher.world import CHUNK_BYTES, POLICY, Weather, World, capture, job_list
from wire.messages import Complete

STORMS = st.builds(
    Weather,
    loss=st.floats(0, 0.4),
    doubling=st.floats(0, 0.4),
    delay_s=st.floats(0.01, 4.0),
    death=st.floats(0, 0.2),
    busy=st.floats(0, 0.5),
    cut=st.floats(0, 0.2),
    no_server=st.floats(0, 0.1),
    again=st.floats(0, 0.2),
    lasts_s=st.floats(10, 200),
)


@settings(max_examples=120, deadline=None)
@given(weather=STORMS, seed=st.integers(0, 2**32), count=st.integers(1, 12), window=st.integers(1, 8))
def test_everything_arrives_once_whatever_the_weather(weather: Weather, seed: int, count: int, window: int) -> None:
    world = World([job_list(count), *(capture(number) for number in range(count))], weather, seed, window)
    world.run(until=lambda: not world.waiting, limit_s=weather.lasts_s + 300)
    assert set(world.stored) == set(world.sizes)
    assert set(world.stored_times.values()) == {1}
    assert set(world.recorded) >= {ref for ref in world.sizes if ref.kind == "capture"}
    # A "missing" that was said before may come after it; the spool keeps a complete list complete.
    assert any(isinstance(answer, Complete) for answer in world.answers)
    # No flood: a good day needs one offer an object; a bad one may need one a second and one for every failure.
    assert len(world.offers_sent) <= 6 * (count + 1) + 4 * (weather.lasts_s + 60)


def test_on_a_good_day_every_byte_is_sent_once_and_offers_overlap_transfers() -> None:
    world = World([capture(number) for number in range(10)], Weather(), seed=1)
    world.run(until=lambda: not world.waiting, limit_s=60)
    assert world.chunks_sent == 10 * (math.ceil(10_000 / CHUNK_BYTES) + math.ceil(5_000 / CHUNK_BYTES))
    assert [ref.id for _, ref in world.offers_sent] == [f"c{number}" for number in range(10)], "oldest first"
    assert world.offers_sent[1][0] == world.offers_sent[0][0], "two at once"


def test_while_nobody_takes_offers_only_the_question_is_sent_and_the_return_is_noticed_within_seconds() -> None:
    world = World([capture(number) for number in range(30)], Weather(no_server=1.0, lasts_s=3600), seed=2)
    world.worker = None
    world.run(until=lambda: world.now_s > 3500, limit_s=3600)
    assert world.delivery.link.state == "no_server"
    assert len(world.offers_sent) == POLICY.max_in_flight, "documents are not sent for nothing"
    assert 3500 / POLICY.absent_retry_s < len(world.probes_sent) < 4 * 3500 / POLICY.absent_retry_s
    offered = len(world.offers_sent)
    world.run(until=lambda: len(world.offers_sent) > offered, limit_s=3600 + 3600)
    assert world.offers_sent[offered][0] <= 3600 + POLICY.absent_retry_s + 1
    world.run(until=lambda: not world.waiting, limit_s=3600 + 3600 + 120)
