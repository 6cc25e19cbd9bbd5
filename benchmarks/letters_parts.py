"""Letters read against letters printed: how many are wrong, which, and where on the page."""

import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

Fault = Literal["accents", "letters", "lost", "added"]


@dataclass(frozen=True, slots=True)
class Misread:
    """One word that was not read as it is printed.

    Attributes:
        fault: only marks over and under letters differ; letters differ; nothing was read; nothing is printed there.
        wanted: as printed; empty where nothing is.
        got: as read; empty where nothing was.
        index: of the printed word, or of the one before which something was added.
    """

    fault: Fault
    wanted: str
    got: str
    index: int


def plain(text: str) -> str:
    """Return a text composed (one character a letter), its words parted by single spaces."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def error_rate(wanted: str, got: str) -> float:
    """Return how many characters must be changed, put in or taken out, as a share of those wanted."""
    return edits(wanted, got) / max(1, len(wanted))


def edits(wanted: str, got: str) -> int:
    """Return Levenshtein's distance; Myers' way, a whole column at once in the bits of a number."""
    if not wanted:
        return len(got)
    last, mask = 1 << (len(wanted) - 1), (1 << len(wanted)) - 1
    where = Counter[str]()
    for place, letter in enumerate(wanted):
        where[letter] |= 1 << place
    more, less, distance = mask, 0, len(wanted)
    for letter in got:
        same = where[letter]
        falls = (((same & more) + more) ^ more) | same
        up, down = less | ~(falls | more) & mask, more & falls
        distance += bool(up & last) - bool(down & last)
        up, down = up << 1 | 1, down << 1
        more, less = (down | ~((same | less) | up)) & mask, up & (same | less) & mask
    return distance


def misread(wanted: Sequence[str], got: Sequence[str]) -> list[Misread]:
    """Return what was not read as printed, word by word."""
    faults = []
    for kind, first, last, start, end in SequenceMatcher(None, wanted, got, autojunk=False).get_opcodes():
        if kind != "equal":
            for step in range(max(last - first, end - start)):
                own = wanted[first + step] if first + step < last else ""
                read = got[start + step] if start + step < end else ""
                faults.append(Misread(_fault(own, read), own, read, min(first + step, len(wanted) - 1)))
    return faults


def _fault(wanted: str, got: str) -> Fault:
    if not got:
        return "lost"
    if not wanted:
        return "added"
    return "accents" if _bare(wanted) == _bare(got) else "letters"


def _bare(word: str) -> str:
    """Return a word without the marks over and under its letters; the bar of đ is one of them."""
    parts = unicodedata.normalize("NFD", word.replace("đ", "d").replace("Đ", "D"))
    return "".join(letter for letter in parts if not unicodedata.combining(letter))
