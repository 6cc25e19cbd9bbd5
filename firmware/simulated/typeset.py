"""Sets a page of the drawn book: which word stands where, in millimetres from the page's own top left corner.

Measured at one large size and kept in millimetres, so that the same page comes out whatever the camera's resolution.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from functools import cache
from importlib.resources import as_file, files
from typing import Final

from numpy.random import default_rng
from PIL import ImageFont

from firmware.simulated.text import Book, load_book, paragraphs

PAGE_WIDTH_MM: Final = 145.0
PAGE_HEIGHT_MM: Final = 205.0
"""14.5 x 20.5 cm, the commonest format of Vietnamese books."""
CHAPTER_PAGES: Final = 10
_INNER_MM, _OUTER_MM, _TOP_MM, _BOTTOM_MM = 18.0, 15.0, 24.0, 22.0
_BODY_MM, _LEADING_MM, _INDENT_MM = 3.9, 5.85, 6.0
_REFERENCE_PX: Final = 200


class Face(Enum):
    """The typefaces of the book; the value is the file."""

    BODY = "DejaVuSerifCondensed.ttf"
    ITALIC = "DejaVuSerifCondensed-Italic.ttf"
    BOLD = "DejaVuSerifCondensed-Bold.ttf"


@dataclass(frozen=True, slots=True)
class PlacedWord:
    """A word on its page, in millimetres; `box_mm` is the ink: left, top, right, bottom."""

    text: str
    face: Face
    size_mm: float
    x_mm: float
    baseline_mm: float
    box_mm: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class PageSetting:
    """One page as it is to be printed. A blank page has neither words nor rules.

    Attributes:
        number: the page's place in the book.
        printed_number: what stands at its foot, or None.
        words: in reading order: running head, text, page number.
        rules_mm: thin lines: left, y, right.
    """

    number: int
    printed_number: str | None
    words: tuple[PlacedWord, ...]
    rules_mm: tuple[tuple[float, float, float], ...]


@cache
def font(face: Face, size_px: float) -> ImageFont.FreeTypeFont:
    """Return a typeface at a size in pixels."""
    with as_file(files(__package__).joinpath("fonts", face.value)) as path:
        return ImageFont.truetype(path, size_px, layout_engine=ImageFont.Layout.BASIC)


def set_page(seed: int, number: int) -> PageSetting:
    """Return page `number` of the book drawn from `seed`: even numbers are left pages."""
    rng = default_rng((seed, number))
    book = load_book()
    chapter_index = (seed + number // CHAPTER_PAGES) % len(book.chapters)
    chapter = book.chapters[chapter_index]
    setter = _Setter(left=number % 2 == 0)
    opens = number % CHAPTER_PAGES == 1 and number > 1
    if opens:
        setter.chapter_title(chapter.title, 1 + number // CHAPTER_PAGES)
    else:
        setter.running_head(book, chapter.title)
    setter.body(
        paragraphs(book, (chapter_index + number % CHAPTER_PAGES) % len(book.chapters), rng),
        continued=not opens and rng.random() < 0.7,
    )
    setter.folio(str(number))
    return PageSetting(number, str(number), tuple(setter.words), tuple(setter.rules))


def set_blank(number: int) -> PageSetting:
    """Return a page with nothing on it."""
    return PageSetting(number, None, (), ())


class _Setter:
    def __init__(self, *, left: bool) -> None:
        self.left_mm = _OUTER_MM if left else _INNER_MM
        self.right_mm = PAGE_WIDTH_MM - (_INNER_MM if left else _OUTER_MM)
        self.is_left = left
        self.top_mm = _TOP_MM
        self.words: list[PlacedWord] = []
        self.rules: list[tuple[float, float, float]] = []

    def chapter_title(self, title: str, number: int) -> None:
        self._centred((f"Chương {number}",), Face.ITALIC, 4.4, 52.0)
        self._centred(title.split(), Face.BOLD, 7.2, 64.0)
        middle = (self.left_mm + self.right_mm) / 2
        self.rules.append((middle - 12, 72.0, middle + 12))
        self.top_mm = 90.0

    def running_head(self, book: Book, chapter_title: str) -> None:
        words = (book.title if self.is_left else chapter_title).split()
        width = _line_width(words, Face.ITALIC, 3.3)
        self._line(words, Face.ITALIC, 3.3, self.left_mm if self.is_left else self.right_mm - width, 15.0)
        self.rules.append((self.left_mm, 17.2, self.right_mm))

    def folio(self, label: str) -> None:
        width = _line_width((label,), Face.BODY, 4.0)
        x = self.left_mm if self.is_left else self.right_mm - width
        self._line((label,), Face.BODY, 4.0, x, PAGE_HEIGHT_MM - 12.0)

    def body(self, texts: Iterable[str], *, continued: bool) -> None:
        baseline = self.top_mm + _BODY_MM
        last = PAGE_HEIGHT_MM - _BOTTOM_MM
        measure = self.right_mm - self.left_mm
        for text in texts:
            indent = 0.0 if continued else _INDENT_MM
            continued = False
            lines = _break_lines(text.split(), measure, indent)
            for number, line in enumerate(lines):
                if baseline > last:
                    return
                x = self.left_mm + (indent if number == 0 else 0.0)
                to = self.right_mm if number < len(lines) - 1 else None
                self._line(line, Face.BODY, _BODY_MM, x, baseline, justify_to_mm=to)
                baseline += _LEADING_MM

    def _centred(self, words: Iterable[str], face: Face, size_mm: float, baseline_mm: float) -> None:
        words = tuple(words)
        middle = (self.left_mm + self.right_mm) / 2
        self._line(words, face, size_mm, middle - _line_width(words, face, size_mm) / 2, baseline_mm)

    def _line(
        self,
        words: Iterable[str],
        face: Face,
        size_mm: float,
        x_mm: float,
        baseline_mm: float,
        *,
        justify_to_mm: float | None = None,
    ) -> None:
        words = tuple(words)
        gap = _width(" ", face, size_mm)
        if justify_to_mm is not None and len(words) > 1:
            gap += (justify_to_mm - x_mm - _line_width(words, face, size_mm)) / (len(words) - 1)
        for word in words:
            left, top, right, bottom = (size_mm * value for value in _ink_box(word, face))
            box = (x_mm + left, baseline_mm + top, x_mm + right, baseline_mm + bottom)
            self.words.append(PlacedWord(word, face, size_mm, x_mm, baseline_mm, box))
            x_mm += _width(word, face, size_mm) + gap


def _break_lines(words: list[str], measure_mm: float, indent_mm: float) -> list[list[str]]:
    lines: list[list[str]] = [[]]
    room = measure_mm - indent_mm
    space = _width(" ", Face.BODY, _BODY_MM)
    for word in words:
        width = _width(word, Face.BODY, _BODY_MM)
        if lines[-1] and width + space > room:
            lines.append([])
            room = measure_mm
        room -= width + (space if lines[-1] else 0.0)
        lines[-1].append(word)
    return lines


def _line_width(words: Iterable[str], face: Face, size_mm: float) -> float:
    words = tuple(words)
    return sum(_width(word, face, size_mm) for word in words) + _width(" ", face, size_mm) * (len(words) - 1)


def _width(text: str, face: Face, size_mm: float) -> float:
    return size_mm * _advance(text, face)


@cache
def _advance(text: str, face: Face) -> float:
    return font(face, _REFERENCE_PX).getlength(text) / _REFERENCE_PX


@cache
def _ink_box(text: str, face: Face) -> tuple[float, float, float, float]:
    left, top, right, bottom = font(face, _REFERENCE_PX).getbbox(text, anchor="ls")
    return left / _REFERENCE_PX, top / _REFERENCE_PX, right / _REFERENCE_PX, bottom / _REFERENCE_PX
