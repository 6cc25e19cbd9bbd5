"""Outlines are compared as they should be: against every true page, in frames that may have been changed."""

import json
from pathlib import Path

import numpy as np
import pytest

from appliance.imaging.encode import encode
from appliance.imaging.geometry import points
from appliance.imaging.model import Page, Processed, Signature
from benchmarks import outlines
from benchmarks.outlines_parts import Case, overlap, photographed, simulated, spine_error_px, varied
from wire.documents import FindingEntry

_SIZE = (640, 480)


@pytest.fixture(scope="module")
def spread() -> Case:
    """One drawn spread."""
    return next(simulated(5, 1, (1200, 900)))


def test_drawn_books_are_measured_without_any_photograph(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.jpg"
    assert outlines.main(["--n", "2", "--seed", "3", "--sheet", str(sheet)]) == 0
    said = capsys.readouterr().out
    assert "photographs skipped, --photos names no folder" in said
    row = said.splitlines()[-1].split()
    assert row[0] == "simulated"
    assert row[-2] == "2/2"
    assert float(row[2].split("/")[1]) > 0.95
    assert sheet.stat().st_size > 1000


def test_a_photograph_is_held_against_the_corners_beside_it(spread: Case, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(encode(spread.planes))
    corners = {name: page[[0, 23, 24, 47]].tolist() for name, page in zip(("left", "right"), spread.pages, strict=True)}
    entry = {"pages": corners, "upright_rotation_cw": 0}
    (tmp_path / "quads.json").write_text(json.dumps({"a.jpg": entry}))
    [case] = photographed(tmp_path)
    assert len(case.pages) == 2
    assert np.allclose(case.corners, spread.corners, atol=2)
    assert case.spine is not None
    assert spread.spine is not None
    assert np.allclose(case.spine, spread.spine, atol=2)
    assert outlines.main(["--photos", str(tmp_path), "--n", "0"]) == 0


def test_outlines_that_differ_near_the_edge_only_are_one_when_the_band_is_left_out() -> None:
    page, larger = _box(100, 100, 300, 400), _box(96, 96, 304, 404)
    strict, banded = overlap(larger, page, _SIZE, 0.015)
    assert strict == pytest.approx(200 * 300 / (208 * 308), abs=0.02)
    assert banded == 1.0
    assert overlap(_box(400, 100, 500, 400), page, _SIZE, 0.015) == (0.0, 0.0)


def test_a_spine_beside_the_true_one_is_measured_in_pixels_of_a_frame_of_4000() -> None:
    pages = (_box(100, 100, 310, 400), _box(310, 100, 500, 400))
    assert spine_error_px(pages, points([(300, 100), (300, 400)]), 640) == pytest.approx(10 * 4000 / 640, rel=0.01)


def test_what_is_missed_and_what_is_invented_is_counted_unless_the_frame_is_flagged(spread: Case) -> None:
    tally, nothing = outlines.Tally(), Signature(np.zeros((0, 2), np.float32), np.zeros((0, 32), np.uint8))
    turned = np.roll(spread.pages[0], -24, axis=0)  # begins at its lower right corner
    left = Page("left", tuple(map(tuple, turned)), 180, spread.planes, None, ())
    elsewhere = Page("right", ((0, 0), (90, 0), (90, 90), (0, 90)), 0, spread.planes, None, ())
    said = tally.add(spread, Processed((left, elsewhere), (), nothing))
    assert (tally.missed, tally.invented, tally.upright) == (1, 1, [False])
    assert "turned 180, which is wrong" in said
    tally.add(spread, Processed((elsewhere,), (FindingEntry(code="outline_uncertain", severity="warn"),), nothing))
    assert (tally.missed, tally.invented, tally.flagged) == (1, 1, 1)


@pytest.mark.parametrize(
    "changes", [{"mirror": 1.0}, {"rot": 4.0}, {"scale": 0.5}, {"dark": 0.6}, {"tint": 9.0, "rot": -3.0}]
)
def test_a_changed_frame_carries_its_truth_along(spread: Case, changes: dict[str, float]) -> None:
    case = varied(spread, changes)
    assert case.planes.y.shape == tuple(round(side * changes.get("scale", 1.0)) for side in spread.planes.y.shape)
    paper = [_mean_inside(case, page) for page in case.pages]
    assert min(paper) > 1.5 * float(np.median(case.planes.y[:20]))
    before = [_mean_inside(spread, page) for page in spread.pages]
    assert sorted(paper) == pytest.approx([changes.get("dark", 1.0) * each for each in sorted(before)], rel=0.03)


def _mean_inside(case: Case, page: np.ndarray) -> float:
    middle = page.mean(axis=0)
    x, y = np.rint((page - middle) * 0.7 + middle).astype(int).T
    return float(case.planes.y[y.min() : y.max(), x.min() : x.max()].mean())


def _box(left: float, top: float, right: float, bottom: float) -> np.ndarray:
    return points([(left, top), (right, top), (right, bottom), (left, bottom)])
