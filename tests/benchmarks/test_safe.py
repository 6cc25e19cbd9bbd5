"""The benchmark of the safe write runs and compares itself with its floor."""

import re

import pytest

from benchmarks import safe


def test_the_station_is_timed_beside_the_bare_steps(capsys: pytest.CaptureFixture[str]) -> None:
    assert safe.main(["--n", "5", "--width", "1014", "--height", "760", "--seconds", "10"]) == 0
    table = capsys.readouterr().out
    assert "median of 5 rounds" in table
    assert re.search(r"floor +[\d.]+ ms +1\.000", table)
    assert re.search(r"station +[\d.]+ ms +[\d.]+ +goal <= 1\.2", table)
