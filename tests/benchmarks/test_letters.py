"""Letters are counted rightly, and a drawn page is read as it is printed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import letters
from benchmarks.letters_parts import edits, error_rate, misread, plain
from benchmarks.ocr import why_not


def _slow_edits(wanted: str, got: str) -> int:
    row = list(range(len(got) + 1))
    for number, letter in enumerate(wanted, start=1):
        above, row[0] = row[0], number
        for place, read in enumerate(got, start=1):
            above, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, above + (letter != read))
    return row[-1]


@given(st.text("aăâđ ", max_size=40), st.text("aăâđ ", max_size=40))
def test_edits_are_the_fewest_that_turn_one_text_into_the_other(wanted: str, got: str) -> None:
    assert edits(wanted, got) == _slow_edits(wanted, got)


def test_the_same_letters_written_in_other_bytes_are_the_same() -> None:
    assert error_rate(plain("Việt\u00a0 Nam\n"), plain("Việt Nam")) == 0.0
    assert error_rate("", "abc") == 3.0


def test_every_misread_word_is_told_with_what_happened_to_it() -> None:
    wanted = ["Bên", "dòng", "sông", "đỏ", "cũ", "246"]
    found = misread(wanted, ["Bên", "dong", "song", "do", "cũ", "||", "246"])
    assert [(each.fault, each.wanted) for each in found] == [
        ("accents", "dòng"),
        ("accents", "sông"),
        ("accents", "đỏ"),
        ("added", ""),
    ]
    [lost] = misread(wanted, ["Bên", "dòng", "sông", "đỏ", "246"])
    assert (lost.fault, lost.wanted, lost.index) == ("lost", "cũ", 4)
    assert [each.fault for each in misread(wanted, ["Bẽn", "dòng", "sông", "đỏ", "cữu", "246"])] == [
        "accents",
        "letters",
    ]


@pytest.mark.skipif(why_not("vie") is not None, reason=f"reading needs Tesseract: {why_not('vie')}")
def test_a_drawn_spread_is_read_off_its_pages_and_off_the_print(capsys: pytest.CaptureFixture[str]) -> None:
    letters.main(["--n", "1", "--seed", "4", "--width", "2400", "--height", "1800", "--each"])
    said = capsys.readouterr().out
    assert "2 pages, " in said
    flat = next(line.split() for line in said.splitlines() if line.startswith("printed flat"))
    own = next(line.split() for line in said.splitlines() if line.startswith("finished pages"))
    assert float(flat[2]) < 0.02
    assert float(own[2]) < 0.08
