"""The words of the drawn book, and the typefaces they are set in."""

import hashlib
import tomllib
import unicodedata
from importlib.resources import files

import pytest
from numpy.random import default_rng

from firmware.simulated.text import load_book, paragraphs
from firmware.simulated.typeset import PAGE_HEIGHT_MM, PAGE_WIDTH_MM, Face, font, set_blank, set_page

FONTS = files("firmware.simulated").joinpath("fonts")
LETTERS = (
    "aàáảãạăằắẳẵặâầấẩẫậbcdđeèéẻẽẹêềếểễệghiìíỉĩịklmnoòóỏõọôồốổỗộơờớởỡợpqrstuùúủũụưừứửữựvxyỳýỷỹỵ"
    "AÀÁẢÃẠĂẰẮẲẴẶÂẦẤẨẪẬBCDĐEÈÉẺẼẸÊỀẾỂỄỆGHIÌÍỈĨỊKLMNOÒÓỎÕỌÔỒỐỔỖỘƠỜỚỞỠỢPQRSTUÙÚỦŨỤƯỪỨỬỮỰVXYỲÝỶỸỴ0123456789.,:!?"
)


def test_vendored_fonts_are_the_files_that_were_vendored():
    vendor = tomllib.loads(FONTS.joinpath("VENDOR.toml").read_text(encoding="utf-8"))
    present = {entry.name for entry in FONTS.iterdir()} - {"VENDOR.toml"}
    assert present == set(vendor["sha256"])
    assert {face.value for face in Face} <= present
    for name, digest in vendor["sha256"].items():
        assert hashlib.sha256(FONTS.joinpath(name).read_bytes()).hexdigest() == digest, name


@pytest.mark.parametrize("face", list(Face))
def test_every_vietnamese_letter_has_its_own_glyph(face):
    typeface = font(face, 60)
    missing = bytes(typeface.getmask("\U0010ffff"))
    shapes = {letter: bytes(typeface.getmask(letter)) for letter in LETTERS}
    assert missing not in shapes.values()
    assert len(set(shapes.values())) == len(LETTERS)


def test_the_prose_is_composed_vietnamese_that_the_fonts_can_print():
    book = load_book()
    text = "".join(sentence for chapter in book.chapters for sentence in (chapter.title, *chapter.sentences))
    assert unicodedata.is_normalized("NFC", text)
    assert set(text) <= set(LETTERS + " jwzJWZ;")
    assert all(len(chapter.sentences) >= 12 for chapter in book.chapters)
    assert all(sentence.endswith((".", "!", "?")) for chapter in book.chapters for sentence in chapter.sentences)


def test_no_sentence_stands_twice_on_a_page():
    texts = paragraphs(load_book(), 3, default_rng(1))
    sentences = [sentence for chapter in load_book().chapters for sentence in chapter.sentences]
    assert all(sum(text.count(sentence) for text in texts) <= 1 for sentence in sentences)


@pytest.mark.parametrize("number", [2, 3, 10, 11, 46, 121, 318])
def test_a_page_is_full_and_keeps_its_margins(number):
    page = set_page(5, number)
    assert len(page.words) > 120
    for word in page.words:
        left, top, right, bottom = word.box_mm
        assert 10 < left < right < PAGE_WIDTH_MM - 10
        assert 8 < top < bottom < PAGE_HEIGHT_MM - 8


@pytest.mark.parametrize("number", [2, 3, 11])
def test_words_do_not_overlap(number):
    words = set_page(5, number).words
    for index, word in enumerate(words):
        for other in words[index + 1 :]:
            apart = word.box_mm[2] <= other.box_mm[0] or other.box_mm[2] <= word.box_mm[0]
            above = word.baseline_mm != other.baseline_mm
            assert apart or above


def test_a_page_does_not_depend_on_those_before_it():
    assert set_page(9, 40) == set_page(9, 40)
    assert set_page(9, 40) != set_page(9, 42)


def test_a_chapter_opens_with_its_title_on_a_right_page():
    titles = {chapter.title for chapter in load_book().chapters}
    page = set_page(1, 11)
    bold = " ".join(word.text for word in page.words if word.face is Face.BOLD)
    assert bold in titles


def test_a_blank_page_has_nothing_on_it():
    page = set_blank(8)
    assert (page.words, page.rules_mm, page.printed_number, page.number) == ((), (), None, 8)
