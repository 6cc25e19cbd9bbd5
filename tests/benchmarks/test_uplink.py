"""The benchmark of the uplink runs, compares itself with its floor, and every byte is counted on both ways."""

import re

import pytest

from benchmarks import uplink
from central.authority.broker import find_plugin, find_program
from central.errors import BrokerError


@pytest.mark.broker
def test_the_publisher_is_timed_beside_a_bare_client(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        find_program()
        find_plugin()
    except BrokerError as error:
        pytest.skip(f"no Mosquitto here: {error}")
    assert uplink.main(["--n", "1", "--captures", "2", "--kib", "700", "--seconds", "20"]) == 0
    table = capsys.readouterr().out
    assert "median of 1 rounds" in table
    assert re.search(r"publisher +[\d.]+ ms .* of the floor, goal >= 0\.8", table)
