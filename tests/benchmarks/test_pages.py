"""The benchmark of the page pipeline runs and compares itself with its floor."""

import pytest

from benchmarks import pages


def test_every_row_is_timed_beside_the_floor(capsys: pytest.CaptureFixture[str]) -> None:
    assert pages.main(["--n", "2", "--width", "1014", "--height", "760", "--seconds", "20"]) == 0
    table = capsys.readouterr().out
    assert "floor" in table
    assert "finding" in table
