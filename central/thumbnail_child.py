"""Makes thumbnails in a process of its own that may die: whatever a hostile picture does, it does here.

Reads one JSON list ``[source, target]`` a line from standard input, answers each with a line: ``ok``, or what was
wrong. Memory and time of the process are limited before the first picture is opened.
"""

import errno
import json
import resource
import sys
import warnings
from pathlib import Path
from typing import Final

from PIL import Image

LONGEST_SIDE_PX: Final = 480
MAX_PIXELS: Final = 130_000_000
_MEMORY_BYTES: Final = 2 << 30
_FORMATS: Final = ("JPEG", "TIFF")
_QUALITY: Final = 80
DISK_ANSWER: Final = "disk"
"""The picture is not to blame."""
_DISK_ERRORS: Final = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO))


def make(source: Path, target: Path) -> None:
    """Write a JPEG of `source`, at most `LONGEST_SIDE_PX` on its longer side, to `target`.

    Raises:
        OSError, ValueError, SyntaxError, Image.DecompressionBombError: it is not a picture we take.
    """
    with Image.open(source, formats=_FORMATS) as picture:
        picture.draft("RGB", (LONGEST_SIDE_PX, LONGEST_SIDE_PX))
        small = picture.convert("RGB")
        small.thumbnail((LONGEST_SIDE_PX, LONGEST_SIDE_PX), Image.Resampling.LANCZOS)
    small.save(target, "JPEG", quality=_QUALITY, optimize=True)


def main() -> None:
    """Serve requests until standard input ends."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    for line in sys.stdin:
        source, target = json.loads(line)
        try:
            make(Path(source), Path(target))
        except (OSError, ValueError, SyntaxError, MemoryError, Image.DecompressionBombError, Warning) as error:
            is_of_the_disk = isinstance(error, OSError) and error.errno in _DISK_ERRORS
            answer = DISK_ANSWER if is_of_the_disk else type(error).__name__
        else:
            answer = "ok"
        sys.stdout.write(f"{answer}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
