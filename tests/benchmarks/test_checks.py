"""The benchmark of the checks draws clean and faulty captures in turn and counts what was found."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from appliance.imaging.encode import encode
from benchmarks import checks
from benchmarks.checks_parts import WANTED, draw
from tests.appliance.imaging.drawing import spread


def test_a_few_captures_are_judged_and_counted(capsys: pytest.CaptureFixture[str]) -> None:
    assert checks.main(["--n", "8", "--seed", "3", "--seconds", "30"]) == 0
    table = capsys.readouterr().out
    counted = re.findall(r"^(\w+) +(\d+) +[01]\.\d{3} +[01]\.\d{3}", table, re.MULTILINE)
    faulty = sum(int(n) for name, n in counted if name in WANTED)
    clean = sum(int(n) for name, n in counted if name == "together")
    assert faulty + clean == 8
    assert abs(faulty - clean) <= 2


def test_every_fault_is_laid_over_a_photograph_and_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    drawn, folder = spread(seed=11), tmp_path / "books"
    folder.mkdir()
    (folder / "one.jpg").write_bytes(encode(drawn.planes))
    pages = {side: page.tolist() for side, page in zip(("left", "right"), drawn.corners, strict=True)}
    (folder / "quads.json").write_text(json.dumps({"one.jpg": {"pages": pages}}))
    assert checks.main(["--photos", str(tmp_path), "--behind", "3", "--megapixels", "1.5"]) == 0
    table = capsys.readouterr().out
    named = dict(re.findall(r"^(\w+) +\d+ +([01]\.\d{3}) +[01]\.\d{3}", table, re.MULTILINE))
    assert {name: float(named[name]) for name in WANTED} == dict.fromkeys(WANTED, 1.0)
    assert re.search(r"^together +1 +0\.000 +0\.000", table, re.MULTILINE)


def test_the_same_seed_draws_the_same_pixels() -> None:
    first, again = ([case.planes.y for case in draw(5, 3)] for _ in range(2))
    assert all(np.array_equal(one, other) for one, other in zip(first, again, strict=True))


def test_small_random_pictures_neither_break_nor_stop_the_pipeline(capsys: pytest.CaptureFixture[str]) -> None:
    assert checks.main(["--fuzz", "30", "--seed", "2", "--seconds", "8"]) == 0
    assert "no crash" in capsys.readouterr().out
