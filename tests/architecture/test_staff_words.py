"""The staff's documents quote the screens: whatever they print in bold is a text of the screens, letter for letter."""

import re
from pathlib import Path

import pytest

from tools.translations import extracted, translated

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
LANGUAGES_OF = {"staff.md": ("vi",), "staff.en.md": ("en",), "quick-card.md": ("vi", "en")}
_BOLD = re.compile(r"\*\*(.+?)\*\*")
_CODE = re.compile(r"\b[A-Z]{2,8}-\d\d\b")
_LONGEST = 14


def _texts(text: str | tuple[str, ...]) -> tuple[str, ...]:
    return text if isinstance(text, tuple) else (text,)


def _shown(languages: tuple[str, ...]) -> set[str]:
    sources = {"vi": [message.id for message in extracted()], "en": [message.string for message in translated()]}
    found = (text for language in languages for one in sources[language] for text in _texts(one))
    return {re.sub(r"%\(\w+\)s", "…", text).replace("%%", "%") for text in found if text}


def _prose(document: str) -> str:
    return (DOCS / document).read_text("utf-8")


@pytest.mark.parametrize("document", LANGUAGES_OF)
def test_every_quoted_word_stands_on_a_screen(document: str) -> None:
    quotes, shown = set(_BOLD.findall(_prose(document))), _shown(LANGUAGES_OF[document])
    assert quotes
    # "RETAKE – blur on …" is put together on the screen as well: a verdict, a dash, a reason.
    assert {q for q in quotes if q not in shown and not set(q.split(" – ")) <= shown} == set()


def test_every_code_that_a_person_meets_at_the_station_has_its_place_in_both_languages() -> None:
    templates = ROOT / "web_ui" / "station" / "templates" / "station"
    met = {
        code
        for path in (*templates.glob("*.html"), ROOT / "appliance" / "setup" / "health_rows.py")
        for code in _CODE.findall(path.read_text("utf-8"))
    }
    met |= {code for code in _CODE.findall((templates / "setup" / "words.html").read_text("utf-8")) if "CARRY" in code}
    assert len(met) > 20
    headings = {
        document: set(_CODE.findall("\n".join(re.findall(r"^### .*", _prose(document), re.MULTILINE))))
        for document in ("staff.md", "staff.en.md")
    }
    assert headings["staff.md"] == headings["staff.en.md"]
    assert met - headings["staff.md"] == set()
    assert headings["staff.md"] <= set(_CODE.findall((DOCS / "faults.md").read_text("utf-8")))


def test_sentences_in_vietnamese_are_short() -> None:
    lines = (line for line in _prose("staff.md").splitlines() if not line.startswith(("#", "!")))
    said = (_BOLD.sub("Q", cell) for line in lines for cell in line.strip("|- ").split("|"))
    sentences = [part.split() for one in said for part in re.split(r"[.:?]+(?:\s|$)", one)]
    assert [" ".join(words) for words in sentences if len(words) > _LONGEST] == []
