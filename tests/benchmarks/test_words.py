"""No printed word is lost without a word to the operator, and the count would notice if one were."""

import numpy as np
import pytest

from appliance.imaging.model import Setup
from appliance.imaging.pipeline import process
from appliance.imaging.profiles import DEFAULT_PROFILE
from benchmarks import words
from benchmarks.words_parts import lay


def test_of_a_few_books_laid_anyhow_no_word_is_lost_unflagged(capsys: pytest.CaptureFixture[str]) -> None:
    assert words.main(["--n", "6", "--seed", "3"]) == 0
    assert "lost unflagged: 0 words" in capsys.readouterr().out


def test_a_word_outside_every_page_is_counted() -> None:
    [laid] = lay(4, 1)
    processed = process(laid.planes, Setup(), DEFAULT_PROFILE)
    assert words.lost_words(laid, processed) == 0
    laid.words[7] += np.float32(5000)
    assert words.lost_words(laid, processed) == 1
