"""Pictures that are none, or of far too many pixels: small files that no decoder should meet unguarded."""

import random
import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from typing import Final

from PIL import Image

_BOMB_PX: Final = 30_000


def picture(width_px: int = 120, height_px: int = 160) -> bytes:
    """Return a JPEG that anybody may open."""
    stream = BytesIO()
    Image.effect_noise((width_px, height_px), 40).save(stream, "JPEG")
    return stream.getvalue()


def bomb(chance: random.Random) -> bytes:
    """Return one hostile picture."""
    return chance.choice(_BOMBS)(chance)


def _claims_to_be_huge(_chance: random.Random) -> bytes:
    content = picture(16, 16)
    at = content.index(b"\xff\xc0") + 5
    return content[:at] + struct.pack(">HH", 65_000, 65_000) + content[at + 4 :]


def _cut_short(chance: random.Random) -> bytes:
    content = picture()
    return content[: chance.randrange(2, len(content) - 2)]


def _flipped(chance: random.Random) -> bytes:
    content = bytearray(picture())
    for _ in range(30):
        content[chance.randrange(2, len(content))] = chance.randrange(256)
    return bytes(content)


def _png_bomb(_chance: random.Random) -> bytes:
    """Return a PNG that grows about a thousandfold: 30,000 × 30,000 white points."""
    row = b"\x00" + bytes(_BOMB_PX // 8)
    packer = zlib.compressobj(9)
    body = b"".join(packer.compress(row) for _ in range(_BOMB_PX)) + packer.flush()
    head = struct.pack(">IIBBBBB", _BOMB_PX, _BOMB_PX, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", body) + _chunk(b"IEND", b"")


def _tiff_bomb(chance: random.Random) -> bytes:
    """Return a TIFF whose only strip says that it is four gigabytes, or lies outside of the file."""
    tags = [(256, 60_000), (257, 60_000), (258, 8), (259, chance.choice((1, 5, 7, 8))), (262, 1)]
    tags += [(273, chance.choice((8, 2**31))), (277, 1), (278, 60_000), (279, 2**32 - 1)]
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    return b"II*\x00" + struct.pack("<I", 8) + struct.pack("<H", len(tags)) + entries + bytes(4)


def _endless_segments(_chance: random.Random) -> bytes:
    return b"\xff\xd8" + (b"\xff\xe1" + struct.pack(">H", 65_535) + bytes(65_533)) * 4


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


_BOMBS: Final[tuple[Callable[[random.Random], bytes], ...]] = (
    _claims_to_be_huge,
    _cut_short,
    _flipped,
    _png_bomb,
    _tiff_bomb,
    _endless_segments,
    lambda _chance: b"",
    lambda chance: chance.randbytes(500),
    lambda _chance: b"<svg xmlns='http://www.w3.org/2000/svg' width='9e9' height='9e9'/>",
    lambda _chance: b"%!PS\n{ } loop\n",
    lambda _chance: b"GIF89a" + b"\xff" * 400,
)
