"""Power that goes at any moment, or because somebody asked for it: what was promised is kept."""

import pytest

from benchmarks import cuts, rig_site
from benchmarks.rig import Machine
from benchmarks.rig_office import Office
from benchmarks.rig_site import PRESSER, pages_at, screen

pytestmark = [pytest.mark.pi, pytest.mark.slow, pytest.mark.timeout(3600)]


def test_nothing_that_was_safe_is_lost_doubled_or_changed_by_power_cuts(place: tuple[Machine, Office]) -> None:
    count = cuts.run(*place, n=4, seed=1, seconds=1200)
    assert count.is_whole, count


def test_switched_off_from_its_screen_it_goes_in_good_order_and_comes_back_with_everything(
    place: tuple[Machine, Office],
) -> None:
    machine, office = place
    pages = pages_at(office)
    screen(machine, "1")
    machine.shell(f"{PRESSER} off || true")  # the line to it goes with the machine
    machine.wait_until_off(within_s=60)
    machine.boot()
    assert "Reached target poweroff" in machine.shell("journalctl -b -1 --no-pager -o cat | tail -n 50")
    screen(machine, "1")
    rig_site.wait_until_sent(machine)
    assert pages_at(office) >= pages + 2
