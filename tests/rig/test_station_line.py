"""A line that loses packets, is far and is slow: what was captured meanwhile arrives."""

import pytest

from benchmarks import line
from benchmarks.rig import Machine
from benchmarks.rig_office import Office

pytestmark = [pytest.mark.pi, pytest.mark.slow, pytest.mark.timeout(3600)]


def test_over_a_bad_line_everything_arrives(place: tuple[Machine, Office]) -> None:
    weather = line.Weather(loss_percent=5, delay_ms=300, rate_kbit=1000)
    result = line.run(*place, n=1, captures=1, weather=weather)
    assert result.missing == ()
    # How fast is a matter of medians (benchmarks/line): a single round may meet a run of lost packets.
    assert result.share > 0.4
