"""The words of the drawn book: prose written for this project, dealt out page by page from a seed.

A page's text depends on the seed and its number alone, so any page can be drawn without those before it.
"""

import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from numpy.random import Generator


@dataclass(frozen=True, slots=True)
class Chapter:
    """A title and the sentences its paragraphs are made of, each able to stand anywhere."""

    title: str
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Book:
    """A title and chapters."""

    title: str
    chapters: tuple[Chapter, ...]


@cache
def load_book() -> Book:
    """Return the prose that comes with the project, in Unicode's composed form."""
    text = files(__package__).joinpath("prose.txt").read_text(encoding="utf-8")
    title = ""
    chapters: list[tuple[str, list[str]]] = []
    for line in unicodedata.normalize("NFC", text).splitlines():
        if line.startswith("= "):
            title = line[2:]
        elif line.startswith("# "):
            chapters.append((line[2:], []))
        elif line:
            chapters[-1][1].append(line)
    return Book(title, tuple(Chapter(name, tuple(sentences)) for name, sentences in chapters))


def paragraphs(book: Book, first_chapter: int, rng: Generator) -> list[str]:
    """Return more paragraphs than a page can hold; the same state of `rng` gives the same ones.

    They begin with sentences of chapter `first_chapter` and go on through the book, so that no page repeats itself.
    """
    chapters = (*book.chapters[first_chapter:], *book.chapters[:first_chapter])
    deck = [chapter.sentences[index] for chapter in chapters for index in rng.permutation(len(chapter.sentences))]
    result = []
    while len(deck) > 5:
        length = int(rng.choice((1, 2, 3, 3, 4, 4, 5)))
        result.append(" ".join(deck[:length]))
        del deck[:length]
    return result
