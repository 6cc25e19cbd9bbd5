"""The benchmark reads what it is shown, scores words honestly, and says plainly what it skips."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from benchmarks import rectification
from benchmarks.ocr import share_found, why_not
from firmware import simulated

_FONT = Path(simulated.__file__).parent / "fonts" / "DejaVuSerifCondensed.ttf"
_WORDS = ("river", "bridge", "morning", "letter", "winter", "garden", "market", "window", "paper", "people", "history")


def test_without_photographs_it_says_that_it_skips(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert rectification.main(["--photos", str(tmp_path)]) == 0
    assert rectification.main([]) == 0
    assert capsys.readouterr().out.count("skipped, --photos names no folder") == 2


def test_a_word_counts_as_often_as_it_is_printed() -> None:
    assert share_found(["a", "a", "b", "c"], "c a x a a") == 0.75
    assert share_found([], "anything") == 0.0


@pytest.mark.skipif(why_not("eng") is not None, reason=f"reading needs Tesseract: {why_not('eng')}")
def test_a_drawn_sheet_is_read_by_either_way(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    _draw_sheet(tmp_path)
    assert rectification.main(["--photos", str(tmp_path), "--save", str(tmp_path / "pages")]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    scores = {row[0]: float(row[4]) for row in rows if row[0] in ("found", "true") and row[2] == "all"}
    assert scores["true"] == 1.0
    assert scores["found"] >= 0.9
    assert len(list((tmp_path / "pages").iterdir())) == 2


def _draw_sheet(folder: Path) -> None:
    """Lay a printed sheet on a dark table, as the benchmark's photographs are kept."""
    words = [_WORDS[(number * number) % len(_WORDS)] for number in range(160)]
    sheet = Image.new("L", (1000, 1400), 240)
    pen, font = ImageDraw.Draw(sheet), ImageFont.truetype(str(_FONT), 30)
    for number in range(0, len(words), 5):
        pen.text((90, 90 + 38 * number // 5), " ".join(words[number : number + 5]), fill=20, font=font)
    corners = np.array([[130, 90], [1150, 120], [1180, 1560], [90, 1530]], np.float32)
    whole = np.array([[0, 0], [1000, 0], [1000, 1400], [0, 1400]], np.float32)
    turn = cv2.getPerspectiveTransform(whole, corners)
    photo = cv2.warpPerspective(np.array(sheet), turn, (1280, 1660), borderMode=cv2.BORDER_CONSTANT, borderValue=50.0)
    name = "7_warped_document_perspective_bright.jpg"
    sheet.save(folder / "7_flat_document.png")
    cv2.imwrite(str(folder / name), photo)
    (folder / "7_ground_truth_words.json").write_text(json.dumps([{"text": word} for word in words]))
    (folder / "quads.json").write_text(json.dumps({name: {"pages": {"paper": corners.tolist()}}}))
