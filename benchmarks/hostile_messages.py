"""Hostile messages, drawn from one source of chance: whole ones by the protocol's own schemas, then harmed.

The source is a `random.Random`; the benchmark seeds it, the tests let Hypothesis be it.
"""

import json
import random
from collections.abc import Callable, Iterator
from typing import Any, Final

from wire import limits, schema
from wire.ids import FILE_NAME_PATTERN, NAME_PATTERN
from wire.messages import INSTANT_PATTERN

SCHEMAS: Final = schema.components()
FILE_NAMES: Final = ("capture.json", "pages.json", "list.json", "frame-1.jpg", "left.jpg", "right.jpg", "receipt.json")
NOT_NAMES: Final = (
    "..",
    "../../etc/passwd",
    "/etc/passwd",
    "a/b",
    "a\\b",
    ".hidden",
    "-",
    "CON",
    "A",
    "trạm",
    "x" * 33,
    "a\n",
    "a\u0000",
    "",
    "%2e%2e",
    "+",
    "#",
    "$SYS",
    "\u202etxt",
)
NOT_NUMBERS: Final = (-1, 0, 1, 2**31, 2**53, 2**53 + 1, 2**63, 2**64, 10**400, -0.0, 1e308, 5e-324, float("nan"), 0.5)
MOST_LEVELS: Final = 20_000

Json = Any


def whole(name: str, chance: random.Random) -> Json:
    """Return a message or document that fits the schema `name`, as JSON can carry it."""
    return _value(SCHEMAS[name], chance)


def harmed(value: Json, chance: random.Random) -> Json:
    """Return `value` with one to three of its places changed for something worse."""
    copy = json.loads(json.dumps(value))
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        places = list(_places(copy))
        if not places:
            return copy
        holder, key = chance.choice(places)
        _harm(holder, key, chance)
    return copy


def as_bytes(value: Json, chance: random.Random) -> bytes:
    """Return `value` as text, sometimes harmed as a text can be."""
    content = json.dumps(value, ensure_ascii=chance.random() < 0.5).encode("utf-8", "surrogatepass")
    return chance.choice(_TEXT_HARMS)(content, chance) if chance.random() < 0.3 else content


def junk(chance: random.Random) -> bytes:
    """Return bytes that are no message at all."""
    return chance.choice(_JUNK)(chance)


def topic_part(chance: random.Random) -> str:
    """Return one level of a topic that a hostile sender may think of, without what no client could send."""
    return chance.choice(NOT_NAMES).translate({0: "0", ord("+"): "p", ord("#"): "h"}).replace("\n", "n")


# Whole ones


def _value(fits: Json, chance: random.Random) -> Json:
    if "$ref" in fits:
        return _value(SCHEMAS[fits["$ref"].rsplit("/", 1)[1]], chance)
    if "anyOf" in fits:
        return _value(chance.choice(fits["anyOf"]), chance)
    if "enum" in fits:
        return chance.choice(fits["enum"])
    if "const" in fits:
        return fits["const"]
    return _KINDS[fits.get("type", "null")](fits, chance)


def _object(fits: Json, chance: random.Random) -> Json:
    if "properties" not in fits:
        inner = fits.get("additionalProperties")
        keys = chance.sample(FILE_NAMES, chance.randint(0, 2))
        return {key: _value(inner, chance) if isinstance(inner, dict) else None for key in keys}
    required = set(fits.get("required", ()))
    return {
        key: _value(inner, chance)
        for key, inner in fits["properties"].items()
        if key in required or key == "v" or chance.random() < 0.7
    }


def _array(fits: Json, chance: random.Random) -> Json:
    items = fits.get("items", {})
    if isinstance(items, list):
        return [_value(one, chance) for one in items]
    least = fits.get("minItems", 0)
    return [_value(items, chance) for _ in range(chance.randint(least, min(fits.get("maxItems", 3), least + 3)))]


def _string(fits: Json, chance: random.Random) -> str:
    pattern = fits.get("pattern")
    if pattern == NAME_PATTERN:
        return f"{chance.choice(('kho', 'capture', 'job'))}-{chance.randrange(10**6)}"
    if pattern == FILE_NAME_PATTERN:
        return chance.choice(FILE_NAMES)
    if pattern == INSTANT_PATTERN:
        return f"20{chance.randrange(100):02d}-01-02T03:04:05.{chance.randrange(10**6):06d}Z"
    if pattern is not None:
        return f"{chance.getrandbits(256):064x}"
    letters = "aă đêô\u0000\n\"\\'<&;\u202e\U0001f600"
    return "".join(chance.choices(letters, k=chance.randint(0, min(fits.get("maxLength", 40), 40))))


def _integer(fits: Json, chance: random.Random) -> int:
    least, most = fits.get("minimum", -(2**53)), fits.get("maximum", 2**53)
    return chance.choice((least, most, chance.randint(least, most), min(most, max(least, chance.randint(0, 5000)))))


def _number(fits: Json, chance: random.Random) -> float:
    return min(fits.get("maximum", 1e300), max(fits.get("minimum", -1e300), chance.choice((0.0, 0.5, 1e9, -3.25))))


_KINDS: Final[dict[str, Callable[[Json, random.Random], Json]]] = {
    "object": _object,
    "array": _array,
    "string": _string,
    "integer": _integer,
    "number": _number,
    "boolean": lambda _fits, chance: chance.random() < 0.5,
    "null": lambda _fits, _chance: None,
}

# Harmed ones


def _places(value: Json) -> Iterator[tuple[Json, Any]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield value, key
        yield from _places(one)


def _harm(holder: Json, key: Any, chance: random.Random) -> None:
    manner = chance.randrange(6)
    if manner == 0 and isinstance(holder, dict):
        del holder[key]
    elif manner == 1 and isinstance(holder, dict):
        holder[chance.choice(NOT_NAMES)] = holder.pop(key)
    elif manner == 2 and isinstance(holder, list):
        holder *= chance.randint(2, 40)
    elif manner == 3:
        holder[key] = _nested(chance.randint(1, 60))
    else:
        worse = (*NOT_NAMES, *NOT_NUMBERS, None, True, [], {}, [[]] * 50, "x" * chance.choice((401, 5000, 70_000)))
        holder[key] = chance.choice(worse)


def _nested(levels: int) -> Json:
    value: Json = []
    for number in range(levels):
        value = [value] if number % 2 else {"a": value}
    return value


def _cut(content: bytes, chance: random.Random) -> bytes:
    return content[: chance.randrange(len(content) + 1)]


def _flipped(content: bytes, chance: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(chance.randint(1, 8)):
        if changed:
            changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _not_utf_8(content: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(content) + 1)
    return content[:at] + chance.choice((b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf5\x80\x80\x80")) + content[at:]


def _twice(content: bytes, chance: random.Random) -> bytes:
    """Every key once more, so that two readers may see two messages in one."""
    inside = content.strip()[1:-1]
    return b"{" + inside + b"," + chance.choice((inside, b'"v":2', b'"station":"other"')) + b"}"


_TEXT_HARMS: Final[tuple[Callable[[bytes, random.Random], bytes], ...]] = (
    _cut,
    _flipped,
    _not_utf_8,
    _twice,
    lambda content, _chance: b"\xef\xbb\xbf" + content,
    lambda content, chance: content + bytes(chance.randrange(1, 64)),
    lambda content, _chance: content.replace(b'"', b"'"),
    lambda content, _chance: content.decode("utf-8", "replace").encode("utf-16", "replace"),
    lambda content, chance: b" " * chance.choice((1, 1000, 300_000)) + content,
    lambda content, _chance: content + content,
)

# No messages at all

_JUNK: Final[tuple[Callable[[random.Random], bytes], ...]] = (
    lambda chance: chance.randbytes(chance.randint(1, 2000)),
    lambda chance: chance.randbytes(chance.choice((limits.MAX_OFFER_BYTES + 1, 500_000, 1_000_000))),
    lambda chance: b"[" * chance.randint(1, MOST_LEVELS),
    lambda chance: b'{"v":1,"a":' * chance.randint(1, MOST_LEVELS),
    lambda _chance: b'{"v":1,"x":' + b"[" * MOST_LEVELS + b"]" * MOST_LEVELS + b"}",
    lambda chance: b'{"v":' + b"9" * chance.choice((20, 400, 5000)) + b"}",
    lambda chance: b'{"v":1e' + b"9" * chance.randint(1, 9) + b"}",
    lambda chance: chance.choice((b"null", b"true", b"0", b'""', b"[]", b"{}", b"NaN", b'{"v":1}', b'{"v":NaN}')),
    lambda chance: b'"' + b"\\ud800" * chance.randint(1, 50) + b'"',
    lambda chance: b"\x00" * chance.randint(1, 5000),
    lambda chance: json.dumps({"v": 1, "pad": "x" * chance.randint(200_000, 300_000)}).encode(),
)
