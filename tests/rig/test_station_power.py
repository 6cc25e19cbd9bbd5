"""Power that goes at any moment: what was promised is kept."""

import pytest

from benchmarks import cuts
from benchmarks.rig import Machine
from benchmarks.rig_office import Office

pytestmark = [pytest.mark.pi, pytest.mark.slow, pytest.mark.timeout(3600)]


def test_nothing_that_was_safe_is_lost_doubled_or_changed_by_power_cuts(place: tuple[Machine, Office]) -> None:
    count = cuts.run(*place, n=4, seed=1, seconds=1200)
    assert count.is_whole, count
