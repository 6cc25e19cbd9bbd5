"""The benchmark of memory weighs a whole site at work; its straight line is a straight line."""

import re

import pytest

from benchmarks import memory
from benchmarks.memory_parts import Samples, slope_per_capture
from central.authority.broker import find_plugin, find_program
from central.errors import BrokerError


def test_the_slope_is_that_of_the_second_half() -> None:
    warming = Samples((1, 2, 3, 4, 5, 6, 7, 8), tuple(mib * 2**20 for mib in (10, 50, 90, 100, 100, 100, 100, 100)))
    growing = Samples((1, 2, 3, 4), (0, 0, 1024, 2048))
    assert slope_per_capture(warming) == pytest.approx(0.0)
    assert slope_per_capture(growing) == pytest.approx(1.0)


@pytest.mark.broker
@pytest.mark.slow
def test_every_process_of_the_site_is_weighed(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        find_program()
        find_plugin()
    except BrokerError as error:
        pytest.skip(f"no Mosquitto here: {error}")
    small = ["--n", "4", "--book", "2", "--width", "640", "--height", "480", "--seconds", "60"]
    assert memory.main(small) == 0
    table = capsys.readouterr().out
    assert "4 captures of 640 x 480" in table
    for name in ("station unit", "publisher", "worker", "office"):
        assert re.search(rf"{name} +\d+ MiB +\d+ MiB +[+-][\d.]+ KiB a capture", table)
