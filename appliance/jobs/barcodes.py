"""What a scanner or a finger gave as a barcode, and whether it can be a copy's. Pure.

Codes are kept verbatim: they hold letters, dots, dashes and slashes as the library wrote them. A keyboard driver for
Vietnamese (UniKey) takes a scanner for a typist and makes letters with marks of some pairs ("DD" becomes "Đ"). Which
keys stood there depends on its mode, so they are put back only where a known code proves them.
"""

import unicodedata
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Final

from appliance.jobs.camera_codes import Code, Look
from appliance.jobs.copies import SeenCode

MAX_LENGTH: Final = 64
_TELEX: Final = {
    "\u0301": "s",
    "\u0300": "f",
    "\u0309": "r",
    "\u0303": "x",
    "\u0323": "j",
    "\u0306": "w",
    "\u031b": "w",
}
_VNI: Final = {
    "\u0301": "1",
    "\u0300": "2",
    "\u0309": "3",
    "\u0303": "4",
    "\u0323": "5",
    "\u0302": "6",
    "\u031b": "7",
    "\u0306": "8",
}
_SHAPES: Final = "\u0302\u0306\u031b"
_BOOK_NUMBERS: Final = ("977", "978", "979")
"""How the article numbers of serials and books begin (EAN-13: ISSN, ISBN): they name an edition, never a copy."""
_IN_HOUSE: Final = ("02", "04", *(str(two) for two in range(20, 30)))
"""How article numbers begin that anybody may give within their own house (GS1), a library to its copies."""


def cleaned(text: str) -> str:
    """Return a code without what a scanner or a hand puts around it."""
    letters = "".join(letter if letter.isprintable() else " " for letter in unicodedata.normalize("NFC", text))
    return " ".join(letters.split())


def has_marks(code: str) -> bool:
    """Tell whether a keyboard driver had its hands in this code: codes are printed in plain letters."""
    return not code.isascii()


def as_typed(code: str, known: Collection[str]) -> str | None:
    """Return the one known code that a keyboard driver may have made `code` of; None where none or several are."""
    wanted = {_undone(code, _telex).casefold(), _undone(code, _vni).casefold()}
    found = [one for one in known if one.casefold() in wanted]
    return found[0] if len(found) == 1 else None


def is_a_books_number(code: str) -> bool:
    """Tell whether this is an article number of an edition (ISBN, ISSN) with a right check digit."""
    plain = code.replace("-", "")
    if len(plain) != 13 or not (plain.isascii() and plain.isdigit()) or not plain.startswith(_BOOK_NUMBERS):
        return False
    return sum(int(digit) * (1, 3)[place % 2] for place, digit in enumerate(plain)) % 10 == 0


def cannot_be_a_copys(code: str) -> bool:
    """Tell whether a code is surely something else: an edition's number, an address, a whole text."""
    return len(code) > MAX_LENGTH or "://" in code or is_a_books_number(code)


def chosen(looks: Sequence[Look], known: Collection[str]) -> SeenCode:
    """Return which of the codes that cameras saw is the copy's own.

    A code that a list knows is it. Of others, stripes as libraries print them go before square codes, which publishers
    use for addresses; an edition's number or a trader's is never it. Where several are left, a person chooses.
    """
    codes = [code for look in looks for code in look.codes]
    listed = _texts(code for code in codes if cleaned(code.text) in known)
    own = [code for code in codes if _can_be_a_copys(code)]
    stripes, squares = (_texts(code for code in own if (code.symbology == "square") is flag) for flag in (False, True))
    choices = listed or stripes or squares
    if choices:
        return SeenCode(choices[0]) if len(choices) == 1 else SeenCode(choices=choices, problem="several")
    if codes:
        return SeenCode(problem="wrong-code")
    if any(look.has_unread for look in looks):
        return SeenCode(problem="unread")
    return SeenCode(problem="dark" if looks and all(look.is_dark for look in looks) else "none")


def _can_be_a_copys(code: Code) -> bool:
    text = cleaned(code.text)
    is_traded = code.symbology == "article" and not text.startswith(_IN_HOUSE)
    return bool(text) and not is_traded and not cannot_be_a_copys(text)


def _texts(codes: Iterable[Code]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(cleaned(code.text) for code in codes))


def _undone(code: str, keys_of: Callable[[str, str], str]) -> str:
    return "".join(_keys(letter, keys_of) for letter in code)


def _keys(letter: str, keys_of: Callable[[str, str], str]) -> str:
    if letter in "Đđ":
        return keys_of("D" if letter == "Đ" else "d", "\u0335")
    split = unicodedata.normalize("NFD", letter)
    # Typists make the letter first, then its tone.
    marks = sorted(split[1:], key=lambda mark: mark not in _SHAPES)
    return split[0] + "".join(keys_of(split[0], mark)[1:] for mark in marks)


def _telex(plain: str, mark: str) -> str:
    key = _TELEX.get(mark, plain)
    return plain + (key.upper() if plain.isupper() else key)


def _vni(plain: str, mark: str) -> str:
    return plain + _VNI.get(mark, "9")
