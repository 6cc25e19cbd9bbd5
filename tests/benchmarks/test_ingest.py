"""The benchmark of one worker runs, compares itself with its floor, and what it stores is really there."""

import re
from pathlib import Path

import pytest

from benchmarks import ingest
from benchmarks.captures import draw
from benchmarks.ingest_parts import WorkerByHand
from central.config import WorkerLimits
from central.receiving.staging import StoreLayout


def test_the_worker_is_timed_beside_the_bare_steps(capsys: pytest.CaptureFixture[str]) -> None:
    assert ingest.main(["--n", "3", "--captures", "2", "--kib", "700", "--seconds", "10"]) == 0
    table = capsys.readouterr().out
    assert "median of 3 rounds" in table
    assert re.search(r"worker +[\d.]+ ms .* of the floor's rate, goal >= 0\.5", table)


def test_what_was_timed_is_stored_whole(tmp_path: Path) -> None:
    captures = [draw("bench", number, 50_000, seed=1) for number in (1, 2, 3)]
    with WorkerByHand(tmp_path, WorkerLimits(chunk_bytes=4096, reserve_bytes=0)) as worker:
        assert worker.run(captures) > 0
    for capture in captures:
        folder = StoreLayout(tmp_path).staging / capture.facts.capture_id
        assert {name: (folder / name).read_bytes() for name in capture.files} == capture.files
