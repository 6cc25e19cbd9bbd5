"""The benchmark of the page pipeline runs, compares itself with its floors, and shows what became of the frames."""

from pathlib import Path

import cv2
import pytest
from PIL import Image

from benchmarks import pages

SMALL = ["--n", "2", "--width", "1014", "--height", "760", "--seconds", "20"]


def test_every_way_is_timed_beside_both_floors(capsys: pytest.CaptureFixture[str]) -> None:
    threads = cv2.getNumThreads()
    assert pages.main(SMALL) == 0
    said, head, *lines = capsys.readouterr().out.splitlines()
    assert "one thread" in said
    assert "of planes" in head
    names = [line[:22].strip() for line in lines]
    assert names[:2] == ["bare calls on BGR", "bare calls on planes"]
    assert {"photograph to pages", "planes to pages", "finding", "checks", "evening the light", "remaps"} <= set(names)
    assert cv2.getNumThreads() == threads  # left as it was for whoever comes after


def test_a_sheet_shows_drawn_frames_or_photographs(tmp_path: Path) -> None:
    photo = tmp_path / "page.png"
    Image.new("RGB", (400, 300), (230, 225, 210)).save(photo)
    sheets = tmp_path / "drawn.png", tmp_path / "photos.png"
    assert pages.main([*SMALL, "--sheet", str(sheets[0])]) == 0
    assert pages.main([*SMALL, "--sheet", str(sheets[1]), str(photo)]) == 0
    heights = []
    for sheet in sheets:
        with Image.open(sheet) as picture:
            heights.append(picture.height)
    assert heights[0] == 6 * heights[1]
