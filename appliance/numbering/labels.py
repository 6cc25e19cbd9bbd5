"""What a printed page number says: `12`, `xii`, or a leaf and its side, `12a` (recto) and `12b` (verso)."""

import re
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

Style: TypeAlias = Literal["pages", "leaves", "roman"]

_LEAF: Final = re.compile(r"(?:tờ\s*)?([0-9]{1,4})\s*([ab])?", re.IGNORECASE)
_ROMAN: Final = re.compile(r"(?=[ivxlc])c{0,3}(xc|xl|l?x{0,3})(ix|iv|v?i{0,3})", re.IGNORECASE)
_LETTERS: Final = {"i": 1, "v": 5, "x": 10, "l": 50, "c": 100}


@dataclass(frozen=True, slots=True)
class Reading:
    """A number that was read on a page.

    Attributes:
        style: what is counted; sequences of different styles have nothing to do with each other.
        place: grows by one from page to page: the page's number, or twice the leaf's, one more on its verso.
        confidence: 0.0 to 1.0.
    """

    style: Style
    place: int
    confidence: float = 1.0

    def __post_init__(self) -> None:
        if not 0.0 <= self.confidence <= 1.0 or self.place < 0:
            raise ValueError("a reading has a place from 0 and a confidence from 0.0 to 1.0")


def parse(label: str, *, leaves: bool = False, confidence: float = 1.0) -> Reading | None:
    """Return what a label says, or None when it is no page number.

    Args:
        label: as printed; `tờ` before a leaf's number is allowed.
        leaves: leaves are numbered; without a letter the number stands on the recto.
        confidence: how sure the reading is.
    """
    text = label.strip()
    if leaves:
        leaf = _LEAF.fullmatch(text)
        if leaf is None:
            return None
        verso = (leaf[2] or "a").lower() == "b"
        return Reading("leaves", 2 * int(leaf[1]) + verso, confidence)
    if re.fullmatch("[0-9]{1,4}", text):
        return Reading("pages", int(text), confidence)
    if _ROMAN.fullmatch(text):
        return Reading("roman", _roman(text.lower()), confidence)
    return None


def written(style: Style, place: int) -> str:
    """Return the label of a place, as it would be printed."""
    if style == "leaves":
        return f"{place // 2}{'b' if place % 2 else 'a'}"
    if style == "pages" or place < 1:
        return str(place)
    text = ""
    for worth, letters in (
        (100, "c"),
        (90, "xc"),
        (50, "l"),
        (40, "xl"),
        (10, "x"),
        (9, "ix"),
        (5, "v"),
        (4, "iv"),
        (1, "i"),
    ):
        times, place = divmod(place, worth)
        text += letters * times
    return text


def _roman(text: str) -> int:
    values = [_LETTERS[letter] for letter in text]
    return sum(-own if own < after else own for own, after in zip(values, [*values[1:], 0], strict=True))
