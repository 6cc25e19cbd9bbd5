"""The pictures of docs/imaging.md are made by the program, show what they say, and stay small."""

from pathlib import Path

import numpy as np
from PIL import Image

from tools import draw_imaging

_ROOT = Path(__file__).parents[3]
_WIDTH_PX = 2000


def test_every_picture_is_in_the_document_and_small_enough_for_a_slow_line() -> None:
    text = (_ROOT / "docs" / "imaging.md").read_text("utf-8")
    for name in draw_imaging.ALL:
        assert f"(pictures/{name})" in text
        assert (draw_imaging.PICTURES / name).stat().st_size <= 150_000


def test_the_pictures_in_the_folder_show_what_the_program_does_now() -> None:
    for name, draw in draw_imaging.ALL.items():
        now = draw(_WIDTH_PX)
        with Image.open(draw_imaging.PICTURES / name) as kept:
            assert abs(now.width - kept.width) < 0.05 * kept.width, f"run python -m tools.draw_imaging: {name}"
            before, after = (np.asarray(each.convert("L").resize((64, 48)), float) for each in (kept, now))
            assert np.abs(after - before).mean() < 8, f"run python -m tools.draw_imaging: {name}"
