"""Names and identifiers: what they look like and how a new one is made."""

import re
import uuid
from typing import Annotated

from msgspec import Meta

END = r"(?!\n)$"
"""End of a pattern: a bare ``$`` would let a line feed follow."""
NAME_PATTERN = rf"^[a-z0-9-]{{1,32}}{END}"
"""Stations and workers: what MQTT topics, certificates and file names can all carry without escaping."""

Name = Annotated[str, Meta(pattern=NAME_PATTERN, description="lower-case letters, digits and dashes, at most 32")]
OpaqueId = Annotated[str, Meta(pattern=NAME_PATTERN, description="made once at random, never reused, never parsed")]
FILE_NAME_PATTERN = rf"^[a-z0-9][a-z0-9_-]{{0,47}}(\.[a-z0-9]{{1,8}})?{END}"
FileName = Annotated[str, Meta(pattern=FILE_NAME_PATTERN, description="one file, no folder, no leading dot")]

_NAME = re.compile(NAME_PATTERN)


def new_id() -> str:
    """Return a fresh opaque identifier: 128 random bits as 32 hexadecimal digits.

    Random rather than derived from a clock: a station without a battery clock may live the same second twice.
    """
    return uuid.uuid4().hex


def is_name(text: str) -> bool:
    """Tell whether `text` may name a station, a worker or an object."""
    return _NAME.fullmatch(text) is not None
