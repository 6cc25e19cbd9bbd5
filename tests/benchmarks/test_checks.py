"""The benchmark of the checks draws clean and faulty captures in turn and counts what was found."""

import re

import numpy as np
import pytest

from benchmarks import checks
from benchmarks.checks_parts import WANTED, draw


def test_a_few_captures_are_judged_and_counted(capsys: pytest.CaptureFixture[str]) -> None:
    assert checks.main(["--n", "8", "--seed", "3", "--seconds", "30"]) == 0
    table = capsys.readouterr().out
    counted = re.findall(r"^(\w+) +(\d+) +[01]\.\d{3} +[01]\.\d{3}", table, re.MULTILINE)
    faulty = sum(int(n) for name, n in counted if name in WANTED)
    clean = sum(int(n) for name, n in counted if name == "together")
    assert faulty + clean == 8
    assert abs(faulty - clean) <= 2


def test_the_same_seed_draws_the_same_pixels() -> None:
    first, again = ([case.planes.y for case in draw(5, 3)] for _ in range(2))
    assert all(np.array_equal(one, other) for one, other in zip(first, again, strict=True))


def test_small_random_pictures_neither_break_nor_stop_the_pipeline(capsys: pytest.CaptureFixture[str]) -> None:
    assert checks.main(["--fuzz", "30", "--seed", "2", "--seconds", "8"]) == 0
    assert "no crash" in capsys.readouterr().out
